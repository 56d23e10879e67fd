//! The multistream session: messages ↔ slots ↔ peer connection.
//!
//! [`Sessions`] opens and counts the sessions. Each runs as one task that owns its slots, its connection and its subscriptions
//! (`task.rs`). What all sessions share never waits for one of them, so no session can block another.

mod attachment;
mod bandwidth;
mod histogram;
mod link;
mod never_connected;
mod resolve;
#[expect(clippy::module_inception, reason = "the session itself, beside the parts it is made of")]
mod session;
mod sessions;
mod single;
mod state;
mod subscriptions;
mod task;
mod traffic;
mod transcoders;
mod unread;
mod warm;

pub use attachment::{Outbox, SessionHandle};
pub use histogram::Histogram;
pub use resolve::may_see;
pub use sessions::{SessionSummary, Sessions};
pub use single::{Single, Viewer};
pub use state::SessionState;
pub use traffic::Counts;
pub use unread::{Unread, Waiting, unread};
