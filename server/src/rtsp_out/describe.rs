//! The SDP (RFC 4566) of a stream, from its latest key frame.

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use sdp_types::{Attribute, Connection, Media, Origin, Session, Time};

use super::address::VIDEO;
use super::sender::PAYLOAD_TYPE;
use crate::bitstream::annex_b;
use crate::bitstream::nal::{NalCodec, NalKind};
use crate::media::{Codec, Frame, Timestamp90k};

/// What a client needs to know of a stream before its packets come.
#[derive(Debug, Clone)]
pub(super) struct Description {
    pub(super) codec: Codec,
    /// What `a=fmtp` says, for codecs that have it.
    format: Option<String>,
}

impl Description {
    pub(super) fn of(key_frame: &Frame) -> Self {
        let unit = key_frame.access_unit().unwrap_or_default();
        let format =
            key_frame.codec.nal().map(|codec| format(codec, &annex_b::split(&unit).collect::<Vec<_>>()));
        Self { codec: key_frame.codec, format }
    }

    /// The text, for a client that has reached this server at `local`.
    pub(super) fn sdp(&self, local: IpAddr) -> String {
        let local = local.to_canonical();
        let (kind, any) = if local.is_ipv4() { ("IP4", "0.0.0.0") } else { ("IP6", "::") };
        let attribute =
            |name: &str, value: &str| Attribute { attribute: name.to_owned(), value: Some(value.to_owned()) };
        let rtpmap = format!("{PAYLOAD_TYPE} {}/{}", self.codec.rtpmap(), Timestamp90k::HZ);
        let format = self.format.iter().map(|format| attribute("fmtp", &format!("{PAYLOAD_TYPE} {format}")));
        let attributes = [attribute("rtpmap", &rtpmap)].into_iter().chain(format);
        let video = Media {
            media: "video".to_owned(),
            port: 0,
            num_ports: None,
            proto: "RTP/AVP".to_owned(),
            fmt: PAYLOAD_TYPE.to_string(),
            media_title: None,
            connections: Vec::new(),
            bandwidths: Vec::new(),
            key: None,
            attributes: attributes.chain([attribute("control", VIDEO)]).collect(),
        };
        let session = Session {
            origin: Origin {
                username: None,
                sess_id: "1".to_owned(),
                sess_version: 1,
                nettype: "IN".to_owned(),
                addrtype: kind.to_owned(),
                unicast_address: local.to_string(),
            },
            session_name: "multistream".to_owned(),
            session_description: None,
            uri: None,
            emails: Vec::new(),
            phones: Vec::new(),
            connection: Some(Connection {
                nettype: "IN".to_owned(),
                addrtype: kind.to_owned(),
                connection_address: any.to_owned(),
            }),
            bandwidths: Vec::new(),
            times: vec![Time { start_time: 0, stop_time: 0, repeats: Vec::new() }],
            time_zones: Vec::new(),
            key: None,
            attributes: vec![attribute("control", "*"), attribute("range", "npt=now-")],
            medias: vec![video],
        };
        let mut text = Vec::new();
        // Writing to memory cannot fail.
        let _ = session.write(&mut text);
        String::from_utf8(text).unwrap_or_default()
    }
}

/// The parameters of RFC 6184 §8.1 and RFC 7798 §7.1, by which a decoder can be set up.
fn format(codec: NalCodec, nals: &[Bytes]) -> String {
    let sets = |kind| {
        let sets = nals.iter().filter(move |nal| codec.kind(nal) == kind);
        sets.map(|set| STANDARD.encode(set)).collect::<Vec<_>>()
    };
    let (sps, pps) = (sets(NalKind::Sps), sets(NalKind::Pps));
    match codec {
        NalCodec::H264 => {
            let first = nals.iter().find(|nal| codec.kind(nal) == NalKind::Sps);
            let profile = match first.map(|sps| &sps[..]) {
                Some([_, profile, constraints, level, ..]) => {
                    format!("profile-level-id={profile:02x}{constraints:02x}{level:02x};")
                }
                _ => String::new(),
            };
            let all = sps.into_iter().chain(pps).collect::<Vec<_>>().join(",");
            format!("packetization-mode=1;{profile}sprop-parameter-sets={all}")
        }
        NalCodec::H265 => {
            let named = [("sprop-vps", sets(NalKind::Vps)), ("sprop-sps", sps), ("sprop-pps", pps)];
            named.map(|(name, sets)| format!("{name}={}", sets.join(","))).join(";")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::{AccessUnit, Framer};

    fn key_frame(codec: Codec, data: Bytes) -> Frame {
        let unit = AccessUnit { codec, timestamp: Timestamp90k(0), discontinuity: false, data };
        Framer::new().frame(unit, Timestamp90k(0)).expect("a key frame")
    }

    #[test]
    fn h264_is_described_with_its_parameter_sets() {
        let nals = [&[0x67, 0x42, 0xc0, 0x28, 0xda][..], &[0x68, 0xeb, 0xe3], &[0x65, 0x88, 0x84]];
        let nals: Vec<Bytes> = nals.into_iter().map(Bytes::copy_from_slice).collect();
        let description = Description::of(&key_frame(Codec::H264, annex_b::join(&nals)));
        let sdp = description.sdp(IpAddr::from([192, 0, 2, 1]));
        for line in [
            "o=- 1 1 IN IP4 192.0.2.1\r\n",
            "c=IN IP4 0.0.0.0\r\n",
            "m=video 0 RTP/AVP 96\r\n",
            "a=rtpmap:96 H264/90000\r\n",
            "a=fmtp:96 packetization-mode=1;profile-level-id=42c028;sprop-parameter-sets=Z0LAKNo=,aOvj\r\n",
            "a=control:trackID=0\r\n",
        ] {
            assert!(sdp.contains(line), "{line} is not in {sdp}");
        }
        assert!(
            description.sdp("::ffff:192.0.2.1".parse().expect("an address")).contains("IN IP4 192.0.2.1")
        );
    }

    #[test]
    fn codecs_without_parameter_sets_have_no_format() {
        let vp8 = Bytes::from_static(&[0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0x80, 0x42, 0x68, 0x81]);
        let sdp = Description::of(&key_frame(Codec::Vp8, vp8)).sdp("::1".parse().expect("an address"));
        assert!(sdp.contains("a=rtpmap:96 VP8/90000\r\n") && sdp.contains("c=IN IP6 ::\r\n"), "{sdp}");
        assert!(!sdp.contains("fmtp"), "{sdp}");
    }
}
