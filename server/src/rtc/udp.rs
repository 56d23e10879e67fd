//! The UDP socket that all peers share, and that asks the STUN server.

use std::io;
use std::net::{IpAddr, SocketAddr};

use quinn_udp::{Transmit, UdpSocketState};
use tokio::io::Interest;
use tokio::net::UdpSocket;
use tracing::debug;

use super::binding::Questions;

#[derive(Debug)]
pub(super) struct Udp {
    pub(super) socket: UdpSocket,
    pub(super) state: UdpSocketState,
    pub(super) ipv6: bool,
    pub(super) questions: Questions,
}

impl Udp {
    /// Sends `contents` as datagrams of `segment` bytes (the last may be shorter). If the socket's buffer is full, they are
    /// dropped, as a full queue in the network would drop them. Returns how many.
    pub(super) fn send(&self, destination: SocketAddr, contents: &[u8], segment: usize) -> usize {
        let Err(error) = self.try_send(destination, contents, segment) else { return 0 };
        debug!(%destination, %error, "datagrams dropped");
        contents.len().div_ceil(segment.max(1))
    }

    /// Like [`Self::send`], for a caller who has to know.
    pub(super) fn try_send(
        &self,
        destination: SocketAddr,
        contents: &[u8],
        segment: usize,
    ) -> io::Result<()> {
        let destination = match destination.ip() {
            IpAddr::V4(ip) if self.ipv6 => SocketAddr::new(ip.to_ipv6_mapped().into(), destination.port()),
            _ => destination,
        };
        let transmit = Transmit {
            destination,
            ecn: None,
            contents,
            segment_size: (contents.len() > segment).then_some(segment),
            src_ip: None,
        };
        self.socket.try_io(Interest::WRITABLE, || self.state.try_send((&self.socket).into(), &transmit))
    }
}
