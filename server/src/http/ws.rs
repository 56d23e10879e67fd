//! `/api/ws`: one WebSocket, one session at a time on it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::response::Response;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use multistream_protocol::server::Error;
use multistream_protocol::{ClientMessage, ErrorCode, Framing, ServerMessage, SessionEnd};
use tokio::sync::{Notify, mpsc};
use tokio::time::timeout;
use tracing::debug;

use super::AppState;
use crate::session::{Outbox, SessionHandle, Sessions};

/// The largest message: an offer with 25 m-lines has some 120 kB.
const MAX_MESSAGE_BYTES: usize = 512 * 1024;
/// Beyond this a message is not even read to its end, so that its sender can only be cut off.
const MAX_READ_BYTES: usize = 4 * 1024 * 1024;
/// Messages that may come at once, and per second after that. An operator who drags a mouse over the wall sends 20.
const BURST: f64 = 200.0;
const MESSAGES_PER_S: f64 = 50.0;
/// Frames waiting for a client that reads slowly.
const OUTBOX: usize = 256;
/// A client that is silent this long is asked, and is gone if it does not answer as long again.
const PING_INTERVAL: Duration = Duration::from_secs(20);
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
/// From the close frame to the client's own.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// `GET /api/ws`.
pub(super) async fn upgrade(State(state): State<AppState>, upgrade: WebSocketUpgrade) -> Response {
    upgrade
        .max_message_size(MAX_READ_BYTES)
        .max_frame_size(MAX_READ_BYTES)
        .on_upgrade(move |socket| serve(socket, state.sessions))
}

/// Serves a socket until either side closes it.
async fn serve(socket: WebSocket, sessions: Arc<Sessions>) {
    let (sink, stream) = socket.split();
    let (frames, queue) = mpsc::channel(OUTBOX);
    let (closing, close) = mpsc::channel(1);
    let writer = tokio::spawn(write(sink, queue, close));
    let mut connection = Connection { stream, frames, overflow: Arc::default(), framing: Framing::default() };
    let overflow = connection.overflow.clone();
    let ended = tokio::select! {
        ended = connection.read(&sessions) => ended,
        () = overflow.notified() => Ended::ByServer(CloseFrame {
            code: close_code::AGAIN,
            reason: format!("more than {OUTBOX} messages wait to be read").into(),
        }),
    };
    if let Ended::ByServer(frame) = ended {
        let _ = closing.send(frame).await;
        // What the client still sends is read and thrown away until it has seen the close frame: a socket that is closed
        // with unread data resets the connection, and the reason would be lost.
        let _ =
            timeout(CLOSE_TIMEOUT, async { while let Some(Ok(_)) = connection.stream.next().await {} }).await;
    }
    // The session may hold the queue's other end for ever: the writer ends when `closing` does.
    drop((connection, closing));
    let _ = writer.await;
}

/// How reading ended.
enum Ended {
    /// The client said goodbye, or the connection broke.
    ByClient,
    ByServer(CloseFrame),
}

/// The reading half of a socket, and where its answers go.
struct Connection {
    stream: SplitStream<WebSocket>,
    frames: mpsc::Sender<String>,
    overflow: Arc<Notify>,
    /// That of the session's `init`.
    framing: Framing,
}

impl Connection {
    async fn read(&mut self, sessions: &Sessions) -> Ended {
        let mut session: Option<SessionHandle> = None;
        let mut rate = Rate::new(Instant::now());
        loop {
            let message = match timeout(2 * PING_INTERVAL, self.stream.next()).await {
                Ok(Some(Ok(message))) => message,
                Ok(Some(Err(error))) => {
                    debug!(%error, "WebSocket broke");
                    return Ended::ByClient;
                }
                // Silence in spite of pings, or an end without goodbye: the session waits for another socket.
                Err(_) | Ok(None) => return Ended::ByClient,
            };
            let text = match message {
                Message::Text(text) => text,
                Message::Binary(_) => {
                    self.refuse(Error::new(
                        ErrorCode::BadMessage,
                        "a binary message; this socket speaks JSON text",
                    ))
                    .await;
                    continue;
                }
                Message::Close(frame) => {
                    if let Some(session) =
                        session.take().filter(|_| frame.is_some_and(|frame| is_goodbye(&frame)))
                    {
                        session.end(SessionEnd::ClientLeft).await;
                    }
                    return Ended::ByClient;
                }
                Message::Ping(_) | Message::Pong(_) => continue,
            };
            if !rate.take(Instant::now()) {
                let reason = format!("more than {MESSAGES_PER_S} messages per second");
                return Ended::ByServer(CloseFrame { code: close_code::POLICY, reason: reason.into() });
            }
            if text.len() > MAX_MESSAGE_BYTES {
                let message = format!("a message of {} bytes; the limit is {MAX_MESSAGE_BYTES}", text.len());
                self.refuse(Error::new(ErrorCode::LimitReached, message)).await;
                continue;
            }
            let outcome = match ClientMessage::from_text(&text) {
                Ok(None) => continue,
                Ok(Some((message, framing))) => {
                    if session.as_ref().is_none_or(SessionHandle::is_over) {
                        self.framing = framing;
                        session = None;
                    }
                    self.route(message, &mut session, sessions).await
                }
                Err(refusal) => Err(refusal),
            };
            if let Err(refusal) = outcome {
                self.refuse(refusal).await;
            }
        }
    }

    /// Opens and closes sessions; every other message is the session's.
    async fn route(
        &self,
        message: ClientMessage,
        session: &mut Option<SessionHandle>,
        sessions: &Sessions,
    ) -> Result<(), Error> {
        match (message, session.as_ref()) {
            (ClientMessage::Init(init), None) => {
                let outbox = Outbox::new(self.framing, self.frames.clone(), self.overflow.clone());
                *session = Some(sessions.init(init, outbox).await?);
            }
            (ClientMessage::Init(init), Some(_)) => {
                let message = "this socket has a session; send multistream/close first";
                return Err(Error::new(ErrorCode::SessionExists, message).answering(&init.request_id));
            }
            (ClientMessage::Close(_), Some(_)) => {
                if let Some(session) = session.take() {
                    session.end(SessionEnd::Closed).await;
                }
            }
            // Nothing to close is as good as closed; a candidate without a session is the rest of one that ended.
            (ClientMessage::Close(_) | ClientMessage::Ice(_), None) => {}
            (message, Some(session)) => session.say(message).await,
            (message, None) => {
                let sentence = "there is no session on this socket; send multistream/init first";
                let refusal = Error::new(ErrorCode::NoSession, sentence);
                return Err(refusal.answering(message.request_id().unwrap_or_default()));
            }
        }
        Ok(())
    }

    /// Waits for room: whoever sends bad messages faster than it reads the answers is slowed down.
    async fn refuse(&self, refusal: Error) {
        let _ = self.frames.send(ServerMessage::from(refusal).to_text(self.framing)).await;
    }
}

/// Whether the client left on purpose (RFC 6455 §7.4.1: normal closure, going away). Any other code is a fault on the way,
/// such as a proxy that restarts, and the session waits for its client.
fn is_goodbye(frame: &CloseFrame) -> bool {
    matches!(frame.code, close_code::NORMAL | close_code::AWAY)
}

async fn write(
    mut sink: SplitSink<WebSocket, Message>,
    mut frames: mpsc::Receiver<String>,
    mut close: mpsc::Receiver<CloseFrame>,
) {
    let mut ping = tokio::time::interval(PING_INTERVAL);
    ping.reset();
    loop {
        let message = tokio::select! {
            biased;
            Some(frame) = frames.recv() => Message::Text(frame.into()),
            frame = close.recv() => {
                // Without a frame the client has closed, or is gone: closing answers the former.
                let _ = match frame {
                    Some(frame) => timeout(WRITE_TIMEOUT, sink.send(Message::Close(Some(frame)))).await,
                    None => timeout(WRITE_TIMEOUT, sink.close()).await,
                };
                return;
            }
            _ = ping.tick() => Message::Ping(axum::body::Bytes::new()),
        };
        if !matches!(timeout(WRITE_TIMEOUT, sink.send(message)).await, Ok(Ok(()))) {
            return;
        }
    }
}

/// A token bucket.
#[derive(Debug)]
struct Rate {
    tokens: f64,
    at: Instant,
}

impl Rate {
    fn new(now: Instant) -> Self {
        Self { tokens: BURST, at: now }
    }

    fn take(&mut self, now: Instant) -> bool {
        let elapsed = now.saturating_duration_since(self.at).as_secs_f64();
        self.tokens = (self.tokens + elapsed * MESSAGES_PER_S).min(BURST);
        self.at = now;
        if self.tokens < 1.0 {
            return false;
        }
        self.tokens -= 1.0;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_a_flood_does_not() {
        let start = Instant::now();
        let mut rate = Rate::new(start);
        assert!((0..200).all(|_| rate.take(start)));
        assert!(!rate.take(start));
        assert!(rate.take(start + Duration::from_millis(100)));
    }
}
