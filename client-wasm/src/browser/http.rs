//! What is asked of the server over HTTP, by `gloo-net`.

use gloo_net::http::{Request, RequestBuilder, Response};
use js_sys::JSON;
use wasm_bindgen::JsValue;
use web_sys::{AbortSignal, RequestCache, RequestMode};

/// A server that does not answer by then is taken for one that is away.
const TIMEOUT_MS: u32 = 2_000;

/// Whether the server answers. `no-cors`: that there is an answer is all there is to know, so no origin has to be allowed.
pub(super) async fn is_there(healthz: &str) -> bool {
    get(healthz).mode(RequestMode::NoCors).cache(RequestCache::NoStore).send().await.is_ok()
}

/// The JSON that `url` answers with; `None` when there is no such answer. It is for TypeScript, which has the type of it from
/// the protocol, so the browser's own reader of JSON is used.
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
