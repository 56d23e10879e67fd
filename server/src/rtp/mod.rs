//! RTP as values and as payload formats: pure, without a socket or a clock.

pub mod depacketize;
mod h26x;
pub mod packetize;
