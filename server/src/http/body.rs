//! Reads the body of a request, within bounds: only few requests have one, and none is long.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use tokio::time::timeout;

/// An offer with one video m-line has some 8 kB.
const LONGEST: usize = 128 * 1024;
/// A client that sends more slowly keeps a connection for nothing.
const WITHIN: Duration = Duration::from_secs(10);

/// The text of a body, or a sentence about why there is none.
pub(super) async fn text(body: Body) -> Result<String, &'static str> {
    let bytes = match timeout(WITHIN, to_bytes(body, LONGEST)).await {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(_)) => return Err("the body is longer than 128 KiB, or broke off"),
        Err(_) => return Err("the body did not come within 10 s"),
    };
    String::from_utf8(bytes.into()).map_err(|_| "the body is not text")
}
