//! `GET /api` and `GET /healthz`.

use axum::Json;
use axum::extract::State;
use multistream_protocol::api::About;

use super::AppState;

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
