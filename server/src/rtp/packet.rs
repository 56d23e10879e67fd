//! An RTP packet that a slot passes to the connection.

use bytes::Bytes;

/// An RTP packet without its SSRC, which is that of the slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RtpPacket {
    pub payload_type: u8,
    pub sequence_number: u16,
    pub timestamp: u32,
    pub marker: bool,
    /// Whether the browser should show the picture as soon as it is decoded, if that header extension was negotiated.
    pub no_playout_delay: bool,
    /// Whether the browser should report when the packet arrived; it then has a transport-wide sequence number.
    pub report_arrival: bool,
    pub payload: Bytes,
}
