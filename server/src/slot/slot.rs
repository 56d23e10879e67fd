//! What one slot shows, and how it gets from one stream to the next: make before break, the latest request wins, and the
//! status says nothing that the screen does not show.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use multistream_protocol::server::KeyframeStatus;
use multistream_protocol::{ErrorCode, NATIVE, SlotState, SlotStatus};

use super::Splicer;
use crate::media::{Codec, Dimensions, Frame};
use crate::rtp::{PayloadTypes, RtpPacket};

/// A browser that keeps asking for key frames gets the GOP again no more often than this.
const MIN_REFRESH_INTERVAL: Duration = Duration::from_millis(250);
/// A GOP that is in the cache is here long before this.
const KEYFRAME_TIMEOUT: Duration = Duration::from_secs(1);

/// A stream as it was asked for and as it was resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The resolved name, e.g. `camera4-720p`.
    pub name: String,
    pub quality: Option<String>,
}

/// What a slot needs from the session around it, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Subscribe to the stream; its events come back with this tag.
    Subscribe {
        tag: u64,
        name: String,
    },
    Unsubscribe {
        tag: u64,
    },
    /// Have the stream's GOP sent again.
    Refresh {
        tag: u64,
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

/// A subscription and what is known of its stream.
#[derive(Debug)]
struct Binding {
    tag: u64,
    target: Target,
    /// The request that asked for it, until it is answered.
    request_id: Option<String>,
    /// When it was asked for, until it is shown for the first time.
    asked_at: Option<Instant>,
    /// When the old picture must go if there is still no new one.
    deadline: Option<Instant>,
    /// Of the stream that was cut to; none before the first key frame.
    payload_type: Option<u8>,
    codec: Option<Codec>,
    dimensions: Option<Dimensions>,
    /// RTP timestamp of the key frame that was cut to, once it has left.
    shown_from: Option<u32>,
}

/// Why a stream is not shown.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Reason {
    code: ErrorCode,
    message: String,
}

/// One slot of a session.
#[derive(Debug)]
pub struct Slot {
    index: u32,
    switch_timeout: Duration,
    /// Of the answer; before it nothing can be sent.
    payload_types: Option<PayloadTypes>,
    connected: bool,
    splicer: Splicer,
    /// What the m-line carries, or is about to.
    shown: Option<Binding>,
    /// What will replace it as soon as its key frame is here.
    next: Option<Binding>,
    /// What was asked for last: what a paused or failed slot comes back to.
    wanted: Target,
    state: SlotState,
    reason: Option<Reason>,
    next_tag: u64,
    refreshed_at: Option<Instant>,
    keyframe_requests: Vec<(String, Instant)>,
    actions: VecDeque<Action>,
}

impl Slot {
    /// A slot that shows nothing yet.
    pub fn new(index: u32, wanted: Target, splicer: Splicer, switch_timeout: Duration) -> Self {
        Self {
            index,
            switch_timeout,
            payload_types: None,
            connected: false,
            splicer,
            shown: None,
            next: None,
            wanted,
            state: SlotState::Buffering,
            reason: None,
            next_tag: 0,
            refreshed_at: None,
            keyframe_requests: Vec::new(),
            actions: VecDeque::new(),
        }
    }

    pub fn index(&self) -> u32 {
        self.index
    }

    pub fn wanted(&self) -> &Target {
        &self.wanted
    }

    /// What the slot shows, for people and programs.
    pub fn status(&self) -> SlotStatus {
        let mut status = SlotStatus::new(self.index, &self.wanted.name, self.state);
        status.quality.clone_from(&self.wanted.quality);
        if let Some(reason) = &self.reason {
            status.error = Some(reason.message.clone());
            status.reason = Some(reason.code.to_string());
        }
        if let Some(shown) = self.shown.as_ref().filter(|_| self.state == SlotState::Active) {
            status.stream.clone_from(&shown.target.name);
            status.quality.clone_from(&shown.target.quality);
            status.actual_quality =
                Some(shown.target.quality.clone().filter(|q| !q.is_empty()).unwrap_or(NATIVE.into()));
            status.codec = shown.codec.map(|codec| codec.to_string());
            status.width = shown.dimensions.map(|dimensions| dimensions.width);
            status.height = shown.dimensions.map(|dimensions| dimensions.height);
            status.rtp_timestamp = shown.shown_from;
        }
        status
    }

    // Requests of the client.

    /// Shows `target` as soon as there is a key frame of it. Until then, and at most for the switch timeout, the old
    /// picture stays.
    pub fn show(&mut self, now: Instant, target: Target, request_id: Option<String>) {
        self.supersede();
        self.wanted = target.clone();
        if self.state == SlotState::Active
            && self.shown.as_ref().is_some_and(|shown| shown.target.name == target.name)
        {
            if let Some(shown) = &mut self.shown {
                shown.target = target;
            }
            self.tell(request_id);
            return;
        }
        let tag = self.next_tag;
        self.next_tag += 1;
        let binding = Binding {
            tag,
            target: target.clone(),
            request_id,
            asked_at: Some(now),
            deadline: self.connected.then(|| now + self.switch_timeout),
            payload_type: None,
            codec: None,
            dimensions: None,
            shown_from: None,
        };
        if self.state != SlotState::Active {
            // No picture to keep: what was shown is not worth a viewer's place at its camera.
            self.release_shown();
        }
        self.actions.push_back(Action::Subscribe { tag, name: target.name });
        self.next = Some(binding);
        self.enter(SlotState::Buffering, None);
    }

    /// Refuses a request; the slot stays as it was and says so once more.
    pub fn refuse(&mut self, target: &Target, request_id: Option<String>, code: ErrorCode, message: String) {
        let mut status = SlotStatus::new(self.index, &target.name, SlotState::Error);
        status.quality.clone_from(&target.quality);
        status.error = Some(message);
        status.reason = Some(code.to_string());
        self.actions.push_back(Action::Status { status, request_id });
        self.tell(None);
    }

    /// The slot cannot show what it was made for.
    pub fn fail(&mut self, code: ErrorCode, message: String) {
        self.stop();
        self.enter(SlotState::Error, Some(Reason { code, message }));
    }

    pub fn pause(&mut self, request_id: Option<String>) {
        self.stop();
        self.state = SlotState::Paused;
        self.reason = None;
        self.tell(request_id);
    }

    /// Gives the slot's subscriptions back; nothing more is sent.
    pub fn stop(&mut self) {
        self.supersede();
        self.release_shown();
        self.splicer.clear();
        self.state = SlotState::Paused;
    }

    /// Answers `multistream/keyframe`: at once where there is nothing to send, else when it was sent.
    pub fn request_keyframe(&mut self, now: Instant, request_id: String) {
        match &self.shown {
            Some(shown) if self.state == SlotState::Active => {
                self.actions.push_back(Action::Refresh { tag: shown.tag });
                self.keyframe_requests.push((request_id, now + KEYFRAME_TIMEOUT));
            }
            _ => self.actions.push_back(Action::Keyframe { status: KeyframeStatus::Unsupported, request_id }),
        }
    }

    // What the connection says.

    pub fn negotiated(&mut self, payload_types: PayloadTypes) {
        self.payload_types = Some(payload_types);
    }

    /// Media can flow: whatever is live is shown now. Only from here on can a stream be late.
    pub fn connected(&mut self, now: Instant) {
        self.connected = true;
        if let Some(next) = &mut self.next {
            next.deadline = Some(now + self.switch_timeout);
        }
        for binding in [&self.shown, &self.next].into_iter().flatten() {
            self.actions.push_back(Action::Refresh { tag: binding.tag });
        }
    }

    /// The browser cannot decode what it has.
    pub fn keyframe_wanted(&mut self, now: Instant) {
        let recently =
            self.refreshed_at.is_some_and(|at| now.saturating_duration_since(at) < MIN_REFRESH_INTERVAL);
        if let Some(shown) = self.shown.as_ref().filter(|_| self.state == SlotState::Active && !recently) {
            self.refreshed_at = Some(now);
            self.actions.push_back(Action::Refresh { tag: shown.tag });
        }
    }

    // What the streams say.

    /// Everything needed to show a stream at once.
    pub fn handle_gop(&mut self, now: Instant, tag: u64, gop: &[Arc<Frame>]) {
        let (Some(key), Some(types), true) = (gop.first(), &self.payload_types, self.connected) else {
            return;
        };
        let is_next = self.next.as_ref().is_some_and(|next| next.tag == tag);
        if !is_next && self.shown.as_ref().is_none_or(|shown| shown.tag != tag) {
            return;
        }
        let Some(payload_type) = types.of(key.codec) else {
            let reason = unsupported(key.codec, types);
            self.cannot_show(is_next, reason);
            return;
        };
        self.splicer.cut(gop, payload_type);
        // The browser has what it needs; a request for a key frame that is under way asks for the past.
        self.refreshed_at = Some(now);
        if is_next {
            self.release_shown_subscription();
            self.shown = self.next.take();
        }
        if let Some(shown) = &mut self.shown {
            shown.payload_type = Some(payload_type);
            shown.codec = Some(key.codec);
            shown.dimensions = key.dimensions;
        }
    }

    /// The next frame of a stream.
    pub fn handle_frame(&mut self, tag: u64, frame: Arc<Frame>) {
        let Some(shown) = self.shown.as_mut().filter(|shown| shown.tag == tag) else { return };
        let Some(payload_type) = shown.payload_type.filter(|_| shown.codec == Some(frame.codec)) else {
            return;
        };
        if frame.keyframe && frame.dimensions.is_some() {
            shown.dimensions = frame.dimensions;
        }
        self.splicer.push(frame, payload_type);
    }

    /// A stream's source is down. Its hub keeps trying; the slot comes back by itself.
    pub fn handle_offline(&mut self, tag: u64, message: String) {
        let is_next = self.next.as_ref().is_some_and(|next| next.tag == tag);
        if is_next || self.shown.as_ref().is_some_and(|shown| shown.tag == tag) {
            self.go_offline(is_next, Reason { code: ErrorCode::SourceOffline, message });
        }
    }

    // Time.

    pub fn poll_timeout(&self) -> Option<Instant> {
        let switch = self.next.as_ref().and_then(|next| next.deadline);
        self.keyframe_requests.iter().map(|(_, deadline)| *deadline).chain(switch).min()
    }

    pub fn handle_timeout(&mut self, now: Instant) {
        if self.next.as_ref().and_then(|next| next.deadline).is_some_and(|deadline| deadline <= now) {
            let message =
                format!("no key frame within {} s; still trying", self.switch_timeout.as_secs_f32());
            self.go_offline(true, Reason { code: ErrorCode::SwitchTimeout, message });
        }
        let actions = &mut self.actions;
        self.keyframe_requests.retain(|(request_id, deadline)| {
            let waits = *deadline > now;
            if !waits {
                let (status, request_id) = (KeyframeStatus::Unsupported, request_id.clone());
                actions.push_back(Action::Keyframe { status, request_id });
            }
            waits
        });
    }

    // What comes out.

    /// The next packet of this slot; called by the pacer when it may leave.
    pub(crate) fn pop_packet(&mut self, now: Instant) -> Option<RtpPacket> {
        let released = self.splicer.pop()?;
        if released.shows_stream {
            for (request_id, _) in self.keyframe_requests.drain(..) {
                self.actions.push_back(Action::Keyframe { status: KeyframeStatus::Sent, request_id });
            }
            let request_id = self.shown.as_mut().and_then(|shown| {
                shown.deadline = None;
                shown.shown_from.get_or_insert(released.packet.timestamp);
                if let Some(asked_at) = shown.asked_at.take() {
                    self.actions.push_back(Action::Shown { after: now.saturating_duration_since(asked_at) });
                }
                shown.request_id.take()
            });
            if self.next.is_none() && (self.state != SlotState::Active || request_id.is_some()) {
                self.state = SlotState::Active;
                self.reason = None;
                self.tell(request_id);
            }
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

    fn tell(&mut self, request_id: Option<String>) {
        let status = self.status();
        self.actions.push_back(Action::Status { status, request_id });
    }

    fn enter(&mut self, state: SlotState, reason: Option<Reason>) {
        self.state = state;
        self.reason = reason;
        self.tell(None);
    }

    /// The latest request wins: an earlier one that waits is answered and its stream given back.
    fn supersede(&mut self) {
        if let Some(next) = self.next.take() {
            self.actions.push_back(Action::Unsubscribe { tag: next.tag });
            self.answer_superseded(next.target, next.request_id);
        }
        // Cut to, but its key frame has not left yet.
        if let Some(shown) = &mut self.shown {
            let (target, request_id) = (shown.target.clone(), shown.request_id.take());
            self.answer_superseded(target, request_id);
        }
    }

    fn answer_superseded(&mut self, target: Target, request_id: Option<String>) {
        let Some(request_id) = request_id else { return };
        let mut status = SlotStatus::new(self.index, target.name, SlotState::Error);
        status.quality = target.quality;
        status.error = Some("a later request for this slot took over".to_owned());
        status.reason = Some(ErrorCode::Superseded.to_string());
        self.actions.push_back(Action::Status { status, request_id: Some(request_id) });
    }

    fn release_shown_subscription(&mut self) {
        if let Some(shown) = self.shown.take() {
            self.actions.push_back(Action::Unsubscribe { tag: shown.tag });
        }
    }

    fn release_shown(&mut self) {
        self.release_shown_subscription();
        self.splicer.clear();
    }

    /// The stream stays subscribed, so that the slot turns active by itself; nothing of another one is shown meanwhile.
    fn go_offline(&mut self, is_next: bool, reason: Reason) {
        self.splicer.clear();
        if is_next {
            self.release_shown_subscription();
            self.shown = self.next.take();
        } else if self.next.is_some() {
            // The old picture's camera went away while the slot waits for another one: nothing to tell yet.
            self.release_shown_subscription();
            return;
        }
        let request_id = self.shown.as_mut().and_then(|shown| {
            shown.payload_type = None;
            shown.deadline = None;
            shown.request_id.take()
        });
        if self.state == SlotState::Offline && self.reason.as_ref() == Some(&reason) && request_id.is_none() {
            return;
        }
        self.state = SlotState::Offline;
        self.reason = Some(reason);
        self.tell(request_id);
    }

    /// The browser takes no such codec. A switch is refused and the slot stays as it is; else there is nothing to show.
    fn cannot_show(&mut self, is_next: bool, reason: Reason) {
        let refused = if is_next { self.next.take() } else { self.shown.take() };
        let Some(refused) = refused else { return };
        self.actions.push_back(Action::Unsubscribe { tag: refused.tag });
        if let Some(shown) = &self.shown {
            self.wanted = shown.target.clone();
            self.state = SlotState::Active;
            self.reason = None;
            self.refuse(&refused.target, refused.request_id, reason.code, reason.message);
        } else {
            self.splicer.clear();
            self.state = SlotState::Error;
            self.reason = Some(reason);
            self.tell(refused.request_id);
        }
    }
}

fn unsupported(codec: Codec, types: &PayloadTypes) -> Reason {
    let taken: Vec<_> = types.codecs().map(Codec::rtpmap).collect();
    let message = format!(
        "the stream is {}, and this browser takes {} only; add a variant such as `ffmpeg:…#video=h264`",
        codec.rtpmap(),
        if taken.is_empty() { "no codec of ours".to_owned() } else { taken.join(", ") },
    );
    Reason { code: ErrorCode::UnsupportedCodec, message }
}
