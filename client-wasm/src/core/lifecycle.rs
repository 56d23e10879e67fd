//! The life of a connection: attempts, handshakes, the loss of the connection, reconnection, and the end.

use std::time::Duration;

use multistream_protocol::client::{Ice, Init, Layout, Pause, Priority};

use super::command::{Attempt, Command, Event, Outcome, State};
use super::media::{CONNECTION_LOST, Media};
use super::reconnect::socket_patience;
use super::spare::Spare;
use super::{Client, ClientError, Code};

/// How long a peer may be `disconnected` before a new connection is made: ICE often recovers within two seconds
/// (RFC 7675 §5.1 gives consent up after 30).
const PEER_GRACE: Duration = Duration::from_secs(3);

/// An attempt that is older than this when the network is found to be back was made on the network before.
const HANGS: Duration = Duration::from_millis(300);

/// What the connection is doing.
#[derive(Debug)]
pub(super) enum Phase {
    Idle,
    Handshake(Handshake),
    Connected {
        /// When the connection counts as lost; set while the peer is `disconnected`.
        peer_deadline: Option<Duration>,
    },
    /// The shell asks the reconnect policy for the next delay.
    PlanningReconnect {
        error: ClientError,
    },
    /// The next attempt starts at `until`.
    Waiting {
        until: Duration,
    },
}

/// One attempt, from its socket to its first connected peer.
#[derive(Debug)]
pub(super) struct Handshake {
    pub(super) step: Step,
    pub(super) deadline: Duration,
    /// The deadline once the socket is open.
    pub(super) later: Duration,
    pub(super) started: Duration,
    /// The id of the last request of this handshake: that of `init`, later that of `offer`.
    pub(super) request_id: String,
    /// The server's candidates that came before its answer was applied.
    pub(super) remote_candidates: Vec<Ice>,
    pub(super) peer_connected: bool,
    /// `init` asked to resume the session of the previous attempt, with a new peer if nothing arrives on the previous one.
    pub(super) resuming: bool,
}

/// What the handshake waits for, in the order of the steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    Socket,
    Ready,
    Offer,
    Answer,
    AnswerApplied,
    Media,
}

impl Step {
    const fn waits_for(self) -> &'static str {
        match self {
            Step::Socket => "the WebSocket to open",
            Step::Ready => "the server to accept the slots",
            Step::Offer => "the browser's offer",
            Step::Answer => "the server's answer",
            Step::AnswerApplied => "the browser to accept the answer",
            Step::Media => "a media path to the server",
        }
    }
}

impl Phase {
    pub(super) fn deadline(&self) -> Option<Duration> {
        match self {
            Phase::Idle | Phase::PlanningReconnect { .. } => None,
            Phase::Handshake(handshake) => Some(handshake.deadline),
            Phase::Connected { peer_deadline } => *peer_deadline,
            Phase::Waiting { until } => Some(*until),
        }
    }

    /// Whether `init` was sent, so that the server may have a session for this attempt.
    pub(super) fn has_session(&self) -> bool {
        match self {
            Phase::Handshake(handshake) => handshake.step > Step::Socket,
            Phase::Connected { .. } => true,
            Phase::Idle | Phase::PlanningReconnect { .. } | Phase::Waiting { .. } => false,
        }
    }
}

impl Client {
    pub(super) fn start_attempt(&mut self, now: Duration) {
        self.attempt += 1;
        let later = now + self.options.connection_timeout;
        let is_again = self.state == State::Reconnecting;
        let patience = socket_patience(self.retry.saturating_sub(1)).filter(|_| is_again);
        self.phase = Phase::Handshake(Handshake {
            step: Step::Socket,
            deadline: patience.map_or(later, |patience| later.min(now + patience)),
            later,
            started: now,
            request_id: String::new(),
            remote_candidates: Vec::new(),
            peer_connected: false,
            resuming: false,
        });
        if let Some(spare) = &mut self.spare {
            let (from, to) = (std::mem::replace(&mut spare.attempt, self.attempt), self.attempt);
            self.push(Command::AdoptPeer { from, to });
        }
        self.push(Command::OpenSocket(self.attempt));
    }

    pub(super) fn send_init(&mut self) {
        let request_id = self.next_id().to_string();
        if let Phase::Handshake(handshake) = &mut self.phase {
            handshake.step = Step::Ready;
            handshake.deadline = handshake.later;
            handshake.request_id.clone_from(&request_id);
            // The session of a peer that has failed is over, or soon will be: then a new one is opened.
            let resume = self.resume_token.clone().filter(|_| self.previous_peer.is_some());
            handshake.resuming = resume.is_some();
            let init = Init { request_id, slots: self.slots.requests(), resume };
            self.push(Command::Send(self.attempt, init.into()));
        }
    }

    /// The answer is applied and the peer connected: media can flow.
    pub(super) fn established(&mut self) {
        let is_resumed = matches!(&self.phase, Phase::Handshake(handshake) if handshake.resuming);
        self.phase = Phase::Connected { peer_deadline: None };
        self.retry = 0;
        if let Some(old) = self.previous_peer.take() {
            self.push(Command::ClosePeer(old));
        }
        self.media.start(true);
        let attempt = self.attempt;
        for slot in self.slots.indices().collect::<Vec<_>>() {
            self.emit(Event::Track { attempt, slot });
        }
        self.set_state(State::Connected);
        if is_resumed {
            self.catch_up();
        }
        match self.connecting.take() {
            Some(promise) => self.push(Command::Resolve(promise, Outcome::Tracks(attempt))),
            None => self.emit(Event::Reconnected(attempt)),
        }
    }

    /// The server resumed the session of the previous attempt on this socket. Its media never stopped.
    pub(super) fn resumed(&mut self, from: Attempt) {
        let to = self.attempt;
        self.previous_peer = None;
        self.drop_spare();
        self.push(Command::AdoptPeer { from, to });
        self.phase = Phase::Connected { peer_deadline: None };
        self.retry = 0;
        self.media.start(false);
        self.set_state(State::Connected);
        self.catch_up();
        self.emit(Event::Reconnected(to));
    }

    /// Tells a session that was resumed what it has missed.
    fn catch_up(&mut self) {
        let to = self.attempt;
        // Sends again the requests that the server has not answered, which it may or may not have received: a second time does
        // no harm. Then the wishes that were made while there was no socket.
        for (request_id, slots) in self.requests.awaited_pictures() {
            let mut wishes = self.slots.requests();
            wishes.retain(|wish| slots.contains(&(wish.slot as u32)));
            for slot in &slots {
                if let Ok(slot) = self.slots.get_mut(*slot as i32) {
                    slot.unsent = false;
                }
            }
            self.push(Command::Send(to, Layout { request_id, slots: wishes, atomic: false }.into()));
        }
        let unsent = self.slots.take_unsent();
        if !unsent.is_empty() {
            let request_id = self.next_id().to_string();
            self.push(Command::Send(to, Layout { request_id, slots: unsent, atomic: false }.into()));
        }
        self.complete_session();
    }

    /// Sends what `init` cannot name: which slots are paused, and how important each is.
    pub(super) fn complete_session(&mut self) {
        let ranked: Vec<_> = self.slots.iter().map(|slot| (slot.index() as i32, slot.priority)).collect();
        for (slot, priority) in ranked.into_iter().filter(|(_, priority)| *priority != 0) {
            let message = Priority { request_id: String::new(), slot, priority };
            self.push(Command::Send(self.attempt, message.into()));
        }
        let paused: Vec<i32> =
            self.slots.iter().filter(|slot| slot.wish().paused).map(|slot| slot.index() as i32).collect();
        for slot in paused {
            let request_id = match self.requests.pause_id(slot as u32) {
                Some(waiting) => waiting.to_owned(),
                None => self.next_id().to_string(),
            };
            self.push(Command::Send(self.attempt, Pause { request_id, slot }.into()));
        }
    }

    /// The handshake failed. A failure of the first attempt rejects `connect`, unless `retry_connect` is set and the error may
    /// pass; a later attempt is always followed by another.
    pub(super) fn fail_attempt(&mut self, error: ClientError) {
        if self.connecting.is_some() && !(self.options.retry_connect && error.may_pass()) {
            let reason = error.message.clone();
            self.end(&reason, &error);
        } else {
            self.push(Command::CloseSocket(self.attempt));
            if !self.spare.as_ref().is_some_and(Spare::is_ready) {
                self.spare = None;
                self.push(Command::ClosePeer(self.attempt));
            }
            self.plan_reconnect(error);
        }
    }

    /// The connection broke: plans the next attempt. If `peer_alive`, the peer still receives media, or may do so again; it is
    /// then kept as [`Client::previous_peer`].
    pub(super) fn lost(&mut self, reason: String, peer_alive: bool) {
        let attempt = self.attempt;
        self.push(Command::CloseSocket(attempt));
        self.set_state(State::Reconnecting);
        if peer_alive {
            self.previous_peer = Some(attempt);
            // Whether its pictures go on without the server is seen at once.
            self.media.look_at = self.media.look_at.map(|_| Duration::ZERO);
        } else {
            self.push(Command::ClosePeer(attempt));
            self.stop_looking();
        }
        let settled = self.requests.handle_lost();
        self.settle(settled);
        self.plan_reconnect(ClientError::new(Code::ConnectionLost, reason));
    }

    fn plan_reconnect(&mut self, error: ClientError) {
        let reason = error.message.clone();
        self.phase = Phase::PlanningReconnect { error };
        self.push(Command::PlanReconnect { retry: self.retry, reason });
    }

    /// The reconnect policy's answer: the delay before the next attempt, or `None` to give up.
    pub fn handle_reconnect_delay(&mut self, now: Duration, delay: Option<Duration>) {
        let Phase::PlanningReconnect { error } = &self.phase else { return };
        let error = error.clone();
        let Some(delay) = delay else {
            self.end(&error.message, &error);
            return;
        };
        self.emit(Event::Reconnecting { retry: self.retry, delay, error });
        self.retry += 1;
        self.phase = Phase::Waiting { until: now + delay };
        if delay.is_zero() {
            self.start_attempt(now);
        }
    }

    /// The network is back or another one, or the tab is visible again. If the next attempt is waiting for its time, it starts at
    /// once, and one that hangs is made anew. A peer that is `disconnected` is replaced at once: a new network means other
    /// addresses, and a new connection takes no longer than an ICE restart. Any other must show soon that it works.
    pub fn handle_wake(&mut self, now: Duration) {
        match self.phase {
            Phase::Waiting { .. } => {
                self.retry = 0;
                self.start_attempt(now);
            }
            Phase::Handshake(ref handshake)
                if handshake.step == Step::Socket
                    && self.state == State::Reconnecting
                    && now >= handshake.started + HANGS =>
            {
                self.push(Command::CloseSocket(self.attempt));
                self.retry = 0;
                self.start_attempt(now);
            }
            Phase::Connected { peer_deadline: Some(_) } => self.lost_media(now, "the network changed"),
            _ => self.doubt(now),
        }
    }

    /// Handles every deadline up to `now`.
    pub fn handle_timeout(&mut self, now: Duration) {
        let settled = self.requests.handle_timeout(now);
        self.settle(settled);
        self.handle_look_timeout(now);
        if self.phase.deadline().is_none_or(|deadline| deadline > now) {
            return;
        }
        match &self.phase {
            Phase::Handshake(handshake) => {
                let mut code = Code::ConnectionTimeout;
                let mut message = ["Timed out waiting for ", handshake.step.waits_for()].concat();
                if handshake.step == Step::Media {
                    code = Code::MediaUnreachable;
                    message = self.no_media_path(message);
                }
                self.fail_attempt(ClientError::new(code, message));
            }
            Phase::Connected { .. } => {
                self.media.silent = true;
                self.lost("the media path broke".to_owned(), true);
            }
            Phase::Waiting { .. } => self.start_attempt(now),
            Phase::Idle | Phase::PlanningReconnect { .. } => {}
        }
    }

    pub(super) fn arm_peer_deadline(&mut self, now: Duration) {
        if let Phase::Connected { peer_deadline } = &mut self.phase {
            peer_deadline.get_or_insert(now + PEER_GRACE);
            self.doubt(now);
        }
    }

    /// Ends the connection: closes the socket and all peers, and rejects every call that waits.
    pub(super) fn end(&mut self, reason: &str, error: &ClientError) {
        self.push(Command::CloseSocket(self.attempt));
        self.drop_spare();
        self.push(Command::ClosePeer(self.attempt));
        if let Some(old) = self.previous_peer.take() {
            self.push(Command::ClosePeer(old));
        }
        if self.state == State::Reconnecting {
            self.tell_lost(CONNECTION_LOST);
        }
        self.phase = Phase::Idle;
        self.retry = 0;
        self.resume_token = None;
        self.media = Media::default();
        if let Some(promise) = self.connecting.take() {
            self.push(Command::Reject(promise, error.clone()));
        }
        let settled = self.requests.reject_all(error);
        self.settle(settled);
        self.set_state(State::Disconnected);
        self.emit(Event::Disconnected { reason: reason.to_owned() });
    }

    /// The handshake that is under way, if it is that of this attempt.
    pub(super) fn handshake(&mut self, attempt: Attempt) -> Option<&mut Handshake> {
        match &mut self.phase {
            Phase::Handshake(handshake) if attempt == self.attempt => Some(handshake),
            _ => None,
        }
    }
}
