//! What this server is, and whether it lives.

use axum::Json;
use serde::Serialize;

#[derive(Debug, Serialize)]
pub(super) struct About {
    name: &'static str,
    version: &'static str,
}

/// `GET /api`
pub(super) async fn about() -> Json<About> {
    Json(About { name: "multistream", version: env!("CARGO_PKG_VERSION") })
}

/// `GET /healthz`: the process answers. Whether a camera does is in `/api/streams`: a camera that is down is no reason to
/// restart the server.
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}
