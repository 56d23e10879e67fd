//! The ends of a client's connection: what a request says nothing about.

use std::net::{IpAddr, SocketAddr};

use axum::http::HeaderMap;
use tokio::net::TcpStream;

use crate::net;

/// The ends of a connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ends {
    local: Option<SocketAddr>,
    /// The address that the client comes from, or its proxy's.
    pub(super) from: IpAddr,
    /// Whether only this machine can reach the listener.
    pub(super) on_loopback: bool,
    pub(super) is_tls: bool,
}

impl Ends {
    pub(super) fn of(stream: &TcpStream, from: SocketAddr, on_loopback: bool, is_tls: bool) -> Self {
        let local = stream.local_addr().ok().map(net::canonical);
        Self { local, from: net::canonical(from).ip(), on_loopback, is_tls }
    }

    /// The address of this machine that the client has reached. A proxy on this machine reaches loopback, which its clients do
    /// not; it says that it is a proxy in a header.
    pub(super) fn reached(self, headers: &HeaderMap) -> Option<IpAddr> {
        const FORWARDED: [&str; 4] = ["forwarded", "x-forwarded-for", "x-real-ip", "via"];
        let ip = self.local?.ip();
        let is_proxied = FORWARDED.iter().any(|header| headers.contains_key(*header));
        (!(ip.is_loopback() && is_proxied)).then_some(ip)
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn loopback_is_the_address_of_a_local_client_and_not_of_one_behind_a_proxy() {
        let mut proxied = HeaderMap::new();
        proxied.insert("x-forwarded-for", HeaderValue::from_static("198.51.100.1"));
        for (address, headers, reached) in [
            ("127.0.0.1:1984", HeaderMap::new(), true),
            ("127.0.0.1:1984", proxied.clone(), false),
            ("192.0.2.7:1984", proxied, true),
        ] {
            let local: SocketAddr = address.parse().expect("an address");
            let found = Ends { local: Some(local), from: local.ip(), on_loopback: true, is_tls: false }
                .reached(&headers);
            assert_eq!(found, reached.then_some(local.ip()), "{address}");
        }
    }
}
