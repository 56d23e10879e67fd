//! The hold that one WebSocket has on a session: where the session's messages go, and how the socket's messages reach it.
//!
//! A session lives longer than its sockets: when one is lost, the client comes back on another and resumes. For a while
//! both can exist, for a half-open socket is noticed only when its pings stay unanswered. Therefore whatever a socket says
//! carries the [`Outbox`] of that socket, and the session listens to the socket that it is attached to and to no other.

use std::sync::Arc;

use multistream_protocol::{ClientMessage, Framing, ServerMessage, SessionEnd};
use tokio::sync::{Notify, mpsc};
use tracing::debug;

/// Where a session's messages go: the queue of one WebSocket. Its clones are the same queue.
#[derive(Debug, Clone)]
pub struct Outbox {
    framing: Framing,
    frames: mpsc::Sender<String>,
    overflow: Arc<Notify>,
}

impl Outbox {
    /// The queue `frames` of a socket, which closes the queue when it is gone. `overflow` is notified when a message found
    /// no room: the socket must then be closed, for a client that missed a message knows no longer where its slots stand.
    pub fn new(framing: Framing, frames: mpsc::Sender<String>, overflow: Arc<Notify>) -> Self {
        Self { framing, frames, overflow }
    }

    /// Queues a message. It never waits, so that a client that does not read its socket cannot hold up its session.
    pub fn send(&self, message: impl Into<ServerMessage>) {
        let message = message.into();
        if let Err(mpsc::error::TrySendError::Full(_)) = self.frames.try_send(message.to_text(self.framing)) {
            debug!(kind = message.kind(), "the client does not read its messages");
            self.overflow.notify_one();
        }
    }

    /// Whether both are the queue of the same socket.
    pub(super) fn is_same_socket(&self, other: &Outbox) -> bool {
        self.frames.same_channel(&other.frames)
    }

    /// Returns when the socket is gone.
    pub(super) async fn closed(&self) {
        self.frames.closed().await;
    }
}

/// What a session is told from outside.
#[derive(Debug)]
pub(super) enum Command {
    /// A message of the client, from the socket with this outbox.
    Said(Outbox, ClientMessage),
    /// Another socket takes the session over, by the `init` with this request id.
    Attach(Outbox, String),
    /// The client on the socket with this outbox ends the session.
    Leave(Outbox, SessionEnd),
    /// The server stops.
    Shutdown,
}

/// A socket's way to its session. When the socket is gone, the session notices by its outbox and waits for another.
#[derive(Debug)]
pub struct SessionHandle {
    commands: mpsc::Sender<Command>,
    outbox: Outbox,
}

impl SessionHandle {
    pub(super) fn new(commands: mpsc::Sender<Command>, outbox: Outbox) -> Self {
        Self { commands, outbox }
    }

    /// Passes a message on; waits while the session is busy, and so slows its sender down.
    pub async fn say(&self, message: ClientMessage) {
        let _ = self.commands.send(Command::Said(self.outbox.clone(), message)).await;
    }

    /// Whether the session has ended by itself.
    pub fn is_over(&self) -> bool {
        self.commands.is_closed()
    }

    /// Ends the session on purpose.
    pub async fn end(self, why: SessionEnd) {
        let _ = self.commands.send(Command::Leave(self.outbox, why)).await;
    }
}

#[cfg(test)]
mod tests {
    use multistream_protocol::server::Disconnected;

    use super::*;

    #[tokio::test]
    async fn a_message_that_finds_no_room_closes_the_socket() {
        let (frames, _unread) = mpsc::channel(1);
        let overflow = Arc::new(Notify::new());
        let outbox = Outbox::new(Framing::Flat, frames, overflow.clone());
        let notified = || tokio::time::timeout(std::time::Duration::ZERO, overflow.notified());
        outbox.send(Disconnected::from(SessionEnd::Closed));
        assert!(notified().await.is_err(), "there was room");
        outbox.send(Disconnected::from(SessionEnd::Closed));
        assert!(notified().await.is_ok());
    }
}
