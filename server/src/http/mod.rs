//! HTTP: the WebSocket, the REST API and the pages.
//!
//! Every request passes these in order: security headers, the check of its origin, authentication, its handler. Handlers
//! receive [`AppState`].

mod about;
mod auth;
mod body;
mod client;
mod ends;
mod frame;
mod go2rtc;
mod headers;
mod kept_out;
mod listen;
mod metrics;
mod origin;
mod pages;
mod query;
mod refused;
mod slash;
mod streams;
mod whep;
mod ws;

use std::convert::Infallible;
use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use axum::{Json, Router, middleware};
use serde::Serialize;
use tokio::net::TcpListener;

use self::whep::Watching;
use crate::access::Tokens;
use crate::config::Config;
use crate::failures::Failures;
use crate::net;
use crate::places::Places;
use crate::session::Sessions;
use crate::snapshot::Snapshots;
use crate::stream::Registry;
use crate::tls::Certificates;

/// The state shared by all handlers. Cheap to clone.
#[derive(Debug, Clone)]
pub struct AppState {
    pub config: Arc<Config>,
    pub registry: Arc<Registry>,
    pub sessions: Arc<Sessions>,
    /// Who is let in.
    pub tokens: Arc<Tokens>,
    /// The places for connections, of all listeners together.
    connections: Places,
    failures: Arc<Failures>,
    /// The sessions that were opened by WHEP.
    watching: Watching,
    snapshots: Arc<Snapshots>,
}

impl AppState {
    pub fn new(config: Config, tokens: Tokens, registry: Arc<Registry>, sessions: Arc<Sessions>) -> Self {
        let limits = &config.limits;
        // Half of the files that the system allows are left for cameras, programs and media.
        let total = limits.connections.min(net::open_files() / 2);
        let connections = Places::new(total, limits.connections_per_address, &limits.exempt);
        let snapshots = Arc::new(Snapshots::new(registry.clone(), config.ffmpeg.clone()));
        let (config, tokens) = (Arc::new(config), Arc::new(tokens));
        let (failures, watching) = (Arc::default(), Watching::default());
        Self { config, registry, sessions, tokens, connections, failures, watching, snapshots }
    }
}

/// Serves connections of the listener, without an end of its own.
pub async fn serve(listener: TcpListener, state: AppState) -> Infallible {
    listen::serve(listener, None, state.connections.clone(), router(state)).await
}

/// The same by TLS.
pub async fn serve_tls(
    listener: TcpListener,
    certificates: Arc<Certificates>,
    state: AppState,
) -> Infallible {
    listen::serve(listener, Some(certificates), state.connections.clone(), router(state)).await
}

/// All routes, below `api.base_path`.
fn router(state: AppState) -> Router {
    let base_path = state.config.api.base_path.clone();
    let policies = headers::Policies::new(&state.config.api.origins);
    let routes = Router::new()
        .route("/api", get(about::about))
        .route("/api/streams", get(streams::streams).fallback(refused::streams))
        .route("/api/schemes", get(about::schemes))
        .route("/api/preload", get(about::preload).fallback(refused::streams))
        .route("/api/config", any(refused::config))
        .route("/api/restart", any(refused::process))
        .route("/api/exit", any(refused::process))
        .route("/api/webrtc", post(go2rtc::webrtc))
        .route("/api/frame.jpeg", get(frame::jpeg))
        .route("/api/ws", get(ws::upgrade).post(ws::no_upgrade))
        .route(
            "/whep/{name}",
            get(whep::get).post(whep::post).options(whep::options).fallback(whep::no_method),
        )
        .route(
            "/whep/{name}/{session}",
            get(whep::get_session)
                .patch(whep::patch)
                .delete(whep::delete)
                .options(whep::session_options)
                .fallback(whep::no_session_method),
        )
        .route("/metrics", get(metrics::metrics))
        .route("/healthz", get(about::healthz))
        .route("/readyz", get(about::readyz))
        .fallback(pages::page)
        // The last layer is the first that a request passes.
        .layer(middleware::from_fn_with_state(state.clone(), auth::require))
        .layer(middleware::from_fn_with_state(state.config.clone(), origin::require))
        .layer(middleware::from_fn_with_state(policies, headers::add))
        .with_state(state);
    if base_path.is_empty() {
        return routes;
    }
    let with_slash = middleware::from_fn_with_state(Arc::<str>::from(base_path.as_str()), slash::add);
    // Not `nest`, which does not answer `/base_path/` with a slash at its end.
    Router::new().nest_service(&base_path, routes).layer(with_slash)
}

/// `{"error": "a sentence for people"}`
fn error(status: StatusCode, message: impl Into<String>) -> Response {
    #[derive(Serialize)]
    struct Error {
        error: String,
    }
    (status, Json(Error { error: message.into() })).into_response()
}
