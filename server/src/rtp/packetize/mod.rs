//! From coded pictures to RTP payloads, once for all viewers.
//!
//! Descriptors carry nothing that counts across frames (no picture ids): a slot that goes from one stream to another needs
//! to rewrite RTP headers only, never payloads.

mod h26x;
mod vpx;

use bytes::Bytes;
use rtc::rtp::codec::av1::Av1Payloader;
use rtc::rtp::packetizer::Payloader;

use crate::bitstream::Codec;

/// Leaves room for RTP, SRTP, header extensions, TURN, and IPv6 in an Ethernet frame, tunnels included.
pub const MAX_PAYLOAD: usize = 1200;

/// H.264 (RFC 6184, packetization mode 1) or H.265 (RFC 7798).
pub fn nal_units(format: NalFormat, nals: &[Bytes]) -> Vec<Bytes> {
    h26x::packetize(format, nals, MAX_PAYLOAD)
}

pub use h26x::NalFormat;

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
    /// The bit that says "a new coded video sequence starts here" (§4.4).
    const NEW_SEQUENCE: u8 = 1 << 3;

    let mut payloads = Av1Payloader::default().payload(MAX_PAYLOAD, unit).unwrap_or_default();
    // The library sets it wherever a sequence header is, but some encoders repeat that between key frames, and
    // browsers would take such a frame for one to start with.
    if let Some(first) = payloads.first_mut()
        && !keyframe
        && first.first().is_some_and(|header| header & NEW_SEQUENCE != 0)
    {
        let mut bytes = first.to_vec();
        bytes[0] &= !NEW_SEQUENCE;
        *first = Bytes::from(bytes);
    }
    payloads
}

/// What a codec's payload format is called where its packets are cut from NAL units.
pub fn nal_format(codec: Codec) -> Option<NalFormat> {
    match codec {
        Codec::H264 => Some(NalFormat::H264),
        Codec::H265 => Some(NalFormat::H265),
        Codec::Vp8 | Codec::Vp9 | Codec::Av1 => None,
    }
}

#[cfg(test)]
mod tests;
