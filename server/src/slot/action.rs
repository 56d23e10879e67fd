//! What a slot requests of its session.

use std::time::Duration;

use multistream_protocol::SlotStatus;
use multistream_protocol::server::KeyframeStatus;

use super::{StepFailure, SubscriptionTag};
use crate::media::{Codec, StreamName};

/// What a slot requests of the session, in order.
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
    /// Request the stream's GOP again.
    Refresh {
        tag: SubscriptionTag,
    },
    /// Send the status to the client; with a request id it answers that request.
    Status {
        status: SlotStatus,
        request_id: Option<String>,
    },
    /// The browser does not show the codec of this subscription's stream: show another in its place by [`super::Slot::stand_in`], or
    /// call [`super::Slot::cannot_play`].
    Unplayable {
        tag: SubscriptionTag,
        codec: Codec,
    },
    /// A variant that the slot was to show in place of its stream cannot be shown.
    StepFailed(StepFailure),
    /// The first key frame of a stream has left, this long after the request.
    Shown {
        after: Duration,
    },
    /// Answer `multistream/keyframe`.
    Keyframe {
        status: KeyframeStatus,
        request_id: String,
    },
}
