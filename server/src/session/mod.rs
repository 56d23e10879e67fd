//! The multistream session: messages ↔ slots ↔ peer connection.
//!
//! [`Sessions`] opens them and keeps count; each runs as one task that owns its slots, its connection and its
//! subscriptions (`task.rs`), so nothing of one session can block or break another.

mod framing;
mod histogram;
mod link;
mod request;
#[expect(clippy::module_inception, reason = "the session itself, beside the parts it is made of")]
mod session;
mod sessions;
mod task;
mod warm;

pub use framing::{Framing, Parsed, Refusal, parse};
pub use histogram::Histogram;
pub use request::Request;
pub use sessions::{Outbox, SessionHandle, SessionSummary, Sessions};
