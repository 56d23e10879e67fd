//! What goes over the wire between server and client, as types: the `multistream/*` control protocol on `/api/ws`, and the
//! answers of the HTTP API. `docs/protocol.md` is its prose. No I/O.
//!
//! [`ClientMessage`] and [`ServerMessage`] are the messages; each is one row of a table, from which its `type`, its reading
//! and its writing in both [framings](Framing) follow. [`api`] has the answers to `GET /api` and `GET /api/streams`.
//! Server, client, tests and the TypeScript typings all use these types, so none of them can drift from another.

pub mod api;
pub mod client;
mod error;
mod json;
mod message;
mod mids;
mod name;
pub mod server;
mod status;
#[cfg(feature = "typescript")]
pub mod typescript;
mod words;

pub use client::ClientMessage;
pub use message::Framing;
pub use name::{NATIVE, stream_name};
pub use server::ServerMessage;
pub use status::{SlotState, SlotStatus};
pub use words::{ErrorCode, SessionEnd};
