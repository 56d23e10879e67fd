//! Who asks: what a handler that opens a session has to know of a request.

use std::convert::Infallible;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;

use super::ends::Ends;
use crate::access::Grant;
use crate::session::Viewer;

/// The viewer that a request is of, with what it may see.
pub(super) struct Asking(pub(super) Viewer);

impl<S: Sync> FromRequestParts<S> for Asking {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let ends = parts.extensions.get::<ConnectInfo<Ends>>().map(|ConnectInfo(ends)| *ends);
        // Both are set for every request before its handler is called; without them nothing is granted.
        let grant = parts.extensions.get::<Grant>().cloned();
        let grant = grant.unwrap_or_else(|| Grant::new([], &[], None));
        let from = ends.map_or(std::net::Ipv4Addr::UNSPECIFIED.into(), |ends| ends.from);
        let reached = ends.and_then(|ends| ends.reached(&parts.headers));
        Ok(Self(Viewer { grant, from, reached }))
    }
}
