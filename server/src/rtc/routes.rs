//! Which peer a packet that arrives at the port is for.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};

use bytes::{Bytes, BytesMut};
use tokio::sync::mpsc;

use super::stun;
use crate::net;

/// How many packets may wait for one peer. Browsers send little: checks, reports, retransmission requests.
const INBOX: usize = 512;
/// From how many addresses one peer may send, the latest ones: interfaces × families × NAT rebinding.
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
pub(super) struct Table {
    routes: Mutex<Routes>,
    /// Whether peers on other machines are refused.
    this_machine_only: bool,
}

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
    pub(super) fn new(this_machine_only: bool) -> Self {
        Self { routes: Mutex::default(), this_machine_only }
    }

    /// Whether a peer may have this address.
    pub(super) fn admits(&self, from: SocketAddr) -> bool {
        !self.this_machine_only || net::is_this_machine(from.ip())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Routes> {
        // No change of the table can panic half-way, so a poisoned table is still consistent.
        self.routes.lock().unwrap_or_else(PoisonError::into_inner)
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
        // An address with a route was admitted before. Only a packet that names a peer is worth listing the interfaces.
        if !routes.by_address.contains_key(&from) && routes.by_ufrag.contains_key(ufrag) && !self.admits(from)
        {
            return None;
        }
        let Routes { by_ufrag, by_address } = &mut *routes;
        let entry = by_ufrag.get_mut(ufrag)?;
        if !entry.addresses.contains(&from) {
            if entry.addresses.len() >= MAX_ADDRESSES_PER_PEER {
                let oldest = entry.addresses.remove(0);
                if by_address.get(&oldest).is_some_and(|inbox| inbox.same_channel(&entry.inbox)) {
                    by_address.remove(&oldest);
                }
            }
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A binding request with the USERNAME `peer:b`.
    const CHECK: &[u8] = b"\x00\x01\x00\x0c\x21\x12\xa4\x42transaction!\x00\x06\x00\x06peer:b\x00\x00";

    #[test]
    fn a_port_for_this_machine_alone_has_no_route_for_others() {
        let here = SocketAddr::from(([127, 0, 0, 1], 5000));
        let elsewhere = SocketAddr::from(([203, 0, 113, 9], 5000));
        for this_machine_only in [true, false] {
            let table = Table::new(this_machine_only);
            let _inbound = table.insert("peer");
            assert!(table.route(here, CHECK).is_some());
            assert_eq!(table.route(elsewhere, CHECK).is_none(), this_machine_only);
            assert_eq!(table.route(elsewhere, b"media").is_none(), this_machine_only);
        }
    }
}
