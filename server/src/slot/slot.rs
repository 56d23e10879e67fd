//! What one slot shows, and how it gets from one stream to the next: the old picture moves until the new one is there, the
//! latest request wins, and the status says nothing that the screen does not show.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use multistream_protocol::server::KeyframeStatus;
use multistream_protocol::{ErrorCode, SlotState, SlotStatus};

use super::keyframes::Keyframes;
use super::machine::{Asked, Held, Machine, Role, status};
use super::transitions::unsupported;
use super::{Reason, Splicer, SubscriptionTag, Target, Wanted};
use crate::media::{Frame, StreamError, StreamName};
use crate::rtp::{PayloadTypes, RtpPacket};

/// What a slot needs from the session around it, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Subscribe to the stream; its events come back with this tag.
    Subscribe {
        tag: SubscriptionTag,
        name: StreamName,
    },
    Unsubscribe {
        tag: SubscriptionTag,
    },
    /// Have the stream's GOP sent again.
    Refresh {
        tag: SubscriptionTag,
    },
    /// Tell the client; with a request id where it answers a request.
    Status {
        status: SlotStatus,
        request_id: Option<String>,
    },
    /// A stream is on the screen, this long after it was asked for.
    Shown {
        after: Duration,
    },
    /// Answer `multistream/keyframe`.
    Keyframe {
        status: KeyframeStatus,
        request_id: String,
    },
}

/// One slot of a session.
#[derive(Debug)]
pub struct Slot {
    pub(super) index: u32,
    pub(super) switch_timeout: Duration,
    /// Of the answer; before it nothing can be sent.
    pub(super) payload_types: Option<PayloadTypes>,
    connected: bool,
    pub(super) splicer: Splicer,
    pub(super) machine: Machine,
    /// What an atomic layout will change the slot to.
    pub(super) held: Option<Held>,
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
            connected: false,
            splicer,
            machine: Machine::Paused { wanted },
            held: None,
            next_tag: SubscriptionTag::default(),
            keyframes: Keyframes::default(),
            actions: VecDeque::new(),
        }
    }

    pub fn index(&self) -> u32 {
        self.index
    }

    /// The stream that was asked for last: what a paused or failed slot comes back to.
    pub fn wanted(&self) -> Wanted {
        self.held.as_ref().map_or_else(|| self.machine.wanted(), |held| held.target.clone().into())
    }

    /// What the slot shows, for people and programs.
    pub fn status(&self) -> SlotStatus {
        match &self.held {
            Some(_) => status(self.index, &self.wanted(), SlotState::Buffering, None),
            None => self.machine.status(self.index),
        }
    }

    // Requests of the client.

    /// Shows `target` as soon as there is a key frame of it. Until then, and at most for the switch timeout, the old
    /// picture moves on, whatever else was asked for meanwhile.
    pub fn show(&mut self, now: Instant, target: Target, request_id: Option<String>) {
        self.supersede();
        let asked = Asked { at: Some(now), request_id };
        let deadline = self.deadline(now);
        self.change(|slot, machine| match machine {
            Machine::Showing(old) => slot.replace(old, None, target, asked, deadline),
            Machine::Replacing { old, next } => slot.replace(old, Some(next), target, asked, deadline),
            Machine::Starting(next) => {
                Machine::Starting(slot.await_instead(Some(next), target, asked, deadline))
            }
            Machine::Down { feed, .. } => {
                slot.push(Action::Unsubscribe { tag: feed.tag });
                Machine::Starting(slot.await_instead(None, target, asked, deadline))
            }
            Machine::Empty { .. } | Machine::Paused { .. } => {
                Machine::Starting(slot.await_instead(None, target, asked, deadline))
            }
        });
        let request_id = match &mut self.machine {
            Machine::Showing(shown) if shown.from.is_some() => shown.asked.request_id.take(),
            _ => None,
        };
        self.tell(request_id);
    }

    /// Refuses a request; the slot stays as it is and says so once more.
    pub fn refuse(&mut self, wanted: &Wanted, request_id: Option<String>, reason: &Reason) {
        let mut status = status(self.index, wanted, SlotState::Error, Some(reason));
        status.kept = true;
        self.push(Action::Status { status, request_id });
        self.tell(None);
    }

    /// The slot cannot show what it was made for.
    pub fn fail(&mut self, reason: Reason) {
        let wanted = self.wanted();
        self.supersede();
        self.release();
        self.machine = Machine::Empty { wanted, reason };
        self.tell(None);
    }

    /// Gives the slot's streams back; nothing more is sent.
    pub fn pause(&mut self, request_id: Option<String>) {
        let wanted = self.wanted();
        self.supersede();
        self.release();
        self.machine = Machine::Paused { wanted };
        self.tell(request_id);
    }

    /// Answers `multistream/keyframe`: at once where there is nothing to send, else when it was sent.
    pub fn request_keyframe(&mut self, now: Instant, request_id: String) {
        let Some(tag) = self.machine.shown().map(|shown| shown.feed.tag) else {
            self.push(Action::Keyframe { status: KeyframeStatus::Unsupported, request_id });
            return;
        };
        if self.keyframes.request(now, request_id) {
            self.push(Action::Refresh { tag });
        }
    }

    // What the connection says.

    pub fn negotiated(&mut self, payload_types: PayloadTypes) {
        self.payload_types = Some(payload_types);
    }

    /// Media can flow: whatever is live is shown now. Only from here on can a stream be late.
    pub fn connected(&mut self, now: Instant) {
        self.connected = true;
        let deadline = self.deadline(now);
        if let Some(next) = self.machine.awaited_mut() {
            next.deadline = deadline;
        }
        if let Some(held) = &mut self.held {
            held.deadline = deadline;
        }
        for tag in self.machine.tags().chain(self.held.as_ref().and_then(|held| held.tag)) {
            self.actions.push_back(Action::Refresh { tag });
        }
    }

    /// The browser cannot decode what it has.
    pub fn keyframe_wanted(&mut self, now: Instant) {
        if let Some(tag) = self.machine.shown().map(|shown| shown.feed.tag)
            && self.keyframes.lost(now)
        {
            self.push(Action::Refresh { tag });
        }
    }

    // What the streams say.

    /// Everything needed to show a stream at once.
    pub fn handle_gop(&mut self, now: Instant, tag: SubscriptionTag, gop: &[Arc<Frame>]) {
        let (Some(key), Some(types), true) = (gop.first(), &self.payload_types, self.connected) else {
            return;
        };
        let Some(role) = self.role(tag) else { return };
        let Some(payload_type) = types.of(key.codec) else {
            let reason = unsupported(key.codec, types);
            self.cannot_show(role, reason);
            return;
        };
        match role {
            Role::Held => self.handle_held_gop(gop),
            Role::Shown => {
                self.splicer.refresh(gop, payload_type);
                // The browser has what it needs; a report that it lacks something is about the past.
                self.keyframes.refreshed(now);
                if let Some(shown) = self.machine.shown_mut() {
                    shown.payload_type = payload_type;
                    shown.codec = key.codec;
                    shown.dimensions = key.dimensions;
                }
            }
            Role::Awaited => self.change(|slot, machine| match machine {
                Machine::Replacing { old, next } => {
                    slot.push(Action::Unsubscribe { tag: old.feed.tag });
                    slot.cut_to(now, next.feed, next.asked, gop, payload_type)
                }
                Machine::Starting(next) => slot.cut_to(now, next.feed, next.asked, gop, payload_type),
                Machine::Down { feed, asked, .. } => slot.cut_to(now, feed, asked, gop, payload_type),
                other => other,
            }),
        }
    }

    /// The next frame of a stream.
    pub fn handle_frame(&mut self, tag: SubscriptionTag, frame: Arc<Frame>) {
        if self.handle_held_frame(tag, &frame) {
            return;
        }
        let Some(shown) = self.machine.shown_mut().filter(|shown| shown.feed.tag == tag) else { return };
        if shown.codec != frame.codec {
            self.change_codec(frame);
            return;
        }
        if frame.keyframe && frame.dimensions.is_some() {
            shown.dimensions = frame.dimensions;
        }
        self.splicer.push(frame, shown.payload_type);
    }

    /// A stream's source is down. Its hub keeps trying; the slot comes back by itself.
    pub fn handle_offline(&mut self, tag: SubscriptionTag, error: &StreamError) {
        let code = if error.permanent { ErrorCode::SourceInvalid } else { ErrorCode::SourceOffline };
        let reason = Reason { code, message: error.message.clone() };
        match self.role(tag) {
            Some(Role::Held) => self.fail_held(reason),
            Some(role) => self.go_down(role, reason),
            None => {}
        }
    }

    // Time.

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

    // What comes out.

    /// The next packet of this slot; called by the pacer when it may leave.
    pub(crate) fn pop_packet(&mut self, now: Instant) -> Option<RtpPacket> {
        let released = self.splicer.pop()?;
        if released.shows_stream {
            self.key_frame_left(now, released.packet.timestamp);
        }
        Some(released.packet)
    }

    /// Whether what waits is a burst, which yields to the live frames of other slots.
    pub(crate) fn is_catching_up(&self) -> bool {
        self.splicer.is_catching_up()
    }

    pub fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    // How it is done.

    pub(super) fn push(&mut self, action: Action) {
        self.actions.push_back(action);
    }

    /// Tells what the slot shows; with a request id, as the answer to that request.
    pub(super) fn tell(&mut self, request_id: Option<String>) {
        let status = self.status();
        self.push(Action::Status { status, request_id });
    }

    /// Tells of a change that the client did not ask for. While a layout is waited for, the status is that of the layout.
    pub(super) fn tell_change(&mut self, request_id: Option<String>) {
        if self.held.is_none() || request_id.is_some() {
            self.tell(request_id);
        }
    }

    /// Puts the machine into the state that `next` makes of the present one.
    pub(super) fn change(&mut self, next: impl FnOnce(&mut Self, Machine) -> Machine) {
        let wanted = self.machine.wanted();
        let machine = std::mem::replace(&mut self.machine, Machine::Paused { wanted });
        self.machine = next(self, machine);
    }

    pub(super) fn deadline(&self, now: Instant) -> Option<Instant> {
        self.connected.then(|| now + self.switch_timeout)
    }

    fn role(&self, tag: SubscriptionTag) -> Option<Role> {
        if self.held.as_ref().is_some_and(|held| held.tag == Some(tag)) {
            return Some(Role::Held);
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
