//! `GET /api`, `GET /healthz` and `GET /readyz`.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use multistream_protocol::api::About;
use serde::Serialize;

use super::{AppState, error};
use crate::access::Grant;

/// The version of go2rtc's API for viewers that this server has. Clients of it, as Home Assistant's, refuse a version that they do not
/// know.
const GO2RTC_VERSION: &str = "1.9.13";
/// The schemes of sources that a config may have.
const SCHEMES: &[&str] = &[
    "echo", "exec", "ffmpeg", "http", "https", "onvif", "rtmp", "rtsp", "rtsps", "rtspx", "srt", "tcp",
    "udp", "v4l2",
];

/// `GET /api/schemes`
pub(super) async fn schemes() -> Json<&'static [&'static str]> {
    Json(SCHEMES)
}

/// `GET /api/preload`: the streams that always run.
pub(super) async fn preload(
    State(state): State<AppState>,
    Extension(grant): Extension<Grant>,
) -> Json<BTreeMap<String, Preload>> {
    let config = state.registry.config();
    let names = config.preload.iter().filter(|name| state.sessions.find(&grant, name).is_ok());
    Json(names.map(|name| (name.clone(), Preload { query: "video" })).collect())
}

/// What is kept ready of a stream.
#[derive(Debug, Serialize)]
pub(super) struct Preload {
    query: &'static str,
}

/// `GET /api`
pub(super) async fn about(State(state): State<AppState>) -> Json<About> {
    Json(About {
        name: "multistream".to_owned(),
        version: GO2RTC_VERSION.to_owned(),
        server_version: env!("CARGO_PKG_VERSION").to_owned(),
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
