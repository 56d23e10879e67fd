//! The loop that carries out the core's commands, and everything they act on.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};
use std::time::Duration;

use gloo_timers::callback::Timeout;
use js_sys::{Function, Map, Promise};
use multistream_protocol::Framing;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};

use super::convert;
use super::facade::{Hooks, Settings};
use super::knock::Knock;
use super::peer::{Peer, PeerEvent};
use super::socket::{Socket, SocketEvent};
use crate::core::{
    Attempt, Client, ClientError, Command, Event, Outcome, PromiseId, State, default_delay, http_url,
    socket_url,
};

/// `setTimeout` takes 31 bits of milliseconds, 24.8 days; what is further away is looked at again by then.
const LONGEST_TIMEOUT: Duration = Duration::from_millis(i32::MAX as u64);

#[wasm_bindgen]
extern "C" {
    /// Monotonic, unlike `Date.now()`.
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn performance_now() -> f64;
}

struct Settler {
    promise: PromiseId,
    resolve: Function,
    reject: Function,
}

/// Owns the core and the browser's objects. Callbacks hold it weakly, so that dropping it ends them.
pub(crate) struct Driver {
    this: Weak<Driver>,
    core: RefCell<Client>,
    settings: Settings,
    hooks: Hooks,
    socket_url: RefCell<String>,
    socket: RefCell<Option<Socket>>,
    /// The current one, and at most one more that plays until the current one is connected.
    peers: RefCell<Vec<Rc<Peer>>>,
    settlers: RefCell<Vec<Settler>>,
    /// For the core's next deadline.
    timer: RefCell<Option<Timeout>>,
    /// While the connection is being made again.
    knock: RefCell<Option<Knock>>,
    running: Cell<bool>,
}

impl Driver {
    pub(crate) fn new(settings: Settings, hooks: Hooks, core: Client) -> Rc<Self> {
        Rc::new_cyclic(|this| Self {
            this: this.clone(),
            core: RefCell::new(core),
            settings,
            hooks,
            socket_url: RefCell::default(),
            socket: RefCell::default(),
            peers: RefCell::default(),
            settlers: RefCell::default(),
            timer: RefCell::default(),
            knock: RefCell::default(),
            running: Cell::new(false),
        })
    }

    pub(crate) fn resolve_url(&self, token: Option<&str>) -> Result<(), ClientError> {
        self.socket_url.replace(socket_url(&self.settings.server_url, token)?);
        Ok(())
    }

    /// Tells the core something, then does what it says. The borrow ends before any callback of the app runs.
    pub(crate) fn with_core<T>(&self, tell: impl FnOnce(&mut Client, Duration) -> T) -> T {
        let now = now();
        let told = tell(&mut self.core.borrow_mut(), now);
        self.run();
        told
    }

    /// A call of the app, as a promise that the core settles.
    pub(crate) fn promise(&self, call: impl FnOnce(&mut Client, Duration) -> PromiseId) -> Promise {
        let now = now();
        let promise = call(&mut self.core.borrow_mut(), now);
        self.settled(promise)
    }

    /// Apart from [`Self::promise`], which is compiled once per call of the app.
    fn settled(&self, promise: PromiseId) -> Promise {
        let settled = Promise::new(&mut |resolve, reject| {
            self.settlers.borrow_mut().push(Settler { promise, resolve, reject });
        });
        self.run();
        settled
    }

    pub(crate) fn rejected(&self, error: &ClientError) -> Promise {
        Promise::reject(&self.error(error))
    }

    pub(crate) fn state(&self) -> State {
        self.core.borrow().state()
    }

    pub(crate) fn socket_state(&self) -> &'static str {
        self.socket.borrow().as_ref().map_or("closed", Socket::state)
    }

    pub(crate) fn peer_state(&self) -> String {
        let attempt = self.core.borrow().attempt();
        self.peer(attempt).map_or_else(|| "closed".to_owned(), |peer| peer.state())
    }

    pub(crate) fn receiver(&self, slot: u32) -> JsValue {
        // While a connection is being made again, the pictures are those of the peer before.
        let attempt = self.core.borrow().attempt();
        let receiver = self.peer(attempt).and_then(|peer| peer.receiver(slot));
        receiver.or_else(|| self.peers.borrow().first()?.receiver(slot)).into()
    }

    pub(crate) fn wish(&self, slot: u32) -> JsValue {
        self.core.borrow().wish(slot).map(convert::wish).unwrap_or_default()
    }

    fn run(&self) {
        // A callback of the app that calls back into the client leaves its commands to the loop that called it.
        if self.running.replace(true) {
            return;
        }
        loop {
            let command = self.core.borrow_mut().poll_command();
            let Some(command) = command else { break };
            self.execute(command);
        }
        self.running.set(false);
        self.arm_timer();
    }

    fn arm_timer(&self) {
        let deadline = self.core.borrow().poll_timeout();
        let timer = deadline.map(|deadline| {
            let wait = deadline.saturating_sub(now()).min(LONGEST_TIMEOUT);
            // Rounded up, so that the timer never fires before its deadline.
            let millis = (wait.as_millis() as u32).saturating_add(1).min(i32::MAX as u32);
            let this = self.this.clone();
            Timeout::new(millis, move || {
                if let Some(driver) = this.upgrade() {
                    driver.with_core(Client::handle_timeout);
                }
            })
        });
        self.timer.replace(timer);
    }

    fn execute(&self, command: Command) {
        match command {
            Command::OpenSocket(attempt) => self.open_socket(attempt),
            Command::Send(attempt, message) => {
                self.log("→", message.kind());
                if let Some(socket) =
                    self.socket.borrow().as_ref().filter(|socket| socket.attempt() == attempt)
                {
                    socket.send(message.to_text(Framing::Flat));
                }
            }
            Command::CloseSocket(attempt) => {
                self.socket.borrow_mut().take_if(|socket| socket.attempt() == attempt);
            }
            Command::CreatePeer { attempt, slots, ice_servers } => {
                let config = convert::peer_config(&self.settings.pc_config, &ice_servers);
                let this = self.this.clone();
                let report = move |attempt, event| {
                    if let Some(driver) = this.upgrade() {
                        driver.handle_peer_event(attempt, event);
                    }
                };
                match Peer::open(attempt, &config, slots, report) {
                    Ok(peer) => self.peers.borrow_mut().push(peer),
                    Err(error) => self
                        .with_core(|client, _| client.handle_peer_error(attempt, convert::describe(&error))),
                }
            }
            Command::ApplyAnswer { attempt, sdp, mids } => {
                if let Some(peer) = self.peer(attempt) {
                    peer.apply_answer(sdp, mids);
                }
            }
            Command::AddCandidate(attempt, candidate) => {
                if let Some(peer) = self.peer(attempt) {
                    peer.add_candidate(&candidate);
                }
            }
            Command::ClosePeer(attempt) => self.peers.borrow_mut().retain(|peer| peer.attempt() != attempt),
            Command::AdoptPeer { from, to } => {
                if let Some(peer) = self.peer(from) {
                    peer.adopt(to);
                }
            }
            Command::PlanReconnect { retry, reason } => self.plan_reconnect(retry, &reason),
            Command::Look(attempt) => {
                if let Some(peer) = self.peer(attempt) {
                    let _ = self.hooks.look(attempt, peer.connection(), &self.tracks(attempt));
                }
            }
            Command::Resolve(promise, outcome) => {
                let value = self.outcome(outcome);
                if let Some(settler) = self.settler(promise) {
                    let _ = settler.resolve.call1(&JsValue::UNDEFINED, &value);
                }
            }
            Command::Reject(promise, error) => {
                let value = self.error(&error);
                if let Some(settler) = self.settler(promise) {
                    let _ = settler.reject.call1(&JsValue::UNDEFINED, &value);
                }
            }
            Command::Emit(event) => self.emit(&event),
        }
    }

    fn open_socket(&self, attempt: Attempt) {
        let this = self.this.clone();
        let report = move |event| {
            if let Some(driver) = this.upgrade() {
                driver.handle_socket_event(attempt, event);
            }
        };
        let opened = Socket::open(&self.socket_url.borrow(), attempt, report);
        match opened {
            Some(socket) => {
                self.socket.replace(Some(socket));
            }
            None => self.handle_refused(attempt),
        }
    }

    fn handle_socket_event(&self, attempt: Attempt, event: SocketEvent) {
        match event {
            SocketEvent::Open => self.with_core(|client, _| client.handle_socket_open(attempt)),
            SocketEvent::Text(text) => {
                let kind = self.core.borrow_mut().handle_text(attempt, &text);
                self.log("←", kind.unwrap_or("what is no message of this protocol"));
                self.run();
            }
            SocketEvent::Binary => {
                self.with_core(|client, _| client.handle_bad_message(attempt, "a binary frame"));
            }
            SocketEvent::Closed(reason) => {
                self.with_core(|client, _| client.handle_socket_closed(attempt, reason));
            }
            SocketEvent::Refused => self.handle_refused(attempt),
        }
    }

    fn handle_refused(&self, attempt: Attempt) {
        let (this, asked) = (self.this.clone(), self.hooks.refusal(&self.socket_url.borrow()));
        spawn_local(async move {
            let told = JsFuture::from(asked).await.ok().and_then(|told| told.as_string()).unwrap_or_default();
            let (code, message) = told.split_once(' ').unwrap_or_default();
            let error = ClientError::from_server(code.to_owned(), message.to_owned());
            if let Some(driver) = this.upgrade() {
                driver.with_core(|client, _| client.handle_socket_refused(attempt, error));
            }
        });
    }

    fn handle_peer_event(&self, attempt: Attempt, event: PeerEvent) {
        self.with_core(|client, now| match event {
            PeerEvent::Offer(sdp) => client.handle_offer(attempt, sdp),
            PeerEvent::Candidate(candidate) => client.handle_local_candidate(attempt, candidate),
            PeerEvent::IceTrouble { code, text } => client.handle_ice_trouble(attempt, code, text),
            PeerEvent::State(state) => client.handle_peer_state(now, attempt, state),
            PeerEvent::AnswerApplied => client.handle_answer_applied(attempt),
            PeerEvent::Failed(detail) => client.handle_peer_error(attempt, detail),
            PeerEvent::CandidateRefused(detail) => self.log("candidate refused:", &detail),
        });
    }

    /// Asks for the server while it is away.
    fn watch_server(&self, state: State) {
        let knock = (state == State::Reconnecting && self.settings.knock).then(|| {
            let this = self.this.clone();
            Knock::start(http_url(&self.settings.server_url, "/healthz"), move || {
                if let Some(driver) = this.upgrade() {
                    driver.with_core(Client::handle_wake);
                }
            })
        });
        self.knock.replace(knock);
    }

    fn plan_reconnect(&self, retry: u32, reason: &str) {
        let default_ms = default_delay(retry, js_sys::Math::random() as f32).as_millis() as f64;
        let delay = match self.hooks.reconnect_delay(retry, reason, default_ms) {
            Ok(delay_ms) => delay_ms.map(|ms| Duration::from_millis(ms.max(0.0) as u64)),
            // A policy that throws is no reason to stay away.
            Err(error) => {
                report(&error);
                Some(Duration::from_millis(default_ms as u64))
            }
        };
        self.with_core(|client, now| client.handle_reconnect_delay(now, delay));
    }

    fn emit(&self, event: &Event) {
        if let Event::State(state) = event {
            self.watch_server(*state);
        }
        let error = |error: &ClientError| self.error(error);
        let track = |attempt, slot| self.peer(attempt).and_then(|peer| peer.track(slot)).into();
        let tracks = |attempt| self.tracks(attempt);
        let value = convert::event(&self.core.borrow(), event, error, track, tracks);
        // An error in the app's handler is the app's: it must not stop the connection.
        if let Err(error) = self.hooks.event(&value) {
            report(&error);
        }
    }

    fn outcome(&self, outcome: Outcome) -> JsValue {
        match outcome {
            Outcome::Tracks(attempt) => self.tracks(attempt).into(),
            Outcome::Status(status) => convert::slot_status(&self.core.borrow(), &status),
            Outcome::Statuses(statuses) => convert::slot_statuses(&self.core.borrow(), &statuses),
            Outcome::Warm(stream) => stream.into(),
            Outcome::Keyframe(status) => status.as_str().into(),
        }
    }

    fn tracks(&self, attempt: Attempt) -> Map {
        let map = Map::new();
        if let Some(peer) = self.peer(attempt) {
            peer.for_each_track(|slot, track| {
                map.set(&slot.into(), track);
            });
        }
        map
    }

    fn peer(&self, attempt: Attempt) -> Option<Rc<Peer>> {
        self.peers.borrow().iter().find(|peer| peer.attempt() == attempt).cloned()
    }

    fn settler(&self, promise: PromiseId) -> Option<Settler> {
        let mut settlers = self.settlers.borrow_mut();
        let index = settlers.iter().position(|settler| settler.promise == promise)?;
        Some(settlers.swap_remove(index))
    }

    fn error(&self, error: &ClientError) -> JsValue {
        self.hooks
            .make_error(&error.code, &error.message, error.slot, error.kept)
            .unwrap_or_else(|thrown| thrown)
    }

    fn log(&self, what: &str, detail: &str) {
        if self.settings.debug {
            web_sys::console::debug_3(&"multistream".into(), &what.into(), &detail.into());
        }
    }
}

fn report(error: &JsValue) {
    web_sys::console::error_2(&"multistream: a handler threw".into(), error);
}

fn now() -> Duration {
    Duration::from_millis(performance_now() as u64)
}
