//! What this server is, and whether it lives.

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use super::AppState;

#[derive(Debug, Serialize)]
pub(super) struct About {
    name: &'static str,
    version: &'static str,
    /// How many slots one session may have: a page offers no layout beyond it.
    max_slots: usize,
}

/// `GET /api`
pub(super) async fn about(State(state): State<AppState>) -> Json<About> {
    Json(About {
        name: "multistream",
        version: env!("CARGO_PKG_VERSION"),
        max_slots: state.config.multistream.max_slots,
    })
}

/// `GET /healthz`: the process answers. Whether a camera does is in `/api/streams`: a camera that is down is no reason to
/// restart the server.
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}
