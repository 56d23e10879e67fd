//! Coded video: what a codec is, where a picture starts, how it is cut into RTP payloads, and what is kept of it.
//! Pure: no clock, no task, no socket.

mod access_unit;
mod codec;
mod frame;
mod timestamp;

pub use access_unit::AccessUnit;
pub use codec::Codec;
pub use frame::{Dimensions, Frame};
pub use timestamp::Timestamp90k;
