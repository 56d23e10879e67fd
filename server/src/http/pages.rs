//! The pages of `www/dist`. A release build embeds them; a debug build reads them from the disk, so that a change of a page
//! needs no build of the server.

use axum::extract::Request;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use rust_embed::{EmbeddedFile, RustEmbed};

use super::error;

#[derive(RustEmbed)]
#[folder = "../www/dist"]
#[allow_missing = true]
struct Pages;

const NOT_BUILT: &str = "The pages are not part of this build. Build them, then the server:\n\n\
                         \x20   cargo xtask demo\n\nThe API works: /api/streams\n";

pub(super) async fn page(request: Request) -> Response {
    let path = match request.uri().path().trim_start_matches('/') {
        "" => "index.html",
        path => path,
    };
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return error(StatusCode::METHOD_NOT_ALLOWED, "pages can only be read");
    }
    match Pages::get(path) {
        Some(file) => found(path, file, &request),
        None if path == "index.html" => (StatusCode::SERVICE_UNAVAILABLE, NOT_BUILT).into_response(),
        None => error(StatusCode::NOT_FOUND, "there is no such page"),
    }
}

fn found(path: &str, file: EmbeddedFile, request: &Request) -> Response {
    let etag = file
        .metadata
        .sha256_hash()
        .iter()
        .take(16)
        .fold("\"".to_owned(), |tag, byte| format!("{tag}{byte:02x}"));
    let etag = etag + "\"";
    // The names of the files in `assets/` contain a hash of their content.
    let cache = if path.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
    let headers = [(CACHE_CONTROL, cache), (ETAG, etag.as_str()), (CONTENT_TYPE, file.metadata.mimetype())];
    if request.headers().get(IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == etag.as_bytes()) {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    (headers, file.data.into_owned()).into_response()
}
