//! Decides what one slot shows and how it changes from one stream to the next: the old stream is shown until the new one has a
//! key frame, the latest request wins, and the status describes what is on the screen.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use multistream_protocol::server::KeyframeStatus;
use multistream_protocol::{ErrorCode, SlotState, SlotStatus};

use super::keyframes::Keyframes;
use super::machine::{Asked, Held, Machine, Role, status};
use super::step::Ahead;
use super::transitions::sent_of;
use super::{Action, Order, Pictures, Reason, Released, Splicer, SubscriptionTag, Wanted};
use crate::media::{Codec, Frame, StreamError, StreamName};
use crate::rtp::{PayloadTypes, RtpPacket};

/// One slot of a session.
#[derive(Debug)]
pub struct Slot {
    pub(super) index: u32,
    pub(super) switch_timeout: Duration,
    /// The payload types of the answer; `None` before it, when nothing can be sent.
    pub(super) payload_types: Option<PayloadTypes>,
    /// Codecs that the browser has offered and does not decode.
    pub(super) undecodable: Vec<Codec>,
    connected: bool,
    pub(super) splicer: Splicer,
    pub(super) machine: Machine,
    /// The stream that is prepared for an atomic layout.
    pub(super) held: Option<Held>,
    /// The stream of the step that the slot goes to.
    pub(super) ahead: Option<Ahead>,
    next_tag: SubscriptionTag,
    pub(super) keyframes: Keyframes,
    actions: VecDeque<Action>,
}

impl Slot {
    /// A slot that shows nothing yet.
    pub fn new(index: u32, wanted: Wanted, splicer: Splicer, switch_timeout: Duration) -> Self {
        Self {
            index,
            switch_timeout,
            payload_types: None,
            undecodable: Vec::new(),
            connected: false,
            splicer,
            machine: Machine::Paused { wanted },
            held: None,
            ahead: None,
            next_tag: SubscriptionTag::default(),
            keyframes: Keyframes::default(),
            actions: VecDeque::new(),
        }
    }

    pub fn index(&self) -> u32 {
        self.index
    }

    /// The stream that the client requested last. A paused or failed slot shows it again on `multistream/resume`.
    pub fn wanted(&self) -> Wanted {
        self.held.as_ref().map_or_else(|| self.machine.wanted(), |held| held.order.target.clone().into())
    }

    /// The status on the wire.
    pub fn status(&self) -> SlotStatus {
        match &self.held {
            Some(_) => status(self.index, &self.wanted(), SlotState::Buffering, None),
            None => self.machine.status(self.index),
        }
    }

    // Requests of the client.

    /// Shows a stream as soon as it has a key frame. Until then the old stream is shown, for at most the switch timeout.
    pub fn show(&mut self, now: Instant, order: impl Into<Order>, request_id: Option<String>) {
        let mut order = order.into();
        let first = order.first.take();
        self.supersede();
        let asked = Asked { at: Some(now), request_id };
        let deadline = self.deadline(now);
        self.change(|slot, machine| match machine {
            Machine::Showing(old) => slot.replace(old, None, order, asked, deadline),
            Machine::Replacing { old, next } => slot.replace(old, Some(next), order, asked, deadline),
            Machine::Starting(next) => {
                Machine::Starting(slot.await_instead(Some(next), order, asked, deadline))
            }
            Machine::Down { feed, .. } => {
                slot.push(Action::Unsubscribe { tag: feed.tag });
                Machine::Starting(slot.await_instead(None, order, asked, deadline))
            }
            Machine::Empty { .. } | Machine::Paused { .. } => {
                Machine::Starting(slot.await_instead(None, order, asked, deadline))
            }
        });
        self.race(first);
        // The client switched back to the stream that is already on the screen: answer now.
        let request_id = match &mut self.machine {
            Machine::Showing(shown) if shown.from.is_some() => shown.asked.request_id.take(),
            _ => None,
        };
        self.tell(request_id);
    }

    /// Refuses a request. The slot does not change, and its status is sent once more.
    pub fn refuse(&mut self, wanted: &Wanted, request_id: Option<String>, reason: &Reason) {
        let mut status = status(self.index, wanted, SlotState::Error, Some(reason));
        status.kept = true;
        self.push(Action::Status { status, request_id });
        self.tell(None);
    }

    /// Shows nothing: the stream that `init` named for this slot does not exist.
    pub fn fail(&mut self, reason: Reason) {
        let wanted = self.wanted();
        self.supersede();
        self.release();
        self.machine = Machine::Empty { wanted, reason };
        self.tell(None);
    }

    /// Unsubscribes the slot's streams; nothing more is sent.
    pub fn pause(&mut self, request_id: Option<String>) {
        let wanted = self.wanted();
        self.supersede();
        self.release();
        self.machine = Machine::Paused { wanted };
        self.tell(request_id);
    }

    /// Answers `multistream/keyframe`: with `unsupported` at once if no stream is shown, otherwise when a key frame of the
    /// shown stream has left.
    pub fn request_keyframe(&mut self, now: Instant, request_id: String) {
        let Some(tag) = self.machine.shown().map(|shown| shown.feed.tag) else {
            self.push(Action::Keyframe { status: KeyframeStatus::Unsupported, request_id });
            return;
        };
        if self.keyframes.request(now, request_id) {
            self.push(Action::Refresh { tag });
        }
    }

    // Events of the connection.

    pub fn negotiated(&mut self, payload_types: PayloadTypes) {
        self.payload_types = Some(payload_types);
    }

    /// The browser is connected and media can flow. Requests the GOP of every subscribed stream, so that live ones are shown
    /// now, and starts the switch timeout of those that are waited for.
    pub fn connected(&mut self, now: Instant) {
        self.connected = true;
        let deadline = self.deadline(now);
        if let Some(next) = self.machine.awaited_mut() {
            next.deadline = deadline;
        }
        if let Some(held) = &mut self.held {
            held.deadline = deadline;
        }
        for tag in self
            .machine
            .tags()
            .chain(self.held.as_ref().and_then(|held| held.tag))
            .chain(self.ahead.as_ref().map(|ahead| ahead.tag))
        {
            self.actions.push_back(Action::Refresh { tag });
        }
    }

    /// The browser has sent a PLI or FIR for this slot: it needs a key frame to go on decoding.
    pub fn keyframe_wanted(&mut self, now: Instant) {
        if let Some(tag) = self.machine.shown().map(|shown| shown.feed.tag)
            && self.keyframes.lost(now)
        {
            self.push(Action::Refresh { tag });
        }
    }

    // Events of the streams.

    /// Handles the GOP of a stream. It begins with a key frame, so the stream can be shown at once.
    pub fn handle_gop(&mut self, now: Instant, tag: SubscriptionTag, gop: &[Arc<Frame>]) {
        let (Some(key), Some(_), true) = (gop.first(), &self.payload_types, self.connected) else { return };
        let Some(role) = self.role(tag) else { return };
        let Some(payload_type) = self.payload_type_of(key.codec) else {
            let reason = self.unsupported(key.codec);
            if role == Role::Ahead {
                self.fail_ahead(&reason);
            } else if !self.fall_back(now, tag, &reason) {
                self.push(Action::Unplayable { tag, codec: key.codec });
            }
            return;
        };
        match role {
            Role::Held => self.handle_held_gop(gop),
            Role::Ahead => self.handle_ahead_gop(now, gop, payload_type),
            Role::Shown => {
                let Some(shown) = self.machine.shown_mut() else { return };
                let bytes = || gop.iter().map(|frame| frame.len_bytes()).sum::<usize>();
                if shown.rejoins_within.take_if(|most| bytes() <= *most).is_none()
                    && shown.rejoins_within.is_some()
                {
                    return;
                }
                let pictures = shown.feed.step.pictures;
                self.splicer.refresh(sent_of(gop, pictures), payload_type);
                // The browser gets a key frame now, which also answers a PLI that it sent shortly before.
                self.keyframes.refreshed(now);
                if let Some(shown) = self.machine.shown_mut() {
                    shown.payload_type = payload_type;
                    shown.codec = key.codec;
                    let before = (shown.dimensions, shown.display);
                    (shown.dimensions, shown.display) = (key.dimensions, key.display);
                    if shown.from.is_some() && before != (key.dimensions, key.display) {
                        self.tell_change(None);
                    }
                }
            }
            Role::Awaited => {
                self.drop_ahead();
                self.change(|slot, machine| match machine {
                    Machine::Replacing { old, next } => {
                        slot.push(Action::Unsubscribe { tag: old.feed.tag });
                        slot.cut_to(now, next.feed, next.asked, gop, payload_type)
                    }
                    Machine::Starting(next) => slot.cut_to(now, next.feed, next.asked, gop, payload_type),
                    Machine::Down { feed, asked, .. } => slot.cut_to(now, feed, asked, gop, payload_type),
                    other => other,
                });
            }
        }
    }

    /// Handles the next frame of a stream.
    pub fn handle_frame(&mut self, now: Instant, tag: SubscriptionTag, frame: Arc<Frame>) {
        if self.handle_held_frame(tag, &frame) || self.handle_ahead_frame(now, tag, &frame) {
            return;
        }
        let Some(shown) = self.machine.shown_mut().filter(|shown| shown.feed.tag == tag) else { return };
        match shown.feed.step.pictures {
            Pictures::All if frame.keyframe => shown.rejoins_within = None,
            Pictures::All if shown.rejoins_within.is_some() => return,
            Pictures::KeyFrames { .. } if !frame.keyframe => return,
            Pictures::First => return,
            Pictures::All | Pictures::KeyFrames { .. } => {}
        }
        if shown.codec != frame.codec {
            self.change_codec(frame);
            return;
        }
        let is_resized = frame.keyframe
            && frame.dimensions.is_some()
            && (frame.dimensions, frame.display) != (shown.dimensions, shown.display);
        if is_resized {
            shown.dimensions = frame.dimensions;
            shown.display = frame.display;
        }
        let tells = is_resized && shown.from.is_some();
        self.splicer.push(frame, shown.payload_type);
        if tells {
            self.tell_change(None);
        }
    }

    /// A stream's source is offline. Its hub keeps trying it, and the slot recovers by itself.
    pub fn handle_offline(&mut self, now: Instant, tag: SubscriptionTag, error: &StreamError) {
        let code = if error.permanent { ErrorCode::SourceInvalid } else { ErrorCode::SourceOffline };
        let reason = Reason { code, message: error.message.clone() };
        match self.role(tag) {
            Some(Role::Held) => self.fail_held(reason),
            Some(Role::Ahead) => self.fail_ahead(&reason),
            Some(_) if self.fall_back(now, tag, &reason) => {}
            Some(role) => self.go_down(role, reason),
            None => {}
        }
    }

    // Timers.

    pub fn poll_timeout(&self) -> Option<Instant> {
        let switch = self.machine.awaited().and_then(|next| next.deadline);
        [switch, self.held_timeout(), self.keyframes.poll_timeout()].into_iter().flatten().min()
    }

    pub fn handle_timeout(&mut self, now: Instant) {
        let deadline = self.machine.awaited().and_then(|next| next.deadline);
        if deadline.is_some_and(|deadline| deadline <= now) {
            let message =
                format!("no key frame within {} s; still trying", self.switch_timeout.as_secs_f32());
            self.go_down(Role::Awaited, Reason { code: ErrorCode::SwitchTimeout, message });
        }
        self.handle_held_timeout(now);
        for request_id in self.keyframes.expired(now) {
            self.actions.push_back(Action::Keyframe { status: KeyframeStatus::Unsupported, request_id });
        }
        if self.keyframes.handle_timeout(now)
            && let Some(tag) = self.machine.shown().map(|shown| shown.feed.tag)
        {
            self.push(Action::Refresh { tag });
        }
    }

    // Output.

    /// The next packet of this slot; called by the pacer when it may leave.
    pub(crate) fn pop_packet(&mut self, now: Instant) -> Option<Released> {
        let released = self.splicer.pop()?;
        self.keyframes.packet_left(now);
        if released.shows_stream {
            self.key_frame_left(now, released.packet.timestamp);
        }
        Some(released)
    }

    /// A packet without payload, if one may be sent now; called by the pacer when it probes the path.
    pub(crate) fn pop_padding(&mut self) -> Option<RtpPacket> {
        self.splicer.pop_padding()
    }

    /// How many packets were given up since this was called last, as the path carries less than the stream needs.
    pub(crate) fn take_dropped(&mut self) -> u64 {
        self.splicer.take_dropped()
    }

    /// Whether no packet waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.splicer.is_empty()
    }

    /// Whether the waiting packets are a burst, which leaves after the live frames of other slots.
    pub(crate) fn is_catching_up(&self) -> bool {
        self.splicer.is_catching_up()
    }

    pub fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    // Internals.

    pub(super) fn push(&mut self, action: Action) {
        self.actions.push_back(action);
    }

    /// Sends the status; with a request id, as the answer to that request.
    pub(super) fn tell(&mut self, request_id: Option<String>) {
        let status = self.status();
        self.push(Action::Status { status, request_id });
    }

    /// Sends the status after a change that the client did not request. While the slot prepares a stream for an atomic layout,
    /// it is sent only as the answer to a request.
    pub(super) fn tell_change(&mut self, request_id: Option<String>) {
        if self.held.is_none() || request_id.is_some() {
            self.tell(request_id);
        }
    }

    /// Replaces the machine's state by what `next` makes of it.
    pub(super) fn change(&mut self, next: impl FnOnce(&mut Self, Machine) -> Machine) {
        let wanted = self.machine.wanted();
        let machine = std::mem::replace(&mut self.machine, Machine::Paused { wanted });
        self.machine = next(self, machine);
    }

    pub(super) fn deadline(&self, now: Instant) -> Option<Instant> {
        self.connected.then(|| now + self.switch_timeout)
    }

    pub(super) fn role(&self, tag: SubscriptionTag) -> Option<Role> {
        if self.held.as_ref().is_some_and(|held| held.tag == Some(tag)) {
            return Some(Role::Held);
        }
        if self.ahead.as_ref().is_some_and(|ahead| ahead.tag == tag) {
            return Some(Role::Ahead);
        }
        self.machine.role(tag)
    }

    pub(super) fn subscribe(&mut self, name: StreamName) -> SubscriptionTag {
        let tag = self.next_tag;
        self.next_tag = tag.next();
        self.push(Action::Subscribe { tag, name });
        tag
    }
}
