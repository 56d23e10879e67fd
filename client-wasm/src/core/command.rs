//! What goes between the core and its shell.

use std::collections::BTreeMap;
use std::time::Duration;

use multistream_protocol::server::{IceServer, KeyframeStatus};
use multistream_protocol::{ClientMessage, SlotStatus, client};

use super::ClientError;

/// One try at a connection: its socket and its peer. Grows by one each time.
pub type Attempt = u32;

/// A call of the app that awaits its outcome.
pub type PromiseId = u32;

/// What the shell shall do, in this order.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    OpenSocket(Attempt),
    Send(Attempt, ClientMessage),
    /// After everything sent so far has left.
    CloseSocket(Attempt),
    /// Make a peer with this many receiving video transceivers, and an offer.
    CreatePeer {
        attempt: Attempt,
        slots: usize,
        ice_servers: Vec<IceServer>,
    },
    ApplyAnswer {
        attempt: Attempt,
        sdp: String,
        mids: BTreeMap<u32, String>,
    },
    AddCandidate(Attempt, client::Ice),
    ClosePeer(Attempt),
    /// The peer of an earlier attempt goes on with the socket of a later one.
    AdoptPeer {
        from: Attempt,
        to: Attempt,
    },
    /// Ask the policy when to try again, and tell [`Client::handle_reconnect_delay`](super::Client::handle_reconnect_delay).
    PlanReconnect {
        retry: u32,
        reason: String,
    },
    Resolve(PromiseId, Outcome),
    Reject(PromiseId, ClientError),
    Emit(Event),
}

/// What a promise resolves to.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The tracks of this attempt's peer, by slot.
    Tracks(Attempt),
    Status(SlotStatus),
    Statuses(Vec<SlotStatus>),
    Keyframe(KeyframeStatus),
    /// The resolved name of the stream that is kept running.
    Warm(String),
}

/// What the app is told.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    State(State),
    Status(SlotStatus),
    /// This slot's track is the one of this attempt's peer.
    Track {
        attempt: Attempt,
        slot: u32,
    },
    /// The next try is this far away.
    Reconnecting {
        retry: u32,
        delay: Duration,
        reason: String,
    },
    Reconnected(Attempt),
    /// It is over, and nothing will be tried any more.
    Disconnected {
        reason: String,
    },
    /// Something went wrong that no call was waiting for.
    Error(ClientError),
}

/// The life of the connection as the app sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Idle,
    Connecting,
    Connected,
    Reconnecting,
    Disconnected,
}

impl State {
    pub const fn as_str(self) -> &'static str {
        match self {
            State::Idle => "idle",
            State::Connecting => "connecting",
            State::Connected => "connected",
            State::Reconnecting => "reconnecting",
            State::Disconnected => "disconnected",
        }
    }
}

/// The states of an `RTCPeerConnection` that matter (W3C WebRTC §4.3.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeerState {
    Connecting,
    Connected,
    /// May recover by itself.
    Disconnected,
    Failed,
}
