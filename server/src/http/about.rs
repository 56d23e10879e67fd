//! What this server is, and whether it lives.

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

/// `GET /healthz`: the process answers. Whether a camera does is in `/api/streams`: a camera that is down is no reason to
/// restart the server.
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}
