//! A session's connection to its browser. It takes packets from the [`Pacer`], has the [`Peer`] encrypt them, and sends them by
//! the peer's socket on the [`Port`]; packets of the browser go the other way.

use std::time::{Duration, Instant};

use crate::egress::Pacer;
use crate::rtc::{Answer, Inbound, Peer, PeerError, PeerEvent, PeerSocket, PeerState, Port};
use crate::slot::Slot;

/// How long a browser may stay disconnected before it counts as gone.
const LOST_AFTER_DISCONNECTED: Duration = Duration::from_secs(10);
/// How long it may take from the answer until the encrypted connection is there.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// A change of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    Connected,
    Lost,
}

#[derive(Debug)]
pub(super) struct Link {
    peer: Peer,
    pub(super) socket: PeerSocket,
    pacer: Pacer,
    /// When the session ends because the browser is not connected; `None` while it is connected.
    deadline: Option<Instant>,
    /// When the pacer may release more packets; `None` if none are waiting.
    release_at: Option<Instant>,
}

impl Link {
    /// Answers the browser's offer. The browser then connects by itself.
    pub(super) fn answer(
        now: Instant,
        offer: &str,
        slots: usize,
        port: &Port,
    ) -> Result<(Self, Answer), PeerError> {
        let (peer, answer) = Peer::answer(now, offer, slots, port)?;
        let socket = port.register(peer.ufrag());
        let deadline = Some(now + CONNECT_TIMEOUT);
        Ok((Self { peer, socket, pacer: Pacer::new(now, slots), deadline, release_at: None }, answer))
    }

    pub(super) fn is_connected(&self) -> bool {
        self.peer.state() == PeerState::Connected
    }

    pub(super) fn handle_inbound(&mut self, now: Instant, inbound: Inbound) {
        match inbound {
            Inbound::Packet { from, transport, packet } => {
                self.peer.handle_packet(now, from, transport, packet);
            }
            Inbound::TcpOpened { from, packets } => self.socket.tcp_opened(from, packets),
        }
    }

    pub(super) fn poll_timeout(&mut self) -> Option<Instant> {
        [self.peer.poll_timeout(), self.deadline, self.release_at].into_iter().flatten().min()
    }

    /// Handles what is due, and sends the packets that may leave. Returns the last change of the connection, if there was one.
    pub(super) fn drive(&mut self, now: Instant, slots: &mut [Slot]) -> Option<Change> {
        let mut change = None;
        if self.peer.poll_timeout().is_some_and(|at| at <= now) {
            self.peer.handle_timeout(now);
        }
        while let Some(event) = self.peer.poll_event() {
            match event {
                PeerEvent::State(PeerState::Connected) => {
                    self.deadline = None;
                    change = Some(Change::Connected);
                }
                PeerEvent::State(PeerState::Disconnected) => {
                    self.deadline = Some(now + LOST_AFTER_DISCONNECTED);
                }
                PeerEvent::State(PeerState::Closed) => change = Some(Change::Lost),
                PeerEvent::State(PeerState::Connecting) => {}
                PeerEvent::KeyframeWanted { slot } => slots[slot.0].keyframe_wanted(now),
                PeerEvent::Lost { slot, sequence_numbers } => self.pacer.handle_lost(slot, &sequence_numbers),
                PeerEvent::Arrivals(arrivals) => self.pacer.handle_arrivals(now, &arrivals),
            }
        }
        if self.deadline.is_some_and(|deadline| deadline <= now) {
            change = Some(Change::Lost);
        }
        self.release_at = if self.is_connected() {
            let peer = &mut self.peer;
            self.pacer.release(now, slots, |slot, departing| {
                peer.send(now, slot, departing.packet, departing.transport_number);
            })
        } else {
            None
        };
        self.flush();
        change
    }

    fn flush(&mut self) {
        let peer = &mut self.peer;
        self.socket.send(std::iter::from_fn(|| peer.poll_transmit()));
    }

    /// Closes the connection and informs the browser, so that it need not wait for a timeout.
    pub(super) fn close(mut self) {
        self.peer.close();
        self.flush();
    }
}
