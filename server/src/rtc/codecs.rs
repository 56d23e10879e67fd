//! Which of the offered payload types and header extensions are negotiated, and what codec each payload type has.

use rtc::peer_connection::configuration::media_engine::MediaEngine;
use rtc::rtp_transceiver::rtp_sender::{
    RTCPFeedback, RTCRtpCodec, RTCRtpCodecParameters, RTCRtpHeaderExtensionCapability, RTCRtpSendParameters,
    RtpCodecKind,
};
use rtc::shared::error::Result;

use super::sdp::OfferedCodec;
use crate::media::Codec;
use crate::rtp::PayloadTypes;

/// The header extension by which the sender limits the receiver's playout delay, here to zero.
const PLAYOUT_DELAY_URI: &str = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay";
/// Numbers packets so that the receiver can say when each arrived (draft-holmer-rmcat-transport-wide-cc-extensions-01).
const TRANSPORT_CC_URI: &str = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";

/// The ids of the header extensions that were negotiated for one m-line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct HeaderExtensions {
    /// Limits the receiver's playout delay.
    pub(super) playout_delay: Option<u8>,
    /// Carries the transport-wide sequence number.
    pub(super) transport_number: Option<u8>,
}

pub(super) fn header_extensions(parameters: &RTCRtpSendParameters) -> HeaderExtensions {
    let extensions = &parameters.rtp_parameters.header_extensions;
    let id_of = |uri: &str| extensions.iter().find(|known| known.uri == uri).map(|known| known.id as u8);
    HeaderExtensions { playout_delay: id_of(PLAYOUT_DELAY_URI), transport_number: id_of(TRANSPORT_CC_URI) }
}

/// The first payload type of each codec that was negotiated for one m-line, in the browser's order of preference.
pub(super) fn payload_types(parameters: &RTCRtpSendParameters) -> PayloadTypes {
    let mut by_codec = Vec::new();
    for parameters in &parameters.rtp_parameters.codecs {
        if let Some(codec) = codec_of(&parameters.rtp_codec.mime_type)
            && !by_codec.iter().any(|(known, _)| *known == codec)
        {
            by_codec.push((codec, parameters.payload_type));
        }
    }
    PayloadTypes::new(by_codec)
}

fn codec_of(mime_type: &str) -> Option<Codec> {
    let name = mime_type.split_once('/')?.1;
    Codec::ALL.into_iter().find(|codec| codec.rtpmap().eq_ignore_ascii_case(name))
}

/// The codec of an offered payload type, if the packets of this server conform to it.
fn sendable(offered: &OfferedCodec) -> Option<Codec> {
    let codec =
        Codec::ALL.into_iter().find(|codec| codec.rtpmap().eq_ignore_ascii_case(&offered.encoding))?;
    let parameter = |name: &str| offered.parameter(name);
    let fits = match codec {
        // RFC 6184 §6.2: fragmentation units need mode 1. Any profile: decoders look at the SPS, not at the SDP.
        Codec::H264 => parameter("packetization-mode") == Some("1"),
        // RFC 9628 §6: a VP9 payload type has one profile; cameras and ffmpeg send profile 0.
        Codec::Vp9 => matches!(parameter("profile-id"), None | Some("0")),
        Codec::Av1 => matches!(parameter("profile"), None | Some("0")),
        Codec::H265 | Codec::Vp8 => true,
    };
    fits.then_some(codec)
}

/// The first offered codec that can be sent, to create a track with. Without a codec the core would not register the track with
/// its interceptors, and no sender reports would be sent for it.
pub(super) fn first(offered: &[OfferedCodec]) -> Option<RTCRtpCodec> {
    offered.iter().find_map(|offered| Some(capability(offered, sendable(offered)?)))
}

fn capability(offered: &OfferedCodec, codec: Codec) -> RTCRtpCodec {
    let feedback =
        |typ: &str, parameter: &str| RTCPFeedback { typ: typ.to_owned(), parameter: parameter.to_owned() };
    RTCRtpCodec {
        mime_type: format!("video/{}", codec.rtpmap()),
        clock_rate: 90_000,
        channels: 0,
        sdp_fmtp_line: offered.fmtp.clone(),
        rtcp_feedback: vec![feedback("nack", ""), feedback("nack", "pli"), feedback("transport-cc", "")],
    }
}

/// A media engine with exactly the offered codecs that can be sent, under the browser's payload types.
///
/// There is no RTX: the core ties the retransmission payload type to the first codec, so the repairs of a slot that has changed
/// its codec would be decoded as the wrong one. Lost packets are sent again on the stream itself.
pub(super) fn media_engine(offered: &[OfferedCodec]) -> Result<MediaEngine> {
    let mut engine = MediaEngine::default();
    for offered in offered {
        let Some(codec) = sendable(offered) else { continue };
        let parameters = RTCRtpCodecParameters {
            rtp_codec: capability(offered, codec),
            payload_type: offered.payload_type,
        };
        engine.register_codec(parameters, RtpCodecKind::Video)?;
    }
    for uri in [PLAYOUT_DELAY_URI, TRANSPORT_CC_URI] {
        let capability = RTCRtpHeaderExtensionCapability { uri: uri.to_owned() };
        engine.register_header_extension(capability, RtpCodecKind::Video, None)?;
    }
    Ok(engine)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offered(encoding: &str, fmtp: &str) -> OfferedCodec {
        OfferedCodec { payload_type: 96, encoding: encoding.to_owned(), fmtp: fmtp.to_owned() }
    }

    #[test]
    fn h264_is_accepted_in_packetization_mode_1_with_any_profile() {
        assert_eq!(
            sendable(&offered("H264", "packetization-mode=1;profile-level-id=f4001f")),
            Some(Codec::H264)
        );
        assert_eq!(sendable(&offered("H264", "packetization-mode=0;profile-level-id=42e01f")), None);
        assert_eq!(sendable(&offered("H264", "profile-level-id=42e01f")), None);
    }

    #[test]
    fn vp9_is_accepted_in_profile_0_only() {
        assert_eq!(sendable(&offered("VP9", "profile-id=0")), Some(Codec::Vp9));
        assert_eq!(sendable(&offered("VP9", "profile-id=2")), None);
    }

    #[test]
    fn what_is_no_video_codec_is_left_out() {
        assert_eq!(sendable(&offered("rtx", "apt=96")), None);
        assert_eq!(sendable(&offered("ulpfec", "")), None);
    }
}
