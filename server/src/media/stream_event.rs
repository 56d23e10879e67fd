//! What a viewer of a stream is told.

use std::sync::Arc;

use super::Frame;

/// The frames of a stream since its last key frame, oldest first. Starts with a key frame; never empty.
pub type Gop = Arc<[Arc<Frame>]>;

/// Why a stream gives no pictures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamError {
    /// Retrying cannot help: the source cannot work as it is configured.
    pub permanent: bool,
    /// A sentence for people, secrets masked.
    pub message: String,
}

/// What a viewer is told, in order.
#[derive(Debug, Clone)]
pub enum StreamEvent {
    /// Everything needed to show the stream at once. Sent when a viewer subscribes to a live stream, when it asked for a
    /// refresh, and when it was too slow and skipped frames: it replaces whatever the viewer had.
    Gop(Gop),
    /// The next frame; follows on the last `Gop` or `Frame` without a hole.
    Frame(Arc<Frame>),
    /// The source is down. The hub keeps trying; the next event is `Gop` or another `Offline`.
    Offline(StreamError),
}
