//! The shell around the core: the driver carries out the core's commands on the browser's objects, and passes on to it what
//! sockets, the peer connection and timers report.
//!
//! Sockets and peers do not know the driver: each reports its events to a callback.

pub(crate) mod convert;
pub(crate) mod driver;
pub(crate) mod facade;
pub(crate) mod http;
mod knock;
mod peer;
mod socket;
