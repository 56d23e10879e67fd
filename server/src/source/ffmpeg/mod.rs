//! ffmpeg as a source: it reads a stream of this server, a camera, a file or a picture of its own making.

mod command;
mod filter;
mod hardware;
mod inlet;
mod matroska;
mod outlet;
mod rtp_socket;
mod run;
mod sdp;
mod timeline;

pub use command::{Pipes, arguments};
pub use run::run_once;
pub(super) use run::{prefixed, remux};
