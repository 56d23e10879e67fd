//! A viewer's hold on a stream.

use tokio::sync::mpsc;

use super::hub::Command;

/// As long as it lives, the stream runs and its events go to the viewer's queue. Dropping it is leaving.
#[derive(Debug)]
pub struct Subscription {
    pub(super) viewer: u64,
    pub(super) hub: mpsc::UnboundedSender<Command>,
}

impl Subscription {
    /// Asks for the GOP once more, for a viewer that lost its place. A stream that has none sends the next one.
    pub fn refresh(&self) {
        // A hub that is gone has ended with the server: nobody is left to answer.
        let _ = self.hub.send(Command::Refresh { viewer: self.viewer });
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let _ = self.hub.send(Command::Leave { viewer: self.viewer });
    }
}
