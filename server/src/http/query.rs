//! Reads the query of a request as go2rtc does: of parameters that are there twice the first counts, and unknown ones are ignored.

use axum::http::Uri;
use url::form_urlencoded;

/// The first parameter with one of these names, unless it is empty.
pub(super) fn first(uri: &Uri, names: &[&str]) -> Option<String> {
    let query = uri.query().unwrap_or_default();
    let found = form_urlencoded::parse(query.as_bytes()).find(|(key, _)| names.contains(&&**key));
    found.map(|(_, value)| value.into_owned()).filter(|value| !value.is_empty())
}
