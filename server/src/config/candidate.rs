//! The entries of `webrtc.candidates`, and hosts with ports.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// What an entry of `webrtc.candidates` may be, for messages.
pub(super) const CANDIDATE: &str = "an IP address or a host name, with or without a port, such as 203.0.113.7:8555, \
    [2001:db8::7]:8555 or cams.example.com, or stun:8555";
/// What `webrtc.stun_server` may be, for messages.
pub(super) const STUN_SERVER: &str = "a STUN server such as stun.example.com:3478";
/// The port of STUN servers that name none (RFC 8489 §8.1).
const STUN_PORT: u16 = 3478;

/// An address that is announced besides those of the interfaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Candidate {
    Address(SocketAddr),
    /// Each of the addresses that the name has at the time.
    Host(HostPort),
    /// The address that a STUN server sees, with this port.
    Stun {
        port: u16,
    },
}

/// A host, by its name or its address, and a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostPort {
    /// Without the brackets of an IPv6 address.
    pub host: String,
    pub port: u16,
}

impl Candidate {
    /// An address or a name without a port gets `default_port`.
    pub(super) fn parse(text: &str, default_port: u16) -> Option<Self> {
        if let Some(port) = text.strip_prefix("stun:") {
            return parse_port(port).map(|port| Self::Stun { port });
        }
        if let Ok(address) = text.parse() {
            return Some(Self::Address(address));
        }
        let HostPort { host, port } = HostPort::parse(text, default_port)?;
        Some(match host.parse() {
            Ok(ip) => Self::Address(SocketAddr::new(ip, port)),
            Err(_) => Self::Host(HostPort { host, port }),
        })
    }
}

impl HostPort {
    pub fn parse(text: &str, default_port: u16) -> Option<Self> {
        if text.parse::<IpAddr>().is_ok() {
            return Some(Self { host: text.to_owned(), port: default_port });
        }
        if let Some((host, rest)) = text.strip_prefix('[').and_then(|text| text.split_once(']')) {
            host.parse::<std::net::Ipv6Addr>().ok()?;
            let port = if rest.is_empty() { default_port } else { parse_port(rest.strip_prefix(':')?)? };
            return Some(Self { host: host.to_owned(), port });
        }
        let (host, port) = match text.split_once(':') {
            Some((host, port)) => (host, parse_port(port)?),
            None => (text, default_port),
        };
        let known = host.parse::<Ipv4Addr>().is_ok() || is_host(host);
        known.then(|| Self { host: host.to_owned(), port })
    }

    /// The server of an ICE URL (RFC 7064, RFC 7065): `stun:host`, `turn:host:port?transport=tcp`.
    pub fn of_url(url: &str) -> Option<Self> {
        let (scheme, rest) = url.split_once(':')?;
        let default_port = if scheme.ends_with('s') { 5349 } else { STUN_PORT };
        Self::parse(rest.split('?').next().unwrap_or(rest), default_port)
    }

    /// The value of `webrtc.stun_server`: with or without `stun:` before it.
    pub(super) fn stun_server(text: &str) -> Option<Self> {
        Self::parse(text.strip_prefix("stun:").unwrap_or(text), STUN_PORT)
    }
}

fn parse_port(text: &str) -> Option<u16> {
    let digits = text.bytes().all(|digit| digit.is_ascii_digit());
    text.parse().ok().filter(|port| digits && *port != 0)
}

/// Whether it can be the name of a host. One whose last label is a number is an address with a typing error (RFC 3696 §2).
fn is_host(text: &str) -> bool {
    let labels: Vec<&str> = text.strip_suffix('.').unwrap_or(text).split('.').collect();
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    let number = |label: &&str| label.bytes().all(|byte| byte.is_ascii_digit());
    text.len() <= 253 && labels.iter().all(|label| is_label(label)) && !labels.last().is_some_and(number)
}

impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Host(host) => host.fmt(f),
            Self::Stun { port } => write!(f, "stun:{port}"),
        }
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn addresses_names_and_stun_are_understood_with_and_without_a_port() {
        for (text, address) in [
            ("203.0.113.7", "203.0.113.7:8555"),
            ("203.0.113.7:9000", "203.0.113.7:9000"),
            ("2001:db8::7", "[2001:db8::7]:8555"),
            ("[2001:db8::7]", "[2001:db8::7]:8555"),
            ("[2001:db8::7]:9000", "[2001:db8::7]:9000"),
        ] {
            let expected = address.parse().map(Candidate::Address).ok();
            assert_eq!(Candidate::parse(text, 8555), expected, "{text}");
        }
        for (text, host, port) in [
            ("cams.example.com", "cams.example.com", 8555),
            ("cams.example.com:9000", "cams.example.com", 9000),
            ("server-1", "server-1", 8555),
            ("7.example", "7.example", 8555),
        ] {
            let expected = Candidate::Host(HostPort { host: host.to_owned(), port });
            assert_eq!(Candidate::parse(text, 8555), Some(expected), "{text}");
        }
        assert_eq!(Candidate::parse("stun:9000", 8555), Some(Candidate::Stun { port: 9000 }));
    }

    #[test]
    fn what_is_none_of_them_is_refused() {
        for text in [
            "",
            ":",
            ":8555",
            "stun:",
            "stun:x",
            "stun:0",
            "stun:70000",
            "stun:+5",
            "host:",
            "host:0",
            "host:x",
            "10.0.0.300",
            "10.0.0",
            "a..b",
            "a b",
            "a/b",
            "[2001:db8::7",
            "[host]:1",
            "[2001:db8::7]9",
            "host:1:2",
        ] {
            assert_eq!(Candidate::parse(text, 8555), None, "{text}");
        }
    }

    #[test]
    fn the_server_of_an_ice_url_is_found() {
        for (url, server) in [
            ("stun:stun.example.com", "stun.example.com:3478"),
            ("stun:[2001:db8::7]:19302", "[2001:db8::7]:19302"),
            ("turn:turn.example.com:443?transport=tcp", "turn.example.com:443"),
            ("stun:192.0.2.7:19302", "192.0.2.7:19302"),
            ("turns:turn.example.com", "turn.example.com:5349"),
        ] {
            assert_eq!(HostPort::of_url(url).map(|server| server.to_string()).as_deref(), Some(server));
        }
        assert_eq!(HostPort::of_url("stun:"), None);
    }

    proptest! {
        #[test]
        fn no_text_panics_and_what_is_shown_is_read_back(text in "\\PC*|[a-z0-9.:\\[\\]]{0,20}") {
            if let Some(candidate) = Candidate::parse(&text, 1) {
                prop_assert_eq!(Candidate::parse(&candidate.to_string(), 2), Some(candidate));
            }
        }
    }
}
