//! A picture as RTP payloads, made once for all viewers.

use bytes::Bytes;

use super::Timestamp90k;
use crate::bitstream::{Codec, Dimensions};
use crate::rtp::depacketize;

/// An access unit as RTP payloads. Shared between the GOP cache and all viewers; never changed.
#[derive(Debug)]
pub struct Frame {
    pub codec: Codec,
    /// On the server's timeline.
    pub timestamp: Timestamp90k,
    pub keyframe: bool,
    /// Of a key frame, if its headers contain them.
    pub dimensions: Option<Dimensions>,
    /// At least one; each fits into a packet. The last one gets the marker bit. They share no memory with the source's data.
    pub payloads: Box<[Bytes]>,
}

impl Frame {
    /// The size of all payloads, as it counts for the bit rate.
    pub fn len_bytes(&self) -> usize {
        self.payloads.iter().map(Bytes::len).sum()
    }

    /// The memory that it takes.
    pub fn held_bytes(&self) -> usize {
        size_of::<Self>() + self.payloads.len() * size_of::<Bytes>() + self.len_bytes()
    }

    /// A copy of the access unit, joined from the payloads, for ffmpeg, which takes no RTP payloads for a variant. Few streams
    /// have variants, so the access unit is joined on demand and not kept for all streams. `None` if the payloads are invalid,
    /// which those of [`super::Framer`] never are.
    pub fn access_unit(&self) -> Option<Bytes> {
        depacketize::join(self.codec, &self.payloads)
    }
}
