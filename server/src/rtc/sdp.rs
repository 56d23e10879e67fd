//! Reads an offer before it is passed to the core, and edits the core's answer.

use std::collections::BTreeMap;
use std::io::Cursor;

use rtc::sdp::description::session::SessionDescription;

/// A payload type of the offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OfferedCodec {
    pub(super) payload_type: u8,
    /// From `a=rtpmap`, without clock rate.
    pub(super) encoding: String,
    /// `a=fmtp`, or empty.
    pub(super) fmtp: String,
}

impl OfferedCodec {
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.fmtp
            .split(';')
            .filter_map(|pair| pair.trim().split_once('='))
            .find(|(key, _)| *key == name)
            .map(|(_, v)| v)
    }
}

/// The video part of an offer.
#[derive(Debug, Default)]
pub(super) struct Offer {
    /// The browser's user fragment and password (RFC 8839 §5.4); all m-lines are bundled, so that there is one of each.
    pub(super) ufrag: String,
    pub(super) password: String,
    /// The number of video m-lines that the browser can receive on.
    pub(super) receiving: usize,
    /// Whether there is a video m-line that does not receive.
    pub(super) other_video: bool,
    /// All codecs of all video m-lines, each payload type once, in order of preference.
    pub(super) codecs: Vec<OfferedCodec>,
}

impl Offer {
    /// Reads an offer; the error is a sentence about what is wrong with it.
    pub(super) fn parse(sdp: &str) -> Result<Self, String> {
        let description = SessionDescription::unmarshal(&mut Cursor::new(sdp.as_bytes()))
            .map_err(|error| error.to_string())?;
        let attribute = |name: &str| {
            let of_session = description.attribute(name).map(String::as_str);
            let of_media =
                || description.media_descriptions.iter().find_map(|media| media.attribute(name)).flatten();
            of_session.or_else(of_media).unwrap_or_default().to_owned()
        };
        let (ufrag, password) = (attribute("ice-ufrag"), attribute("ice-pwd"));
        let mut offer = Offer { ufrag, password, ..Offer::default() };
        for media in description.media_descriptions.iter().filter(|media| media.media_name.media == "video") {
            if media.has_attribute("recvonly") || media.has_attribute("sendrecv") {
                offer.receiving += 1;
            } else {
                offer.other_video = true;
            }
            let mut fmtp: BTreeMap<u8, &str> = BTreeMap::new();
            let mut encodings: BTreeMap<u8, &str> = BTreeMap::new();
            for attribute in &media.attributes {
                let Some((payload_type, value)) =
                    attribute.value.as_deref().and_then(|value| value.split_once(' '))
                else {
                    continue;
                };
                let Ok(payload_type) = payload_type.parse() else { continue };
                if attribute.key == "fmtp" {
                    fmtp.insert(payload_type, value);
                } else if attribute.key == "rtpmap" {
                    encodings.insert(payload_type, value.split('/').next().unwrap_or_default());
                }
            }
            for format in &media.media_name.formats {
                let Ok(payload_type) = format.parse::<u8>() else { continue };
                let Some(encoding) = encodings.get(&payload_type) else { continue };
                if !offer.codecs.iter().any(|known| known.payload_type == payload_type) {
                    offer.codecs.push(OfferedCodec {
                        payload_type,
                        encoding: (*encoding).to_owned(),
                        fmtp: fmtp.get(&payload_type).copied().unwrap_or_default().to_owned(),
                    });
                }
            }
        }
        Ok(offer)
    }
}

/// The offer without the browser's candidates. A lite agent does not contact them: it learns the browser's addresses from its
/// requests.
pub(super) fn without_candidates(offer: &str) -> String {
    let kept = offer.lines().filter(|line| !line.starts_with("a=candidate:"));
    kept.flat_map(|line| [line, "\r\n"]).collect()
}

/// The answer with the port's candidates instead of the core's. All m-lines are bundled, so the first one that is not refused has the
/// candidates of all (RFC 8843 §10): a viewer who also wants sound may offer that first. They are complete, so end-of-candidates is
/// added (RFC 8840 §8.2).
pub(super) fn with_candidates(answer: &str, candidates: &[String]) -> String {
    let mut out = String::with_capacity(answer.len() + candidates.len() * 80);
    // Whether this is the section that gets them, and whether they are written.
    let (mut is_first, mut is_done) = (false, false);
    let announce = |out: &mut String| {
        for candidate in candidates {
            out.push_str("a=");
            out.push_str(candidate);
            out.push_str("\r\n");
        }
        out.push_str("a=end-of-candidates\r\n");
    };
    for line in answer.lines().filter(|line| !line.is_empty()) {
        if line.starts_with("a=candidate:") || line == "a=end-of-candidates" {
            continue;
        }
        if line.starts_with("m=") {
            if std::mem::take(&mut is_first) {
                announce(&mut out);
                is_done = true;
            }
            let is_refused = line.split(' ').nth(1) == Some("0");
            is_first = !is_done && !is_refused;
        }
        out.push_str(line);
        out.push_str("\r\n");
    }
    if is_first {
        announce(&mut out);
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OFFER: &str = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n\
        m=video 9 UDP/TLS/RTP/SAVPF 96 97 103\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=recvonly\r\n\
        a=rtpmap:96 VP8/90000\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\na=rtpmap:103 H264/90000\r\n\
        a=fmtp:103 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f\r\n\
        m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\na=recvonly\r\na=rtpmap:111 opus/48000/2\r\n";

    #[test]
    fn an_offers_video_is_read_in_order_of_preference() {
        let offer = Offer::parse(OFFER).expect("a valid offer");
        assert_eq!(offer.receiving, 1);
        assert!(!offer.other_video);
        let codecs: Vec<_> = offer.codecs.iter().map(|c| (c.payload_type, c.encoding.as_str())).collect();
        assert_eq!(codecs, [(96, "VP8"), (97, "rtx"), (103, "H264")]);
        assert_eq!(offer.codecs[2].parameter("packetization-mode"), Some("1"));
    }

    #[test]
    fn garbage_is_an_error_and_not_a_panic() {
        assert!(Offer::parse("hello").is_err());
    }

    #[test]
    fn candidates_are_in_the_first_section_only() {
        let answer = "v=0\r\nm=video 9 X 96\r\na=candidate:1 1 udp 1 127.0.0.1 9 typ host\r\na=mid:0\r\nm=video 9 X 96\r\na=mid:1\r\n";
        assert_eq!(
            with_candidates(answer, &["candidate:udp0 1 udp 5 192.0.2.7 8555 typ host".to_owned()]),
            "v=0\r\nm=video 9 X 96\r\na=mid:0\r\na=candidate:udp0 1 udp 5 192.0.2.7 8555 typ host\r\n\
             a=end-of-candidates\r\nm=video 9 X 96\r\na=mid:1\r\n"
        );
    }

    #[test]
    fn candidates_are_not_in_a_section_that_is_refused() {
        let answer = "v=0\r\nm=audio 0 X 111\r\na=mid:0\r\nm=video 9 X 96\r\na=mid:1\r\n";
        assert_eq!(
            with_candidates(answer, &["candidate:udp0 1 udp 5 192.0.2.7 8555 typ host".to_owned()]),
            "v=0\r\nm=audio 0 X 111\r\na=mid:0\r\nm=video 9 X 96\r\na=mid:1\r\n\
             a=candidate:udp0 1 udp 5 192.0.2.7 8555 typ host\r\na=end-of-candidates\r\n"
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(sdp in "(?s).{0,400}") {
            let _ = Offer::parse(&sdp);
        }

        #[test]
        fn an_offer_with_a_line_replaced_is_read_without_a_panic(line in 0usize..16, with in "[a-z]=.{0,40}") {
            let mut lines: Vec<&str> = OFFER.lines().collect();
            let at = line % lines.len();
            lines[at] = &with;
            let _ = Offer::parse(&lines.join("\r\n"));
        }
    }
}
