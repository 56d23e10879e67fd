//! The addresses that the server announces, and their form in SDP.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::config::WebrtcConfig;
use crate::net;

/// A placeholder for the server's own address, which the ICE agent of a peer gets as its local candidate. The agent is a lite
/// one and never sends a check, so it needs no real address: one placeholder per family and protocol suffices. The browser gets
/// the real addresses in the SDP ([`Addresses`]).
pub(super) fn inside(family_of: IpAddr, port: u16) -> SocketAddr {
    match family_of {
        IpAddr::V4(_) => SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
        IpAddr::V6(_) => SocketAddr::from((Ipv6Addr::LOCALHOST, port)),
    }
}

/// What the port announces: the addresses outside, of the config, and those that the machine's interfaces have at that moment.
#[derive(Debug)]
pub(super) struct Addresses {
    /// The address that the sockets are bound to.
    bound: SocketAddr,
    /// The loopback address of the config, if only browsers on this machine are served.
    loopback: Option<IpAddr>,
    /// Only these are announced of the interfaces' addresses; empty means all.
    ips: Vec<IpAddr>,
}

impl Addresses {
    pub(super) fn new(config: &WebrtcConfig, bound: SocketAddr) -> Self {
        Self {
            bound,
            loopback: Some(config.listen.ip()).filter(IpAddr::is_loopback),
            ips: config.ips.clone(),
        }
    }

    /// The addresses to announce to the next browser. `outside` has those of `webrtc.candidates`; `reached` is the
    /// address of this machine that its WebSocket has reached.
    pub(super) fn now(&self, outside: Vec<SocketAddr>, reached: Option<IpAddr>) -> Vec<SocketAddr> {
        let interfaces =
            if self.bound.ip().is_unspecified() { net::addresses() } else { vec![self.bound.ip()] };
        self.announced(outside, interfaces, reached)
    }

    /// The address that was reached first, then the configured ones, then those of the interfaces.
    fn announced(
        &self,
        outside: Vec<SocketAddr>,
        interfaces: Vec<IpAddr>,
        reached: Option<IpAddr>,
    ) -> Vec<SocketAddr> {
        let mut own = usable(interfaces, self.bound.is_ipv6());
        if let Some(loopback) = self.loopback {
            own.retain(|ip| !ip.is_loopback());
            own.insert(0, loopback);
        }
        let allowed = |ip: &IpAddr| self.ips.is_empty() || self.ips.contains(ip);
        let own = own.into_iter().filter(allowed).map(|ip| SocketAddr::new(ip, self.bound.port()));
        let mut announced = Vec::new();
        for address in outside.into_iter().chain(own) {
            if !announced.contains(&address) {
                announced.push(address);
            }
        }
        // Stable: the others keep their order.
        announced.sort_by_key(|address| reached != Some(address.ip()));
        announced
    }
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

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("a test's address")
    }

    fn announced(config: &WebrtcConfig, bound: &str, outside: &[&str], interfaces: &[&str]) -> Vec<String> {
        let interfaces = interfaces.iter().map(|text| ip(text)).collect();
        let outside = outside.iter().map(|text| address(text)).collect();
        let announced = Addresses::new(config, address(bound)).announced(outside, interfaces, None);
        announced.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn configured_candidates_come_first_and_once() {
        let outside = ["203.0.113.9:8555", "203.0.113.9:9000", "203.0.113.9:8555"];
        assert_eq!(
            announced(&WebrtcConfig::default(), "0.0.0.0:8555", &outside, &["192.0.2.7", "203.0.113.9"]),
            ["203.0.113.9:8555", "203.0.113.9:9000", "192.0.2.7:8555"]
        );
    }

    #[test]
    fn only_the_interfaces_that_the_config_names_are_announced() {
        let config = WebrtcConfig { ips: vec![ip("192.0.2.7")], ..WebrtcConfig::default() };
        assert_eq!(
            announced(&config, "0.0.0.0:8555", &[], &["192.0.2.7", "198.51.100.1", "127.0.0.1"]),
            ["192.0.2.7:8555"]
        );
    }

    /// Firefox gathers no loopback candidate, and could not reach a server that announces loopback alone.
    #[test]
    fn a_server_on_loopback_announces_the_interfaces_too() {
        let config = WebrtcConfig { listen: address("127.0.0.1:8555"), ..WebrtcConfig::default() };
        assert_eq!(
            announced(&config, "[::]:8555", &[], &["127.0.0.1", "::1", "192.0.2.7", "2001:db8::7"]),
            ["127.0.0.1:8555", "192.0.2.7:8555", "[2001:db8::7]:8555"]
        );
        assert_eq!(announced(&config, "127.0.0.1:8555", &[], &["127.0.0.1"]), ["127.0.0.1:8555"]);
    }

    #[test]
    fn the_address_that_the_websocket_has_reached_comes_first() {
        let outside = vec![address("203.0.113.9:8555")];
        let interfaces = vec![ip("192.0.2.7"), ip("198.51.100.1"), ip("127.0.0.1")];
        let addresses = Addresses::new(&WebrtcConfig::default(), address("[::]:8555"));
        for reached in ["198.51.100.1", "127.0.0.1", "203.0.113.9"] {
            let announced = addresses.announced(outside.clone(), interfaces.clone(), Some(ip(reached)));
            assert_eq!((announced[0].ip(), announced.len()), (ip(reached), 4));
        }
        let announced = addresses.announced(outside, interfaces, Some(ip("198.51.100.99")));
        assert_eq!(announced[0].ip(), ip("203.0.113.9"), "an address that is not announced is not added");
    }

    #[test]
    fn loopback_comes_last_and_link_local_addresses_are_left_out() {
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
