//! What the log says of clients that are kept out by the setup: a page of another origin, a name that is not the server's, a proxy
//! that does not pass the upgrade of a WebSocket on. The browser tells its user little of that, so whoever runs the server has to
//! find here where the client is and what to change.

use axum::http::header::{FORWARDED, HOST, ORIGIN, VIA};
use axum::http::{HeaderMap, HeaderName};
use tracing::warn;
use url::Url;

use super::ends::Ends;
use crate::config::ApiConfig;
use crate::warnings::{self, Cause};

/// How much of a header is logged.
const LONGEST: usize = 200;

/// A page of another origin was refused.
pub(super) fn origin(headers: &HeaderMap, api: &ApiConfig, ends: Ends) {
    let (origin, host) = (text(headers, &ORIGIN), text(headers, &HOST));
    if !warnings::is_due(Cause::Origin, &origin) {
        return;
    }
    let change = match line(api, &origin) {
        Some(line) => format!("if it is yours, write under `api:` in the config: {line}"),
        None => "only `api.origin: \"*\"` in the config would let it in: it is a file, or in a frame without an origin".to_owned(),
    };
    // On loopback no name but those of loopback is the server's own, whatever the proxy passes on.
    let proxy = if !ends.on_loopback && is_of_another_host(&origin, &host) {
        "; if it is this server's behind a proxy, let the proxy pass the header Host on"
    } else {
        ""
    };
    warn!(from = %ends.from, origin, host, "a page of this origin was refused; {change}{proxy} (docs/network.md)");
}

/// A request was refused as it was for a name that is not the server's.
pub(super) fn name(headers: &HeaderMap, api: &ApiConfig, ends: Ends) {
    let host = text(headers, &HOST);
    if !warnings::is_due(Cause::Name, &host) {
        return;
    }
    let is_secure = ends.is_tls || text(headers, &HeaderName::from_static("x-forwarded-proto")) == "https";
    let page = format!("{}://{host}", if is_secure { "https" } else { "http" });
    let change = line(api, &page)
        .map(|line| format!("; if it is yours, write under `api:` in the config: {line}"))
        .unwrap_or_default();
    warn!(
        from = %ends.from, host,
        "a request was refused: a server on loopback without a token or password answers to no such name{change} (docs/network.md)"
    );
}

/// A request for a WebSocket came without an upgrade. `is_question`: a client asks why its WebSocket did not open.
pub(super) fn no_upgrade(headers: &HeaderMap, ends: Ends, is_question: bool) {
    // A proxy passes the key on. Without it, somebody has opened the address as a page.
    let is_of_a_client = is_question || headers.contains_key("sec-websocket-key");
    if !is_of_a_client || !warnings::is_due(Cause::NoUpgrade, &ends.from.to_string()) {
        return;
    }
    let (origin, host) = (text(headers, &ORIGIN), text(headers, &HOST));
    let by = [FORWARDED, VIA, HeaderName::from_static("x-forwarded-for")]
        .iter()
        .any(|it| headers.contains_key(it));
    let who = if by { "the proxy there" } else { "what is between" };
    warn!(
        from = %ends.from, origin, host,
        "a client's WebSocket did not open: {who} does not pass the headers Upgrade and Connection on; for nginx: \
         proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade; (docs/network.md)"
    );
}

/// The line of the config that lets an origin in, beside those that there are. `None` for what no line can name.
fn line(api: &ApiConfig, origin: &str) -> Option<String> {
    let url = Url::parse(origin).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    let origin = url.origin().ascii_serialization();
    let all = api.origins.iter().map(String::as_str).chain([origin.as_str()]);
    let all: Vec<String> = all.map(|origin| format!("\"{origin}\"")).collect();
    Some(format!("origin: [{}]", all.join(", ")))
}

fn is_of_another_host(origin: &str, host: &str) -> bool {
    !origin.split_once("://").is_some_and(|(_, authority)| authority.eq_ignore_ascii_case(host))
}

/// A header's value as far as it is printable, since whoever sends it is a stranger.
fn text(headers: &HeaderMap, name: &HeaderName) -> String {
    let value = headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.chars().take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_for_the_config_keeps_the_origins_that_there_are() {
        let known = ApiConfig { origins: vec!["https://a.example".to_owned()], ..ApiConfig::default() };
        let of = |api: &ApiConfig, origin| line(api, origin);
        assert_eq!(
            of(&ApiConfig::default(), "http://b.example:8080").as_deref(),
            Some("origin: [\"http://b.example:8080\"]")
        );
        assert_eq!(
            of(&known, "https://b.example").as_deref(),
            Some("origin: [\"https://a.example\", \"https://b.example\"]")
        );
        for no_origin in ["null", "", "https://", "ftp://b.example", "https://b\"], token: [\""] {
            assert_eq!(of(&known, no_origin), None, "{no_origin}");
        }
    }

    #[test]
    fn what_strangers_send_is_cut() {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, "x".repeat(5000).parse().expect("a value"));
        assert_eq!(text(&headers, &HOST).len(), LONGEST);
    }
}
