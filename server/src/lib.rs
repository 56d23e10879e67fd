//! The device server: it pulls each camera once, keeps its GOP, and sends many slots over one WebRTC connection.
//!
//! Arrows point one way: `http → session → {rtc, stream} → {source, slot, media}`; `config` is known by all.
//! `media`, `slot` and `config` are sans-IO: no clock, no task, no socket.

pub mod config;
pub mod demo;
pub mod http;
pub mod media;
pub mod rtc;
pub mod serve;
pub mod session;
pub mod slot;
pub mod source;
pub mod stream;
