//! Coded video: what a codec is, where a picture starts, how it is cut into RTP payloads, and what is kept of it.
//! Pure: no clock, no task, no socket.

mod access_unit;
pub mod av1;
mod codec;
mod frame;
mod framer;
mod gop;
pub mod nal;
pub mod packetize;
pub mod sps;
mod timeline;
mod timestamp;
pub mod vpx;

pub use access_unit::AccessUnit;
pub use codec::Codec;
pub use frame::{Dimensions, Frame};
pub use framer::{FrameError, Framer};
pub use gop::{GopCache, GopLimits};
pub use timeline::Timeline;
pub use timestamp::Timestamp90k;
