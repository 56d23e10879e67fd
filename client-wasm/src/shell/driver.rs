//! The loop that carries out the core's commands, and everything they act on.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};
use std::time::Duration;

use js_sys::{Array, Function, Map, Promise};
use multistream_protocol::Framing;
use wasm_bindgen::prelude::*;

use super::peer::Peer;
use super::socket::Socket;
use super::timer::Timer;
use super::{Hooks, values};
use crate::core::{
    Attempt, Client, ClientError, Command, Event, Outcome, PromiseId, State, default_delay, socket_url,
};

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
pub(super) struct Driver {
    this: Weak<Driver>,
    core: RefCell<Client>,
    hooks: Hooks,
    server_url: String,
    token: Option<String>,
    socket_url: RefCell<String>,
    pc_config: JsValue,
    debug: bool,
    socket: RefCell<Option<Socket>>,
    /// The current one, and at most one more that plays until the current one is connected.
    peers: RefCell<Vec<Rc<Peer>>>,
    settlers: RefCell<Vec<Settler>>,
    timer: Timer,
    running: Cell<bool>,
}

impl Driver {
    pub(super) fn new(
        server_url: String,
        token: Option<String>,
        pc_config: JsValue,
        debug: bool,
        hooks: Hooks,
        core: Client,
    ) -> Rc<Self> {
        Rc::new_cyclic(|this| Self {
            this: this.clone(),
            core: RefCell::new(core),
            hooks,
            server_url,
            token,
            socket_url: RefCell::default(),
            pc_config,
            debug,
            socket: RefCell::default(),
            peers: RefCell::default(),
            settlers: RefCell::default(),
            timer: Timer::new({
                let this = this.clone();
                move || {
                    if let Some(driver) = this.upgrade() {
                        driver.with_core(Client::handle_timeout);
                    }
                }
            }),
            running: Cell::new(false),
        })
    }

    pub(super) fn resolve_url(&self) -> Result<(), ClientError> {
        self.socket_url.replace(socket_url(&self.server_url, self.token.as_deref())?);
        Ok(())
    }

    /// Tells the core something, then does what it says. The borrow ends before any callback of the app runs.
    pub(super) fn with_core<T>(&self, tell: impl FnOnce(&mut Client, Duration) -> T) -> T {
        let told = tell(&mut self.core.borrow_mut(), now());
        self.run();
        told
    }

    /// A call of the app, as a promise that the core settles.
    pub(super) fn promise(&self, call: impl FnOnce(&mut Client, Duration) -> PromiseId) -> Promise {
        let promise = call(&mut self.core.borrow_mut(), now());
        let settled = Promise::new(&mut |resolve, reject| {
            self.settlers.borrow_mut().push(Settler { promise, resolve, reject });
        });
        self.run();
        settled
    }

    pub(super) fn rejected(&self, error: &ClientError) -> Promise {
        Promise::reject(&self.error(error))
    }

    pub(super) fn state(&self) -> State {
        self.core.borrow().state()
    }

    pub(super) fn socket_state(&self) -> &'static str {
        self.socket.borrow().as_ref().map_or("closed", Socket::state)
    }

    pub(super) fn peer_state(&self) -> String {
        self.peer(self.core.borrow().attempt()).map_or_else(|| "closed".to_owned(), |peer| peer.state())
    }

    pub(super) fn receiver(&self, slot: u32) -> JsValue {
        // While a connection is being made again, the pictures are those of the peer before.
        let attempt = self.core.borrow().attempt();
        let receiver = self.peer(attempt).and_then(|peer| peer.receiver(slot));
        receiver.or_else(|| self.peers.borrow().first()?.receiver(slot)).into()
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
        // Rounded up, so that the timer never fires before its deadline.
        self.timer.set(deadline.map(|deadline| deadline.saturating_sub(now()).as_millis() as i32 + 1));
    }

    fn execute(&self, command: Command) {
        match command {
            Command::OpenSocket(attempt) => self.open_socket(attempt),
            Command::Send(attempt, message) => {
                self.log("→", message.kind());
                if let Some(socket) =
                    self.socket.borrow().as_ref().filter(|socket| socket.attempt() == attempt)
                {
                    socket.send(&message.to_text(Framing::Flat));
                }
            }
            Command::CloseSocket(attempt) => {
                self.socket.borrow_mut().take_if(|socket| socket.attempt() == attempt);
            }
            Command::CreatePeer { attempt, slots, ice_servers } => {
                let config = values::peer_config(&self.pc_config, &ice_servers);
                match Peer::open(attempt, &config, slots, self.this.clone()) {
                    Ok(peer) => self.peers.borrow_mut().push(peer),
                    Err(error) => self
                        .with_core(|client, _| client.handle_peer_error(attempt, values::describe(&error))),
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
        let opened = Socket::open(&self.socket_url.borrow(), attempt, self.this.clone());
        match opened {
            Ok(socket) => {
                self.socket.replace(Some(socket));
            }
            Err(reason) => self.with_core(|client, _| client.handle_socket_closed(attempt, reason)),
        }
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
        let error = |error: &ClientError| self.error(error);
        let track = |attempt, slot| self.peer(attempt).and_then(|peer| peer.track(slot)).into();
        let tracks = |attempt| self.tracks(attempt);
        let value = values::event(event, error, track, tracks);
        // An error in the app's handler is the app's: it must not stop the connection.
        if let Err(error) = self.hooks.event(&value) {
            report(&error);
        }
    }

    fn outcome(&self, outcome: Outcome) -> JsValue {
        match outcome {
            Outcome::Tracks(attempt) => self.tracks(attempt).into(),
            Outcome::Status(status) => values::slot_status(&status),
            Outcome::Statuses(statuses) => statuses.iter().map(values::slot_status).collect::<Array>().into(),
            Outcome::Warm(stream) => stream.into(),
            Outcome::Keyframe(status) => values::keyframe_status(status).into(),
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

    /// A frame of the server.
    pub(super) fn handle_frame(&self, attempt: Attempt, text: &str) {
        let kind = self.core.borrow_mut().handle_text(attempt, text);
        self.log("←", kind.unwrap_or("what is no message of this protocol"));
        self.run();
    }

    pub(super) fn log(&self, what: &str, detail: &str) {
        if self.debug {
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
