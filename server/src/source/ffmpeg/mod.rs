//! ffmpeg as a source: it reads a stream of this server, a camera or a file, or generates a picture.

mod command;
mod engines;
mod filter;
mod hardware;
mod hidden;
mod inlet;
mod jpeg;
mod matroska;
mod outlet;
mod rtp_socket;
mod run;
mod sdp;
mod sound;
mod still;
mod template;
mod timeline;

pub use engines::report;
pub(super) use jpeg::jpeg;
pub(super) use run::{encode, prefixed, receive, remux, run_once};
pub(super) use sound::sound;

/// For `crate::fuzzing`.
pub(super) fn fuzz_sdp(text: &str) {
    let _ = sdp::video(text);
}
