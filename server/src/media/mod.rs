//! Coded video: what a codec is, where a picture starts, how it is cut into RTP payloads, and what is kept of it. Also the
//! values that a stream and its viewers exchange: its name, and what a viewer is told. Pure: no clock, no task, no socket.

mod access_unit;
mod frame;
mod framer;
mod gop;
mod stream_event;
mod stream_name;
mod timeline;
mod timestamp;

pub use crate::bitstream::{Codec, Dimensions};
pub use access_unit::AccessUnit;
pub use frame::Frame;
pub use framer::{FrameError, Framer};
pub use gop::{GopCache, GopLimits};
pub use stream_event::{Gop, StreamError, StreamEvent};
pub(crate) use stream_name::StreamNames;
pub use stream_name::{ResolveError, StreamName};
pub use timeline::Timeline;
pub use timestamp::Timestamp90k;
