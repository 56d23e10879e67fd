//! `/api/ws`: one WebSocket, one session at a time on it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::response::Response;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use multistream_protocol::ErrorCode;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tracing::debug;

use super::AppState;
use crate::session::{Framing, Outbox, Parsed, Refusal, Request, SessionHandle, Sessions, parse};

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
    let (sink, mut stream) = socket.split();
    let (frames, queue) = mpsc::channel(OUTBOX);
    let (closing, close) = mpsc::channel(1);
    let writer = tokio::spawn(write(sink, queue, close));
    let ended = read(&mut stream, &frames, &sessions).await;
    if let Ended::ByServer(frame) = ended {
        let _ = closing.send(frame).await;
        // What the client still sends is read and thrown away until it has seen the close frame: a socket that is closed
        // with unread data resets the connection, and the reason would be lost.
        let _ = timeout(CLOSE_TIMEOUT, async { while let Some(Ok(_)) = stream.next().await {} }).await;
    }
    drop((frames, closing));
    let _ = writer.await;
}

/// How reading ended.
enum Ended {
    /// The client said goodbye, or the connection broke.
    ByClient,
    ByServer(CloseFrame),
}

async fn read(
    stream: &mut SplitStream<WebSocket>,
    frames: &mpsc::Sender<String>,
    sessions: &Sessions,
) -> Ended {
    let mut session: Option<SessionHandle> = None;
    let mut framing = Framing::default();
    let mut rate = Rate::new(Instant::now());
    loop {
        let message = match timeout(2 * PING_INTERVAL, stream.next()).await {
            Ok(Some(Ok(message))) => message,
            Ok(Some(Err(error))) => {
                debug!(%error, "WebSocket broke");
                return Ended::ByClient;
            }
            // Silence in spite of pings, or an end without goodbye: dropping the handle lets the session wait.
            Err(_) | Ok(None) => return Ended::ByClient,
        };
        let text = match message {
            Message::Text(text) => text,
            Message::Binary(_) => {
                let refusal =
                    Refusal::new(ErrorCode::BadMessage, "a binary message; this socket speaks JSON text");
                answer(frames, framing.refusal(&refusal)).await;
                continue;
            }
            Message::Close(_) => {
                // A page that is closed says goodbye: nobody will come back for the session.
                if let Some(session) = session.take() {
                    session.end("client_left").await;
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
            answer(frames, framing.refusal(&Refusal::new(ErrorCode::LimitReached, message))).await;
            continue;
        }
        let outcome = match parse(&text) {
            Ok(Parsed::Foreign) => continue,
            Ok(Parsed::Request(request, used)) => {
                if session.as_ref().is_none_or(SessionHandle::is_over) {
                    framing = used;
                    session = None;
                }
                let outbox = Outbox { framing, frames: frames.clone() };
                route(request, &mut session, outbox, sessions).await
            }
            Err(refusal) => Err(refusal),
        };
        if let Err(refusal) = outcome {
            answer(frames, framing.refusal(&refusal)).await;
        }
    }
}

/// Opens and closes sessions; everything else is the session's.
async fn route(
    request: Request,
    session: &mut Option<SessionHandle>,
    outbox: Outbox,
    sessions: &Sessions,
) -> Result<(), Refusal> {
    match (request, session.as_ref()) {
        (Request::Init(init), None) => {
            *session = Some(sessions.init(init, outbox).await?);
        }
        (Request::Init(init), Some(_)) => {
            let message = "this socket has a session; send multistream/close first";
            return Err(Refusal::new(ErrorCode::SessionExists, message).answering(&init.request_id));
        }
        (Request::Close, Some(_)) => {
            if let Some(session) = session.take() {
                session.end("closed").await;
            }
        }
        // Nothing to close is as good as closed; a candidate without a session is the rest of one that ended.
        (Request::Close | Request::Ice(_), None) => {}
        (request, Some(session)) => session.request(request).await,
        (request, None) => {
            let request_id = match &request {
                Request::Offer(offer) => &offer.request_id,
                Request::Switch(switch) => &switch.request_id,
                Request::Layout(layout) => &layout.request_id,
                Request::Pause(pause) => &pause.request_id,
                Request::Resume(resume) => &resume.request_id,
                Request::Keyframe(keyframe) => &keyframe.request_id,
                Request::Warm(warm) => &warm.request_id,
                Request::Init(_) | Request::Ice(_) | Request::Close => "",
            };
            let message = "there is no session on this socket; send multistream/init first";
            return Err(Refusal::new(ErrorCode::NoSession, message).answering(request_id));
        }
    }
    Ok(())
}

/// Waits for room: whoever sends bad messages faster than it reads the answers is slowed down.
async fn answer(frames: &mpsc::Sender<String>, frame: String) {
    let _ = frames.send(frame).await;
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
            frame = frames.recv() => match frame {
                Some(frame) => Message::Text(frame.into()),
                None => break,
            },
            Some(frame) = close.recv() => {
                let _ = timeout(WRITE_TIMEOUT, sink.send(Message::Close(Some(frame)))).await;
                return;
            }
            _ = ping.tick() => Message::Ping(axum::body::Bytes::new()),
        };
        if !matches!(timeout(WRITE_TIMEOUT, sink.send(message)).await, Ok(Ok(()))) {
            return;
        }
    }
    let _ = timeout(WRITE_TIMEOUT, sink.close()).await;
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
