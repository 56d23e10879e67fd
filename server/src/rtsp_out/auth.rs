//! Authentication: Digest (RFC 2617) with MD5, which every RTSP client has, or Basic (RFC 7617), which some have alone.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};
use subtle::ConstantTimeEq as _;

use crate::config::RtspConfig;

const REALM: &str = "multistream";

/// What the credentials of a request are worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    LetIn,
    /// There are none, or they answer a challenge of another connection: the client asks what is wanted.
    Asks,
    Wrong,
}

/// Weighs the header `Authorization` of a request. `nonce` is that of the connection.
pub(super) fn weigh(config: &RtspConfig, nonce: &str, method: &str, header: Option<&str>) -> Verdict {
    let (Some(username), Some(password)) = (&config.username, &config.password) else {
        return Verdict::LetIn;
    };
    let Some((scheme, credentials)) = header.and_then(|header| header.trim().split_once(' ')) else {
        return Verdict::Asks;
    };
    let is_right = if scheme.eq_ignore_ascii_case("basic") {
        let given = STANDARD.decode(credentials.trim()).unwrap_or_default();
        given.ct_eq(format!("{username}:{password}").as_bytes()).into()
    } else if scheme.eq_ignore_ascii_case("digest") {
        let given = parameters(credentials);
        let get =
            |name: &str| given.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, v)| &**v);
        if get("nonce") != Some(nonce) {
            return Verdict::Asks;
        }
        let secret = hex(&format!("{username}:{REALM}:{password}"));
        let request = hex(&format!("{method}:{}", get("uri").unwrap_or_default()));
        let expected = hex(&format!("{secret}:{nonce}:{request}"));
        let response = get("response").unwrap_or_default().to_ascii_lowercase();
        get("username") == Some(username.as_str())
            && bool::from(response.as_bytes().ct_eq(expected.as_bytes()))
    } else {
        false
    };
    if is_right { Verdict::LetIn } else { Verdict::Wrong }
}

/// The values of `WWW-Authenticate`, the better one first.
pub(super) fn challenges(nonce: &str) -> [String; 2] {
    [format!("Digest realm=\"{REALM}\", nonce=\"{nonce}\""), format!("Basic realm=\"{REALM}\"")]
}

/// A nonce that nobody guesses. It is valid for one connection.
pub(super) fn nonce() -> String {
    format!("{:032x}", rand::random::<u128>())
}

/// The parameters of a Digest header: `a="b", c=d`.
fn parameters(text: &str) -> Vec<(String, String)> {
    let mut parameters = Vec::new();
    let mut chars = text.chars().peekable();
    while chars.peek().is_some() {
        let mut key = String::new();
        while let Some(c) = chars.next_if(|c| !matches!(c, '=' | ',')) {
            key.push(c);
        }
        let mut value = String::new();
        if chars.next() == Some('=') {
            if chars.next_if_eq(&'"').is_some() {
                while let Some(c) = chars.next().filter(|c| *c != '"') {
                    value.extend(if c == '\\' { chars.next() } else { Some(c) });
                }
            }
            while let Some(c) = chars.next_if(|c| *c != ',') {
                value.push(c);
            }
            chars.next();
        }
        parameters.push((key.trim().to_owned(), value.trim().to_owned()));
    }
    parameters
}

fn hex(text: &str) -> String {
    Md5::digest(text.as_bytes()).iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock() -> RtspConfig {
        RtspConfig { listen: None, username: Some("user".to_owned()), password: Some("pa:s\"s".to_owned()) }
    }

    fn of(method: &str, header: &str) -> Verdict {
        weigh(&lock(), "abc", method, Some(header))
    }

    #[test]
    fn without_a_password_everybody_is_let_in() {
        assert_eq!(weigh(&RtspConfig::default(), "abc", "PLAY", None), Verdict::LetIn);
        assert_eq!(weigh(&lock(), "abc", "PLAY", None), Verdict::Asks);
    }

    #[test]
    fn basic_credentials_are_compared() {
        let basic = |text: &str| of("PLAY", &format!("Basic {}", STANDARD.encode(text)));
        assert_eq!(basic("user:pa:s\"s"), Verdict::LetIn);
        assert_eq!([basic("user:other"), basic("user"), of("PLAY", "Basic !")], [Verdict::Wrong; 3]);
        assert_eq!(of("PLAY", "Bearer x"), Verdict::Wrong);
    }

    #[test]
    fn a_digest_is_right_for_its_method_and_the_nonce_of_the_connection() {
        let header = |nonce: &str| {
            let secret = hex("user:multistream:pa:s\"s");
            let response = hex(&format!("{secret}:{nonce}:{}", hex("PLAY:rtsp://h/yard")));
            format!(
                "Digest username=\"user\", realm=\"multistream\", nonce=\"{nonce}\", uri=\"rtsp://h/yard\", response=\"{response}\""
            )
        };
        assert_eq!(of("PLAY", &header("abc")), Verdict::LetIn);
        assert_eq!(of("SETUP", &header("abc")), Verdict::Wrong);
        assert_eq!(of("PLAY", &header("abc").replace("\"user\"", "\"other\"")), Verdict::Wrong);
        assert_eq!(of("PLAY", &header("of another connection")), Verdict::Asks);
    }

    #[test]
    fn md5_is_that_of_the_standard() {
        assert_eq!(hex("message digest"), "f96b697d7cb7938d525a2f31aaf161d0");
    }

    #[test]
    fn quoted_values_may_hold_commas_and_quotes() {
        let parsed = parameters(r#"username="a\"b,c", nonce = x ,empty="#);
        let parsed: Vec<_> = parsed.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        assert_eq!(parsed, [("username", "a\"b,c"), ("nonce", "x"), ("empty", "")]);
    }
}
