//! What acts on the browser's objects: the driver carries out the core's commands, and tells it what sockets, the peer
//! connection and timers report.
//!
//! Sockets and peers know nothing of the driver: each gets a callback for its events.

pub(crate) mod convert;
pub(crate) mod driver;
pub(crate) mod http;
mod knock;
mod peer;
mod socket;
