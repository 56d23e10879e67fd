//! The task of one session: waits for the next event, passes it to the session, and sends the session's messages.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use multistream_protocol::server::{Disconnected, Error, Ready, Status};
use multistream_protocol::{ClientMessage, ErrorCode, SessionEnd};
use tokio::sync::mpsc;
use tracing::{debug, info};

use super::attachment::{Command, Outbox};
use super::never_connected;
use super::session::{Over, Session};
use super::state::{SessionState, SharedState};
use crate::places::Place;

/// How long the task sleeps at most when no timer of the session is running. Nothing depends on this value.
const IDLE: Duration = Duration::from_mins(1);

/// How a session ended.
#[derive(Debug, Clone, Copy)]
enum End {
    /// The client has closed its socket on purpose and cannot be told anything any more.
    ClientLeft,
    /// The client is told this reason, if it has a socket.
    For(SessionEnd),
}

impl End {
    /// The word in the log.
    fn as_str(self) -> &'static str {
        match self {
            Self::ClientLeft => "client_left",
            Self::For(reason) => reason.as_str(),
        }
    }
}

pub(super) struct SessionTask {
    pub(super) session: Session,
    pub(super) state: Arc<SharedState>,
    pub(super) commands: mpsc::Receiver<Command>,
    pub(super) outbox: Option<Outbox>,
    /// Where the client of the latest socket is, or its proxy.
    pub(super) client: Option<IpAddr>,
    /// Whether there was media at any time.
    pub(super) ever_connected: bool,
    pub(super) resume_token: String,
    pub(super) resume_timeout: Duration,
    pub(super) opened_at: Instant,
    /// Its place among the sessions, for as long as it lives.
    pub(super) _place: Place,
}

impl SessionTask {
    pub(super) async fn run(mut self) {
        info!(slots = self.session.slots(), "session opened");
        let mut end = self.serve().await;
        if let Some(attempt) = self.session.attempt().filter(|_| !self.ever_connected) {
            if matches!(end, End::For(SessionEnd::ConnectionLost)) {
                end = End::For(SessionEnd::NeverConnected);
            }
            if !matches!(end, End::For(SessionEnd::ServerShutdown)) {
                never_connected::warn_of(Instant::now(), attempt, self.client);
            }
        }
        if let (End::For(reason), Some(outbox)) = (end, &self.outbox) {
            outbox.send(Disconnected::from(reason));
        }
        self.session.close();
        info!(reason = end.as_str(), lived_s = self.opened_at.elapsed().as_secs(), "session ended");
    }

    /// Runs until the session ends; returns why it ended.
    async fn serve(&mut self) -> End {
        let mut received = Vec::new();
        // When the session ends because it has had no socket for `resume_timeout`; `None` while it has one.
        let mut give_up_at: Option<Instant> = None;
        // Whether the socket was lost when media had already stopped. The socket of a browser that is killed goes first.
        let mut is_network_away = false;
        loop {
            let now = Instant::now();
            let was_connected = self.session.is_connected();
            if let Some(over) = self.session.drive(now) {
                if over == Over::Lost && (self.outbox.is_some() || is_network_away) {
                    // The client may be back with its network soon, and a camera that is started anew shows nothing before its
                    // next key frame.
                    self.session.keep_streams_for(self.resume_timeout);
                }
                return End::For(SessionEnd::ConnectionLost);
            }
            if !was_connected && self.session.is_connected() {
                self.ever_connected = true;
                info!(after_ms = self.opened_at.elapsed().as_millis() as u64, "connected");
            }
            self.state.set(self.state());
            self.send_replies();
            if give_up_at.is_some_and(|at| at <= now) {
                return End::For(SessionEnd::ConnectionLost);
            }
            let wake = [self.session.poll_timeout(), give_up_at].into_iter().flatten().min();
            let wake = wake.unwrap_or(now + IDLE);
            let is_negotiated = self.session.is_negotiated();
            let socket = self.outbox.clone();
            let socket_gone = async {
                match &socket {
                    Some(outbox) => outbox.closed().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                // Commands are handled before the end of the socket. When a client leaves, its `Leave` is queued just before
                // the socket closes; a session that had noted the end of the socket first would ignore it.
                biased;
                command = self.commands.recv() => match command {
                    Some(Command::Said(by, message)) => self.handle_message(&by, message),
                    Some(Command::Granted(by, grant)) => {
                        if self.is_attached_to(&by) {
                            self.session.set_grant(grant);
                        }
                    }
                    Some(Command::Attach(outbox, request_id)) => {
                        give_up_at = None;
                        is_network_away = false;
                        self.attach(outbox, request_id);
                    }
                    Some(Command::Close(by)) if self.is_attached_to(&by) => return End::For(SessionEnd::Closed),
                    Some(Command::Leave(by)) if self.is_attached_to(&by) => return End::ClientLeft,
                    Some(Command::Close(_) | Command::Leave(_)) => {
                        debug!("a socket left that another one had replaced");
                    }
                    Some(Command::Shutdown) => return End::For(SessionEnd::ServerShutdown),
                    None => return End::For(SessionEnd::ConnectionLost),
                },
                () = socket_gone => {
                    debug!("socket lost");
                    self.outbox = None;
                    if !is_negotiated {
                        // There is no connection yet that could be resumed.
                        return End::For(SessionEnd::ConnectionLost);
                    }
                    give_up_at = Some(Instant::now() + self.resume_timeout);
                    is_network_away = !self.session.is_connected();
                }
                () = self.session.receive(&mut received) => {
                    let now = Instant::now();
                    received.drain(..).for_each(|received| self.session.handle_received(now, received));
                }
                () = tokio::time::sleep_until(wake.into()) => {}
            }
        }
    }

    fn state(&self) -> SessionState {
        if self.outbox.is_none() {
            SessionState::Detached
        } else if self.session.is_connected() {
            SessionState::Connected
        } else if self.session.is_negotiated() {
            SessionState::Connecting
        } else {
            SessionState::NoOffer
        }
    }

    fn is_attached_to(&self, socket: &Outbox) -> bool {
        self.outbox.as_ref().is_some_and(|outbox| outbox.is_same_socket(socket))
    }

    /// Handles a message of the socket that the session is attached to, and refuses those of any other.
    fn handle_message(&mut self, by: &Outbox, message: ClientMessage) {
        if self.is_attached_to(by) {
            self.session.handle_request(Instant::now(), message);
        } else {
            let refusal = Error::new(ErrorCode::NoSession, "another socket has resumed this session");
            by.send(refusal.answering(message.request_id().unwrap_or_default()));
        }
    }

    /// Attaches a new socket, which gets the current statuses, since it may have missed changes.
    fn attach(&mut self, outbox: Outbox, request_id: String) {
        info!("session resumed");
        self.session.set_grant(outbox.grant().clone());
        outbox.send(Ready {
            request_id,
            slots: self.session.slots() as u32,
            ice_servers: self.session.resumed(),
            resume: Some(self.resume_token.clone()),
            resumed: true,
        });
        for status in self.session.statuses() {
            outbox.send(Status { slot: status.slot, status, request_id: None });
        }
        // Another offer is answered for the address by which the client comes now.
        self.session.reached = outbox.reached();
        self.client = outbox.client();
        self.outbox = Some(outbox);
    }

    fn send_replies(&mut self) {
        let replies = self.session.take_replies();
        // Without a socket the messages are dropped; a client that resumes gets the current statuses.
        if let Some(outbox) = &self.outbox {
            for reply in replies {
                outbox.send(reply);
            }
        }
    }
}
