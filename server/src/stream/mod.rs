//! Streams: each is pulled once, on demand, and fanned out to its viewers.
//!
//! [`Registry`] knows the streams of the config by name. Each stream's hub is one task that owns its state; viewers get
//! [`StreamEvent`]s through a bounded queue per subscription.

mod backoff;
mod clock;
mod command;
mod detour;
mod ending;
mod fresh_gop;
mod health;
mod hub;
mod ladder;
mod life;
mod meter;
mod names;
mod registry;
mod relay;
mod remake;
mod remembered;
mod run;
mod snapshot;
mod stand_ins;
mod subscription;
mod transcoders;
pub mod variants;
mod viewers;

pub use crate::media::{Gop, ResolveError, StreamError, StreamEvent, StreamName};
pub use clock::MediaClock;
pub use meter::Needs;
pub use multistream_protocol::api::StreamState;
pub use registry::{Changes, Registry};
pub use snapshot::{ProducerSnapshot, StreamSnapshot};
pub use subscription::Subscription;
#[cfg(test)]
pub(crate) use viewers::Viewers;
