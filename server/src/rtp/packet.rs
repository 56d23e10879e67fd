//! An RTP packet on its way from a slot to the connection.

use bytes::Bytes;

/// An RTP packet but for its SSRC, which is the slot's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RtpPacket {
    pub payload_type: u8,
    pub sequence_number: u16,
    pub timestamp: u32,
    pub marker: bool,
    /// The header extension id under which to ask for no playout delay.
    pub playout_delay: Option<u8>,
    /// Asks when this packet arrived; set on the packets of a burst.
    pub arrival_report: Option<ArrivalRequest>,
    pub payload: Bytes,
}

/// The header extension by which a browser is asked when a packet arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArrivalRequest {
    pub extension: u8,
    /// Transport-wide sequence number, given by the pacer: it counts over all slots.
    pub number: u16,
}
