//! The client's state, and what the app can ask of it.

use std::collections::VecDeque;
use std::time::Duration;

use multistream_protocol::client::{
    Close, Keyframe, Layout, Pause, Priority, Resume, SlotRequest, Switch, Token, Warm,
};
use multistream_protocol::server::IceServer;
use multistream_protocol::{ClientMessage, SlotStatus};

use super::command::{Attempt, Command, Event, PromiseId, State};
use super::ice::IceTrouble;
use super::lifecycle::Phase;
use super::media::Media;
use super::requests::{Requests, Settled};
use super::slots::{self, Show, Slot, Slots, Wish};
use super::spare::Spare;
use super::{ClientError, Code};

/// The app's options.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// How long a handshake may take, and the answer to a request.
    pub connection_timeout: Duration,
    /// Whether `connect` goes on trying, by the reconnect policy, when its first attempt fails.
    pub retry_connect: bool,
    /// Whether a connection on which nothing arrives is made again. Otherwise only ICE says that it is lost.
    pub keeps_watch: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { connection_timeout: Duration::from_secs(10), retry_connect: false, keeps_watch: true }
    }
}

/// The state of one client: its connection, its slots, and the app's calls that are open. How a shell drives it is described in
/// the [module](super).
#[derive(Debug)]
pub struct Client {
    pub(super) options: Options,
    pub(super) phase: Phase,
    pub(super) state: State,
    pub(super) attempt: Attempt,
    /// How many attempts the reconnect policy has allowed since the connection was lost, or since the first attempt of
    /// `connect` failed.
    pub(super) retry: u32,
    /// The call of `connect`, until it is resolved or rejected.
    pub(super) connecting: Option<PromiseId>,
    /// The earlier attempt whose peer still plays although its socket was lost. The peer is closed when the next attempt is
    /// connected, or taken over by it when the server resumes the session.
    pub(super) previous_peer: Option<Attempt>,
    /// The token that resumes the server's session on a new socket without a new peer connection.
    pub(super) resume_token: Option<String>,
    pub(super) slots: Slots,
    pub(super) requests: Requests,
    pub(super) media: Media,
    pub(super) spare: Option<Spare>,
    pub(super) ice_servers: Vec<IceServer>,
    /// The server's last answer, as SDP.
    pub(super) answer: String,
    /// What the browser said of an ICE server that it could not use.
    pub(super) ice_trouble: Option<IceTrouble>,
    commands: VecDeque<Command>,
    pub(super) last_id: u32,
}

impl Client {
    pub fn new(options: Options) -> Self {
        Self {
            options,
            phase: Phase::Idle,
            state: State::Idle,
            attempt: 0,
            retry: 0,
            connecting: None,
            previous_peer: None,
            resume_token: None,
            slots: Slots::default(),
            requests: Requests::default(),
            media: Media::default(),
            spare: None,
            ice_servers: Vec::new(),
            answer: String::new(),
            ice_trouble: None,
            commands: VecDeque::new(),
            last_id: 0,
        }
    }

    pub fn state(&self) -> State {
        self.state
    }

    /// The attempt whose socket and peer are the current ones.
    pub fn attempt(&self) -> Attempt {
        self.attempt
    }

    /// What the slot shall show, by the last call that was not refused. `None` for a slot that `connect` did not name.
    pub fn wish(&self, slot: u32) -> Option<&Wish> {
        self.slots.get(slot).map(Slot::wish)
    }

    /// The camera that a status of a slot is about, as the app named it.
    pub fn camera<'a>(&'a self, status: &'a SlotStatus) -> &'a str {
        self.slots.get(status.slot).map_or(status.stream.as_str(), |slot| slot.camera(status))
    }

    /// The shell's next command, if there is one.
    pub fn poll_command(&mut self) -> Option<Command> {
        self.commands.pop_front()
    }

    /// When [`Client::handle_timeout`] is due.
    pub fn poll_timeout(&self) -> Option<Duration> {
        [self.phase.deadline(), self.requests.poll_timeout(), self.media.look_at].into_iter().flatten().min()
    }

    /// Opens the connection. Resolves to the tracks when media can flow.
    pub fn connect(&mut self, now: Duration, slots: Vec<Show>) -> PromiseId {
        let promise = self.next_id();
        if !matches!(self.phase, Phase::Idle) {
            let message = "connect() was called before: call disconnect() first, or make a second client.";
            self.refuse(promise, ClientError::new(Code::AlreadyConnected, message));
            return promise;
        }
        match Slots::new(promise, slots) {
            Err(error) => self.refuse(promise, error),
            Ok(slots) => {
                self.slots = slots;
                self.connecting = Some(promise);
                self.set_state(State::Connecting);
                self.start_attempt(now);
            }
        }
        promise
    }

    /// Shows another stream. Resolves to the slot's status when the new picture is being sent.
    pub fn switch(&mut self, now: Duration, show: Show) -> PromiseId {
        self.request_picture(now, show, |request_id, told| Switch::new(request_id, told).into())
    }

    /// Switches several slots with one request. If `atomic` is set, all of them change together or none does.
    pub fn switch_many(&mut self, now: Duration, shows: Vec<Show>, atomic: bool) -> PromiseId {
        let promise = self.next_id();
        if let Err(error) = self.check_layout(&shows) {
            self.refuse(promise, error);
            return promise;
        }
        let mut slots = Vec::with_capacity(shows.len());
        for show in shows {
            slots.push(show.told.clone());
            self.show(promise, show, atomic);
        }
        let request_id = promise.to_string();
        let deadline = now + self.options.connection_timeout;
        self.requests.await_pictures(promise, request_id.clone(), deadline, &slots, true);
        self.send_if_connected(Layout { request_id, slots, atomic }.into());
        promise
    }

    /// Stops the slot's stream; its track stays. `reason`: see [`Wish::reason`].
    pub fn pause(&mut self, now: Duration, slot: i32, reason: Option<String>) -> PromiseId {
        let promise = self.next_id();
        match self.ready_slot(slot) {
            Err(error) => self.refuse(promise, error),
            Ok(wanted) => {
                wanted.pause(promise, reason);
                let superseded = self.requests.supersede(slot as u32);
                self.settle(superseded);
                let request_id = promise.to_string();
                let deadline = now + self.options.connection_timeout;
                self.requests.await_pause(promise, request_id.clone(), deadline, slot as u32);
                self.send_if_connected(Pause { request_id, slot }.into());
            }
        }
        promise
    }

    /// Shows the slot's stream again. Resolves when its picture is being sent.
    pub fn resume(&mut self, now: Duration, slot: i32) -> PromiseId {
        match self.ready_slot(slot) {
            Err(error) => {
                let promise = self.next_id();
                self.refuse(promise, error);
                promise
            }
            Ok(wanted) => {
                let show = wanted.wish().show.clone();
                self.request_picture(now, show, |request_id, told| {
                    // The request names stream and quality, so that it does not depend on what the server last had in the slot.
                    let SlotRequest { slot, stream, quality } = told;
                    Resume { request_id, slot, stream: Some(stream), quality }.into()
                })
            }
        }
    }

    /// Requests a key frame of the slot. Resolves to whether one was sent.
    pub fn request_keyframe(&mut self, now: Duration, slot: i32) -> PromiseId {
        let promise = self.next_id();
        match self.ready_slot(slot).map(drop) {
            Err(error) => self.refuse(promise, error),
            Ok(()) if self.state != State::Connected => {
                let message =
                    "The connection is being made again: the new one begins with a key frame anyway.";
                self.refuse(promise, ClientError::new(Code::NotConnected, message));
            }
            Ok(()) => {
                let request_id = promise.to_string();
                let deadline = now + self.options.connection_timeout;
                self.requests.await_keyframe(promise, request_id.clone(), deadline, slot as u32);
                self.send_if_connected(Keyframe { request_id, slot }.into());
            }
        }
        promise
    }

    /// Keeps a stream running that may be shown soon. Resolves to its resolved name.
    pub fn warm(&mut self, now: Duration, stream: String, quality: Option<String>) -> PromiseId {
        let promise = self.next_id();
        if self.state == State::Connected {
            let request_id = promise.to_string();
            let deadline = now + self.options.connection_timeout;
            self.requests.await_warm(promise, request_id.clone(), deadline);
            self.send_if_connected(Warm { request_id, stream, quality, ttl_s: None }.into());
        } else {
            self.refuse(promise, ClientError::not_connected());
        }
        promise
    }

    /// Tells the server how important a slot is to the viewer: on a slow link, a slot with a higher number is lowered later.
    pub fn set_priority(&mut self, slot: i32, priority: i32) {
        let Ok(known) = self.slots.get_mut(slot) else { return };
        if std::mem::replace(&mut known.priority, priority) != priority {
            self.send_if_connected(Priority { request_id: String::new(), slot, priority }.into());
        }
    }

    /// Goes on with another token. The socket of the next attempt is opened with it.
    pub fn renew(&mut self, token: String) {
        self.send_if_connected(Token { request_id: String::new(), token }.into());
    }

    /// Ends everything. May be called at any time.
    pub fn disconnect(&mut self) {
        if matches!(self.phase, Phase::Idle) {
            return;
        }
        if self.phase.has_session() {
            self.push(Command::Send(self.attempt, Close {}.into()));
        }
        let error = ClientError::new(Code::Aborted, "disconnect() was called.");
        self.end("disconnected by the app", &error);
    }

    fn request_picture(
        &mut self,
        now: Duration,
        show: Show,
        request: fn(String, SlotRequest) -> ClientMessage,
    ) -> PromiseId {
        let promise = self.next_id();
        let ready = slots::check(&show.told).and_then(|()| self.ready_slot(show.told.slot).map(drop));
        if let Err(error) = ready {
            self.refuse(promise, error);
            return promise;
        }
        let told = show.told.clone();
        self.show(promise, show, false);
        let request_id = promise.to_string();
        let deadline = now + self.options.connection_timeout;
        let wishes = std::slice::from_ref(&told);
        self.requests.await_pictures(promise, request_id.clone(), deadline, wishes, false);
        self.send_if_connected(request(request_id, told));
        promise
    }

    /// Replaces what the app wants in a slot, and rejects the calls that waited for the old wish as superseded.
    fn show(&mut self, promise: PromiseId, show: Show, atomic: bool) {
        let unsent = self.state != State::Connected;
        let index = show.told.slot;
        if let Ok(slot) = self.slots.get_mut(index) {
            slot.show(promise, show, atomic);
            slot.unsent = unsent;
        }
        let superseded = self.requests.supersede(index as u32);
        self.settle(superseded);
    }

    fn check_layout(&mut self, shows: &[Show]) -> Result<(), ClientError> {
        slots::check_all(shows)?;
        shows.iter().try_for_each(|show| self.ready_slot(show.told.slot).map(drop))
    }

    /// Rejects a call for which nothing was changed and nothing sent.
    fn refuse(&mut self, promise: PromiseId, error: ClientError) {
        self.push(Command::Reject(promise, error.keeping()));
    }

    /// The slot, if there is a connection or one is being restored.
    fn ready_slot(&mut self, slot: i32) -> Result<&mut Slot, ClientError> {
        match self.state {
            State::Connected | State::Reconnecting => self.slots.get_mut(slot),
            State::Idle | State::Connecting | State::Disconnected => Err(ClientError::not_connected()),
        }
    }

    /// Sends a message if there is a connection. Otherwise nothing is sent now: the `init` of a new session contains every
    /// wish, and [`Client::resumed`] sends what a resumed session has missed.
    fn send_if_connected(&mut self, message: ClientMessage) {
        if self.state == State::Connected {
            self.push(Command::Send(self.attempt, message));
        }
    }

    pub(super) fn push(&mut self, command: Command) {
        self.commands.push_back(command);
    }

    pub(super) fn emit(&mut self, event: Event) {
        self.push(Command::Emit(event));
    }

    pub(super) fn set_state(&mut self, state: State) {
        if self.state != state {
            self.state = state;
            self.emit(Event::State(state));
        }
    }

    pub(super) fn settle(&mut self, settled: Vec<Settled>) {
        for Settled { promise, result } in settled {
            self.push(match result {
                Ok(outcome) => Command::Resolve(promise, outcome),
                Err(error) => Command::Reject(promise, error),
            });
        }
    }

    pub(super) fn next_id(&mut self) -> u32 {
        self.last_id = self.last_id.wrapping_add(1);
        self.last_id
    }
}
