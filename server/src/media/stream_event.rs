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
    /// The frames since the last key frame, with which the stream can be shown at once. It is sent when a viewer subscribes to
    /// a live stream, when it requests a refresh, and when it has missed frames; the viewer continues from it and forgets the
    /// frames that it has.
    Gop(Gop),
    /// The next frame, which follows the last `Gop` or `Frame` without a gap.
    Frame(Arc<Frame>),
    /// The source is offline. The hub keeps trying it; the next event is `Gop` or another `Offline`.
    Offline(StreamError),
}
