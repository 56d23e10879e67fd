//! What JavaScript sees of the client: the class `Core`, which the npm package's façade wraps, and what the façade gives it.

use std::rc::Rc;
use std::time::Duration;

use js_sys::Promise;
use multistream_protocol::client::SlotRequest;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;

use crate::browser::driver::Driver;
use crate::browser::facade::{Hooks, Settings};
use crate::browser::{convert, http};
use crate::core::{Client, ClientError, Code, Options, PromiseId, Show, State, http_url};

/// Runs when the module is loaded: a panic tells the console where it was.
#[wasm_bindgen(start)]
#[expect(unreachable_pub, reason = "wasm-bindgen exports it")]
pub fn start() {
    console_error_panic_hook::set_once();
}

/// The client as the façade sees it. Every method may be called at any time, also from within an event.
#[wasm_bindgen]
#[allow(missing_debug_implementations)] // A handle on the browser's objects: there is nothing to print.
pub struct Core(Rc<Driver>);

#[wasm_bindgen]
impl Core {
    #[wasm_bindgen(constructor)]
    pub fn new(settings: JsValue, hooks: Hooks) -> Result<Self, JsValue> {
        let settings: Settings = serde_wasm_bindgen::from_value(settings)?;
        let connection_timeout = Duration::from_millis(u64::from(settings.connection_timeout_ms));
        let options = Options {
            connection_timeout,
            retry_connect: settings.retry_connect,
            keeps_watch: settings.keeps_watch,
        };
        Ok(Self(Driver::new(settings, hooks, Client::new(options))))
    }

    #[expect(clippy::needless_pass_by_value, reason = "JavaScript passes no references to optional texts")]
    pub fn connect(&self, slots: &JsValue, token: Option<String>) -> Promise {
        if let Err(error) = self.0.resolve_url(token.as_deref()) {
            return self.0.rejected(&error);
        }
        self.with_slots(slots, Client::connect)
    }

    /// Goes on with another token, on this connection and on those that follow it.
    pub fn renew(&self, token: String) {
        // The address was understood when the connection was made.
        let _ = self.0.resolve_url(Some(&token));
        self.0.with_core(|client, _| client.renew(token));
    }

    #[wasm_bindgen(js_name = "switchStream")]
    pub fn switch_stream(
        &self,
        slot: f64,
        stream: String,
        quality: Option<String>,
        asked: Option<String>,
    ) -> Promise {
        self.with_slot(slot, |client, now, slot| {
            client.switch(now, Show { told: SlotRequest { slot, stream, quality }, asked })
        })
    }

    #[wasm_bindgen(js_name = "switchMany")]
    pub fn switch_many(&self, slots: &JsValue, atomic: bool) -> Promise {
        self.with_slots(slots, |client, now, slots| client.switch_many(now, slots, atomic))
    }

    pub fn pause(&self, slot: f64, reason: Option<String>) -> Promise {
        self.with_slot(slot, |client, now, slot| client.pause(now, slot, reason))
    }

    pub fn resume(&self, slot: f64) -> Promise {
        self.with_slot(slot, Client::resume)
    }

    #[wasm_bindgen(js_name = "requestKeyframe")]
    pub fn request_keyframe(&self, slot: f64) -> Promise {
        self.with_slot(slot, Client::request_keyframe)
    }

    pub fn warm(&self, stream: String, quality: Option<String>) -> Promise {
        self.0.promise(|client, now| client.warm(now, stream, quality))
    }

    /// What a slot shall show by the last call that was not refused; `undefined` for a slot that there is not.
    pub fn wish(&self, slot: u32) -> JsValue {
        self.0.wish(slot)
    }

    #[wasm_bindgen(js_name = "setPriority")]
    pub fn set_priority(&self, slot: i32, priority: i32) {
        self.0.with_core(|client, _| client.set_priority(slot, priority));
    }

    pub fn disconnect(&self) {
        self.0.with_core(|client, _| client.disconnect());
    }

    /// The network is back, or the tab woke up.
    pub fn wake(&self) {
        self.0.with_core(Client::handle_wake);
    }

    /// What the peer of this attempt has received: see `Hooks::look`.
    pub fn received(&self, attempt: u32, numbers: &[f64]) {
        let received = convert::received(numbers);
        self.0.with_core(|client, now| client.handle_received(now, attempt, &received));
    }

    #[wasm_bindgen(getter)]
    pub fn state(&self) -> String {
        self.0.state().as_str().to_owned()
    }

    #[wasm_bindgen(getter, js_name = "isConnected")]
    pub fn is_connected(&self) -> bool {
        self.0.state() == State::Connected
    }

    #[wasm_bindgen(getter, js_name = "wsState")]
    pub fn ws_state(&self) -> String {
        self.0.socket_state().to_owned()
    }

    #[wasm_bindgen(getter, js_name = "pcState")]
    pub fn pc_state(&self) -> String {
        self.0.peer_state()
    }

    /// The current peer's `RTCRtpReceiver` of a slot, for statistics.
    pub fn receiver(&self, slot: u32) -> JsValue {
        self.0.receiver(slot)
    }
}

impl Core {
    fn with_slot(&self, slot: f64, call: impl FnOnce(&mut Client, Duration, i32) -> PromiseId) -> Promise {
        if let Some(index) = convert::integer(slot) {
            self.0.promise(|client, now| call(client, now, index))
        } else {
            self.no_integer()
        }
    }

    fn no_integer(&self) -> Promise {
        self.0.rejected(&ClientError::new(Code::UnknownSlot, "A slot is an integer, 0 or more.").keeping())
    }

    fn with_slots(
        &self,
        slots: &JsValue,
        call: impl FnOnce(&mut Client, Duration, Vec<Show>) -> PromiseId,
    ) -> Promise {
        match convert::shows(slots) {
            Ok(slots) => self.0.promise(|client, now| call(client, now, slots)),
            Err(error) => self.no_slots(&error),
        }
    }

    fn no_slots(&self, error: &str) -> Promise {
        let message = format!("The slots are not an array of {{ slot, stream, quality? }}: {error}.");
        self.0.rejected(&ClientError::new(Code::InvalidSlots, message).keeping())
    }
}

/// `GET /api/streams` of the server, as the generated type `Streams`; `undefined` when there is no such answer.
#[wasm_bindgen(js_name = "fetchStreams")]
#[expect(unreachable_pub, reason = "wasm-bindgen exports it")]
pub fn fetch_streams(server_url: String, token: Option<String>) -> Promise {
    future_to_promise(async move {
        let streams = http::json(&http_url(&server_url, "/api/streams"), token.as_deref()).await;
        Ok(streams.unwrap_or_default())
    })
}

impl Drop for Core {
    /// The façade forgot the client: nothing may stay open.
    fn drop(&mut self) {
        self.0.with_core(|client, _| client.disconnect());
    }
}
