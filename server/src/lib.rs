//! The device server: it pulls each camera once, keeps its GOP, and sends many slots over one WebRTC connection.
//!
//! Imports point one way: `http → session → {rtc, egress → slot, stream → source} → media → rtp → bitstream`; all modules above
//! `media` but `slot` and `egress` know `config`. `imports.rs` tests that. `bitstream`, `rtp`, `media`, `slot`, `egress` and
//! `config` are sans-IO: no clock, no task, no socket.

pub mod access;
pub mod bitstream;
pub mod config;
pub mod demo;
pub mod doctor;
pub mod egress;
mod failures;
pub mod faults;
#[doc(hidden)]
pub mod fuzzing;
pub mod http;
#[cfg(test)]
mod imports;
pub mod limits;
pub mod media;
pub mod net;
pub mod places;
pub mod rtc;
pub mod rtp;
pub mod rtsp_out;
pub mod serve;
pub mod session;
pub mod slot;
pub mod snapshot;
pub mod source;
pub mod stream;
pub mod tls;
mod warnings;
