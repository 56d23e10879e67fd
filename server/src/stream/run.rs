//! A running source of a stream, and what the stream's hub waits for.

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::media::AccessUnit;
use crate::source::SourceError;

use super::command::Command;
use super::ending::Ended;

/// A running source.
pub(super) struct Run {
    /// The queue of the source's access units. `None` once the source has dropped its end, or the hub has dropped this one to
    /// stop the source.
    pub(super) units: Option<mpsc::Receiver<AccessUnit>>,
    pub(super) task: JoinHandle<Result<(), SourceError>>,
    /// When the source's task is aborted; set when the source was told to stop.
    pub(super) drop_at: Option<Instant>,
}

/// An event of the hub.
pub(super) enum Event {
    Command(Option<Command>),
    Left(u64),
    Unit(AccessUnit),
    Ended(Ended),
    Timeout,
}

/// The source's next access unit, or its end once there are no more.
pub(super) async fn next_event(run: &mut Option<Run>) -> Event {
    let Some(run) = run else { return std::future::pending().await };
    if let Some(units) = &mut run.units {
        if let Some(unit) = units.recv().await {
            return Event::Unit(unit);
        }
        run.units = None;
    }
    Event::Ended((&mut run.task).await)
}

pub(super) async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
