//! What the façade of the npm package gives the client: its settings, and functions to call.

use js_sys::{Map, Promise};
use serde::Deserialize;
use wasm_bindgen::prelude::*;
use web_sys::RtcPeerConnection;

#[wasm_bindgen]
extern "C" {
    /// What the façade gives: how to tell the app, and what only JavaScript can make.
    pub type Hooks;

    #[wasm_bindgen(method, catch)]
    pub(crate) fn event(this: &Hooks, event: &JsValue) -> Result<(), JsValue>;

    #[wasm_bindgen(method, catch, js_name = "error")]
    pub(crate) fn make_error(
        this: &Hooks,
        code: &str,
        message: &str,
        slot: Option<u32>,
        kept: bool,
    ) -> Result<JsValue, JsValue>;

    /// Reads what this connection has received, and passes it to `received` of the client with the attempt.
    #[wasm_bindgen(method, catch)]
    pub(crate) fn look(
        this: &Hooks,
        attempt: u32,
        pc: &RtcPeerConnection,
        tracks: &Map,
    ) -> Result<(), JsValue>;

    /// Why a WebSocket at this address did not open: a promise of a code, a space and a sentence for people.
    #[wasm_bindgen(method)]
    pub(crate) fn refusal(this: &Hooks, socket_url: &str) -> Promise;

    /// Milliseconds until the next try, or nothing to give up.
    #[wasm_bindgen(method, catch, js_name = "reconnectDelay")]
    pub(crate) fn reconnect_delay(
        this: &Hooks,
        retry: u32,
        reason: &str,
        default_ms: f64,
    ) -> Result<Option<f64>, JsValue>;
}

/// What the façade says about the server and the connection.
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Settings {
    pub(crate) server_url: String,
    /// An `RTCConfiguration` or `undefined`.
    #[serde(with = "serde_wasm_bindgen::preserve", default)]
    pub(crate) pc_config: JsValue,
    pub(crate) connection_timeout_ms: u32,
    pub(crate) retry_connect: bool,
    /// Make a connection again on which nothing arrives.
    pub(crate) keeps_watch: bool,
    /// While reconnecting, ask the server whether it listens again instead of sitting out the pause.
    pub(crate) knock: bool,
    pub(crate) debug: bool,
}
