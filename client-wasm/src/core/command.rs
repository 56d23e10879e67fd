//! What the core returns to its shell: commands, among them the outcomes of calls and the events for the app.

use std::time::Duration;

use multistream_protocol::server::{IceServer, KeyframeStatus, Mids};
use multistream_protocol::{ClientMessage, SlotStatus, client};

use super::ClientError;

/// The number of an attempt to connect, with a socket and a peer of its own. It grows by one with each attempt.
pub type Attempt = u32;

/// The number of a call of the app that awaits its outcome.
pub type PromiseId = u32;

/// What the shell has to do, in the order in which it polls the commands.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    OpenSocket(Attempt),
    Send(Attempt, ClientMessage),
    /// Close the socket after it has sent every earlier message.
    CloseSocket(Attempt),
    /// Make a peer with this many receiving video transceivers, and report its offer to
    /// [`Client::handle_offer`](super::Client::handle_offer).
    CreatePeer {
        attempt: Attempt,
        slots: usize,
        ice_servers: Vec<IceServer>,
    },
    ApplyAnswer {
        attempt: Attempt,
        sdp: String,
        mids: Mids,
    },
    AddCandidate(Attempt, client::Ice),
    ClosePeer(Attempt),
    /// The peer of the earlier attempt `from` belongs to the attempt `to` from now on.
    AdoptPeer {
        from: Attempt,
        to: Attempt,
    },
    /// Ask the reconnect policy for the delay before the next attempt, and report it to
    /// [`Client::handle_reconnect_delay`](super::Client::handle_reconnect_delay).
    PlanReconnect {
        retry: u32,
        reason: String,
    },
    /// Read what the peer of this attempt has received, and report it to
    /// [`Client::handle_received`](super::Client::handle_received).
    Look(Attempt),
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

/// What the app's listeners receive.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    State(State),
    Status(SlotStatus),
    /// The slot's picture stands still, for this reason, or moves again.
    Stalled {
        slot: u32,
        stalled: Option<Stall>,
    },
    /// This slot's track is the one of this attempt's peer.
    Track {
        attempt: Attempt,
        slot: u32,
    },
    /// The next attempt starts after `delay`.
    Reconnecting {
        retry: u32,
        delay: Duration,
        /// Why the last attempt failed, or the connection was lost.
        error: ClientError,
    },
    Reconnected(Attempt),
    /// The connection has ended, and no further attempt will be made.
    Disconnected {
        reason: String,
    },
    /// Something went wrong that no call was waiting for.
    Error(ClientError),
}

/// Why a slot's picture stands still although it should move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stall {
    /// Nothing arrives on the whole connection.
    Network,
    /// The slot's packets arrive, but no pictures come of them.
    Decoder,
    /// The server says so, or sends nothing for this slot on a connection that works.
    Source,
}

impl Stall {
    pub const fn as_str(self) -> &'static str {
        match self {
            Stall::Network => "network",
            Stall::Decoder => "decoder",
            Stall::Source => "source",
        }
    }
}

/// The state of the connection as the app sees it.
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
