//! Authentication: Basic (RFC 7617) with `api.username` and `api.password`, or a bearer token (RFC 6750).
//!
//! A browser cannot add headers to a WebSocket, so `/api/ws` also accepts `?token=`. With a token only, the pages are not
//! protected: they contain no secrets and could not be opened otherwise, and all their data comes from `/api`. `/metrics`
//! contains stream names and is protected.

use std::time::Instant;

use axum::Extension;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use subtle::ConstantTimeEq;
use tracing::warn;
use url::form_urlencoded;

use super::ends::Ends;
use super::{AppState, error};
use crate::config::ApiConfig;

pub(super) async fn require(
    State(AppState { config, failures, .. }): State<AppState>,
    Extension(ConnectInfo(ends)): Extension<ConnectInfo<Ends>>,
    request: Request,
    next: Next,
) -> Response {
    let api = &config.api;
    let path = request.uri().path();
    let protected = match (&api.password, &api.token) {
        (None, None) => false,
        (Some(_), _) => !matches!(path, "/healthz" | "/readyz"),
        (None, Some(_)) => path == "/api" || path.starts_with("/api/") || path == "/metrics",
    };
    if !protected || is_known(&request, api) {
        return next.run(request).await;
    }
    if offers_credentials(&request) {
        // In the form that `docs/deploy/fail2ban` reads.
        warn!(from = %ends.from, path, "authentication failed");
        tokio::time::sleep(failures.count(ends.from, Instant::now())).await;
    }
    let (challenge, message) = if api.password.is_some() {
        ("Basic realm=\"multistream\", charset=\"UTF-8\"", "this server wants its user and password")
    } else {
        ("Bearer realm=\"multistream\"", "this server wants its token, as \"Authorization: Bearer …\"")
    };
    let mut response = error(StatusCode::UNAUTHORIZED, message);
    response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    response
}

/// Whether a request tries to be let in. One without credentials asks what is wanted.
fn offers_credentials(request: &Request) -> bool {
    let query = request.uri().query().unwrap_or_default();
    request.headers().contains_key(AUTHORIZATION)
        || form_urlencoded::parse(query.as_bytes()).any(|(key, _)| key == "token")
}

fn is_known(request: &Request, api: &ApiConfig) -> bool {
    let header = request.headers().get(AUTHORIZATION).and_then(|value| str::from_utf8(value.as_bytes()).ok());
    let (scheme, credentials) = header.and_then(|value| value.split_once(' ')).unwrap_or_default();
    if let (Some(username), Some(password)) = (&api.username, &api.password)
        && scheme.eq_ignore_ascii_case("basic")
    {
        let given = STANDARD.decode(credentials.trim()).unwrap_or_default();
        return same(&given, format!("{username}:{password}").as_bytes());
    }
    let Some(token) = &api.token else { return false };
    if scheme.eq_ignore_ascii_case("bearer") {
        return same(credentials.trim().as_bytes(), token.as_bytes());
    }
    let query = request.uri().query().filter(|_| request.uri().path() == "/api/ws").unwrap_or_default();
    form_urlencoded::parse(query.as_bytes())
        .any(|(key, given)| key == "token" && same(given.as_bytes(), token.as_bytes()))
}

/// Compares in constant time.
fn same(given: &[u8], expected: &[u8]) -> bool {
    given.ct_eq(expected).into()
}
