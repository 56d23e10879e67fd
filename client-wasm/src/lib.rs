//! `MultiStreamClient`: many cameras over one `RTCPeerConnection`, for browsers.
//!
//! [`core`] is the sans-IO state machine; `browser` carries out its commands on the browser's objects; `api` is what JavaScript
//! sees of both. The npm package in `npm/` is what apps import; nothing here is meant to be used by itself.

#[cfg(target_arch = "wasm32")]
mod allocator;
#[cfg(target_arch = "wasm32")]
mod api;
#[cfg(target_arch = "wasm32")]
mod browser;
pub mod core;
