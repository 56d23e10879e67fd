//! Which peer a packet that arrives at the port is for.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};

use bytes::{Bytes, BytesMut};
use tokio::sync::mpsc;

use super::stun;

/// How many packets may wait for one peer. Browsers send little: checks, reports, retransmission requests.
const INBOX: usize = 512;
/// From how many addresses one peer may send: interfaces × families × NAT rebinding.
const MAX_ADDRESSES_PER_PEER: usize = 32;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    Udp,
    Tcp,
}

/// What arrives for one peer.
#[derive(Debug)]
pub enum Inbound {
    Packet {
        from: SocketAddr,
        transport: Transport,
        packet: BytesMut,
    },
    /// The browser has opened a TCP connection; packets for it are sent to `packets`.
    TcpOpened {
        from: SocketAddr,
        packets: mpsc::Sender<Bytes>,
    },
}

/// The routes from packets to peers.
#[derive(Debug, Default)]
pub(super) struct Table(Mutex<Routes>);

#[derive(Debug, Default)]
struct Routes {
    by_ufrag: HashMap<String, Entry>,
    by_address: HashMap<SocketAddr, mpsc::Sender<Inbound>>,
}

#[derive(Debug)]
struct Entry {
    inbox: mpsc::Sender<Inbound>,
    addresses: Vec<SocketAddr>,
}

impl Table {
    fn lock(&self) -> std::sync::MutexGuard<'_, Routes> {
        // No change of the table can panic half-way, so a poisoned table is still consistent.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a peer with this server-side user fragment, and returns where its packets arrive.
    pub(super) fn insert(&self, ufrag: &str) -> mpsc::Receiver<Inbound> {
        let (inbox, inbound) = mpsc::channel(INBOX);
        self.lock().by_ufrag.insert(ufrag.to_owned(), Entry { inbox, addresses: Vec::new() });
        inbound
    }

    pub(super) fn len(&self) -> usize {
        self.lock().by_ufrag.len()
    }

    /// The peer that this STUN message addresses.
    pub(super) fn by_ufrag(&self, packet: &[u8]) -> Option<mpsc::Sender<Inbound>> {
        let ufrag = stun::server_ufrag(packet)?;
        Some(self.lock().by_ufrag.get(ufrag)?.inbox.clone())
    }

    /// The peer of a datagram. A STUN username takes precedence over the address, since a browser may reuse a port for a new
    /// connection.
    pub(super) fn route(&self, from: SocketAddr, packet: &[u8]) -> Option<mpsc::Sender<Inbound>> {
        let mut routes = self.lock();
        let Some(ufrag) = stun::server_ufrag(packet) else { return routes.by_address.get(&from).cloned() };
        let Routes { by_ufrag, by_address } = &mut *routes;
        let entry = by_ufrag.get_mut(ufrag)?;
        if !entry.addresses.contains(&from) && entry.addresses.len() < MAX_ADDRESSES_PER_PEER {
            entry.addresses.push(from);
            by_address.insert(from, entry.inbox.clone());
        }
        Some(entry.inbox.clone())
    }

    pub(super) fn remove(&self, ufrag: &str) {
        let mut routes = self.lock();
        let Some(entry) = routes.by_ufrag.remove(ufrag) else { return };
        for address in entry.addresses {
            // The address may have been assigned to another peer since.
            if routes.by_address.get(&address).is_some_and(|inbox| inbox.same_channel(&entry.inbox)) {
                routes.by_address.remove(&address);
            }
        }
    }
}
