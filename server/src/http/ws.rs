//! `/api/ws`: a WebSocket, with at most one session at a time.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use axum::Extension;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::extract::{ConnectInfo, State};
use axum::http::header::UPGRADE;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use multistream_protocol::server::Error;
use multistream_protocol::{ClientMessage, ErrorCode, Framing, ServerMessage, client, server};
use tokio::sync::{Notify, mpsc};
use tokio::time::timeout;
use tracing::debug;

use super::ends::Ends;
use super::{AppState, error, go2rtc, kept_out};
use crate::access::{Grant, TokenError, Tokens};
use crate::limits::{self, Limit};
use crate::places::Place;
use crate::session::{Outbox, SessionHandle, Sessions, Unread, Viewer, Waiting, unread};

/// The largest message: an offer with 25 m-lines has some 120 kB.
const MAX_MESSAGE_BYTES: usize = 512 * 1024;
/// How much is read of a socket at a time: each socket holds as much.
const READ_BUFFER_BYTES: usize = 16 * 1024;
/// How many messages may come at once, and how many per second after that. Dragging a mouse over the wall sends about 20. A long
/// message counts as several.
const BURST: f64 = 200.0;
const MESSAGES_PER_S: f64 = 50.0;
const BYTES_PER_MESSAGE: f64 = 4096.0;
/// The interval of pings. Each is answered, so no proxy sees a direction idle for 5 s, some of which close a
/// connection that is idle for 10 s.
const PING_INTERVAL: Duration = Duration::from_secs(4);
/// A client that sends nothing for this time, not even answers to pings, is gone.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(40);
/// The close code when the token has expired, or another one was refused: 401 in the range for applications (RFC 6455 §7.4.2).
const UNAUTHORIZED: u16 = 4401;
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long to wait for the client's close frame after the server's.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// `GET /api/ws`.
pub(super) async fn upgrade(
    State(state): State<AppState>,
    Extension(ConnectInfo(ends)): Extension<ConnectInfo<Ends>>,
    Extension(place): Extension<Arc<Place>>,
    Extension(grant): Extension<Grant>,
    uri: Uri,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let Ok(upgrade) = upgrade else {
        kept_out::no_upgrade(&headers, ends, false);
        return not_upgraded();
    };
    let client = Client { from: ends.from, reached: ends.reached(&headers) };
    let access = Access { grant, tokens: state.tokens };
    let source = go2rtc::source(&uri);
    upgrade
        .max_message_size(MAX_MESSAGE_BYTES)
        .max_frame_size(MAX_MESSAGE_BYTES)
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(0)
        .on_upgrade(async move |socket| {
            serve(socket, (client, source), access, state.sessions).await;
            drop(place);
        })
}

/// `POST /api/ws`. A client whose WebSocket did not open asks by POST, since a browser adds its page's origin to that always: with
/// this answer it knows that the server would take its page and token, so that something on the way keeps the upgrade back.
pub(super) async fn no_upgrade(
    Extension(ConnectInfo(ends)): Extension<ConnectInfo<Ends>>,
    headers: HeaderMap,
) -> Response {
    kept_out::no_upgrade(&headers, ends, true);
    not_upgraded()
}

/// The answer to a request for a WebSocket that arrives without what makes it one.
fn not_upgraded() -> Response {
    let message = "this is the address of a WebSocket, and the request is no valid upgrade to one: let a proxy on the way pass the \
                   headers Upgrade and Connection on (docs/network.md)";
    // A 426 names what it wants (RFC 9110 §15.5.22).
    ([(UPGRADE, "websocket")], error(StatusCode::UPGRADE_REQUIRED, message)).into_response()
}

/// Serves a socket until either side closes it.
async fn serve(
    socket: WebSocket,
    (client, source): (Client, Option<String>),
    access: Access,
    sessions: Arc<Sessions>,
) {
    let (sink, stream) = socket.split();
    let (frames, queue) = unread();
    let (closing, close) = mpsc::channel(1);
    let writer = tokio::spawn(write(sink, queue, close));
    let mut connection = Connection {
        stream,
        frames,
        overflow: Arc::default(),
        framing: Framing::default(),
        client,
        source,
        access,
    };
    let overflow = connection.overflow.clone();
    let ended = tokio::select! {
        ended = connection.read(&sessions) => ended,
        () = overflow.notified() => Ended::ByServer(CloseFrame {
            code: close_code::AGAIN,
            reason: "too many messages wait to be read".into(),
        }),
    };
    if let Ended::ByServer(frame) = ended {
        let _ = closing.send(frame).await;
        // Incoming data is read and discarded until the client has answered the close frame: closing a socket with unread data
        // resets the connection, and the reason would be lost.
        let _ =
            timeout(CLOSE_TIMEOUT, async { while let Some(Ok(_)) = connection.stream.next().await {} }).await;
    }
    // The session may keep the other end of the queue, so the writer ends when `closing` is dropped.
    drop((connection, closing));
    let _ = writer.await;
}

/// How reading ended.
enum Ended {
    /// The client closed the socket, or the connection broke.
    ByClient,
    ByServer(CloseFrame),
}

/// Where the client of a socket is.
#[derive(Debug, Clone, Copy)]
struct Client {
    /// The address that it comes from, or its proxy's.
    from: IpAddr,
    /// The address of this machine to which it is connected.
    reached: Option<IpAddr>,
}

/// What the client of a socket may do.
#[derive(Debug)]
struct Access {
    grant: Grant,
    /// Knows the token that it may send in place of the first.
    tokens: Arc<Tokens>,
}

/// The reading half of a socket, and the queue of its answers.
struct Connection {
    stream: SplitStream<WebSocket>,
    frames: Unread,
    overflow: Arc<Notify>,
    /// The framing of the session's `init`.
    framing: Framing,
    client: Client,
    /// The stream of `?src=`, for messages of go2rtc.
    source: Option<String>,
    access: Access,
}

impl Connection {
    async fn read(&mut self, sessions: &Sessions) -> Ended {
        let mut session: Option<SessionHandle> = None;
        let mut rate = Rate::new(Instant::now());
        loop {
            let message = match timeout(SILENCE_TIMEOUT, self.stream.next()).await {
                Ok(Some(Ok(message))) => message,
                Ok(Some(Err(error))) if is_too_long(&error) => {
                    limits::hit(Limit::MessageSize);
                    let reason = format!("a message of more than {MAX_MESSAGE_BYTES} bytes");
                    return Ended::ByServer(CloseFrame { code: close_code::SIZE, reason: reason.into() });
                }
                Ok(Some(Err(error))) => {
                    debug!(%error, "WebSocket broke");
                    return Ended::ByClient;
                }
                // No answer to pings, or an end without a close frame: the session can be resumed on another socket.
                Err(_) | Ok(None) => return Ended::ByClient,
            };
            // Whatever it is, it took time to read, and a ping is answered.
            if !rate.take(Instant::now(), len(&message)) {
                limits::hit(Limit::MessageRate);
                let reason = format!("more than {MESSAGES_PER_S} messages per second");
                return Ended::ByServer(CloseFrame { code: close_code::POLICY, reason: reason.into() });
            }
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
                        session.leave().await;
                    }
                    return Ended::ByClient;
                }
                Message::Ping(_) | Message::Pong(_) => continue,
            };
            let outcome = match ClientMessage::from_text(&text) {
                Ok(None) => {
                    if self.access.grant.is_expired(SystemTime::now()) {
                        return self.expire("", session.take()).await;
                    }
                    self.answer_foreign(&text, sessions).await;
                    continue;
                }
                Ok(Some((message, framing))) => {
                    if self.has_expired(&message) {
                        let request_id = message.request_id().unwrap_or_default();
                        return self.expire(request_id, session.take()).await;
                    }
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

    /// Handles `init` and `close`; passes every other message to the session.
    async fn route(
        &mut self,
        message: ClientMessage,
        session: &mut Option<SessionHandle>,
        sessions: &Sessions,
    ) -> Result<(), Error> {
        match (message, session.as_ref()) {
            (ClientMessage::Init(init), None) => {
                let grant = self.access.grant.clone();
                let outbox = Outbox::new(self.framing, self.frames.clone(), self.overflow.clone(), grant)
                    .for_client(self.client.from, self.client.reached);
                *session = Some(sessions.init(init, outbox).await?);
            }
            (ClientMessage::Init(init), Some(_)) => {
                let message = "this socket has a session; send multistream/close first";
                return Err(Error::new(ErrorCode::SessionExists, message).answering(&init.request_id));
            }
            (ClientMessage::Token(token), _) => self.renew(&token, session.as_ref()).await?,
            (ClientMessage::Close(_), Some(_)) => {
                if let Some(session) = session.take() {
                    session.close().await;
                }
            }
            // `close` without a session has nothing to do, and a candidate without a session belongs to one that has ended.
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

    /// Answers a message of another protocol.
    async fn answer_foreign(&self, text: &str, sessions: &Sessions) {
        let Client { from, reached } = self.client;
        let viewer = Viewer { grant: self.access.grant.clone(), from, reached };
        if let Some(answer) = go2rtc::answer(text, self.source.as_deref(), viewer, sessions).await {
            self.frames.send(answer).await;
        }
    }

    /// Whether this message comes after the end of the client's token. It may bring another one.
    fn has_expired(&self, message: &ClientMessage) -> bool {
        let is_late = self.access.grant.is_expired(SystemTime::now());
        is_late && !matches!(message, ClientMessage::Token(_) | ClientMessage::Close(_))
    }

    /// Ends the session of a client whose token has expired.
    async fn expire(&self, request_id: &str, session: Option<SessionHandle>) -> Ended {
        let sentence =
            "the token has expired: connect with another one, or send it in multistream/token before that";
        let refusal = Error::new(ErrorCode::TokenExpired, sentence);
        self.refuse(refusal.answering(request_id)).await;
        if let Some(session) = session {
            session.leave().await;
        }
        Ended::ByServer(CloseFrame { code: UNAUTHORIZED, reason: "the token has expired".into() })
    }

    /// Goes on with another token.
    async fn renew(&mut self, token: &client::Token, session: Option<&SessionHandle>) -> Result<(), Error> {
        let now = SystemTime::now();
        let grant = self.access.tokens.grant(&token.token, now).map_err(|error| {
            let code = match error {
                TokenError::Expired => ErrorCode::TokenExpired,
                TokenError::Invalid | TokenError::Claims(_) => ErrorCode::TokenInvalid,
            };
            Error::new(code, error.to_string()).answering(&token.request_id)
        })?;
        let valid_s = grant.valid_for(now).map(|time| u32::try_from(time.as_secs()).unwrap_or(u32::MAX));
        self.access.grant = grant.clone();
        if let Some(session) = session {
            session.grant(grant).await;
        }
        let renewed = server::Token { request_id: token.request_id.clone(), valid_s };
        self.frames.send(ServerMessage::from(renewed).to_text(self.framing)).await;
        Ok(())
    }

    /// Sends an error. It waits while the queue is full, which slows down a client that sends bad messages faster than it reads
    /// the answers.
    async fn refuse(&self, refusal: Error) {
        self.frames.send(ServerMessage::from(refusal).to_text(self.framing)).await;
    }
}

/// Whether a message was longer than is read.
fn is_too_long(error: &axum::Error) -> bool {
    error.to_string().contains("Message too long")
}

/// The bytes of a message.
fn len(message: &Message) -> usize {
    match message {
        Message::Text(text) => text.len(),
        Message::Binary(bytes) | Message::Ping(bytes) | Message::Pong(bytes) => bytes.len(),
        Message::Close(_) => 0,
    }
}

/// Whether the client left on purpose (RFC 6455 §7.4.1: normal closure, going away). Any other code is a fault of the
/// connection, such as a restarted proxy, and the session can be resumed.
fn is_goodbye(frame: &CloseFrame) -> bool {
    matches!(frame.code, close_code::NORMAL | close_code::AWAY)
}

async fn write(
    mut sink: SplitSink<WebSocket, Message>,
    mut frames: mpsc::Receiver<Waiting>,
    mut close: mpsc::Receiver<CloseFrame>,
) {
    let mut ping = tokio::time::interval(PING_INTERVAL);
    ping.reset();
    loop {
        // Its share of the queue's room is free when the socket has taken it.
        let mut waiting = None;
        let message = tokio::select! {
            biased;
            Some(mut frame) = frames.recv() => {
                let text = std::mem::take(&mut frame.text);
                waiting = Some(frame);
                Message::Text(text.into())
            }
            frame = close.recv() => {
                // Without a frame the client has closed the socket or is gone; `close` answers its close frame.
                let _ = match frame {
                    Some(frame) => timeout(WRITE_TIMEOUT, sink.send(Message::Close(Some(frame)))).await,
                    None => timeout(WRITE_TIMEOUT, sink.close()).await,
                };
                return;
            }
            _ = ping.tick() => Message::Ping(axum::body::Bytes::new()),
        };
        match timeout(WRITE_TIMEOUT, sink.send(message)).await {
            Ok(Ok(())) => drop(waiting),
            // Nothing is sent after the client's close frame but the answer to it, which may wait here.
            Ok(Err(_)) => {
                let _ = timeout(WRITE_TIMEOUT, sink.close()).await;
                return;
            }
            Err(_) => return,
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

    /// Whether a message of this many bytes is allowed now.
    fn take(&mut self, now: Instant, bytes: usize) -> bool {
        let elapsed = now.saturating_duration_since(self.at).as_secs_f64();
        self.tokens = (self.tokens + elapsed * MESSAGES_PER_S).min(BURST);
        self.at = now;
        let cost = (bytes as f64 / BYTES_PER_MESSAGE).max(1.0);
        if self.tokens < cost {
            return false;
        }
        self.tokens -= cost;
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
        assert!((0..200).all(|_| rate.take(start, 10)));
        assert!(!rate.take(start, 10));
        assert!(rate.take(start + Duration::from_millis(100), 10));
    }

    #[test]
    fn the_longest_message_passes_and_a_second_one_has_to_wait() {
        let start = Instant::now();
        let mut rate = Rate::new(start);
        assert!(rate.take(start, MAX_MESSAGE_BYTES));
        assert!(!rate.take(start, MAX_MESSAGE_BYTES));
        assert!(rate.take(start + Duration::from_secs(4), MAX_MESSAGE_BYTES));
    }
}
