//! The offer of the client, and the connection that is made with it.

use std::time::Instant;

use multistream_protocol::server::{self, Error, Mids};
use multistream_protocol::{ErrorCode, client};

use super::{Session, Shared};
use crate::limits::{self, Limit};
use crate::rtc::{PeerError, check_size};
use crate::session::link::Link;

impl Session {
    pub(super) fn offer(&mut self, now: Instant, offer: &client::Offer) -> Result<(), Error> {
        if !self.takes_offer {
            let message = "this session has its answer already; slots change by multistream/switch, and another offer is taken after the session was resumed";
            return Err(Error::new(ErrorCode::AlreadyNegotiated, message).answering(&offer.request_id));
        }
        let Shared { port, config, bytes_per_second, .. } = &*self.shared;
        let slots = self.slots.len();
        let (link, answer) = check_size(&offer.sdp, config.max_slots)
            .and_then(|()| Link::answer(now, &offer.sdp, slots, port, self.reached, *bytes_per_second))
            .map_err(|error| {
                let code = match error {
                    PeerError::NotEnoughMedia { .. } | PeerError::NotReceiving => ErrorCode::NotEnoughMedia,
                    PeerError::NoCodec => ErrorCode::UnsupportedCodec,
                    PeerError::TooLarge { .. } | PeerError::TooManyMedia { .. } => {
                        limits::hit(Limit::Offer);
                        ErrorCode::LimitReached
                    }
                    PeerError::Sdp(_) | PeerError::Apply(_) | PeerError::DataChannel => ErrorCode::InvalidSdp,
                };
                Error::new(code, error.to_string()).answering(&offer.request_id)
            })?;
        // A connection that there was is dropped without a word: the browser keeps it until the new one plays.
        self.link = Some(link);
        self.takes_offer = false;
        let mut mids = Vec::with_capacity(self.slots.len());
        for (slot, negotiated) in self.slots.iter_mut().zip(answer.slots) {
            mids.push((slot.index(), negotiated.mid));
            slot.negotiated(negotiated.payload_types);
        }
        let request_id = offer.request_id.clone();
        let slots = self.statuses();
        self.replies
            .push(server::Answer { request_id, sdp: answer.sdp, slots, mids: Mids::from_iter(mids) }.into());
        Ok(())
    }
}
