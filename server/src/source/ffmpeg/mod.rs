//! ffmpeg as a source: it reads a stream of this server, a camera, a file or a picture of its own making.

mod command;
mod filter;
mod hardware;

pub use command::{Pipes, arguments};
