//! The check of a request's origin (RFC 6454): without it, a page of any site could open a WebSocket to a server that its
//! visitor can reach, with the visitor's access.
//!
//! Allowed are the server's own pages and the origins of `api.origin`. On a loopback address, only pages with a loopback host
//! name are its own: another name that resolves to 127.0.0.1 (DNS rebinding) is not. By TLS, only `https` pages are its own: whoever
//! is between a viewer and the server can forge others. Requests without `Origin`, which other programs than browsers send, are
//! allowed.
//!
//! A page of such a name is of the server's origin for its browser, which then sends no `Origin` with what it reads. So a server on
//! loopback that asks for no token or password also refuses requests for a name that is not its own (`Host`). An address cannot be
//! rebound, and is always its own.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use axum::Extension;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, HOST, ORIGIN, VARY,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::ends::Ends;
use super::{error, kept_out};
use crate::config::{ApiConfig, Config};

pub(super) async fn require(
    State(config): State<Arc<Config>>,
    Extension(ConnectInfo(ends)): Extension<ConnectInfo<Ends>>,
    request: Request,
    next: Next,
) -> Response {
    if !is_for_us(&request, &config.api, ends) {
        kept_out::name(request.headers(), &config.api, ends);
        let message = "this server does not answer to the name by which it was reached: open it by its address, or add the page's \
                       origin to `api.origin` in the config";
        return error(StatusCode::FORBIDDEN, message);
    }
    let Some(origin) = request.headers().get(ORIGIN).cloned() else { return next.run(request).await };
    let text = origin.to_str().unwrap_or_default();
    let listed = config.api.origins.iter().any(|allowed| allowed == "*" || allowed == text);
    let reads = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let guarded = !reads || request.uri().path() == "/api/ws";
    if guarded && !listed && !is_own(text, request.headers(), ends) {
        kept_out::origin(request.headers(), &config.api, ends);
        let message = "pages of this origin may not use the server: add it to `api.origin` in the config";
        return error(StatusCode::FORBIDDEN, message);
    }
    // A page that is refused learns from it that this server is there, and that it is not let in.
    let is_public = request.uri().path() == "/healthz";
    let preflight = request.method() == Method::OPTIONS;
    let mut response = next.run(request).await;
    if preflight && listed && !response.status().is_success() {
        response = StatusCode::NO_CONTENT.into_response();
    }
    if listed {
        let headers = response.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.append(VARY, HeaderValue::from_static("origin"));
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("etag, link, location"));
        if preflight {
            let allowed = HeaderValue::from_static("authorization, content-type, if-match");
            headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, allowed);
            let methods = HeaderValue::from_static("GET, HEAD, POST, PATCH, DELETE");
            headers.insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
        }
    } else if is_public {
        response.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    }
    response
}

/// Whether the name by which the request reached this server is one of its own.
fn is_for_us(request: &Request, api: &ApiConfig, ends: Ends) -> bool {
    if api.is_locked() || !ends.on_loopback || request.uri().path() == "/healthz" {
        return true;
    }
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    // Every browser sends one.
    let Some(name) = host.map(without_port) else { return true };
    let of = |origin: &str| without_port(origin.rsplit('/').next().unwrap_or_default()).to_ascii_lowercase();
    let is_address = name.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
    is_address
        || is_loopback(name)
        || api.origins.iter().any(|origin| origin == "*" || of(origin) == name.to_ascii_lowercase())
}

/// The host of an authority (RFC 3986 §3.2); that of an IPv6 address is in brackets.
fn without_port(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => host,
        _ => authority,
    }
}

/// Whether the page came from the host that this request goes to. A plain request may be of an `https` page, since TLS may end at
/// a proxy.
fn is_own(origin: &str, headers: &HeaderMap, ends: Ends) -> bool {
    let plain = origin.strip_prefix("http://").filter(|_| !ends.is_tls);
    let authority = plain.or_else(|| origin.strip_prefix("https://"));
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    match (authority, host) {
        (Some(authority), Some(host)) => {
            authority.eq_ignore_ascii_case(host) && (!ends.on_loopback || is_loopback(host))
        }
        _ => false,
    }
}

fn is_loopback(host: &str) -> bool {
    if let Some((address, _)) = host.strip_prefix('[').and_then(|host| host.split_once(']')) {
        return address.parse::<Ipv6Addr>().is_ok_and(|address| address.is_loopback());
    }
    let name = host.split_once(':').map_or(host, |(name, _)| name);
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}
