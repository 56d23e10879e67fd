//! Streams: each is pulled once, on demand, and fanned out to its viewers.
//!
//! [`Registry`] knows the streams of the config by name. Each stream's hub is one task that owns its state; viewers get
//! [`StreamEvent`]s through a queue of their own, many streams into one queue if they like.

mod clock;
mod event;
mod hub;
mod name;
mod registry;
mod snapshot;
mod subscription;

pub use clock::MediaClock;
pub use event::{Gop, StreamError, StreamEvent, ViewerQueue};
pub use name::{ResolveError, StreamName};
pub use registry::Registry;
pub use snapshot::{ProducerSnapshot, StreamSnapshot, StreamState};
pub use subscription::Subscription;
