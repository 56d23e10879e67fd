//! The peer whose offer was not sent yet.
//!
//! When media stop, it is made at once and kept through the attempts until one reaches the server: a browser whose link was down
//! and comes back takes seconds until it knows its interfaces again and gathers candidates for a new peer, but one that has
//! gathered them before connects at once.

use multistream_protocol::client::{Ice, Offer};

use super::Client;
use super::command::{Attempt, Command};
use super::lifecycle::{Phase, Step};

#[derive(Debug)]
pub(super) struct Spare {
    pub(super) attempt: Attempt,
    offer: Option<String>,
    candidates: Vec<Ice>,
}

impl Spare {
    /// Whether its offer waits for something else than the browser.
    pub(super) fn is_ready(&self) -> bool {
        self.offer.is_some()
    }
}

impl Client {
    pub(super) fn make_spare(&mut self, attempt: Attempt) {
        self.spare = Some(Spare { attempt, offer: None, candidates: Vec::new() });
        let (slots, ice_servers) = (self.slots.len(), self.ice_servers.clone());
        self.push(Command::CreatePeer { attempt, slots, ice_servers });
    }

    pub(super) fn drop_spare(&mut self) {
        if let Some(Spare { attempt, .. }) = self.spare.take() {
            self.push(Command::ClosePeer(attempt));
        }
    }

    /// The server waits for an offer.
    pub(super) fn offer(&mut self) {
        if self.spare.is_none() {
            self.make_spare(self.attempt);
        }
        self.send_offer();
    }

    /// The browser made an offer and is gathering candidates.
    pub fn handle_offer(&mut self, attempt: Attempt, sdp: String) {
        if let Some(spare) = self.spare_of(attempt) {
            spare.offer = Some(sdp);
            self.send_offer();
        }
    }

    /// The browser found a candidate; an empty one says that there are no more.
    pub fn handle_local_candidate(&mut self, attempt: Attempt, candidate: Ice) {
        if let Some(spare) = self.spare_of(attempt) {
            spare.candidates.push(candidate);
            self.send_offer();
        } else if attempt == self.attempt && self.phase.has_session() {
            self.push(Command::Send(attempt, candidate.into()));
        }
    }

    fn spare_of(&mut self, attempt: Attempt) -> Option<&mut Spare> {
        self.spare.as_mut().filter(|spare| spare.attempt == attempt)
    }

    /// Sends the offer, if there is one and the server waits for it.
    ///
    /// An offer for a session that was resumed also waits for the browser's first candidate. Until then the silent peer may receive
    /// again, which the server drops for the new one.
    fn send_offer(&mut self) {
        let (Phase::Handshake(handshake), Some(spare)) = (&mut self.phase, &mut self.spare) else { return };
        let waits = handshake.step != Step::Offer || (handshake.resuming && spare.candidates.is_empty());
        let Some(sdp) = spare.offer.take_if(|_| !waits) else { return };
        let candidates = std::mem::take(&mut spare.candidates);
        self.spare = None;
        handshake.step = Step::Answer;
        self.last_id = self.last_id.wrapping_add(1);
        let request_id = self.last_id.to_string();
        handshake.request_id.clone_from(&request_id);
        self.push(Command::Send(self.attempt, Offer { request_id, sdp }.into()));
        for candidate in candidates {
            self.push(Command::Send(self.attempt, candidate.into()));
        }
    }
}
