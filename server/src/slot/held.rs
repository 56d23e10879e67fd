//! A slot's part in an atomic layout: while it shows one stream, it subscribes to the layout's stream and keeps that stream's
//! GOP, until [`Slot::commit`] changes to it or [`Slot::drop_held`] refuses the layout.

use std::sync::Arc;
use std::time::Instant;

use multistream_protocol::ErrorCode;

use super::action::Action;
use super::machine::{Asked, Feed, Held, Machine};
use super::{Order, Reason, Slot, Step, SubscriptionTag};
use crate::media::Frame;

/// Whether a slot can show its stream of an atomic layout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Readiness {
    /// The stream has no key frame yet.
    Waiting,
    Ready,
    Failed(Reason),
}

impl Slot {
    /// Prepares the stream of `order` for the layout with this number: subscribes to it and keeps its GOP. The slot goes on showing its
    /// present stream until [`Slot::commit`], which [`super::settle_layouts`] calls for all slots of the layout at once.
    pub fn hold(&mut self, now: Instant, layout: u64, order: impl Into<Order>, request_id: Option<String>) {
        let order = order.into();
        self.supersede();
        self.keep_old();
        let shown =
            self.machine.shown().is_some_and(|shown| shown.feed.step.source.name == order.step.source.name);
        let tag = (!shown).then(|| self.subscribe(order.step.source.name.clone()));
        let asked = Asked { at: Some(now), request_id };
        let deadline = self.deadline(now);
        self.held = Some(Held { layout, order, asked, tag, gop: Vec::new(), deadline, failed: None });
        self.tell(None);
    }

    /// The layout that this slot takes part in, and the state of its stream.
    pub fn readiness(&self) -> Option<(u64, Readiness)> {
        let held = self.held.as_ref()?;
        let readiness = match (&held.failed, held.tag, &self.machine) {
            (Some(reason), ..)
            | (None, None, Machine::Down { reason, .. } | Machine::Empty { reason, .. }) => {
                let message =
                    format!("slot {} (`{}`): {}", self.index, held.order.target.name, reason.message);
                Readiness::Failed(Reason { code: reason.code, message })
            }
            (None, Some(_), _) if held.gop.is_empty() => Readiness::Waiting,
            _ => Readiness::Ready,
        };
        Some((held.layout, readiness))
    }

    /// Changes to the prepared stream.
    pub fn commit(&mut self, now: Instant) {
        let Some(held) = self.held.take() else { return };
        let Some(tag) = held.tag else {
            self.show(now, held.order, held.asked.request_id);
            return;
        };
        self.release();
        let Order { target, step, .. } = held.order;
        let feed = Feed { tag, target, step };
        self.cut(now, feed, held.asked, &held.gop);
    }

    /// Refuses the layout: the slot goes on with the stream that it shows.
    pub fn drop_held(&mut self, reason: &Reason) {
        let Some(held) = self.held.take() else { return };
        if let Some(tag) = held.tag {
            self.push(Action::Unsubscribe { tag });
        }
        let message = format!("the layout was refused as a whole: {}", reason.message);
        self.refuse(&held.order.target.into(), held.asked.request_id, &Reason { code: reason.code, message });
    }

    pub(super) fn handle_held_gop(&mut self, gop: &[Arc<Frame>]) {
        if let Some(held) = &mut self.held {
            held.gop = gop.to_vec();
        }
    }

    /// Adds a frame of the prepared stream to its GOP. Returns whether `tag` is the subscription to the prepared stream.
    pub(super) fn handle_held_frame(&mut self, tag: SubscriptionTag, frame: &Arc<Frame>) -> bool {
        let Some(held) = self.held.as_mut().filter(|held| held.tag == Some(tag)) else { return false };
        if frame.keyframe {
            held.gop.clear();
        }
        let is_next = !held.gop.is_empty();
        if frame.keyframe && !self.plays(frame.codec) {
            self.push(Action::Unplayable { tag, codec: frame.codec });
        } else if let Some(held) = self.held.as_mut().filter(|_| frame.keyframe || is_next) {
            held.gop.push(Arc::clone(frame));
        }
        true
    }

    /// Prepares the stream of another step in place of the one that was asked for.
    pub(super) fn hold_instead(&mut self, now: Instant, step: Step) {
        let tag = self.subscribe(step.source.name.clone());
        let deadline = self.deadline(now);
        let Some(held) = &mut self.held else { return };
        let before = held.tag.replace(tag);
        held.order.step = step;
        held.deadline = deadline;
        held.gop.clear();
        if let Some(tag) = before {
            self.push(Action::Unsubscribe { tag });
        }
    }

    pub(super) fn fail_held(&mut self, reason: Reason) {
        if let Some(held) = &mut self.held {
            held.failed = Some(reason);
        }
    }

    /// When the layout fails because the prepared stream still has no key frame.
    pub(super) fn held_timeout(&self) -> Option<Instant> {
        let waits = matches!(self.readiness(), Some((_, Readiness::Waiting)));
        self.held.as_ref().filter(|_| waits).and_then(|held| held.deadline)
    }

    pub(super) fn handle_held_timeout(&mut self, now: Instant) {
        if self.held_timeout().is_some_and(|deadline| deadline <= now) {
            let message = format!("no key frame within {} s", self.switch_timeout.as_secs_f32());
            self.fail_held(Reason { code: ErrorCode::SwitchTimeout, message });
        }
    }

    /// Cancels a switch that is under way and keeps the old stream. Otherwise the slot would have three subscriptions: the
    /// shown stream, the one of the switch, and the layout's.
    fn keep_old(&mut self) {
        self.change(|slot, machine| match machine {
            Machine::Replacing { old, next } => {
                slot.push(Action::Unsubscribe { tag: next.feed.tag });
                Machine::Showing(old)
            }
            other => other,
        });
    }
}
