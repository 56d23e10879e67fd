//! Parses single values: durations, sizes, addresses.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

pub(super) const DURATION: &str = "seconds, or a time such as 5s, 500ms or 2m";
pub(super) const LISTEN: &str = "an address such as \":1984\" (all interfaces) or \"127.0.0.1:1984\"";
pub(super) const SIZE: &str = "bytes, or a size such as 512KB or 16MB";

/// Parses a duration; a number without a unit is seconds.
pub fn duration(text: &str) -> Option<Duration> {
    /// The longest duration. A longer one is a typing error, and could overflow arithmetic on instants.
    const LONGEST_S: f64 = 30.0 * 24.0 * 3600.0;
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit_s = match &text[digits.len()..] {
        "" | "s" => 1.0,
        "ms" => 0.001,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return None,
    };
    let seconds = digits.trim().parse::<f64>().ok()? * unit_s;
    (0.0..=LONGEST_S).contains(&seconds).then(|| Duration::from_secs_f64(seconds))
}

pub(super) fn size(text: &str) -> Option<usize> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match text[digits.len()..].to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" | "kib" => 1 << 10,
        "m" | "mb" | "mib" => 1 << 20,
        "g" | "gb" | "gib" => 1 << 30,
        _ => return None,
    };
    digits.trim().parse::<usize>().ok()?.checked_mul(unit)
}

/// Parses a listen address in go2rtc's forms; `:1984` means every interface, IPv6 and IPv4, which is written `[::]`.
pub(super) fn listen(text: &str) -> Option<SocketAddr> {
    let port =
        |port: &str| port.bytes().all(|digit| digit.is_ascii_digit()).then(|| port.parse::<u16>().ok())?;
    if let Some(all_interfaces) = text.strip_prefix(':') {
        return Some(SocketAddr::from((Ipv6Addr::UNSPECIFIED, port(all_interfaces)?)));
    }
    if let Some(loopback) = text.strip_prefix("localhost:") {
        return Some(SocketAddr::from((Ipv4Addr::LOCALHOST, port(loopback)?)));
    }
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_plain_number_is_seconds_and_units_are_understood() {
        for (text, ms) in [("5", 5000), ("0.5", 500), ("5s", 5000), ("500ms", 500), ("2m", 120_000), ("0", 0)]
        {
            assert_eq!(duration(text), Some(Duration::from_millis(ms)), "{text}");
        }
        for text in ["", "s", "-1", "nan", "inf", "1e400", "5 weeks", "99999999"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }

    #[test]
    fn a_port_alone_is_every_interface() {
        assert_eq!(listen(":1984"), "[::]:1984".parse().ok());
        assert_eq!(listen("localhost:80"), Some(SocketAddr::from(([127, 0, 0, 1], 80))));
        assert_eq!(listen("[::1]:80"), "[::1]:80".parse().ok());
        for text in ["", ":", ":+80", ":70000", "1984", "example.com:80"] {
            assert_eq!(listen(text), None, "{text}");
        }
    }

    #[test]
    fn sizes_have_units() {
        assert_eq!(size("16MB"), Some(16 << 20));
        assert_eq!(size("1024"), Some(1024));
        assert_eq!(size("16 cats"), None);
        assert_eq!(size("99999999999999999999"), None);
        assert_eq!(size("99999999999999G"), None);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in any::<String>()) {
            let _ = (duration(&text), size(&text), listen(&text));
        }
    }
}
