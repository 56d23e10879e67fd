//! The HTTP requests to the server, over `gloo-net`.

use gloo_net::http::{Request, RequestBuilder, Response};
use js_sys::JSON;
use wasm_bindgen::JsValue;
use web_sys::{AbortSignal, RequestCache, RequestMode};

/// A request without an answer by then is aborted, and the server counts as unreachable.
const TIMEOUT_MS: u32 = 2_000;

/// Whether the server answers. The mode is `no-cors`: only that there is an answer matters, so no origin has to be allowed.
pub(super) async fn is_there(healthz: &str) -> bool {
    get(healthz).mode(RequestMode::NoCors).cache(RequestCache::NoStore).send().await.is_ok()
}

/// The JSON of a successful answer of `url`, `None` otherwise. It is passed on to TypeScript, whose types of the protocol
/// describe it, so the browser's `JSON.parse` reads it.
pub(crate) async fn json(url: &str, token: Option<&str>) -> Option<JsValue> {
    let mut request = get(url);
    if let Some(token) = token {
        request = request.header("authorization", &format!("Bearer {token}"));
    }
    let response = request.send().await.ok().filter(Response::ok)?;
    JSON::parse(&response.text().await.ok()?).ok()
}

fn get(url: &str) -> RequestBuilder {
    Request::get(url).abort_signal(Some(&AbortSignal::timeout_with_u32(TIMEOUT_MS)))
}
