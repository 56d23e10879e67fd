//! RTP packets and payload formats. Pure: no socket, no clock.

mod arrival_report;
pub mod depacketize;
mod h26x;
mod packet;
pub mod packetize;
mod payload_types;
mod slot_position;

pub use arrival_report::ArrivalReport;
pub use packet::RtpPacket;
pub use payload_types::PayloadTypes;
pub use slot_position::SlotPosition;
