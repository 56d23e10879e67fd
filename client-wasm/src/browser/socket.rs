//! One WebSocket of one attempt, over `gloo-net`: text frames in order, both ways.

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll};

use futures_util::{Sink, Stream};
use gloo_net::websocket::futures::WebSocket;
use gloo_net::websocket::{Message, State, WebSocketError};
use wasm_bindgen_futures::spawn_local;

use crate::core::Attempt;

/// What a socket reports. Nothing comes after `Closed` or `Refused`, nor after the socket was dropped.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum SocketEvent {
    Open,
    Text(String),
    /// A binary frame, which the protocol does not have.
    Binary,
    /// The socket is closed. The text is a sentence for people that says why.
    Closed(String),
    /// The socket did not open. A browser does not say why.
    Refused,
}

/// Dropping it sends the queued frames, then closes the WebSocket without a code. After such a close the server keeps the
/// session so that it can be resumed; a session that is to end is ended by `multistream/close`.
pub(super) struct Socket {
    attempt: Attempt,
    /// The reading task holds a weak reference, so that it ends when this is dropped.
    ws: Rc<RefCell<WebSocket>>,
}

impl Socket {
    /// `None` where the browser throws: an address without TLS in a page with it, or in Firefox one that a Content-Security-Policy
    /// forbids. `gloo-net` would panic at what Firefox throws, which is no `Error`.
    pub(super) fn open(url: &str, attempt: Attempt, on: impl Fn(SocketEvent) + 'static) -> Option<Self> {
        let ws = WebSocket::try_from(web_sys::WebSocket::new(url).ok()?).ok()?;
        let ws = Rc::new(RefCell::new(ws));
        spawn_local(listen(Rc::downgrade(&ws), on));
        Some(Self { attempt, ws })
    }

    pub(super) fn attempt(&self) -> Attempt {
        self.attempt
    }

    /// Sends a frame. A browser accepts a frame on a closing socket and drops it without an error; `Closed` follows, and the
    /// core sends again on the next socket what has no answer.
    pub(super) fn send(&self, text: String) {
        let mut ws = self.ws.borrow_mut();
        if matches!(ws.state(), State::Open) {
            let _ = Pin::new(&mut *ws).start_send(Message::Text(text));
        }
    }

    pub(super) fn state(&self) -> &'static str {
        match self.ws.borrow().state() {
            State::Connecting => "connecting",
            State::Open => "open",
            State::Closing => "closing",
            State::Closed => "closed",
        }
    }
}

/// What a socket does next.
enum Step {
    Opened,
    Read(Option<Result<Message, WebSocketError>>),
}

/// Reports the socket's events until it is closed or dropped. The receive queue behind it is unbounded, so each frame is taken
/// out as it arrives. The borrow ends before the callback runs, for the callback may send on the socket or drop it.
async fn listen(ws: Weak<RefCell<WebSocket>>, on: impl Fn(SocketEvent)) {
    let mut opened = false;
    loop {
        let step = poll_socket(&ws, |mut ws, context| {
            if !opened
                && Pin::new(&mut *ws).poll_ready(context).is_ready()
                && matches!(ws.state(), State::Open)
            {
                return Poll::Ready(Step::Opened);
            }
            Pin::new(&mut *ws).poll_next(context).map(Step::Read)
        });
        match step.await {
            Some(Step::Opened) => {
                opened = true;
                on(SocketEvent::Open);
            }
            Some(Step::Read(Some(Ok(message)))) => {
                on(match message {
                    Message::Text(text) => SocketEvent::Text(text),
                    Message::Bytes(_) => SocketEvent::Binary,
                });
            }
            Some(Step::Read(Some(Err(WebSocketError::ConnectionClose(close))))) => {
                return on(if opened {
                    SocketEvent::Closed(reason(close.code, &close.reason))
                } else {
                    SocketEvent::Refused
                });
            }
            // An `error` carries no details. `close` follows, but not where a Content-Security-Policy forbids the address.
            Some(Step::Read(Some(Err(_)))) if !opened => return on(SocketEvent::Refused),
            Some(Step::Read(Some(Err(_)))) => {}
            Some(Step::Read(None)) | None => return,
        }
    }
}

/// Polls the socket; `None` once it was dropped.
async fn poll_socket<T>(
    ws: &Weak<RefCell<WebSocket>>,
    mut poll: impl FnMut(std::cell::RefMut<'_, WebSocket>, &mut Context<'_>) -> Poll<T>,
) -> Option<T> {
    poll_fn(|context| match ws.upgrade() {
        Some(ws) => poll(ws.borrow_mut(), context).map(Some),
        None => Poll::Ready(None),
    })
    .await
}

fn reason(code: u16, said: &str) -> String {
    if said.is_empty() {
        format!("The WebSocket was closed (code {code}).")
    } else {
        format!("The server closed the WebSocket: {said}.")
    }
}
