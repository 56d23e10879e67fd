//! The events that a viewer of a stream receives.

use std::sync::Arc;

use super::Frame;

/// The frames of a stream since its last key frame, oldest first. Starts with a key frame; never empty.
pub type Gop = Arc<[Arc<Frame>]>;

/// Why a stream has no pictures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamError {
    /// Whether retrying is useless, because the source cannot work as it is configured.
    pub permanent: bool,
    /// A sentence for people, secrets masked.
    pub message: String,
}

/// An event of a stream. They are delivered in order.
#[derive(Debug, Clone)]
pub enum StreamEvent {
    /// The GOP with which the stream can be shown at once. It is sent when a viewer subscribes to a live stream, after a
    /// refresh, and when a slow viewer has missed frames; it replaces all frames before.
    Gop(Gop),
    /// The next frame, which follows the last `Gop` or `Frame` without a gap.
    Frame(Arc<Frame>),
    /// The source is offline. The hub keeps trying it; the next event is `Gop` or another `Offline`.
    Offline(StreamError),
}
