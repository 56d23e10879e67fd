//! The coded picture that a source delivers.

use bytes::Bytes;

use super::Timestamp90k;
use crate::bitstream::Codec;

/// One coded picture with all data that belongs to it.
#[derive(Debug, Clone)]
pub struct AccessUnit {
    pub codec: Codec,
    /// The source's own timestamp. The framer converts it to the media timeline ([`super::Timeline`]).
    pub timestamp: Timestamp90k,
    /// Whether data before this picture was lost, so that it may refer to a missing picture.
    pub discontinuity: bool,
    /// H.264 and H.265: Annex B. VP8, VP9: the frame. AV1: a temporal unit in the low-overhead format, without temporal
    /// delimiters.
    pub data: Bytes,
}
