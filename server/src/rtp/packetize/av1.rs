//! AV1 (AOM's RTP payload specification).

use bytes::Bytes;
use rtc::rtp::codec::av1::Av1Payloader;
use rtc::rtp::packetizer::Payloader as _;

/// The bit for the start of a new coded video sequence (§4.4).
const NEW_SEQUENCE: u8 = 1 << 3;

pub(super) fn packetize(unit: &Bytes, keyframe: bool, max: usize) -> Vec<Bytes> {
    let mut payloads = Av1Payloader::default().payload(max, unit).unwrap_or_default();
    // The library sets it wherever there is a sequence header, but some encoders repeat that between key frames, and browsers
    // would start at such a frame.
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
