//! What go2rtc's API does and this server does not: changing its streams and its config, and taking pictures from clients. A client
//! that asks for it is told so, where a 404 would look like a wrong address.

use axum::http::StatusCode;
use axum::response::Response;

use super::error;

/// Changes of the streams.
pub(super) async fn streams() -> Response {
    let message = "streams are not changed by the API, so that nobody who may see pictures can start programs: write them into the \
                   config, and reload it with SIGHUP";
    error(StatusCode::FORBIDDEN, message)
}

/// The config file, in both directions.
pub(super) async fn config() -> Response {
    let message =
        "the config is neither given out nor changed by the API: it contains the passwords of cameras";
    error(StatusCode::FORBIDDEN, message)
}

/// The process.
pub(super) async fn process() -> Response {
    error(
        StatusCode::FORBIDDEN,
        "the server is not stopped or started anew by the API: that is for whoever runs it",
    )
}

/// Pictures of a client.
pub(super) fn pictures() -> Response {
    error(StatusCode::FORBIDDEN, "this server takes no pictures and no sound from its clients")
}
