//! Tests of the core on a virtual clock. They play the browser and the server, whose messages are JSON texts.

mod connect;
mod media;
mod reconnect;
mod requests;
mod truth;
mod wire;
mod wishes;

use std::time::Duration;

use multistream_protocol::client::SlotRequest;
use serde_json::{Value, json};

use super::{Attempt, Client, ClientError, Command, Event, Options, Outcome, PeerState, PromiseId, Show};

pub(super) fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

pub(super) fn show(slot: i32, stream: &str) -> Show {
    Show { told: SlotRequest { slot, stream: stream.to_owned(), quality: None }, asked: None }
}

/// A client, its clock, and the commands it has returned.
pub(super) struct Rig {
    pub(super) client: Client,
    pub(super) now: Duration,
    pub(super) said: Vec<Command>,
    /// The peers whose counts were asked for.
    pub(super) looks: Vec<Attempt>,
}

impl Rig {
    pub(super) fn new() -> Self {
        Self::with(Options::default())
    }

    pub(super) fn with(options: Options) -> Self {
        Self { client: Client::new(options), now: Duration::ZERO, said: Vec::new(), looks: Vec::new() }
    }

    /// Two slots, `camera1` and `camera2`, connected, with the commands up to there discarded.
    pub(super) fn connected() -> Self {
        let mut rig = Self::new();
        rig.connect();
        rig.handshake();
        assert!(rig.take().iter().any(|command| matches!(command, Command::Resolve(_, Outcome::Tracks(1)))));
        rig
    }

    pub(super) fn connect(&mut self) -> PromiseId {
        let promise = self.client.connect(self.now, vec![show(0, "camera1"), show(1, "camera2")]);
        self.drain();
        promise
    }

    /// Plays server and browser until media flows.
    pub(super) fn handshake(&mut self) {
        self.until_answer();
        self.apply_answer();
        self.peer(PeerState::Connected);
    }

    pub(super) fn until_offer(&mut self) {
        self.client.handle_socket_open(self.attempt());
        self.drain();
        self.server(&json!({ "type": "multistream/ready", "slots": 2, "ice_servers": [] }));
    }

    pub(super) fn until_answer(&mut self) {
        self.until_offer();
        self.client.handle_offer(self.attempt(), "offer".to_owned());
        self.drain();
        self.server(&answer(&self.shown()));
    }

    pub(super) fn apply_answer(&mut self) {
        self.client.handle_answer_applied(self.attempt());
        self.drain();
    }

    pub(super) fn peer(&mut self, state: PeerState) {
        self.client.handle_peer_state(self.now, self.attempt(), state);
        self.drain();
    }

    pub(super) fn attempt(&self) -> Attempt {
        self.client.attempt()
    }

    /// The streams of the last `init`.
    fn shown(&self) -> Vec<(u64, String)> {
        let init = self.sent("multistream/init").pop().expect("an init was sent");
        let slots = init["slots"].as_array().expect("slots");
        slots
            .iter()
            .map(|slot| (slot["slot"].as_u64().unwrap(), slot["stream"].as_str().unwrap().to_owned()))
            .collect()
    }

    /// A frame of the server.
    pub(super) fn server(&mut self, frame: &Value) {
        self.server_of(self.attempt(), frame);
    }

    pub(super) fn server_of(&mut self, attempt: Attempt, frame: &Value) {
        self.client.handle_text(attempt, &frame.to_string());
        self.drain();
    }

    pub(super) fn status(&mut self, slot: u32, stream: &str, status: &str, request: Option<PromiseId>) {
        let status = json!({ "slot": slot, "stream": stream, "status": status });
        let mut frame = json!({ "type": "multistream/status", "slot": slot, "status": status });
        if let Some(request) = request {
            frame["request_id"] = request.to_string().into();
        }
        self.server(&frame);
    }

    /// Lets time pass, stopping at each deadline of the client.
    pub(super) fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(deadline) = self.client.poll_timeout().filter(|deadline| *deadline <= end) {
            self.now = self.now.max(deadline);
            self.client.handle_timeout(self.now);
            self.drain();
        }
        self.now = end;
    }

    pub(super) fn drain(&mut self) {
        while let Some(command) = self.client.poll_command() {
            match command {
                Command::Look(attempt) => self.looks.push(attempt),
                command => self.said.push(command),
            }
        }
    }

    /// The commands since the last call.
    pub(super) fn take(&mut self) -> Vec<Command> {
        std::mem::take(&mut self.said)
    }

    /// The messages of this type that were sent, as JSON.
    pub(super) fn sent(&self, kind: &str) -> Vec<Value> {
        let sent = self.said.iter().filter_map(|command| match command {
            Command::Send(_, message) if message.kind() == kind => Some(wire::json(message)),
            _ => None,
        });
        sent.collect()
    }

    /// How a call ended, if it did.
    pub(super) fn outcome(&self, promise: PromiseId) -> Option<Result<Outcome, ClientError>> {
        let mut ends = self.said.iter().filter_map(|command| match command {
            Command::Resolve(id, outcome) if *id == promise => Some(Ok(outcome.clone())),
            Command::Reject(id, error) if *id == promise => Some(Err(error.clone())),
            _ => None,
        });
        let end = ends.next();
        assert_eq!(ends.next(), None, "a call ends once");
        end
    }

    /// The code a call was rejected with.
    #[track_caller]
    pub(super) fn code(&self, promise: PromiseId) -> String {
        match self.outcome(promise) {
            Some(Err(error)) => error.code.into_owned(),
            other => panic!("expected a rejection, got {other:?}"),
        }
    }

    pub(super) fn is_sent(&self, promise: PromiseId, stream: &str) -> bool {
        matches!(self.outcome(promise), Some(Ok(Outcome::Status(status))) if status.stream == stream)
    }

    pub(super) fn events(&self) -> Vec<&Event> {
        let events = self.said.iter().filter_map(|command| match command {
            Command::Emit(event) => Some(event),
            _ => None,
        });
        events.collect()
    }
}

pub(super) fn answer(shown: &[(u64, String)]) -> Value {
    let slots: Vec<Value> = shown
        .iter()
        .map(|(slot, stream)| json!({ "slot": slot, "stream": stream, "status": "buffering" }))
        .collect();
    let mids: serde_json::Map<String, Value> =
        shown.iter().map(|(slot, _)| (slot.to_string(), slot.to_string().into())).collect();
    json!({ "type": "multistream/answer", "sdp": "answer", "slots": slots, "mids": mids })
}
