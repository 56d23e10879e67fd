//! Cuts coded pictures into RTP payloads, once for all viewers.
//!
//! The descriptors contain no counters across frames (no picture ids), so a slot that changes its stream rewrites RTP headers
//! only, never payloads.

mod av1;
mod h26x;
mod vpx;

use bytes::Bytes;

use crate::bitstream::nal::NalCodec;

/// The largest payload, which leaves space for RTP, SRTP, header extensions, TURN, and IPv6 in an Ethernet frame, also in
/// tunnels.
pub const MAX_PAYLOAD: usize = 1200;

/// H.264 (RFC 6184, packetization mode 1) or H.265 (RFC 7798).
pub fn nal_units(codec: NalCodec, nals: &[Bytes]) -> Vec<Bytes> {
    h26x::packetize(codec, nals, MAX_PAYLOAD)
}

/// VP8 (RFC 7741).
pub fn vp8(frame: &Bytes) -> Vec<Bytes> {
    vpx::vp8(frame, MAX_PAYLOAD)
}

/// VP9 (RFC 9628).
pub fn vp9(frame: &Bytes, keyframe: bool) -> Vec<Bytes> {
    vpx::vp9(frame, keyframe, MAX_PAYLOAD)
}

/// AV1 (AOM's RTP specification). `unit` must consist of whole OBUs, as [`crate::bitstream::av1::read`] checks.
pub fn av1(unit: &Bytes, keyframe: bool) -> Vec<Bytes> {
    av1::packetize(unit, keyframe, MAX_PAYLOAD)
}

#[cfg(test)]
mod tests;
