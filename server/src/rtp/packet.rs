//! An RTP packet on its way from a slot to the connection.

use bytes::Bytes;

/// An RTP packet but for its SSRC, which is the slot's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RtpPacket {
    pub payload_type: u8,
    pub sequence_number: u16,
    pub timestamp: u32,
    pub marker: bool,
    /// Asks the browser to show the picture as soon as it is decoded, where the header extension for it was negotiated.
    pub no_playout_delay: bool,
    /// Asks the browser to report when the packet arrived: it then leaves with a transport-wide sequence number.
    pub report_arrival: bool,
    pub payload: Bytes,
}
