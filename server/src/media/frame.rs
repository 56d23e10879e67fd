//! A picture as RTP payloads, made once for all viewers.

use bytes::Bytes;

use super::Timestamp90k;
use crate::bitstream::{Codec, Dimensions};
use crate::rtp::depacketize;

/// An access unit as RTP payloads. Shared between the GOP cache and all viewers; never changed.
#[derive(Debug)]
pub struct Frame {
    pub codec: Codec,
    /// On the media timeline, which all streams share.
    pub timestamp: Timestamp90k,
    pub keyframe: bool,
    /// The picture's size, for a key frame whose headers contain it.
    pub dimensions: Option<Dimensions>,
    /// The size to show it in, where that is another one because its samples are not square.
    pub display: Option<Dimensions>,
    /// One payload per RTP packet, at least one. The packet with the last one gets the marker bit.
    pub payloads: Box<[Bytes]>,
}

impl Frame {
    /// The size of all payloads, as it counts for the bit rate.
    pub fn len_bytes(&self) -> usize {
        self.payloads.iter().map(Bytes::len).sum()
    }

    /// The memory that the frame takes, which counts for the limit of the GOP cache.
    pub fn held_bytes(&self) -> usize {
        size_of::<Self>() + self.payloads.len() * size_of::<Bytes>() + self.len_bytes()
    }

    /// The access unit, joined again from the payloads. An ffmpeg that makes a variant needs it, since it reads Matroska and no
    /// RTP. Few streams have variants, so access units are joined on demand and not kept for all streams. `None` if the
    /// payloads are invalid, which those of [`super::Framer`] never are.
    pub fn access_unit(&self) -> Option<Bytes> {
        depacketize::join(self.codec, &self.payloads)
    }
}
