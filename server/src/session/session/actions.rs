//! What the slots request of their session.

use std::time::Instant;

use multistream_protocol::server;

use super::{Session, Shared};
use crate::rtp::SlotPosition;
use crate::slot::Action;
use crate::stream::StreamError;

impl Session {
    /// Performs the actions that the slots have requested.
    pub(super) fn perform_actions(&mut self, now: Instant) {
        let mut left = Vec::new();
        for (position, slot) in (0..).map(SlotPosition).zip(&mut self.slots) {
            while let Some(action) = slot.poll_action() {
                let index = slot.index();
                match action {
                    Action::Subscribe { tag, name } => {
                        if !self.subscriptions.subscribe(now, &self.shared.registry, (position, tag), name) {
                            let message = "too many viewers come to it at once".to_owned();
                            slot.handle_offline(now, tag, &StreamError { permanent: false, message });
                        }
                    }
                    Action::Unsubscribe { tag } => left.extend(self.subscriptions.remove(position, tag)),
                    Action::Refresh { tag } => {
                        if let Some(subscription) = self.subscriptions.get(position, tag) {
                            subscription.refresh();
                        }
                    }
                    Action::Status { status, request_id } => {
                        self.replies.push(server::Status { slot: index, status, request_id }.into());
                    }
                    Action::Unplayable { tag, codec } => {
                        let target = slot.target_of(tag).cloned();
                        let registry = &self.shared.registry;
                        let plays = |codec| slot.plays(codec);
                        match target.and_then(|target| self.bandwidth.stand_in(registry, &target, plays)) {
                            Some(step) => slot.stand_in(now, tag, step),
                            None => slot.cannot_play(tag, codec),
                        }
                    }
                    Action::StepFailed(failure) => self.bandwidth.handle_failure(now, failure),
                    Action::Shown { after } => self.shared.shown_after.record(after),
                    Action::Keyframe { status, request_id } => {
                        self.replies.push(server::Keyframe { request_id, slot: index, status }.into());
                    }
                }
            }
        }
        for name in left {
            let Shared { registry, config, transcoders_per_session, .. } = &*self.shared;
            let shown: Vec<_> = self.subscriptions.streams().cloned().collect();
            let when = (now, config.linger);
            self.transcoders.handle_left(when, registry, name, &shown, *transcoders_per_session);
        }
    }
}
