//! Authentication: Basic (RFC 7617) with `api.username` and `api.password`, or a bearer token (RFC 6750). What the client may do is
//! the [`Grant`] of its request, which handlers find among the request's extensions.
//!
//! A browser cannot add headers to a WebSocket, so `/api/ws` also accepts `?token=`. With tokens only, the pages are not
//! protected: they contain no secrets and could not be opened otherwise, and all their data comes from `/api`. `/metrics`
//! contains stream names and is protected.

use std::time::{Instant, SystemTime};

use axum::Extension;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use subtle::ConstantTimeEq;
use tracing::warn;
use url::form_urlencoded;

use super::ends::Ends;
use super::{AppState, error};
use crate::access::{Grant, TokenError, Tokens};
use crate::config::{Action, ApiConfig};

pub(super) async fn require(
    State(AppState { config, failures, tokens, .. }): State<AppState>,
    Extension(ConnectInfo(ends)): Extension<ConnectInfo<Ends>>,
    mut request: Request,
    next: Next,
) -> Response {
    // Browsers ask this before a request of a page of another origin, without its credentials. It tells the same of every address.
    if *request.method() == Method::OPTIONS {
        return next.run(request).await;
    }
    let api = &config.api;
    let path = request.uri().path();
    let protected = match (&api.password, api.takes_tokens()) {
        (None, false) => false,
        (Some(_), _) => !matches!(path, "/healthz" | "/readyz"),
        (None, true) => {
            path == "/api" || path.starts_with("/api/") || path.starts_with("/whep/") || path == "/metrics"
        }
    };
    let known = if protected { grant(&request, api, &tokens) } else { Some(Ok(Grant::ALL)) };
    let refusal = match known {
        Some(Ok(grant)) => {
            let wanted = if path == "/metrics" { Action::Metrics } else { Action::View };
            if !grant.may(wanted) {
                return forbidden(wanted);
            }
            request.extensions_mut().insert(grant);
            return next.run(request).await;
        }
        Some(Err(refusal)) => Some(refusal),
        None => None,
    };
    if refusal == Some(TokenError::Invalid) {
        // In the form that `docs/deploy/fail2ban` reads.
        warn!(from = %ends.from, path, "authentication failed");
        tokio::time::sleep(failures.count(ends.from, Instant::now())).await;
    }
    unauthorized(api, refusal.as_ref())
}

/// What the request's credentials grant. `None` if it has none: it asks what is wanted.
fn grant(request: &Request, api: &ApiConfig, tokens: &Tokens) -> Option<Result<Grant, TokenError>> {
    let header = request.headers().get(AUTHORIZATION).map(|value| str::from_utf8(value.as_bytes()));
    if let Some(header) = header {
        let (scheme, credentials) = header.ok().and_then(|value| value.split_once(' ')).unwrap_or_default();
        let credentials = credentials.trim();
        if let (Some(username), Some(password)) = (&api.username, &api.password)
            && scheme.eq_ignore_ascii_case("basic")
        {
            let given = STANDARD.decode(credentials).unwrap_or_default();
            let expected = format!("{username}:{password}");
            // In constant time.
            let is_right: bool = given.ct_eq(expected.as_bytes()).into();
            return Some(if is_right { Ok(Grant::ALL) } else { Err(TokenError::Invalid) });
        }
        if scheme.eq_ignore_ascii_case("bearer") {
            return Some(tokens.grant(credentials, SystemTime::now()));
        }
    }
    let query = request.uri().query().unwrap_or_default();
    let given = form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == "token");
    match given {
        Some((_, token)) if request.uri().path() == "/api/ws" => {
            Some(tokens.grant(&token, SystemTime::now()))
        }
        Some(_) => Some(Err(TokenError::Invalid)),
        None => header.map(|_| Err(TokenError::Invalid)),
    }
}

fn unauthorized(api: &ApiConfig, refusal: Option<&TokenError>) -> Response {
    let (challenge, message) = match refusal {
        Some(refusal @ (TokenError::Expired | TokenError::Claims(_))) => {
            ("Bearer realm=\"multistream\", error=\"invalid_token\"", format!("{refusal}: ask for another one"))
        }
        _ if api.password.is_some() => (
            "Basic realm=\"multistream\", charset=\"UTF-8\"",
            format!(
                "{}: send `api.username` and `api.password` of its config, by HTTP Basic authentication",
                if refusal.is_some() { "this server does not know these credentials" } else { "this server wants its user and password" }
            ),
        ),
        Some(TokenError::Invalid) => (
            "Bearer realm=\"multistream\"",
            "this server does not know the token: compare it with `api.token` and `api.tokens` of its config, or have it signed with \
             one of `api.view_keys`"
                .to_owned(),
        ),
        None => (
            "Bearer realm=\"multistream\"",
            "this server wants its token: send it as \"Authorization: Bearer …\", or as `?token=…` with /api/ws".to_owned(),
        ),
    };
    let mut response = error(StatusCode::UNAUTHORIZED, message);
    response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    response
}

fn forbidden(wanted: Action) -> Response {
    let action = wanted.as_str();
    let message = format!(
        "the token is not for the action \"{action}\": use one whose `actions` have it (`api.tokens`, or a claim of a signed token)"
    );
    let mut response = error(StatusCode::FORBIDDEN, message);
    let challenge = "Bearer realm=\"multistream\", error=\"insufficient_scope\"";
    response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    response
}
