//! The transitions of a slot: what is subscribed, unsubscribed, cut to and reported when its state changes.

use std::sync::Arc;
use std::time::Instant;

use multistream_protocol::server::KeyframeStatus;
use multistream_protocol::{ErrorCode, SlotState};

use super::action::Action;
use super::machine::{Asked, Feed, Machine, Role, Shown, Waiting, status};
use super::{Order, Pictures, Reason, Slot};
use crate::media::Frame;

impl Slot {
    /// Goes on showing `old` until the stream of `order` has a key frame. If `old` already is that stream, cancels the switch to
    /// `next` that is under way, if there is one.
    pub(super) fn replace(
        &mut self,
        mut old: Shown,
        next: Option<Waiting>,
        order: Order,
        asked: Asked,
        deadline: Option<Instant>,
    ) -> Machine {
        if old.feed.step.source.name != order.step.source.name {
            return Machine::Replacing { old, next: self.await_instead(next, order, asked, deadline) };
        }
        if let Some(next) = next {
            self.push(Action::Unsubscribe { tag: next.feed.tag });
        }
        if old.feed.step.pictures != Pictures::All && order.step.pictures == Pictures::All {
            old.rejoins_within = Some(usize::MAX);
            self.push(Action::Refresh { tag: old.feed.tag });
        }
        old.feed.target = order.target;
        old.feed.step = order.step;
        // The time to the first picture is measured only if the stream is not on the screen yet.
        let at = asked.at.filter(|_| old.from.is_none());
        old.asked = Asked { at, request_id: asked.request_id };
        Machine::Showing(old)
    }

    /// Waits for the stream of `order` instead of `before`. If both are the same stream, the subscription is kept.
    pub(super) fn await_instead(
        &mut self,
        before: Option<Waiting>,
        Order { target, step, .. }: Order,
        asked: Asked,
        deadline: Option<Instant>,
    ) -> Waiting {
        let tag = match before {
            Some(before) if before.feed.step.source.name == step.source.name => before.feed.tag,
            before => {
                if let Some(before) = before {
                    self.push(Action::Unsubscribe { tag: before.feed.tag });
                }
                self.subscribe(step.source.name.clone())
            }
        };
        Waiting { feed: Feed { tag, target, step }, asked, deadline }
    }

    /// Starts to send the stream of `feed`, from the key frame of its `gop` on.
    pub(super) fn cut_to(
        &mut self,
        now: Instant,
        feed: Feed,
        asked: Asked,
        gop: &[Arc<Frame>],
        payload_type: u8,
    ) -> Machine {
        self.splicer.cut(sent_of(gop, feed.step.pictures), payload_type);
        self.keyframes.refreshed(now);
        let (codec, dimensions) = (gop[0].codec, gop[0].dimensions);
        Machine::Showing(Shown {
            feed,
            asked,
            payload_type,
            codec,
            dimensions,
            display: gop[0].display,
            from: None,
            rejoins_within: None,
        })
    }

    /// Answers the slot's earlier requests that are still open with `superseded`, and removes the slot from the atomic layout
    /// that it prepares a stream for, if any.
    pub(super) fn supersede(&mut self) {
        self.drop_ahead();
        let mut open = Vec::new();
        if let Some(held) = self.held.take() {
            if let Some(tag) = held.tag {
                self.push(Action::Unsubscribe { tag });
            }
            open.extend(held.asked.request_id.map(|request_id| (held.order.target, request_id)));
        }
        if let Some(shown) = self.machine.shown_mut() {
            let request_id = shown.asked.request_id.take();
            open.extend(request_id.map(|request_id| (shown.feed.target.clone(), request_id)));
        }
        if let Some(next) = self.machine.awaited_mut() {
            let request_id = next.asked.request_id.take();
            open.extend(request_id.map(|request_id| (next.feed.target.clone(), request_id)));
        }
        let message = "a later request for this slot took over".to_owned();
        let reason = Reason { code: ErrorCode::Superseded, message };
        for (target, request_id) in open {
            let status = status(self.index, &target.into(), SlotState::Error, Some(&reason));
            self.push(Action::Status { status, request_id: Some(request_id) });
        }
    }

    /// Unsubscribes the slot's streams but the one that is held for a layout, and stops sending.
    pub(super) fn release(&mut self) {
        self.drop_ahead();
        for tag in self.machine.tags() {
            self.push(Action::Unsubscribe { tag });
        }
        self.splicer.clear();
    }

    /// The stream in this role is offline, or had no key frame in time. If the client wants this stream, the slot goes offline
    /// and stays subscribed, so that it becomes active by itself. If the client wants another stream already, the slot stops
    /// sending and waits for that one.
    pub(super) fn go_down(&mut self, role: Role, reason: Reason) {
        if let Machine::Down { reason: known, .. } = &mut self.machine {
            if *known != reason {
                *known = reason;
                self.tell_change(None);
            }
            return;
        }
        let mut answered = None;
        let mut told = true;
        self.change(|slot, machine| match machine {
            Machine::Replacing { old, next } => {
                slot.splicer.clear();
                slot.push(Action::Unsubscribe { tag: old.feed.tag });
                if role == Role::Shown {
                    // The shown camera went offline while the slot waits for another one.
                    told = false;
                    return Machine::Starting(next);
                }
                answered = next.asked.request_id;
                Machine::Down {
                    feed: next.feed,
                    asked: Asked { at: next.asked.at, request_id: None },
                    reason,
                }
            }
            Machine::Starting(Waiting { feed, asked, .. }) | Machine::Showing(Shown { feed, asked, .. }) => {
                slot.splicer.clear();
                answered = asked.request_id;
                Machine::Down { feed, asked: Asked { at: asked.at, request_id: None }, reason }
            }
            other => other,
        });
        self.drop_idle_ahead();
        if told {
            self.tell_change(answered);
        }
    }

    /// Handles a frame of the shown stream in another codec than before. Frames up to the next key frame are dropped; from
    /// there on the slot sends the stream with the payload type of the new codec.
    pub(super) fn change_codec(&mut self, frame: Arc<Frame>) {
        if self.payload_types.is_none() || !frame.keyframe {
            return;
        }
        let Some(payload_type) = self.payload_type_of(frame.codec) else {
            let tag = self.machine.shown().map(|shown| shown.feed.tag);
            if let Some(tag) = tag {
                self.push(Action::Unplayable { tag, codec: frame.codec });
            }
            return;
        };
        if let Some(shown) = self.machine.shown_mut() {
            shown.payload_type = payload_type;
            shown.codec = frame.codec;
            shown.dimensions = frame.dimensions;
            shown.display = frame.display;
        }
        self.splicer.refresh(&[frame], payload_type);
    }

    /// The stream in this role has a codec that the browser does not support. A switch to it is refused, and the old stream
    /// stays on the screen. Without an old stream the slot shows nothing.
    pub(super) fn cannot_show(&mut self, role: Role, reason: Reason) {
        if role == Role::Held {
            self.fail_held(reason);
            return;
        }
        let mut refused = None;
        let mut answered = None;
        let mut told = true;
        let why = reason.clone();
        self.change(|slot, machine| match machine {
            Machine::Replacing { old, next } if role == Role::Awaited => {
                slot.push(Action::Unsubscribe { tag: next.feed.tag });
                refused = Some((next.feed.target, next.asked.request_id));
                Machine::Showing(old)
            }
            Machine::Replacing { old, next } => {
                slot.push(Action::Unsubscribe { tag: old.feed.tag });
                slot.splicer.clear();
                told = false;
                Machine::Starting(next)
            }
            Machine::Starting(Waiting { feed, asked, .. })
            | Machine::Showing(Shown { feed, asked, .. })
            | Machine::Down { feed, asked, .. } => {
                slot.push(Action::Unsubscribe { tag: feed.tag });
                slot.splicer.clear();
                answered = asked.request_id;
                Machine::Empty { wanted: feed.target.into(), reason }
            }
            other => other,
        });
        self.drop_idle_ahead();
        match refused {
            Some((target, request_id)) => self.refuse(&target.into(), request_id, &why),
            None if told => self.tell_change(answered),
            None => {}
        }
    }

    /// Shows the stream of an atomic layout, from the GOP that [`Slot::hold`] has prepared.
    pub(super) fn cut(&mut self, now: Instant, feed: Feed, asked: Asked, gop: &[Arc<Frame>]) {
        let payload_type = gop.first().and_then(|key| self.payload_type_of(key.codec));
        // That the browser supports the codec was checked when the GOP came, and its payload types do not change.
        if let Some(payload_type) = payload_type {
            self.machine = self.cut_to(now, feed, asked, gop, payload_type);
        }
    }

    /// The last packet of the first key frame after a cut or a refresh has left: answers the requests that waited for it, and
    /// reports the slot as active.
    pub(super) fn key_frame_left(&mut self, now: Instant, timestamp: u32) {
        let answered: Vec<_> = self.keyframes.sent().collect();
        for request_id in answered {
            self.push(Action::Keyframe { status: KeyframeStatus::Sent, request_id });
        }
        let replaced = matches!(self.machine, Machine::Replacing { .. });
        let Some(shown) = self.machine.shown_mut() else { return };
        let is_new = shown.from.is_none();
        shown.from.get_or_insert(timestamp);
        let request_id = shown.asked.request_id.take();
        if let Some(asked_at) = shown.asked.at.take() {
            self.push(Action::Shown { after: now.saturating_duration_since(asked_at) });
        }
        if !replaced && (is_new || request_id.is_some()) {
            self.tell_change(request_id);
        }
    }
}

/// The part of a GOP that is sent.
pub(super) fn sent_of(gop: &[Arc<Frame>], pictures: Pictures) -> &[Arc<Frame>] {
    match pictures {
        Pictures::All => gop,
        Pictures::KeyFrames { .. } | Pictures::First => &gop[..gop.len().min(1)],
    }
}
