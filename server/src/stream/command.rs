//! What is asked of a stream's hub.

use tokio::sync::{mpsc, oneshot};

use super::{StreamEvent, StreamSnapshot};

/// Why a viewer joins a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To show its pictures.
    Watch,
    /// To make a variant of it. A variant whose camera is offline joins again every second, so a `Feed` must not shorten the
    /// camera's back-off.
    Feed,
    /// To keep the stream running. It receives no events.
    Keep,
}

/// What the registry and the viewers ask of a hub.
#[derive(Debug)]
pub(super) enum Command {
    Join {
        viewer: u64,
        queue: mpsc::Sender<StreamEvent>,
        purpose: Purpose,
    },
    /// Send the GOP again to this viewer.
    Refresh {
        viewer: u64,
    },
    /// Stop at once if nobody watches.
    LetGo,
    Snapshot {
        reply: oneshot::Sender<StreamSnapshot>,
    },
    Shutdown {
        done: oneshot::Sender<()>,
    },
}
