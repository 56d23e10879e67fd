//! A viewer's hold on a stream, and the queue of its events.

use std::task::{Context, Poll};

use tokio::sync::mpsc;

use super::StreamEvent;
use super::hub::Command;

/// As long as it lives, the stream runs and its events wait here. Dropping it is leaving: the hub notices that the queue is
/// closed, so that there is no message about it that could get lost.
#[derive(Debug)]
pub struct Subscription {
    pub(super) viewer: u64,
    pub(super) hub: mpsc::Sender<Command>,
    pub(super) events: mpsc::Receiver<StreamEvent>,
}

impl Subscription {
    /// Asks for the GOP once more, for a viewer that lost its place. A stream that has none sends the next one.
    pub fn refresh(&self) {
        // A hub that is gone has ended with the server, and one that is overrun sends the next key frame as it comes.
        let _ = self.hub.try_send(Command::Refresh { viewer: self.viewer });
    }

    /// The next event; `None` when the server stops.
    pub async fn recv(&mut self) -> Option<StreamEvent> {
        self.events.recv().await
    }

    /// As [`Self::recv`], for who waits on many subscriptions at once.
    pub fn poll_recv(&mut self, context: &mut Context<'_>) -> Poll<Option<StreamEvent>> {
        self.events.poll_recv(context)
    }

    /// An event that is there already.
    pub fn try_recv(&mut self) -> Option<StreamEvent> {
        self.events.try_recv().ok()
    }
}

#[cfg(test)]
impl Subscription {
    /// A subscription without a stream, and the sender of its events.
    pub(crate) fn detached(room: usize) -> (mpsc::Sender<StreamEvent>, Self) {
        let (sender, events) = mpsc::channel(room);
        (sender, Self { viewer: 0, hub: mpsc::channel(1).0, events })
    }
}
