//! A viewer's subscription to a stream, with the queue of its events.

use std::task::{Context, Poll};

use tokio::sync::mpsc;

use super::StreamEvent;
use super::command::Command;

/// As long as a subscription exists, the stream runs, and its events wait in the subscription's queue. Dropping it
/// unsubscribes: the hub notices that the queue is closed, so no message is needed that could get lost.
#[derive(Debug)]
pub struct Subscription {
    pub(super) viewer: u64,
    pub(super) hub: mpsc::Sender<Command>,
    pub(super) events: mpsc::Receiver<StreamEvent>,
}

impl Subscription {
    /// Requests the GOP again. A stream that has none cached sends its next key frame.
    pub fn refresh(&self) {
        // A hub without space in its queue sends the next key frame anyway, and one that has ended needs nothing.
        let _ = self.hub.try_send(Command::Refresh { viewer: self.viewer });
    }

    /// The next event; `None` when the server stops.
    pub async fn recv(&mut self) -> Option<StreamEvent> {
        self.events.recv().await
    }

    /// Like [`Self::recv`], for waiting on many subscriptions at once.
    pub fn poll_recv(&mut self, context: &mut Context<'_>) -> Poll<Option<StreamEvent>> {
        self.events.poll_recv(context)
    }

    /// An event that is waiting, if there is one.
    pub fn try_recv(&mut self) -> Option<StreamEvent> {
        self.events.try_recv().ok()
    }
}

#[cfg(test)]
impl Subscription {
    /// A subscription without a stream, with the sender of its events.
    pub(crate) fn detached(room: usize) -> (mpsc::Sender<StreamEvent>, Self) {
        let (sender, events) = mpsc::channel(room);
        (sender, Self { viewer: 0, hub: mpsc::channel(1).0, events })
    }
}
