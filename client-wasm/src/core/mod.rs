//! The client as a sans-IO state machine: what happened goes in, commands come out.
//!
//! [`Client`] owns no socket, no clock and no callback. A shell drives it:
//! - **mutators** (`connect`, `switch`, `pause`, …) are what the app asks for; each returns a [`PromiseId`];
//! - **`handle_*`** report what happened: a frame came, a peer changed its state, time passed;
//! - **`poll_command`** returns what to do next: call it until it returns `None` after each of the above;
//! - **`poll_timeout`** is when to call `handle_timeout` at the latest.
//!
//! `now` is the time since any fixed start. Everything that belongs to one attempt to connect carries its
//! [`Attempt`], so that what arrives late from an earlier one is dropped.

mod client;
mod command;
mod error;
mod ice;
mod incoming;
mod lifecycle;
mod media;
mod reconnect;
mod requests;
mod slots;
mod spare;
mod url;

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests;

pub use client::{Client, Options};
pub use command::{Attempt, Command, Event, Outcome, PeerState, PromiseId, Stall, State};
pub use error::{ClientError, Code};
pub use media::Received;
pub use reconnect::default_delay;
pub use slots::{Show, Wish};
pub use url::{http_url, socket_url};
