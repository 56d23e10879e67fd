//! Leads `/cams` to `/cams/` where `api.base_path` is `/cams`: the pages name what they load relative to a path that ends with a
//! slash.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};

pub(super) async fn add(State(base_path): State<Arc<str>>, request: Request, next: Next) -> Response {
    if request.uri().path() != &*base_path {
        return next.run(request).await;
    }
    // Relative, as a proxy may have other segments before it (RFC 9110 §10.2.2). The dot keeps a colon from ending a scheme.
    let last = base_path.rsplit('/').next().unwrap_or_default();
    let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
    Redirect::permanent(&format!("./{last}/{query}")).into_response()
}
