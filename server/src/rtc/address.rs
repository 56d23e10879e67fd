//! The addresses that the server announces, and their form in SDP.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::config::WebrtcConfig;

/// A placeholder for the server's own address, which the ICE agent of a peer gets as its local candidate. The agent is a lite
/// one and never sends a check, so it needs no real address: one placeholder per family and protocol suffices. The browser gets
/// the real addresses in the SDP ([`announced`]).
pub(super) fn inside(family_of: IpAddr, port: u16) -> SocketAddr {
    match family_of {
        IpAddr::V4(_) => SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
        IpAddr::V6(_) => SocketAddr::from((Ipv6Addr::LOCALHOST, port)),
    }
}

/// The addresses to announce for a listener bound to `local`: the configured ones first, then those of the interfaces.
pub(super) fn announced(config: &WebrtcConfig, local: SocketAddr) -> Vec<SocketAddr> {
    let mut announced = config.candidates.clone();
    let interfaces: Vec<IpAddr> = if local.ip().is_unspecified() {
        let all = rtc::shared::ifaces::ifaces().unwrap_or_default();
        let addresses = all.into_iter().filter_map(|interface| Some(interface.addr?.ip())).collect();
        usable(addresses, local.is_ipv6())
    } else {
        vec![local.ip()]
    };
    let allowed = |ip: &IpAddr| config.ips.is_empty() || config.ips.contains(ip);
    for ip in interfaces.into_iter().filter(allowed) {
        let address = SocketAddr::new(ip, local.port());
        if !announced.contains(&address) {
            announced.push(address);
        }
    }
    announced
}

/// Removes addresses that no peer can use. Loopback is kept, but last: a browser on this machine may have no other way.
fn usable(addresses: Vec<IpAddr>, with_ipv6: bool) -> Vec<IpAddr> {
    let reachable = |ip: &IpAddr| match ip {
        IpAddr::V4(ip) => !ip.is_unspecified() && !ip.is_link_local(),
        IpAddr::V6(ip) => with_ipv6 && !ip.is_unspecified() && !ip.is_unicast_link_local(),
    };
    let (loopback, mut addresses): (Vec<_>, Vec<_>) =
        addresses.into_iter().filter(reachable).partition(IpAddr::is_loopback);
    addresses.extend(loopback);
    addresses
}

/// `a=candidate` values (RFC 8839 §5.1) for these addresses: UDP first, then passive TCP (RFC 6544).
pub(super) fn candidates(announced: &[SocketAddr]) -> Vec<String> {
    let line = |index: usize, address: &SocketAddr, protocol: &str, type_preference: u32, suffix: &str| {
        // RFC 8445 §5.1.2: type preference, local preference, component 1.
        let priority = (type_preference << 24) | ((65535 - index as u32) << 8) | 255;
        let (ip, port) = (address.ip(), address.port());
        format!("candidate:{protocol}{index} 1 {protocol} {priority} {ip} {port} typ host{suffix}")
    };
    let udp = announced.iter().enumerate().map(|(index, address)| line(index, address, "udp", 126, ""));
    let tcp = announced
        .iter()
        .enumerate()
        .map(|(index, address)| line(index, address, "tcp", 90, " tcptype passive"));
    udp.chain(tcp).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> SocketAddr {
        text.parse().expect("a test's address")
    }

    #[test]
    fn a_listener_on_one_address_announces_that_one() {
        let config = WebrtcConfig::default();
        assert_eq!(announced(&config, address("127.0.0.1:8555")), [address("127.0.0.1:8555")]);
    }

    #[test]
    fn configured_candidates_come_first_and_once() {
        let config =
            WebrtcConfig { candidates: vec![address("203.0.113.9:8555")], ..WebrtcConfig::default() };
        assert_eq!(
            announced(&config, address("192.0.2.7:8555")),
            [address("203.0.113.9:8555"), address("192.0.2.7:8555")]
        );
    }

    #[test]
    fn loopback_comes_last_and_link_local_addresses_are_left_out() {
        let ip = |text: &str| text.parse::<IpAddr>().expect("a test's address");
        let all = vec![ip("127.0.0.1"), ip("169.254.3.4"), ip("192.0.2.7"), ip("fe80::1"), ip("2001:db8::7")];
        assert_eq!(usable(all.clone(), false), [ip("192.0.2.7"), ip("127.0.0.1")]);
        assert_eq!(usable(all, true), [ip("192.0.2.7"), ip("2001:db8::7"), ip("127.0.0.1")]);
    }

    #[test]
    fn udp_is_preferred_to_tcp() {
        let lines = candidates(&[address("192.0.2.7:8555")]);
        assert_eq!(
            lines,
            [
                "candidate:udp0 1 udp 2130706431 192.0.2.7 8555 typ host",
                "candidate:tcp0 1 tcp 1526726655 192.0.2.7 8555 typ host tcptype passive",
            ]
        );
    }
}
