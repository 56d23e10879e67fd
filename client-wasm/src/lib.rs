//! `MultiStreamClient`: many cameras over one `RTCPeerConnection`, for browsers.
//!
//! [`core`] decides, without any I/O; `shell` acts, on the browser's objects. The npm package in `npm/` is what
//! apps import; nothing here is meant to be used by itself.

pub mod core;
#[cfg(target_arch = "wasm32")]
mod shell;
