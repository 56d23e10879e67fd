//! One UDP and TCP port for all peers. The peer of a packet is found by the ufrag in its STUN username, then by its address.

use std::collections::HashMap;
use std::io::{self, IoSliceMut};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;
use quinn_udp::{RecvMeta, UdpSocketState};
use tokio::io::Interest;
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tracing::{debug, warn};

use super::address::Addresses;
use super::binding::{AskError, Questions};
use super::outside::{Finder, Outside};
use super::routes::{Inbound, Table, Transport};
use super::tcp;
use super::udp::Udp;
use crate::config::{Candidate, HostPort, LimitsConfig, WebrtcConfig};
use crate::net;
use crate::places::Places;

const SOCKET_BUFFER_BYTES: usize = 4 << 20;

/// Why the port could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum PortError {
    #[error("cannot listen on {protocol} {address}: {source} (set `webrtc.listen` to a free port)")]
    Bind { protocol: &'static str, address: SocketAddr, source: io::Error },
}

/// The port that all peers share. Dropping it closes the sockets.
#[derive(Debug)]
pub struct Port {
    udp: Arc<Udp>,
    table: Arc<Table>,
    local: SocketAddr,
    addresses: Addresses,
    finder: Finder,
    outside: Outside,
    tasks: [JoinHandle<()>; 2],
}

impl Port {
    pub async fn open(config: &WebrtcConfig) -> Result<Self, PortError> {
        Self::open_within(config, places_for(&LimitsConfig::default())).await
    }

    /// Like [`Self::open`], with these places for TCP connections.
    #[expect(
        clippy::unused_async,
        reason = "tokio's sockets are opened in a runtime, and `await` makes sure of that"
    )]
    pub async fn open_within(config: &WebrtcConfig, places: Places) -> Result<Self, PortError> {
        let this_machine_only = config.listen.ip().is_loopback();
        let (socket, listener) =
            if this_machine_only { bind_for_this_machine(config.listen)? } else { bind(config.listen)? };
        let failed = |source| PortError::Bind { protocol: "UDP", address: config.listen, source };
        let local = socket.local_addr().map_err(failed)?;
        let state = UdpSocketState::new((&socket).into()).map_err(failed)?;
        for result in [
            state.set_send_buffer_size((&socket).into(), SOCKET_BUFFER_BYTES),
            state.set_recv_buffer_size((&socket).into(), SOCKET_BUFFER_BYTES),
        ] {
            if let Err(error) = result {
                debug!(%error, "socket buffer size");
            }
        }
        let udp = Arc::new(Udp { socket, state, ipv6: local.is_ipv6(), questions: Questions::default() });
        let table = Arc::new(Table::new(this_machine_only));
        let tasks = [
            tokio::spawn(receive(udp.clone(), table.clone())),
            tokio::spawn(tcp::accept(listener, table.clone(), places)),
        ];
        let addresses = Addresses::new(config, local);
        let finder =
            Finder { udp: udp.clone(), stun_server: config.stun_server.clone(), media_port: local.port() };
        let outside = Outside::new(config, &finder);
        let ip = if this_machine_only { config.listen.ip() } else { local.ip() };
        let local = SocketAddr::new(ip, local.port());
        Ok(Self { udp, table, local, addresses, finder, outside, tasks })
    }

    /// The address of the config; its port is the one that was chosen if the config said 0.
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// The addresses to announce in the next answer, the most useful first: that is `reached`, if it is one of them.
    pub fn announced(&self, reached: Option<IpAddr>) -> Vec<SocketAddr> {
        self.addresses.now(self.outside.now(), reached)
    }

    /// The addresses of the interfaces that are announced now, the most useful first.
    pub fn own_addresses(&self) -> Vec<SocketAddr> {
        self.addresses.now(Vec::new(), None)
    }

    /// Finds the addresses of a candidate of the config anew.
    pub async fn find(&self, candidate: &Candidate) -> Result<Vec<SocketAddr>, AskError> {
        self.finder.find(candidate).await
    }

    /// The address from which packets of this port arrive at a STUN server.
    pub async fn ask(&self, server: &HostPort) -> Result<SocketAddr, AskError> {
        self.finder.ask(server).await
    }

    pub(super) fn has_ipv6(&self) -> bool {
        self.udp.ipv6
    }

    /// Registers the peer with this server-side user fragment. The returned socket receives its packets from now on.
    pub fn register(&self, ufrag: &str) -> PeerSocket {
        let inbound = self.table.insert(ufrag);
        PeerSocket {
            ufrag: ufrag.to_owned(),
            inbound,
            udp: self.udp.clone(),
            table: self.table.clone(),
            tcp: HashMap::new(),
            batch: Vec::new(),
        }
    }

    /// How many peers are registered.
    pub fn peers(&self) -> usize {
        self.table.len()
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// The places for TCP connections to the port. A viewer has one, so a quarter of them is more than one address needs.
pub fn places_for(limits: &LimitsConfig) -> Places {
    let total = limits.media_connections.min(net::open_files() / 4);
    Places::new(total, total.div_ceil(4), &limits.exempt)
}

/// Binds one port for both protocols. With port 0 the system chooses one for UDP, which may be in use for TCP; then it chooses
/// again.
fn bind(address: SocketAddr) -> Result<(UdpSocket, TcpListener), PortError> {
    let failed = |protocol| move |source| PortError::Bind { protocol, address, source };
    let mut tries = if address.port() == 0 { 20 } else { 1 };
    loop {
        tries -= 1;
        let socket = net::udp(address).and_then(UdpSocket::from_std).map_err(failed("UDP"))?;
        let local = socket.local_addr().map_err(failed("UDP"))?;
        match net::tcp(local).and_then(TcpListener::from_std) {
            Ok(listener) => return Ok((socket, listener)),
            Err(error) if tries == 0 => return Err(failed("TCP")(error)),
            Err(_) => {}
        }
    }
}

/// Binds a port for browsers on this machine. Loopback alone would not do: Firefox never uses its loopback address, so it can
/// only reach an interface's. The port is therefore bound on every interface, and its [`Table`] admits no other machine.
fn bind_for_this_machine(loopback: SocketAddr) -> Result<(UdpSocket, TcpListener), PortError> {
    bind(SocketAddr::from((Ipv6Addr::UNSPECIFIED, loopback.port()))).or_else(|error| {
        let bound = bind(loopback)?;
        warn!("only {} is announced, where Firefox shows no picture: {error}", loopback.ip());
        Ok(bound)
    })
}

async fn receive(udp: Arc<Udp>, table: Arc<Table>) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        if udp.socket.readable().await.is_err() {
            return;
        }
        let mut meta = [RecvMeta::default()];
        let received = udp.socket.try_io(Interest::READABLE, || {
            udp.state.recv((&udp.socket).into(), &mut [IoSliceMut::new(&mut buffer)], &mut meta)
        });
        let [meta] = meta;
        match received {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
            Err(error) => {
                warn!(%error, "UDP receive");
                continue;
            }
        }
        // On a dual-stack socket an IPv4 peer has a mapped IPv6 address; it is stored as the IPv4 address.
        let from = net::canonical(meta.addr);
        for packet in buffer[..meta.len].chunks(meta.stride.max(1)) {
            if udp.questions.take(from, packet) {
                continue;
            }
            let Some(inbox) = table.route(from, packet) else { continue };
            // A full inbox drops the packet: the peer's task is behind, and all these protocols retransmit.
            let _ =
                inbox.try_send(Inbound::Packet { from, transport: Transport::Udp, packet: packet.into() });
        }
    }
}

/// One peer's access to the port, for its incoming and outgoing packets. Dropping it ends the registration.
#[derive(Debug)]
pub struct PeerSocket {
    ufrag: String,
    pub inbound: mpsc::Receiver<Inbound>,
    udp: Arc<Udp>,
    table: Arc<Table>,
    tcp: HashMap<SocketAddr, mpsc::Sender<Bytes>>,
    batch: Vec<u8>,
}

impl PeerSocket {
    /// Registers the queue of a TCP connection.
    pub fn tcp_opened(&mut self, from: SocketAddr, packets: mpsc::Sender<Bytes>) {
        self.tcp.retain(|_, queue| !queue.is_closed());
        self.tcp.insert(from, packets);
    }

    /// Sends packets in order. Successive packets of equal size to one destination are sent with one system call (UDP GSO).
    /// Returns how many were dropped, as there was no room for them.
    pub fn send(&mut self, packets: impl Iterator<Item = (SocketAddr, Transport, Bytes)>) -> u64 {
        let mut dropped = 0;
        let max_segments = self.udp.state.max_gso_segments();
        // The run of packets so far: destination, segment size, number of segments.
        let mut run: Option<(SocketAddr, usize, usize)> = None;
        for (to, transport, packet) in packets {
            if transport == Transport::Tcp {
                if let Some(queue) = self.tcp.get(&to)
                    && queue.try_send(packet).is_err()
                {
                    dropped += 1;
                }
                continue;
            }
            let fits = run.is_some_and(|(destination, segment, count)| {
                destination == to
                    && packet.len() <= segment
                    && count < max_segments
                    && self.batch.len() + packet.len() <= usize::from(u16::MAX) - 64
                    // Only the last segment of a run may be shorter.
                    && self.batch.len() == segment * count
            });
            if !fits {
                if let Some((destination, segment, _)) = run.take() {
                    dropped += self.udp.send(destination, &self.batch, segment);
                }
                self.batch.clear();
            }
            self.batch.extend_from_slice(&packet);
            let (_, segment, count) = run.unwrap_or((to, packet.len(), 0));
            run = Some((to, segment, count + 1));
        }
        if let Some((destination, segment, _)) = run {
            dropped += self.udp.send(destination, &self.batch, segment);
        }
        self.batch.clear();
        dropped as u64
    }
}

impl Drop for PeerSocket {
    fn drop(&mut self) {
        self.table.remove(&self.ufrag);
    }
}
