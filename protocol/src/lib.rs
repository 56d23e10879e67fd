//! The `multistream/*` control protocol on `/api/ws`, as types. `docs/protocol.md` is its prose.
//!
//! One struct per message, without the `type` field: whoever reads a frame looks at its `type` first
//! ([`client::TYPES`], [`server::TYPES`]) and then deserialises the one struct it names. That keeps serde's
//! buffering of tagged enums out of the WebAssembly build, and lets the server accept a message both flat and
//! inside go2rtc's `{"type", "value"}` envelope.
//!
//! No I/O here, no JSON library and no std: the same types serve the server, the client and the TypeScript typings.

#![cfg_attr(not(any(test, feature = "typescript")), no_std)]

extern crate alloc;

pub mod client;
mod error_code;
mod name;
pub mod server;
mod status;
#[cfg(feature = "typescript")]
pub mod typescript;

pub use error_code::ErrorCode;
pub use name::{NATIVE, stream_name};
pub use status::{SlotState, SlotStatus};
