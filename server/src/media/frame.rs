//! A picture, cut into RTP payloads once, for every viewer.

use bytes::Bytes;

use super::Timestamp90k;
use crate::bitstream::{Codec, Dimensions};

/// An access unit as RTP payloads. Shared between the GOP cache and all viewers; never changed.
#[derive(Debug)]
pub struct Frame {
    pub codec: Codec,
    /// On the server's timeline.
    pub timestamp: Timestamp90k,
    pub keyframe: bool,
    /// Of a key frame, where its headers tell.
    pub dimensions: Option<Dimensions>,
    /// At least one; each fits a packet. The marker bit belongs on the last.
    pub payloads: Box<[Bytes]>,
    /// The access unit that the payloads were cut from, for consumers that want no RTP (ffmpeg, a snapshot).
    pub data: Bytes,
}

impl Frame {
    /// Bytes of all payloads, as the GOP cache and the bandwidth figures count them.
    pub fn len_bytes(&self) -> usize {
        self.payloads.iter().map(Bytes::len).sum()
    }
}
