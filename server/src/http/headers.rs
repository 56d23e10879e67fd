//! Security headers of the pages.

use axum::extract::Request;
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use axum::middleware::Next;
use axum::response::Response;

/// The content security policy: scripts and WebAssembly of this server only, and a WebSocket to any server, since a page may
/// connect to others.
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

pub(super) async fn add(request: Request, next: Next) -> Response {
    // The only page that other sites may embed.
    let framed = request.uri().path().ends_with("/stream.html");
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let policy = if framed { policy!("*") } else { policy!("'self'") };
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // The page's address may contain a token, which must not be sent as a referrer.
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}
