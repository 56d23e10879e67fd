//! A session's connection to its browser. It takes packets from the [`Pacer`], has the [`Peer`] encrypt them, and sends them by
//! the peer's socket on the [`Port`]; packets of the browser go the other way.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use super::traffic::Counts;
use crate::egress::Pacer;
use crate::rtc::{Answer, Inbound, KeyframeRequest, Peer, PeerError, PeerEvent, PeerSocket, PeerState, Port};
use crate::slot::Slot;

/// How long a browser may stay disconnected before it counts as gone.
const LOST_AFTER_DISCONNECTED: Duration = Duration::from_secs(10);
/// How long it may take from the answer until the encrypted connection is there.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// How long a browser's own estimate holds. Browsers repeat it every second.
const REPORT_HOLDS: Duration = Duration::from_secs(10);

/// What is known of a connection that was not made.
#[derive(Debug, Clone)]
pub(super) struct Attempt {
    pub(super) began_at: Instant,
    /// The addresses that the browser was told.
    pub(super) announced: Vec<SocketAddr>,
    /// The address of the media port, as in the config.
    pub(super) media: SocketAddr,
    /// Whether anything of the browser has arrived there.
    pub(super) is_heard: bool,
}

/// A change of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    Connected,
    /// Nothing comes from the browser any more.
    Lost,
    /// The browser has closed it.
    Closed,
}

#[derive(Debug)]
pub(super) struct Link {
    peer: Peer,
    pub(super) socket: PeerSocket,
    attempt: Attempt,
    pacer: Pacer,
    /// When the session ends because the browser is not connected; `None` while it is connected.
    deadline: Option<Instant>,
    /// When the pacer may release more packets; `None` if none are waiting.
    release_at: Option<Instant>,
    /// What the browser has reported that it can receive, in bytes per second, and until when that holds.
    reported: Option<(f64, Instant)>,
    /// What happened since [`Self::take_counts`].
    counts: Counts,
}

impl Link {
    /// Answers the browser's offer. `reached` is the server's address to which its WebSocket is connected. The browser then connects
    /// by itself. `most` is what is sent at most, in bytes per second.
    pub(super) fn answer(
        now: Instant,
        offer: &str,
        slots: usize,
        port: &Port,
        reached: Option<IpAddr>,
        most: f64,
    ) -> Result<(Self, Answer), PeerError> {
        let (peer, answer) = Peer::answer_to(now, offer, slots, port, reached)?;
        let socket = port.register(peer.ufrag());
        let deadline = Some(now + CONNECT_TIMEOUT);
        let announced = answer.announced.clone();
        let attempt = Attempt { began_at: now, announced, media: port.local_addr(), is_heard: false };
        let pacer = Pacer::within(now, slots, most);
        Ok((
            Self {
                peer,
                socket,
                attempt,
                pacer,
                deadline,
                release_at: None,
                reported: None,
                counts: Counts::default(),
            },
            answer,
        ))
    }

    pub(super) fn is_connected(&self) -> bool {
        self.peer.state() == PeerState::Connected
    }

    /// How the connection was tried.
    pub(super) fn attempt(&self) -> &Attempt {
        &self.attempt
    }

    /// What the path carries, in bytes per second; `None` before it is known and on a connection that does not report it.
    pub(super) fn estimate(&self, now: Instant) -> Option<f64> {
        let reported = self.reported.filter(|(_, until)| now < *until).map(|(rate, _)| rate);
        // A browser that reports a maximum may know of a narrower path than the packets so far have shown.
        let known = self.pacer.measured().into_iter().chain(reported).reduce(f64::min);
        known.filter(|_| self.is_connected())
    }

    pub(super) fn handle_inbound(&mut self, now: Instant, inbound: Inbound) {
        self.attempt.is_heard = true;
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
                PeerEvent::State(PeerState::Failed) => change = Some(Change::Lost),
                PeerEvent::State(PeerState::Closed) => change = Some(Change::Closed),
                PeerEvent::State(PeerState::Connecting) => {}
                PeerEvent::KeyframeWanted { slot, by } => {
                    match by {
                        KeyframeRequest::Pli => self.counts.plis += 1,
                        KeyframeRequest::Fir => self.counts.firs += 1,
                    }
                    slots[slot.0].keyframe_wanted(now);
                }
                PeerEvent::Lost { slot, sequence_numbers } => self.pacer.handle_lost(slot, &sequence_numbers),
                PeerEvent::Bandwidth { bits_per_second } => {
                    self.reported = Some((bits_per_second as f64 / 8.0, now + REPORT_HOLDS));
                }
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
        self.counts.dropped_by_socket += self.socket.send(std::iter::from_fn(|| peer.poll_transmit()));
    }

    /// What has happened since this was called last.
    pub(super) fn take_counts(&mut self, slots: &mut [Slot]) -> Counts {
        let sent = self.pacer.take_sent();
        Counts {
            packets: sent.packets,
            bytes: sent.bytes,
            repaired: sent.repaired,
            dropped_late: slots.iter_mut().map(Slot::take_dropped).sum(),
            ..std::mem::take(&mut self.counts)
        }
    }

    /// Closes the connection and informs the browser, so that it need not wait for a timeout.
    pub(super) fn close(mut self) {
        self.peer.close();
        self.flush();
    }
}
