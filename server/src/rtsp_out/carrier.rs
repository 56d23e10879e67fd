//! How packets go to a reader: within its connection, or over UDP.

use std::io;
use std::net::SocketAddr;

use tokio::net::UdpSocket;

use super::transport::Choice;
use crate::net;

/// How often a pair of ports is tried.
const TRIES: usize = 32;

#[derive(Debug)]
pub(super) enum Carrier {
    Interleaved { media: u8, reports: u8 },
    Udp(Ports),
}

/// A pair of sockets for one reader, which take packets from it alone.
#[derive(Debug)]
pub(super) struct Ports {
    pub(super) media: UdpSocket,
    pub(super) reports: UdpSocket,
}

impl Carrier {
    pub(super) fn open(choice: Choice, local: SocketAddr, peer: SocketAddr) -> io::Result<Self> {
        match choice {
            Choice::Interleaved { media, reports } => Ok(Self::Interleaved { media, reports }),
            Choice::Udp { media, reports } => Ok(Self::Udp(Ports::open(local, peer, media, reports)?)),
        }
    }

    /// The header `Transport` of the answer.
    pub(super) fn describe(&self, choice: Choice, ssrc: u32) -> String {
        match (self, choice) {
            (Self::Udp(ports), Choice::Udp { media, reports }) => {
                let port = |socket: &UdpSocket| socket.local_addr().map_or(0, |address| address.port());
                let own = format!("{}-{}", port(&ports.media), port(&ports.reports));
                format!("RTP/AVP;unicast;client_port={media}-{reports};server_port={own};ssrc={ssrc:08X}")
            }
            (Self::Interleaved { media, reports }, _) => {
                format!("RTP/AVP/TCP;unicast;interleaved={media}-{reports};ssrc={ssrc:08X}")
            }
            (Self::Udp(_), Choice::Interleaved { .. }) => String::new(),
        }
    }

    pub(super) fn is_udp(&self) -> bool {
        matches!(self, Self::Udp(_))
    }
}

impl Ports {
    /// An even port and the next one, as RTP has them (RFC 3550 §11).
    fn open(local: SocketAddr, peer: SocketAddr, media: u16, reports: u16) -> io::Result<Self> {
        let bind = |port| {
            let mut at = local;
            at.set_port(port);
            net::udp(at)
        };
        for _ in 0..TRIES {
            let first = bind(0)?;
            let port = first.local_addr()?.port();
            let Some(second) = (port % 2 == 0).then(|| bind(port + 1)).and_then(Result::ok) else { continue };
            let connect = |socket: std::net::UdpSocket, port| {
                let mut to = peer;
                to.set_port(port);
                socket.connect(to)?;
                UdpSocket::from_std(socket)
            };
            return Ok(Self { media: connect(first, media)?, reports: connect(second, reports)? });
        }
        Err(io::ErrorKind::AddrInUse.into())
    }
}
