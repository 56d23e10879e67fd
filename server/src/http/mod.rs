//! HTTP: the WebSocket, the REST API and the pages.
//!
//! Every request passes, in this order: security headers, authentication, then its handler. Handlers see [`AppState`].

mod about;
mod ws;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;

use crate::config::Config;
use crate::session::Sessions;
use crate::stream::Registry;

/// What every handler may use. Cheap to clone.
#[derive(Debug, Clone)]
pub struct AppState {
    pub config: Arc<Config>,
    pub registry: Arc<Registry>,
    pub sessions: Arc<Sessions>,
}

/// All routes, below `api.base_path`.
pub fn router(state: AppState) -> Router {
    let base_path = state.config.api.base_path.clone();
    let routes = Router::new()
        .route("/api", get(about::about))
        .route("/api/ws", get(ws::upgrade))
        .route("/healthz", get(about::healthz))
        .with_state(state);
    if base_path.is_empty() { routes } else { Router::new().nest(&base_path, routes) }
}
