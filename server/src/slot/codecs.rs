//! Codecs that the browser does not show, and what is shown in their place.

use std::time::Instant;

use multistream_protocol::ErrorCode;

use super::action::Action;
use super::machine::Role;
use super::{Reason, Slot, Step, SubscriptionTag, Target};
use crate::media::Codec;

impl Slot {
    /// Whether the browser shows this codec, as far as is known: before the answer nothing is.
    pub fn plays(&self, codec: Codec) -> bool {
        self.payload_types.is_none() || self.payload_type_of(codec).is_some()
    }

    /// `None` where the browser has not offered the codec, or does not decode it.
    pub(super) fn payload_type_of(&self, codec: Codec) -> Option<u8> {
        let types = self.payload_types.as_ref()?;
        types.of(codec).filter(|_| !self.undecodable.contains(&codec))
    }

    /// The client reports that it gets packets of this codec and no pictures.
    pub fn cannot_decode(&mut self, codec: Codec) {
        if self.undecodable.contains(&codec) {
            return;
        }
        self.undecodable.push(codec);
        if let Some(shown) = self.machine.shown().filter(|shown| shown.codec == codec) {
            let tag = shown.feed.tag;
            self.push(Action::Unplayable { tag, codec });
        }
    }

    /// The codec of the picture on the screen.
    pub fn codec(&self) -> Option<Codec> {
        self.machine.shown().map(|shown| shown.codec)
    }

    /// The stream that was requested of which this subscription is a step.
    pub fn target_of(&self, tag: SubscriptionTag) -> Option<&Target> {
        match self.role(tag)? {
            Role::Held => self.held.as_ref().map(|held| &held.order.target),
            Role::Shown => self.machine.shown().map(|shown| &shown.feed.target),
            Role::Awaited => self.machine.awaited_target(),
            Role::Ahead => None,
        }
    }

    /// Shows the stream of `step` in place of this subscription's, whose codec the browser does not show.
    pub fn stand_in(&mut self, now: Instant, tag: SubscriptionTag, step: Step) {
        match self.role(tag) {
            Some(Role::Held) => self.hold_instead(now, step),
            Some(Role::Shown | Role::Awaited) => self.wait_for(now, step),
            Some(Role::Ahead) | None => {}
        }
    }

    /// Nothing can stand in for this subscription's stream, whose codec the browser does not show.
    pub fn cannot_play(&mut self, tag: SubscriptionTag, codec: Codec) {
        if let Some(role) = self.role(tag) {
            let reason = self.unsupported(codec);
            self.cannot_show(role, reason);
        }
    }

    /// Why a stream of this codec cannot be shown.
    pub(super) fn unsupported(&self, codec: Codec) -> Reason {
        let types = self.payload_types.as_ref();
        let taken: Vec<_> =
            types.iter().flat_map(|types| types.codecs()).filter(|taken| self.plays(*taken)).collect();
        let taken: Vec<_> = taken.into_iter().map(Codec::rtpmap).collect();
        let message = format!(
            "the stream is {}, and this browser takes {} only; add a variant such as `ffmpeg:…#video=h264`",
            codec.rtpmap(),
            if taken.is_empty() { "no codec of ours".to_owned() } else { taken.join(", ") },
        );
        Reason { code: ErrorCode::UnsupportedCodec, message }
    }
}
