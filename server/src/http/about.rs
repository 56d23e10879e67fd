//! `GET /api`, `GET /healthz` and `GET /readyz`.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use multistream_protocol::api::About;

use super::{AppState, error};

/// `GET /api`
pub(super) async fn about(State(state): State<AppState>) -> Json<About> {
    Json(About {
        name: "multistream".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        max_slots: state.config.multistream.max_slots as u32,
    })
}

/// `GET /healthz`: whether the process answers. It does not depend on cameras, whose states are in `/api/streams`: an offline
/// camera is no reason to restart the server.
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: whether streams can be asked for.
pub(super) async fn readyz(State(state): State<AppState>) -> Response {
    const PATIENCE: Duration = Duration::from_secs(1);
    let expected = state.registry.count();
    match tokio::time::timeout(PATIENCE, state.registry.snapshot()).await {
        Ok(streams) if streams.len() == expected => "ready\n".into_response(),
        Ok(streams) => {
            let missing = expected - streams.len();
            error(
                StatusCode::SERVICE_UNAVAILABLE,
                format!("{missing} of {expected} streams do not answer: the server stops, or see its log"),
            )
        }
        Err(_) => error(StatusCode::SERVICE_UNAVAILABLE, "the streams do not answer within a second"),
    }
}
