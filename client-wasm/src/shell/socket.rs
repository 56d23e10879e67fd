//! One WebSocket of one attempt: frames in order, both ways. (`gloo-net` needs std: see `runtime.rs`.)

use std::cell::Cell;
use std::rc::{Rc, Weak};

use wasm_bindgen::prelude::*;
use web_sys::{CloseEvent, MessageEvent, WebSocket};

use super::driver::Driver;
use super::values;
use crate::core::Attempt;

/// Dropping it sends what is queued, then closes.
pub(super) struct Socket {
    attempt: Attempt,
    ws: WebSocket,
    _on_open: Closure<dyn Fn()>,
    _on_message: Closure<dyn Fn(MessageEvent)>,
    _on_close: Closure<dyn Fn(CloseEvent)>,
}

impl Socket {
    pub(super) fn open(url: &str, attempt: Attempt, driver: Weak<Driver>) -> Result<Self, String> {
        let ws = WebSocket::new(url).map_err(|error| values::describe(&error))?;
        let on_open = {
            let driver = driver.clone();
            Closure::new(move || {
                if let Some(driver) = driver.upgrade() {
                    driver.with_core(|client, _| client.handle_socket_open(attempt));
                }
            })
        };
        let heard = Rc::new(Cell::new(false));
        let on_message = {
            let (driver, heard) = (driver.clone(), Rc::clone(&heard));
            Closure::new(move |event: MessageEvent| {
                let Some(driver) = driver.upgrade() else { return };
                heard.set(true);
                match event.data().as_string() {
                    Some(text) => driver.handle_frame(attempt, &text),
                    None => {
                        driver.with_core(|client, _| client.handle_bad_message(attempt, "a binary frame"));
                    }
                }
            })
        };
        // After an error the browser says `close` too, and no more than there.
        let on_close = Closure::new(move |event: CloseEvent| {
            if let Some(driver) = driver.upgrade() {
                let reason = reason(&event, heard.get());
                driver.with_core(|client, _| client.handle_socket_closed(attempt, reason));
            }
        });
        ws.set_onopen(Some(on_open.as_ref().unchecked_ref()));
        ws.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        ws.set_onclose(Some(on_close.as_ref().unchecked_ref()));
        Ok(Self { attempt, ws, _on_open: on_open, _on_message: on_message, _on_close: on_close })
    }

    pub(super) fn attempt(&self) -> Attempt {
        self.attempt
    }

    pub(super) fn send(&self, text: &str) {
        // It throws only before the socket is open, when the core sends nothing; a closed one says so by its event.
        let _ = self.ws.send_with_str(text);
    }

    pub(super) fn state(&self) -> &'static str {
        match self.ws.ready_state() {
            WebSocket::CONNECTING => "connecting",
            WebSocket::OPEN => "open",
            WebSocket::CLOSING => "closing",
            _ => "closed",
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.ws.set_onopen(None);
        self.ws.set_onmessage(None);
        self.ws.set_onclose(None);
        let _ = self.ws.close();
    }
}

/// A browser does not say whether nobody was there or the page was refused (RFC 6455 §7.1.5).
fn reason(event: &CloseEvent, heard: bool) -> String {
    const ABNORMAL: u16 = 1006;
    let said = event.reason();
    if event.code() == ABNORMAL && !heard {
        "The WebSocket could not be opened: is the server there, and this page's origin in its `api.origin`?"
            .to_owned()
    } else if said.is_empty() {
        format!("The WebSocket was closed (code {}).", event.code())
    } else {
        format!("The server closed the WebSocket: {said}.")
    }
}
