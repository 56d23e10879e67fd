//! The task of one session: waits for whatever comes first, lets the session decide, sends what comes out.

use std::time::{Duration, Instant};

use multistream_protocol::server;
use tokio::sync::mpsc;
use tracing::{debug, info};

use super::Request;
use super::session::{Reply, Session};
use super::sessions::Outbox;
use crate::rtc::Inbound;
use crate::stream::StreamEvent;

/// Events taken in one go; what is left comes in the next turn.
const BATCH: usize = 64;
/// With nothing to do, look around this often; no timer of the session depends on it.
const IDLE: Duration = Duration::from_secs(60);

/// What a session is told from outside.
#[derive(Debug)]
pub(super) enum Command {
    Request(Request),
    /// A socket takes the session over.
    Attach(Outbox, String),
    /// The socket was lost; the client may come back.
    Detach,
    /// It is over, for this reason.
    End(&'static str),
}

pub(super) struct SessionTask {
    pub(super) session: Session,
    pub(super) commands: mpsc::Receiver<Command>,
    pub(super) events: mpsc::Receiver<(u64, StreamEvent)>,
    pub(super) outbox: Option<Outbox>,
    pub(super) resume_token: String,
    pub(super) resume_timeout: Duration,
    pub(super) opened_at: Instant,
}

impl SessionTask {
    pub(super) async fn run(mut self) {
        info!(slots = self.session.slots(), "session opened");
        let reason = self.serve().await;
        if let Some(outbox) = &self.outbox {
            outbox.send(server::DISCONNECTED, &server::Disconnected { reason: reason.to_owned() });
        }
        self.session.close();
        info!(reason, lived_s = self.opened_at.elapsed().as_secs(), "session ended");
    }

    /// Until the session is over; returns why.
    async fn serve(&mut self) -> &'static str {
        let mut events = Vec::with_capacity(BATCH);
        let mut inbound: Vec<Inbound> = Vec::with_capacity(BATCH);
        let mut give_up_at: Option<Instant> = None;
        loop {
            let now = Instant::now();
            let was_connected = self.session.is_connected();
            if self.session.drive(now) {
                return "connection_lost";
            }
            if !was_connected && self.session.is_connected() {
                info!(after_ms = self.opened_at.elapsed().as_millis() as u64, "connected");
            }
            self.send_replies();
            if give_up_at.is_some_and(|at| at <= now) {
                return "connection_lost";
            }
            let wake = [self.session.poll_timeout(), give_up_at].into_iter().flatten().min();
            let wake = wake.unwrap_or(now + IDLE);
            let (link, negotiated) = (self.session.is_negotiated(), self.session.inbound());
            let receive = async {
                match negotiated {
                    Some(receiver) => receiver.recv_many(&mut inbound, BATCH).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                command = self.commands.recv() => match command {
                    Some(Command::Request(request)) => self.session.handle_request(Instant::now(), request),
                    Some(Command::Attach(outbox, request_id)) => {
                        give_up_at = None;
                        self.attach(outbox, request_id);
                    }
                    Some(Command::Detach) => {
                        debug!("socket lost");
                        self.outbox = None;
                        if !link {
                            return "connection_lost";
                        }
                        give_up_at = Some(Instant::now() + self.resume_timeout);
                    }
                    Some(Command::End(reason)) => return reason,
                    None => return "connection_lost",
                },
                _ = receive => {
                    let now = Instant::now();
                    inbound.drain(..).for_each(|inbound| self.session.handle_inbound(now, inbound));
                }
                _ = self.events.recv_many(&mut events, BATCH) => {
                    let now = Instant::now();
                    events.drain(..).for_each(|(tag, event)| self.session.handle_stream_event(now, tag, event));
                }
                () = tokio::time::sleep_until(wake.into()) => {}
            }
        }
    }

    /// A new socket gets what it missed: where the session stands.
    fn attach(&mut self, outbox: Outbox, request_id: String) {
        info!("session resumed");
        outbox.send(
            server::READY,
            &server::Ready {
                request_id,
                slots: self.session.slots() as u32,
                ice_servers: Vec::new(),
                resume: Some(self.resume_token.clone()),
                resumed: true,
            },
        );
        for status in self.session.statuses() {
            outbox.send(server::STATUS, &server::Status { slot: status.slot, status, request_id: None });
        }
        self.outbox = Some(outbox);
    }

    fn send_replies(&mut self) {
        for reply in self.session.take_replies() {
            // Without a socket nobody listens; whoever resumes is told where things stand.
            let Some(outbox) = &self.outbox else { continue };
            match reply {
                Reply::Answer(answer) => outbox.send(server::ANSWER, &answer),
                Reply::Status(status) => outbox.send(server::STATUS, &status),
                Reply::Keyframe(keyframe) => outbox.send(server::KEYFRAME, &keyframe),
                Reply::Warm(warm) => outbox.send(server::WARM, &warm),
                Reply::Refusal(refusal) => outbox.refuse(&refusal),
            }
        }
    }
}
