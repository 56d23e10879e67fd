//! A picture, cut into RTP payloads once, for every viewer.

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
    /// Of a key frame, where its headers tell.
    pub dimensions: Option<Dimensions>,
    /// At least one; each fits a packet. The marker bit belongs on the last. They share no memory with what the source
    /// delivered.
    pub payloads: Box<[Bytes]>,
}

impl Frame {
    /// Bytes of all payloads, as figures of bandwidth count them.
    pub fn len_bytes(&self) -> usize {
        self.payloads.iter().map(Bytes::len).sum()
    }

    /// The memory that it takes.
    pub fn held_bytes(&self) -> usize {
        size_of::<Self>() + self.payloads.len() * size_of::<Bytes>() + self.len_bytes()
    }

    /// The access unit that the payloads were cut from, in a copy, for a consumer that takes no RTP: ffmpeg, which encodes a
    /// variant. Few streams have one, so the access unit is joined again for it and not kept beside the payloads of all.
    /// `None` if these are no payloads of the codec; those that [`super::Framer`] cuts are.
    pub fn access_unit(&self) -> Option<Bytes> {
        depacketize::join(self.codec, &self.payloads)
    }
}
