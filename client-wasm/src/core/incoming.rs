//! The handlers of what the socket and the peer report.

use std::time::Duration;

use multistream_protocol::client::Ice;
use multistream_protocol::server::{self, Answer, Keyframe, Ready, Status, Warm};
use multistream_protocol::{ErrorCode, ServerMessage};

use super::command::{Attempt, Command, Event, PeerState, PromiseId};
use super::lifecycle::{Phase, Step};
use super::media::MEDIA_LOST;
use super::requests::Settled;
use super::{Client, ClientError, Code};

impl Client {
    /// The WebSocket is open.
    pub fn handle_socket_open(&mut self, attempt: Attempt) {
        if self.handshake(attempt).is_some_and(|handshake| handshake.step == Step::Socket) {
            self.send_init();
        }
    }

    /// The WebSocket is gone. `reason` is a sentence for people.
    pub fn handle_socket_closed(&mut self, attempt: Attempt, reason: String) {
        if attempt != self.attempt {
            return;
        }
        match &self.phase {
            Phase::Handshake(_) => self.fail_attempt(ClientError::new(Code::WebsocketFailed, reason)),
            Phase::Connected { peer_deadline } => {
                let peer_alive = peer_deadline.is_none();
                self.lost(reason, peer_alive);
            }
            Phase::Idle | Phase::PlanningReconnect { .. } | Phase::Waiting { .. } => {}
        }
    }

    /// The WebSocket did not open, for this cause.
    pub fn handle_socket_refused(&mut self, attempt: Attempt, error: ClientError) {
        if self.handshake(attempt).is_some() {
            self.fail_attempt(error);
        }
    }

    /// Handles a text frame of the server. Returns its `type` if the protocol has it. Other types are ignored: they belong to
    /// other protocols on the same socket, or to a later server.
    pub fn handle_text(&mut self, attempt: Attempt, text: &str) -> Option<&'static str> {
        match ServerMessage::from_text(text) {
            Ok(Some((message, _))) => {
                let kind = message.kind();
                self.handle_message(attempt, message);
                Some(kind)
            }
            Err(error) if error.code != ErrorCode::UnknownType.as_str() => {
                self.handle_bad_message(attempt, &error.error);
                None
            }
            Ok(None) | Err(_) => None,
        }
    }

    /// Handles a frame that is not a message. During a handshake the attempt fails; later the app gets an `error` event.
    pub fn handle_bad_message(&mut self, attempt: Attempt, detail: &str) {
        if attempt != self.attempt {
            return;
        }
        let error = ClientError::new(
            Code::BadMessage,
            ["The server sent what is no message: ", detail, "."].concat(),
        );
        if matches!(self.phase, Phase::Handshake(_)) {
            self.fail_attempt(error);
        } else {
            self.emit(Event::Error(error));
        }
    }

    fn handle_message(&mut self, attempt: Attempt, message: ServerMessage) {
        if attempt != self.attempt || !self.phase.has_session() {
            return;
        }
        match message {
            ServerMessage::Ready(ready) => self.handle_ready(ready),
            ServerMessage::Answer(answer) => self.handle_answer(answer),
            ServerMessage::Status(status) => self.handle_status(status),
            ServerMessage::Keyframe(Keyframe { request_id, slot, status }) => {
                let settled = self.requests.handle_keyframe(slot, &request_id, status);
                self.settle(settled);
            }
            ServerMessage::Warm(Warm { request_id, stream, .. }) => {
                let settled = self.requests.handle_warm(&request_id, stream);
                self.settle(settled);
            }
            ServerMessage::Ice(ice) => self.handle_remote_candidate(ice),
            ServerMessage::Disconnected(server::Disconnected { reason }) => {
                let message = ["the server ended the session (", &reason, ")"].concat();
                if matches!(self.phase, Phase::Handshake(_)) {
                    self.fail_attempt(ClientError::new(Code::ConnectionLost, message));
                } else {
                    self.lost(message, false);
                }
            }
            ServerMessage::Error(error) => self.handle_error(error),
            // The façade knows until when the token is valid: it has read it.
            ServerMessage::Token(_) => {}
        }
    }

    /// The browser accepted the answer; every slot has its track.
    pub fn handle_answer_applied(&mut self, attempt: Attempt) {
        let Some(handshake) =
            self.handshake(attempt).filter(|handshake| handshake.step == Step::AnswerApplied)
        else {
            return;
        };
        handshake.step = Step::Media;
        let connected = handshake.peer_connected;
        for candidate in std::mem::take(&mut handshake.remote_candidates) {
            self.push(Command::AddCandidate(attempt, candidate));
        }
        if connected {
            self.established();
        }
    }

    /// The browser failed to make a peer or an offer, or to apply the answer.
    pub fn handle_peer_error(&mut self, attempt: Attempt, detail: String) {
        if self.spare.as_ref().is_some_and(|spare| spare.attempt == attempt) {
            self.drop_spare();
        }
        if self.handshake(attempt).is_some_and(|handshake| handshake.step >= Step::Offer) {
            self.fail_attempt(ClientError::new(Code::PeerFailed, detail));
        }
    }

    /// The peer's connection state changed.
    pub fn handle_peer_state(&mut self, now: Duration, attempt: Attempt, state: PeerState) {
        if self.previous_peer == Some(attempt) {
            if state == PeerState::Failed {
                self.previous_peer = None;
                self.push(Command::ClosePeer(attempt));
                self.stop_looking();
            }
            return;
        }
        if attempt != self.attempt {
            return;
        }
        match (&mut self.phase, state) {
            (Phase::Handshake(handshake), PeerState::Connected) => {
                handshake.peer_connected = true;
                if handshake.step == Step::Media {
                    self.established();
                }
            }
            (Phase::Handshake(_), PeerState::Failed) => {
                let message = self.no_media_path("No media path to the server".to_owned());
                self.fail_attempt(ClientError::new(Code::MediaUnreachable, message));
            }
            (Phase::Connected { peer_deadline }, PeerState::Connected) => *peer_deadline = None,
            (Phase::Connected { .. }, PeerState::Disconnected) => self.arm_peer_deadline(now),
            (Phase::Connected { .. }, PeerState::Failed) => {
                self.tell_lost(MEDIA_LOST);
                self.lost("the media path failed".to_owned(), false);
            }
            _ => {}
        }
    }

    fn handle_ready(&mut self, ready: Ready) {
        let attempt = self.attempt;
        let slots = self.slots.len();
        let (previous, is_silent) = (self.previous_peer, self.media.silent);
        let Some(handshake) = self.handshake(attempt).filter(|handshake| handshake.step == Step::Ready)
        else {
            return;
        };
        let resumed = handshake.resuming && ready.resumed;
        if let (true, Some(from)) = (resumed, previous) {
            if is_silent {
                // Nothing arrives on its peer: the session gets another one, and the old one stays until that plays.
                handshake.step = Step::Offer;
            }
            self.resume_token = ready.resume;
            self.ice_servers = ready.ice_servers;
            if is_silent {
                self.offer();
            } else {
                self.resumed(from);
            }
        } else if ready.slots as usize == slots && !ready.resumed {
            handshake.step = Step::Offer;
            self.resume_token = ready.resume;
            self.ice_servers = ready.ice_servers;
            self.offer();
        } else if ready.resumed {
            // The previous peer failed after `init` had asked to resume its session.
            self.resume_token = None;
            let message = "The media path broke while the session was being resumed.";
            self.fail_attempt(ClientError::new(Code::ConnectionLost, message));
        } else {
            let message = "The server opened another number of slots than was asked for.";
            self.fail_attempt(ClientError::new(Code::BadMessage, message));
        }
    }

    fn handle_answer(&mut self, answer: Answer) {
        let attempt = self.attempt;
        let missing = self.slots.indices().find(|slot| answer.mids.get(*slot).is_none());
        let Some(handshake) = self.handshake(attempt).filter(|handshake| handshake.step == Step::Answer)
        else {
            return;
        };
        if let Some(slot) = missing {
            let message = "The server's answer has no media line for a slot.";
            self.fail_attempt(ClientError::new(Code::BadMessage, message).for_slot(slot));
            return;
        }
        handshake.step = Step::AnswerApplied;
        let is_resumed = handshake.resuming;
        self.answer.clone_from(&answer.sdp);
        self.push(Command::ApplyAnswer { attempt, sdp: answer.sdp, mids: answer.mids });
        if !is_resumed {
            self.requests.handle_new_session();
            // Every wish up to now was part of the `init` of this session.
            self.slots.handle_new_session();
        }
        for status in answer.slots {
            self.handle_status(Status { slot: status.slot, status, request_id: None });
        }
        if !is_resumed {
            self.complete_session();
        }
    }

    fn handle_status(&mut self, message: Status) {
        let Status { mut status, request_id, .. } = message;
        let Some(slot) = self.slots.get(status.slot) else { return };
        // Before a refusal takes the wish back: the status is about what was asked for.
        slot.complete(&mut status);
        if status.kept {
            self.emit(Event::Status(status.clone()));
        } else {
            self.note_state(&status);
        }
        if let Some(request) = request_id.as_deref().and_then(request_of).filter(|_| status.kept) {
            self.slots.refuse_slot(status.slot, request);
        }
        let settled = self.requests.handle_status(request_id.as_deref(), &status);
        self.take_answered(&settled);
        self.settle(settled);
    }

    fn handle_remote_candidate(&mut self, ice: server::Ice) {
        let candidate =
            Ice { candidate: ice.candidate, sdp_mid: ice.sdp_mid, sdp_m_line_index: ice.sdp_m_line_index };
        match &mut self.phase {
            Phase::Handshake(handshake) if handshake.step < Step::Media => {
                handshake.remote_candidates.push(candidate);
            }
            _ => self.push(Command::AddCandidate(self.attempt, candidate)),
        }
    }

    fn handle_error(&mut self, message: server::Error) {
        let mut error = ClientError::from_server(message.code, message.error);
        if let Phase::Handshake(handshake) = &self.phase {
            // During the handshake, an error without a request id is about the handshake.
            if message.request_id.as_ref().is_none_or(|id| id.is_empty() || *id == handshake.request_id) {
                if handshake.resuming && handshake.step == Step::Ready {
                    // The session no longer exists (the server restarted, or `resume_timeout` is over): open a new one.
                    self.resume_token = None;
                    self.send_init();
                    return;
                }
                self.fail_attempt(error);
                return;
            }
        }
        let settled = match &message.request_id {
            Some(id) => {
                // An `error` message refuses the whole request: no slot changed.
                error.kept = true;
                if let Some(request) = request_of(id) {
                    self.slots.refuse(request);
                }
                self.requests.handle_error(id, &error)
            }
            None => Vec::new(),
        };
        // A call that a later one superseded was rejected at that time, so the server's `superseded` is not reported.
        if settled.is_empty() && error.code != Code::Superseded.as_str() {
            self.emit(Event::Error(error));
        }
        self.settle(settled);
    }

    /// For each call that has ended without a refusal: its slots can no longer go back to what they showed before it.
    fn take_answered(&mut self, settled: &[Settled]) {
        for Settled { promise, result } in settled {
            if result.as_ref().err().is_none_or(|error| !error.kept) {
                self.slots.take(*promise);
            }
        }
    }
}

/// The call whose id this is: a call's id on the wire is its number.
fn request_of(id: &str) -> Option<PromiseId> {
    id.parse().ok()
}
