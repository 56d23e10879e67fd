//! The section `api:`: the listen addresses, authentication and allowed origins.

use std::net::SocketAddr;

use super::{access, tls};
use crate::config::ApiConfig;
use crate::config::problem::{Report, quoted};
use crate::config::reader::{Field, Section};
use crate::config::value::{LISTEN, listen};

const FOREIGN: &[(&str, &str)] = &[
    ("allow_paths", "every path asks for the same token or password"),
    ("local_auth", "a password, once set, is asked of everybody"),
    ("read_only", "nothing can be changed over HTTP"),
    ("static_dir", "the pages are part of the program"),
    ("unix_listen", "listen on 127.0.0.1 and let the proxy connect there"),
];

pub(super) fn read(mut section: Section<'_>, report: &mut Report) -> ApiConfig {
    let mut api = ApiConfig::default();
    let listen_field = section.field_or_empty("listen", report);
    let tls_field = section.field_or_empty("tls_listen", report);
    api.tls = tls::read(&mut section, tls_field.as_ref(), report);
    match &listen_field {
        Some(off) if off.is_empty_text() => {
            api.listen = None;
            if tls_field.as_ref().is_none_or(Field::is_empty_text) {
                off.error(report, "expected an address here or in api.tls_listen: nothing would be served");
            }
        }
        Some(field) => {
            api.listen = field.parse(report, LISTEN, listen).or(api.listen);
        }
        None => {}
    }
    let username = section.field("username", report);
    let password = section.field("password", report);
    api.username = non_empty(username.as_ref(), report);
    api.password = non_empty(password.as_ref(), report);
    // An empty token is no default: whoever writes one wants a lock, and a variable that is not set would take it away.
    let token = section.field_or_empty("token", report);
    api.token = non_empty(token.as_ref(), report);
    if let (Some(field), Some(text)) = (&token, &api.token)
        && text.chars().count() < SAFE_TOKEN
    {
        let message =
            format!("fewer than {SAFE_TOKEN} characters can be guessed: make one by `openssl rand -hex 16`");
        field.warning(report, message);
    }
    api.tokens = access::tokens(&mut section, report);
    api.view_keys = access::view_keys(&mut section, report);
    if let Some(field) = section.field("auth", report) {
        api.auth_none = field
            .parse(report, "none (or leave the key out)", |text| (text == "none").then_some(true))
            .is_some();
        if api.auth_none && api.is_locked() {
            field.error(report, "expected either none or a password or token, not both");
        }
    }
    match (&username, &password) {
        (Some(field), None) if api.username.is_some() => {
            field.error(report, "expected a password beside it (api.password)");
        }
        (None, Some(field)) if api.password.is_some() => {
            field.error(report, "expected a user beside it (api.username)");
        }
        _ => {}
    }
    let open = !api.auth_none && !api.is_locked();
    if open {
        let tls = api.tls.as_ref().map(|tls| tls.listen);
        for (field, address) in [(&listen_field, api.listen), (&tls_field, tls)] {
            if let (Some(field), Some(address)) = (field, address) {
                refuse_if_reachable(field, address, report);
            }
        }
    }
    let origins = section.field("origin", report);
    if let Some(field) = &origins {
        api.origins = field.items().iter().filter_map(|item| item.parse(report, ORIGIN, origin)).collect();
    }
    if let Some(field) =
        origins.filter(|_| !api.is_locked() && api.origins.iter().any(|origin| origin == "*"))
    {
        field.warning(
            report,
            "without a token or password, every web page that a visitor opens sees the cameras",
        );
    }
    if let Some(path) = section.field("base_path", report).and_then(|f| f.parse(report, BASE_PATH, base_path))
    {
        api.base_path = path;
    }
    section.finish(FOREIGN, report);
    api
}

/// Refuses an address that other machines can reach, where nothing is asked of those who come.
fn refuse_if_reachable(field: &Field<'_>, address: SocketAddr, report: &mut Report) {
    if !address.ip().is_loopback() {
        field.error(
            report,
            format!(
                "{address} can be reached from other machines: expected api.token, or api.username and api.password, or \
                 \"auth: none\" to let everybody in, or a listen address of this machine alone (127.0.0.1:{})",
                address.port()
            ),
        );
    }
}

/// A shorter token is not safe.
const SAFE_TOKEN: usize = 16;

/// Reads a secret. It does not use `parse`, which quotes the value in its message.
pub(super) fn non_empty(field: Option<&Field<'_>>, report: &mut Report) -> Option<String> {
    let field = field?;
    let text = field.string(report)?;
    if text.is_empty() {
        field.error(report, format!("expected a value, found {}", quoted("")));
        return None;
    }
    Some(text)
}

const ORIGIN: &str = "an origin such as https://dashboard.example.com, or *";

/// An origin in the form that browsers send (RFC 6454 §6.2): scheme, host and port in lower case, no path, no default port.
fn origin(text: &str) -> Option<String> {
    if text == "*" {
        return Some(text.to_owned());
    }
    let url = url::Url::parse(text).ok()?;
    let plain = url.username().is_empty() && url.password().is_none() && url.query().is_none();
    let web = matches!(url.scheme(), "http" | "https") && url.path() == "/" && url.fragment().is_none();
    (plain && web).then(|| url.origin().ascii_serialization())
}

const BASE_PATH: &str = "a path such as /cameras";

fn base_path(text: &str) -> Option<String> {
    let path = text.trim_matches('/');
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '_' | '-' | '.' | '~');
    if path.contains("//") || path.split('/').any(|part| part == "..") || !path.chars().all(allowed) {
        return None;
    }
    Some(if path.is_empty() { String::new() } else { format!("/{path}") })
}
