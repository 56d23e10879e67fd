//! One WebSocket of one attempt: frames in order, both ways.

use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::{Rc, Weak};

use futures_channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use futures_util::stream::{SplitSink, SplitStream, StreamExt};
use futures_util::{Sink, SinkExt};
use gloo_net::websocket::futures::WebSocket;
use gloo_net::websocket::{Message, WebSocketError};
use wasm_bindgen_futures::spawn_local;

use super::driver::Driver;
use crate::core::Attempt;

/// Dropping it sends what is queued, then closes.
pub(super) struct Socket {
    attempt: Attempt,
    outgoing: UnboundedSender<String>,
    state: Rc<RefCell<&'static str>>,
}

impl Socket {
    pub(super) fn open(url: &str, attempt: Attempt, driver: Weak<Driver>) -> Result<Self, String> {
        let socket = WebSocket::open(url).map_err(|error| error.message)?;
        let (sink, stream) = socket.split();
        let (outgoing, queue) = unbounded();
        let state = Rc::new(RefCell::new("connecting"));
        spawn_local(write(sink, queue, attempt, driver.clone(), Rc::clone(&state)));
        spawn_local(read(stream, attempt, driver, Rc::clone(&state)));
        Ok(Self { attempt, outgoing, state })
    }

    pub(super) fn attempt(&self) -> Attempt {
        self.attempt
    }

    pub(super) fn send(&self, text: String) {
        // A closed queue means a closed socket, which `read` reports.
        let _ = self.outgoing.unbounded_send(text);
    }

    pub(super) fn state(&self) -> &'static str {
        *self.state.borrow()
    }
}

async fn write(
    mut sink: SplitSink<WebSocket, Message>,
    mut queue: UnboundedReceiver<String>,
    attempt: Attempt,
    driver: Weak<Driver>,
    state: Rc<RefCell<&'static str>>,
) {
    let mut sink = std::pin::Pin::new(&mut sink);
    if poll_fn(|context| sink.as_mut().poll_ready(context)).await.is_ok() {
        state.replace("open");
        if let Some(driver) = driver.upgrade() {
            driver.with_core(|client, _| client.handle_socket_open(attempt));
        }
        while let Some(text) = queue.next().await {
            if sink.send(Message::Text(text)).await.is_err() {
                break;
            }
        }
    }
    let _ = sink.close().await;
}

async fn read(
    mut stream: SplitStream<WebSocket>,
    attempt: Attempt,
    driver: Weak<Driver>,
    state: Rc<RefCell<&'static str>>,
) {
    let mut reason = None;
    let mut heard = false;
    while let Some(frame) = stream.next().await {
        let Some(driver) = driver.upgrade() else { return };
        match frame {
            Ok(Message::Text(text)) => {
                heard = true;
                driver.handle_frame(attempt, &text);
            }
            Ok(Message::Bytes(_)) => {
                driver.with_core(|client, _| client.handle_bad_message(attempt, "a binary frame"));
            }
            // A browser does not say whether nobody was there or the page was refused (RFC 6455 §7.1.5).
            Err(WebSocketError::ConnectionClose(close)) if close.code == 1006 && !heard => {}
            Err(WebSocketError::ConnectionClose(close)) => {
                reason = Some(if close.reason.is_empty() {
                    format!("The WebSocket was closed (code {}).", close.code)
                } else {
                    format!("The server closed the WebSocket: {}.", close.reason)
                });
            }
            // The browser says no more than that; a close event follows.
            Err(_) => {}
        }
    }
    state.replace("closed");
    if let Some(driver) = driver.upgrade() {
        let reason = reason.unwrap_or_else(|| {
            "The WebSocket could not be opened: is the server there, and this page's origin in its `api.origin`?"
                .to_owned()
        });
        driver.with_core(|client, _| client.handle_socket_closed(attempt, reason));
    }
}
