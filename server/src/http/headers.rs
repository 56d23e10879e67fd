//! Security headers of the pages.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use axum::middleware::Next;
use axum::response::Response;

/// The content security policy: scripts and WebAssembly of this server only, and a WebSocket to any server, since
/// a page may connect to others.
macro_rules! policy {
    ($ancestors:literal) => {
        concat!(
            "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; ",
            "img-src 'self' data: blob:; media-src 'self' blob: mediastream:; connect-src 'self' ws: wss:; ",
            "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors ",
            $ancestors
        )
    };
}

/// The policies of the pages: who may show them in a frame differs.
#[derive(Clone)]
pub(super) struct Policies {
    wall: HeaderValue,
}

impl Policies {
    /// The wall may be framed by its own origin and by `origins`, those of `api.origin`.
    pub(super) fn new(origins: &[String]) -> Arc<Self> {
        let mut text = String::from(policy!("'self'"));
        for origin in origins.iter().filter(|origin| is_source(origin)) {
            text.push(' ');
            text.push_str(origin);
        }
        let own = HeaderValue::from_static(policy!("'self'"));
        Arc::new(Self { wall: HeaderValue::from_str(&text).unwrap_or(own) })
    }
}

/// Whether an origin can stand in a policy, where some characters that a host may have end a source or a directive.
fn is_source(origin: &str) -> bool {
    origin.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b';' | b',' | b'\'' | b'"'))
}

pub(super) async fn add(State(policies): State<Arc<Policies>>, request: Request, next: Next) -> Response {
    // The only page that all other sites may embed.
    let framed = request.uri().path().ends_with("/stream.html");
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let policy = if framed { HeaderValue::from_static(policy!("*")) } else { policies.wall.clone() };
    headers.insert(CONTENT_SECURITY_POLICY, policy);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // The page's address may contain a token, which must not be sent as a referrer.
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}
