//! Headers that keep a page from doing what it was not written for.

use axum::extract::Request;
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use axum::middleware::Next;
use axum::response::Response;

/// Scripts are the server's own, and WebAssembly; a page talks to servers by WebSocket only where its user points it.
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
    // The one page that is made for the frames of others.
    let framed = request.uri().path().ends_with("/stream.html");
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let policy = if framed { policy!("*") } else { policy!("'self'") };
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // A token in a page's address must not travel further.
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}
