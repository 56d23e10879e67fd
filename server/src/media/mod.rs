//! Coded video: access units, frames of RTP payloads, the GOP cache and the media timeline; and the names and events of
//! streams, which a stream and its viewers exchange. Pure: no clock, no task, no socket.

mod access_unit;
mod doubts;
mod frame;
mod framer;
mod gop;
mod parameter_sets;
mod stream_event;
mod stream_name;
mod timeline;
mod timestamp;

pub use crate::bitstream::{Codec, Dimensions};
pub use access_unit::AccessUnit;
pub use doubts::{Doubts, Unplayable};
pub use frame::Frame;
pub use framer::{FrameError, Framer};
pub use gop::{GopCache, GopLimits};
pub use stream_event::{Gop, StreamError, StreamEvent};
pub(crate) use stream_name::StreamNames;
pub use stream_name::{ResolveError, StreamName};
pub use timeline::Timeline;
pub use timestamp::Timestamp90k;
