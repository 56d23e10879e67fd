//! The state machine of a slot: a variant per state with its data, and the status on the wire that follows from it.

use std::sync::Arc;
use std::time::Instant;

use multistream_protocol::{ErrorCode, NATIVE, SlotState, SlotStatus};

use super::{Order, Pictures, Step, SubscriptionTag};
use crate::media::{Codec, Dimensions, Frame, StreamName};

/// A stream that exists, with the quality that was requested.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The resolved name, e.g. `camera4-720p`.
    pub name: StreamName,
    pub quality: Option<String>,
}

/// The stream that a client requested for a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    Known(Target),
    /// A name that no stream has. It cannot be subscribed to.
    Unknown {
        name: String,
        quality: Option<String>,
    },
}

impl Wanted {
    /// The name of the stream, or of the variant if a quality was requested.
    pub fn name(&self) -> &str {
        match self {
            Self::Known(target) => target.name.as_str(),
            Self::Unknown { name, .. } => name,
        }
    }

    fn quality(&self) -> Option<&str> {
        match self {
            Self::Known(Target { quality, .. }) | Self::Unknown { quality, .. } => quality.as_deref(),
        }
    }
}

impl From<Target> for Wanted {
    fn from(target: Target) -> Self {
        Self::Known(target)
    }
}

/// Why a stream is not shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    pub code: ErrorCode,
    pub message: String,
}

/// A subscription of the slot, and the stream that it is for.
#[derive(Debug)]
pub(super) struct Feed {
    pub(super) tag: SubscriptionTag,
    /// As the client requested it.
    pub(super) target: Target,
    /// What is sent for it.
    pub(super) step: Step,
}

/// What is left to do for a request for a stream: to measure how long it took, and to answer it.
#[derive(Debug)]
pub(super) struct Asked {
    /// When the stream was requested; `None` once its first key frame has left.
    pub(super) at: Option<Instant>,
    /// `None` once the request is answered, and if the client expects no answer.
    pub(super) request_id: Option<String>,
}

/// A stream that waits for its first key frame.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) feed: Feed,
    pub(super) asked: Asked,
    /// When the slot becomes offline without a key frame; `None` until the browser is connected.
    pub(super) deadline: Option<Instant>,
}

/// The stream whose packets are sent on the m-line.
#[derive(Debug)]
pub(super) struct Shown {
    pub(super) feed: Feed,
    pub(super) asked: Asked,
    pub(super) payload_type: u8,
    pub(super) codec: Codec,
    pub(super) dimensions: Option<Dimensions>,
    /// The size to show it in, where that is another one.
    pub(super) display: Option<Dimensions>,
    /// The RTP timestamp of the stream's first key frame; `None` until that key frame has left.
    pub(super) from: Option<u32>,
    /// Frames are missing since the last key frame, because only key frames were sent. The slot continues with a GOP of at most
    /// this many bytes or at the next key frame. `None` if no frame is missing.
    pub(super) rejoins_within: Option<usize>,
}

/// The state of a slot.
#[derive(Debug)]
pub(super) enum Machine {
    /// The slot shows nothing, because the stream that was requested last does not exist or has a codec that the browser lacks.
    /// It has no subscription.
    Empty { wanted: Wanted, reason: Reason },
    /// The slot is paused and has no subscription. A new slot is in this state too.
    Paused { wanted: Wanted },
    /// The slot shows nothing and waits for the first key frame of a stream.
    Starting(Waiting),
    /// The slot sends a stream; the stream's first key frame may not have left yet.
    Showing(Shown),
    /// The slot shows the old stream until the first key frame of the next one is there.
    Replacing { old: Shown, next: Waiting },
    /// The stream is offline. It stays subscribed and is shown as soon as it has a key frame.
    Down { feed: Feed, asked: Asked, reason: Reason },
}

/// What one of a slot's subscriptions is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Its packets are sent on the m-line.
    Shown,
    /// The slot waits for its first key frame and then shows it.
    Awaited,
    /// It is prepared for an atomic layout.
    Held,
    /// The slot goes to it by itself: it is that of the next step.
    Ahead,
}

/// A stream that is prepared for an atomic layout.
#[derive(Debug)]
pub(super) struct Held {
    /// The number of the layout, the same in all of its slots.
    pub(super) layout: u64,
    pub(super) order: Order,
    pub(super) asked: Asked,
    /// `None` if the slot already shows this stream.
    pub(super) tag: Option<SubscriptionTag>,
    /// Its frames since the last key frame; empty before the first one.
    pub(super) gop: Vec<Arc<Frame>>,
    pub(super) deadline: Option<Instant>,
    pub(super) failed: Option<Reason>,
}

impl Machine {
    /// The stream that the client requested last.
    pub(super) fn wanted(&self) -> Wanted {
        let target = match self {
            Self::Empty { wanted, .. } | Self::Paused { wanted } => return wanted.clone(),
            Self::Starting(next) | Self::Replacing { next, .. } => &next.feed.target,
            Self::Showing(shown) => &shown.feed.target,
            Self::Down { feed, .. } => &feed.target,
        };
        target.clone().into()
    }

    /// The stream that is shown, or waited for by one that will show it; `None` while the slot shows nothing and waits for
    /// nothing that works.
    pub(super) fn wanted_feed(&self) -> Option<&Feed> {
        match self {
            Self::Showing(shown) => Some(&shown.feed),
            Self::Starting(next) | Self::Replacing { next, .. } => Some(&next.feed),
            Self::Empty { .. } | Self::Paused { .. } | Self::Down { .. } => None,
        }
    }

    pub(super) fn shown(&self) -> Option<&Shown> {
        match self {
            Self::Showing(shown) | Self::Replacing { old: shown, .. } => Some(shown),
            _ => None,
        }
    }

    pub(super) fn shown_mut(&mut self) -> Option<&mut Shown> {
        match self {
            Self::Showing(shown) | Self::Replacing { old: shown, .. } => Some(shown),
            _ => None,
        }
    }

    pub(super) fn awaited(&self) -> Option<&Waiting> {
        match self {
            Self::Starting(next) | Self::Replacing { next, .. } => Some(next),
            _ => None,
        }
    }

    pub(super) fn awaited_mut(&mut self) -> Option<&mut Waiting> {
        match self {
            Self::Starting(next) | Self::Replacing { next, .. } => Some(next),
            _ => None,
        }
    }

    /// The stream that is waited for, also by a slot that is down, as it was requested.
    pub(super) fn awaited_target(&self) -> Option<&Target> {
        match self {
            Self::Down { feed, .. } => Some(&feed.target),
            _ => self.awaited().map(|next| &next.feed.target),
        }
    }

    /// The tags of the subscriptions, that of the shown stream first.
    pub(super) fn tags(&self) -> impl Iterator<Item = SubscriptionTag> + use<> {
        let down = if let Self::Down { feed, .. } = self { Some(feed) } else { None };
        let awaited = self.awaited().map(|next| &next.feed).or(down);
        [self.shown().map(|shown| shown.feed.tag), awaited.map(|feed| feed.tag)].into_iter().flatten()
    }

    pub(super) fn role(&self, tag: SubscriptionTag) -> Option<Role> {
        if self.shown().is_some_and(|shown| shown.feed.tag == tag) {
            return Some(Role::Shown);
        }
        self.tags().any(|known| known == tag).then_some(Role::Awaited)
    }

    /// The status on the wire.
    pub(super) fn status(&self, slot: u32) -> SlotStatus {
        let (state, reason) = match self {
            Self::Empty { reason, .. } => (SlotState::Error, Some(reason)),
            Self::Paused { .. } => (SlotState::Paused, None),
            Self::Showing(shown) if shown.from.is_some() => match shown.feed.step.pictures {
                Pictures::First => (SlotState::Paused, None),
                Pictures::All | Pictures::KeyFrames { .. } => (SlotState::Active, None),
            },
            Self::Starting(_) | Self::Showing(_) | Self::Replacing { .. } => (SlotState::Buffering, None),
            Self::Down { reason, .. } if reason.code == ErrorCode::SourceInvalid => {
                (SlotState::Error, Some(reason))
            }
            Self::Down { reason, .. } => (SlotState::Offline, Some(reason)),
        };
        let mut status = status(slot, &self.wanted(), state, reason);
        if let Self::Showing(shown) = self
            && shown.from.is_some()
        {
            let step = &shown.feed.step;
            let quality = step.source.quality.clone().filter(|quality| !quality.is_empty());
            status.actual_quality = Some(quality.unwrap_or(NATIVE.into()));
            let why = if step.is_limited {
                Some(ErrorCode::Bandwidth)
            } else {
                step.unshown.map(|_| ErrorCode::Codec)
            };
            if let Some(why) = why {
                status.reason = Some(why.to_string());
                status.error = Some(step.explain());
            }
            if let Pictures::KeyFrames { every } = step.pictures {
                status.picture_every_ms = every.map(|every| every.as_millis() as u32);
            }
            status.codec = Some(shown.codec.to_string());
            status.width = shown.dimensions.map(|dimensions| dimensions.width);
            status.height = shown.dimensions.map(|dimensions| dimensions.height);
            status.display_width = shown.display.map(|display| display.width);
            status.display_height = shown.display.map(|display| display.height);
            status.rtp_timestamp = shown.from;
        }
        status
    }
}

/// The status of slot `slot` in state `state` with the stream `wanted`; `reason` is why the stream is not shown.
pub(super) fn status(slot: u32, wanted: &Wanted, state: SlotState, reason: Option<&Reason>) -> SlotStatus {
    let mut status = SlotStatus::new(slot, wanted.name(), state);
    status.quality = wanted.quality().map(str::to_owned);
    status.error = reason.map(|reason| reason.message.clone());
    status.reason = reason.map(|reason| reason.code.to_string());
    status
}
