//! The SDP fragments of `PATCH` (RFC 8840 §4.4).

/// The user fragment of an offer or of a fragment: all m-lines are bundled, so that there is one of each. `None` where none is
/// named.
pub(super) fn ufrag(sdp: &str) -> Option<&str> {
    sdp.lines().find_map(|line| line.strip_prefix("a=ice-ufrag:")).map(str::trim)
}

/// Whether this is an SDP fragment: lines of attributes, with m-lines between them.
pub(super) fn is_fragment(text: &str) -> bool {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty()).peekable();
    lines.peek().is_some() && lines.all(|line| line.starts_with("a=") || line.starts_with("m="))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fragment_is_told_from_other_texts_and_its_user_fragment_is_read() {
        let text = "a=group:BUNDLE 0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:0\r\na=ice-ufrag:EsAw\r\na=ice-pwd:x\r\n\
                    a=candidate:1 1 udp 1 192.0.2.1 61764 typ host\r\na=end-of-candidates\r\n";
        assert!(is_fragment(text));
        assert_eq!(ufrag(text), Some("EsAw"));
        for other in ["", "\r\n", "{}", "a=mid:0\r\nhello", "v=0\r\na=mid:0"] {
            assert!(!is_fragment(other), "{other}");
        }
        assert_eq!(ufrag("a=mid:0"), None);
    }
}
