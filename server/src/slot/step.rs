//! How much of its stream a slot sends: all of it, a smaller variant in its place, key frames only, or nothing after the first
//! picture. A slot goes from one step to the next as it switches: the old stream is shown until the new one has a key frame.

use std::sync::Arc;
use std::time::{Duration, Instant};

use multistream_protocol::ErrorCode;

use super::action::Action;
use super::machine::{Feed, Machine, Shown, Waiting};
use super::transitions::sent_of;
use super::{Reason, Slot, SubscriptionTag, Target};
use crate::media::{Codec, Frame};

/// Which pictures of a stream are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pictures {
    All,
    /// Key frames only, of which one comes about this often, if that is known.
    KeyFrames {
        every: Option<Duration>,
    },
    /// The first one, which then stays on the screen.
    First,
}

/// What is sent for the stream that was requested.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The stream that is subscribed to: the one that was requested, or a smaller variant of the same camera.
    pub source: Target,
    pub pictures: Pictures,
    /// Whether the path is too slow for the stream that was requested.
    pub is_limited: bool,
    /// The codec of the stream that was requested, where the browser does not show it.
    pub unshown: Option<Codec>,
}

impl Step {
    /// All pictures of the stream itself.
    pub fn whole(target: Target) -> Self {
        Self { source: target, pictures: Pictures::All, is_limited: false, unshown: None }
    }

    /// What is shown in place of the stream that was requested, as a sentence.
    pub(super) fn explain(&self) -> String {
        let instead = match (self.pictures, &self.source.quality) {
            (Pictures::All, Some(quality)) => format!("it is shown in {quality}"),
            (Pictures::All, None) => "it is shown in another quality".to_owned(),
            (Pictures::KeyFrames { every: Some(every) }, _) => {
                format!("a picture comes every {:.0} s", every.as_secs_f64().max(1.0))
            }
            (Pictures::KeyFrames { every: None }, _) => "only its key frames come".to_owned(),
            (Pictures::First, _) => "nothing more comes until the link is faster".to_owned(),
        };
        match self.unshown {
            Some(codec) if !self.is_limited => {
                format!("this browser does not show {}: {instead}", codec.rtpmap())
            }
            _ => format!("the link is too slow for this stream: {instead}"),
        }
    }
}

/// What a slot is to show, and how much of it may be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// As the client requested it.
    pub target: Target,
    pub step: Step,
    /// A smaller variant to show until `step` has its key frame, if it has one earlier.
    pub first: Option<Target>,
}

impl From<Target> for Order {
    fn from(target: Target) -> Self {
        Self { step: Step::whole(target.clone()), target, first: None }
    }
}

/// How a slot goes to another step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// The largest burst that may be sent for it, in bytes.
    pub burst: usize,
    /// What becomes of a GOP that is larger: `true` sends its key frame, and goes on at the next one, since the path is too slow for
    /// the old step; `false` keeps the old step until the next key frame.
    pub is_urgent: bool,
}

impl Change {
    /// Sends whatever is needed.
    pub const FREE: Self = Self { burst: usize::MAX, is_urgent: false };
}

/// The stream that a slot goes to by itself: that of its next step.
#[derive(Debug)]
pub(super) struct Ahead {
    pub(super) tag: SubscriptionTag,
    pub(super) step: Step,
    pub(super) change: Change,
}

/// Why a variant cannot be a step of its camera at present.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepFailure {
    pub source: Target,
    /// Whether it will not work later either, because the browser lacks its codec.
    pub permanent: bool,
}

impl Slot {
    /// What is sent now, or will be when the stream that is waited for has its key frame; `None` for a slot that shows nothing
    /// and waits for nothing.
    pub fn step(&self) -> Option<&Step> {
        self.machine.wanted_feed().map(|feed| &feed.step)
    }

    /// The stream that [`Self::step`] is a step of, as the client requested it.
    pub fn target(&self) -> Option<&Target> {
        self.machine.wanted_feed().map(|feed| &feed.target)
    }

    /// The step that the slot is going to, if it is on the way to one.
    pub fn next_step(&self) -> Option<&Step> {
        self.ahead.as_ref().map(|ahead| &ahead.step)
    }

    /// Goes to `step`.
    pub fn go_to(&mut self, step: Step, change: Change) {
        match &mut self.machine {
            Machine::Showing(shown) if shown.feed.step.source.name == step.source.name => {
                self.drop_ahead();
                self.send_pictures(step, change.burst);
            }
            Machine::Showing(_) => self.head_for(step, change),
            Machine::Starting(_) | Machine::Replacing { .. } => self.await_step(step),
            Machine::Empty { .. } | Machine::Paused { .. } | Machine::Down { .. } => {}
        }
    }

    /// A slot that waits for a key frame to send all pictures again, as a burst of `burst` bytes was too small for its GOP, tries again
    /// where much more may be sent now.
    pub fn rejoin(&mut self, burst: usize) {
        let Some(shown) = self.machine.shown_mut() else { return };
        if shown.rejoins_within.is_some_and(|tried| burst / 2 >= tried) {
            shown.rejoins_within = Some(burst);
            let tag = shown.feed.tag;
            self.push(Action::Refresh { tag });
        }
    }

    /// Changes which pictures of the shown stream are sent.
    fn send_pictures(&mut self, step: Step, burst: usize) {
        let Some(shown) = self.machine.shown_mut() else { return };
        if shown.feed.step == step {
            return;
        }
        let before = std::mem::replace(&mut shown.feed.step, step);
        let tag = shown.feed.tag;
        let is_on_screen = shown.from.is_some();
        match (before.pictures, shown.feed.step.pictures) {
            (Pictures::All, Pictures::All) => {}
            (_, Pictures::All) => {
                // The frames since the key frame are missing: they come as a burst, or the next key frame makes them needless.
                shown.rejoins_within = Some(burst);
                self.push(Action::Refresh { tag });
            }
            (_, Pictures::KeyFrames { .. } | Pictures::First) => {
                shown.rejoins_within = None;
                self.splicer.drop_deltas();
            }
        }
        if is_on_screen {
            self.tell_change(None);
        }
    }

    /// Subscribes to the stream of `step`, and changes to it when it has a key frame.
    fn head_for(&mut self, step: Step, change: Change) {
        if let Some(ahead) = self.ahead.as_mut().filter(|ahead| ahead.step.source.name == step.source.name) {
            ahead.step = step;
            ahead.change = change;
            return;
        }
        self.drop_ahead();
        let tag = self.subscribe(step.source.name.clone());
        self.ahead = Some(Ahead { tag, step, change });
    }

    /// Waits for the stream of `step` in place of the one that is waited for.
    fn await_step(&mut self, step: Step) {
        self.drop_ahead();
        let Some(next) = self.machine.awaited() else { return };
        if next.feed.step.source.name == step.source.name {
            if let Some(next) = self.machine.awaited_mut() {
                next.feed.step = step;
            }
            return;
        }
        let before = next.feed.tag;
        let tag = self.subscribe(step.source.name.clone());
        if let Some(next) = self.machine.awaited_mut() {
            next.feed.tag = tag;
            next.feed.step = step;
        }
        self.push(Action::Unsubscribe { tag: before });
    }

    /// Subscribes to `first` beside the stream that is waited for, to show it if it has a key frame earlier.
    pub(super) fn race(&mut self, first: Option<Target>) {
        let Some(next) = self.machine.awaited() else { return };
        let Some(source) = first.filter(|first| first.name != next.feed.step.source.name) else { return };
        self.head_for(Step::whole(source), Change::FREE);
    }

    pub(super) fn drop_ahead(&mut self) {
        if let Some(ahead) = self.ahead.take() {
            self.push(Action::Unsubscribe { tag: ahead.tag });
        }
    }

    /// A slot that shows nothing and waits for nothing is on the way to no step.
    pub(super) fn drop_idle_ahead(&mut self) {
        if self.step().is_none() {
            self.drop_ahead();
        }
    }

    /// The stream of the next step has a GOP: changes to it.
    pub(super) fn handle_ahead_gop(&mut self, now: Instant, gop: &[Arc<Frame>], payload_type: u8) {
        let Some(Ahead { change, step, .. }) = &self.ahead else { return };
        let bytes: usize = sent_of(gop, step.pictures).iter().map(|frame| frame.len_bytes()).sum();
        let fits = bytes <= change.burst;
        if !fits && !change.is_urgent {
            return;
        }
        let rejoins_within = (!fits).then_some(change.burst);
        let gop = if fits { gop } else { &gop[..1] };
        let Some(Ahead { tag, step, change }) = self.ahead.take() else { return };
        self.change(|slot, machine| match machine {
            Machine::Showing(Shown { feed, mut asked, from, .. }) => {
                slot.push(Action::Unsubscribe { tag: feed.tag });
                // How long a switch took is measured once; a step is no switch.
                asked.at = asked.at.filter(|_| from.is_none());
                slot.cut_to(now, Feed { tag, step, ..feed }, asked, gop, payload_type)
            }
            Machine::Replacing { old, next } => {
                slot.push(Action::Unsubscribe { tag: old.feed.tag });
                slot.begin_with(now, (tag, step), next, change, gop, payload_type)
            }
            Machine::Starting(next) => slot.begin_with(now, (tag, step), next, change, gop, payload_type),
            other => other,
        });
        if let Some(shown) = self.machine.shown_mut() {
            shown.rejoins_within = rejoins_within;
        }
    }

    /// Shows the stream of a subscription, a smaller variant, and goes on waiting for that of `next`.
    fn begin_with(
        &mut self,
        now: Instant,
        (tag, step): (SubscriptionTag, Step),
        next: Waiting,
        change: Change,
        gop: &[Arc<Frame>],
        payload_type: u8,
    ) -> Machine {
        self.ahead = Some(Ahead { tag: next.feed.tag, step: next.feed.step, change });
        let feed = Feed { tag, step, target: next.feed.target };
        self.cut_to(now, feed, next.asked, gop, payload_type)
    }

    /// Handles a frame of the stream of the next step. Returns whether it is one.
    pub(super) fn handle_ahead_frame(
        &mut self,
        now: Instant,
        tag: SubscriptionTag,
        frame: &Arc<Frame>,
    ) -> bool {
        if self.ahead.as_ref().is_none_or(|ahead| ahead.tag != tag) {
            return false;
        }
        if frame.keyframe && self.payload_types.is_some() {
            match self.payload_type_of(frame.codec) {
                Some(payload_type) => {
                    if let Some(ahead) = &mut self.ahead {
                        ahead.change = Change::FREE;
                    }
                    self.handle_ahead_gop(now, std::slice::from_ref(frame), payload_type);
                }
                None => self.fail_ahead(&self.unsupported(frame.codec)),
            }
        }
        true
    }

    /// The stream of the next step cannot be shown: the slot stays at its present one.
    pub(super) fn fail_ahead(&mut self, reason: &Reason) {
        if let Some(Ahead { tag, step, .. }) = self.ahead.take() {
            self.push(Action::Unsubscribe { tag });
            self.step_failed(step.source, reason);
        }
    }

    /// The shown or awaited variant, which the client did not request, cannot be shown: the slot waits for the stream that was
    /// requested. Returns whether that was so.
    pub(super) fn fall_back(&mut self, now: Instant, tag: SubscriptionTag, reason: &Reason) -> bool {
        let is_substitute = |feed: &Feed| {
            feed.tag == tag && feed.step.source.name != feed.target.name && feed.step.unshown.is_none()
        };
        let shown =
            self.machine.shown().filter(|_| self.machine.awaited().is_none()).map(|shown| &shown.feed);
        let awaited = self.machine.awaited().map(|next| &next.feed);
        let Some(feed) = shown.into_iter().chain(awaited).find(|feed| is_substitute(feed)) else {
            return false;
        };
        let (target, source) = (feed.target.clone(), feed.step.source.clone());
        self.step_failed(source, reason);
        self.wait_for(now, Step::whole(target));
        true
    }

    /// Waits for the stream of `step` in place of the one that is shown or waited for.
    pub(super) fn wait_for(&mut self, now: Instant, step: Step) {
        let deadline = self.deadline(now);
        self.drop_ahead();
        if self.machine.awaited().is_some() {
            self.await_step(step);
            if let Some(next) = self.machine.awaited_mut() {
                next.deadline = deadline;
            }
            return;
        }
        self.change(|slot, machine| match machine {
            Machine::Showing(Shown { feed, asked, .. }) | Machine::Down { feed, asked, .. } => {
                slot.splicer.clear();
                slot.push(Action::Unsubscribe { tag: feed.tag });
                let tag = slot.subscribe(step.source.name.clone());
                Machine::Starting(Waiting { feed: Feed { tag, step, target: feed.target }, asked, deadline })
            }
            other => other,
        });
        self.tell_change(None);
    }

    fn step_failed(&mut self, source: Target, reason: &Reason) {
        let permanent = reason.code == ErrorCode::UnsupportedCodec;
        self.push(Action::StepFailed(StepFailure { source, permanent }));
    }
}
