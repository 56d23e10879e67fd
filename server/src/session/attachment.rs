//! The two ends of the link between one WebSocket and its session: an [`Outbox`] takes the session's messages to the socket, a
//! [`SessionHandle`] takes the client's messages to the session.
//!
//! A session outlives its sockets: when one is lost, the client resumes on another. For a while both may exist, since a
//! half-open socket is noticed only by unanswered pings. Therefore every message of a socket is passed on with the socket's
//! [`Outbox`], and the session accepts only those of the socket that it is attached to.

use std::net::IpAddr;
use std::sync::Arc;

use multistream_protocol::{ClientMessage, Framing, ServerMessage};
use tokio::sync::{Notify, mpsc};
use tracing::debug;

use super::unread::Unread;
use crate::access::Grant;
use crate::limits::{self, Limit};

/// The queue of messages that a session sends on one WebSocket. A clone is the same queue, so it also identifies the socket.
#[derive(Debug, Clone)]
pub struct Outbox {
    framing: Framing,
    frames: Unread,
    overflow: Arc<Notify>,
    reached: Option<IpAddr>,
    from: Option<IpAddr>,
    grant: Grant,
}

impl Outbox {
    /// Wraps `frames`, the queue of the texts that a socket is to send. The socket closes it when it is gone. `overflow`
    /// is notified when the queue is full: the socket must then be closed, since a client that missed a message no longer knows
    /// the states of its slots. `grant` is what the client may do.
    pub fn new(framing: Framing, frames: Unread, overflow: Arc<Notify>, grant: Grant) -> Self {
        Self { framing, frames, overflow, reached: None, from: None, grant }
    }

    /// Notes the address from which the client comes, or its proxy's, and the address of this machine to which its socket is
    /// connected: that works for the client, so media is best sent from there too.
    #[must_use]
    pub fn for_client(self, from: IpAddr, reached: Option<IpAddr>) -> Self {
        Self { from: Some(from), reached, ..self }
    }

    pub(super) fn grant(&self) -> &Grant {
        &self.grant
    }

    pub(super) fn client(&self) -> Option<IpAddr> {
        self.from
    }

    pub(super) fn reached(&self) -> Option<IpAddr> {
        self.reached
    }

    /// Queues a message without waiting, so that a client that does not read cannot block its session.
    pub fn send(&self, message: impl Into<ServerMessage>) {
        let message = message.into();
        if self.frames.try_send(message.to_text(self.framing)).is_err() {
            limits::hit(Limit::Unread);
            debug!(kind = message.kind(), "the client does not read its messages");
            self.overflow.notify_one();
        }
    }

    /// Whether both are the queue of the same socket.
    pub(super) fn is_same_socket(&self, other: &Outbox) -> bool {
        self.frames.is_same_as(&other.frames)
    }

    /// Waits until the socket is gone.
    pub(super) async fn closed(&self) {
        self.frames.closed().await;
    }
}

/// A command for a session's task.
#[derive(Debug)]
pub(super) enum Command {
    /// A message of the client, from the socket with this outbox.
    Said(Outbox, ClientMessage),
    /// The client on the socket with this outbox has another token.
    Granted(Outbox, Grant),
    /// Another socket resumes the session, by the `init` with this request id.
    Attach(Outbox, String),
    /// The client on the socket with this outbox ends the session by `multistream/close`.
    Close(Outbox),
    /// The client has closed the socket with this outbox on purpose, which ends the session.
    Leave(Outbox),
    /// The server stops.
    Shutdown,
}

/// A socket's access to its session. It need not be told that the socket is gone: the session sees that the outbox is closed.
#[derive(Debug)]
pub struct SessionHandle {
    commands: mpsc::Sender<Command>,
    outbox: Outbox,
}

impl SessionHandle {
    pub(super) fn new(commands: mpsc::Sender<Command>, outbox: Outbox) -> Self {
        Self { commands, outbox }
    }

    /// Passes a message of the client to the session. Waits while the session's queue is full, so that a client that sends
    /// faster than the session works is slowed down.
    pub async fn say(&self, message: ClientMessage) {
        let _ = self.commands.send(Command::Said(self.outbox.clone(), message)).await;
    }

    /// Tells the session what the client may do from now on.
    pub async fn grant(&self, grant: Grant) {
        let _ = self.commands.send(Command::Granted(self.outbox.clone(), grant)).await;
    }

    /// Whether the session has ended by itself.
    pub fn is_over(&self) -> bool {
        self.commands.is_closed()
    }

    /// Waits until the session has ended by itself.
    pub(super) async fn over(&self) {
        self.commands.closed().await;
    }

    /// Ends the session because the client has sent `multistream/close`.
    pub async fn close(self) {
        let _ = self.commands.send(Command::Close(self.outbox)).await;
    }

    /// Ends the session because the client has closed the socket on purpose (close code 1000 or 1001).
    pub async fn leave(self) {
        let _ = self.commands.send(Command::Leave(self.outbox)).await;
    }
}

#[cfg(test)]
mod tests {
    use multistream_protocol::SessionEnd;
    use multistream_protocol::server::Disconnected;

    use super::*;
    use crate::session::unread;

    #[tokio::test]
    async fn a_message_for_a_full_queue_closes_the_socket() {
        let (frames, _queue) = unread();
        let overflow = Arc::new(Notify::new());
        let outbox = Outbox::new(Framing::Flat, frames, overflow.clone(), Grant::ALL);
        let notified = || tokio::time::timeout(std::time::Duration::ZERO, overflow.notified());
        outbox.send(Disconnected::from(SessionEnd::Closed));
        assert!(notified().await.is_err(), "there is room");
        (0..1000).for_each(|_| outbox.send(Disconnected::from(SessionEnd::Closed)));
        assert!(notified().await.is_ok());
    }
}
