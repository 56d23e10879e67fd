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
    /// Empty in a packet that only pads a probe of the path. Receivers take its sequence number into account and ignore it
    /// otherwise (RFC 3550 §5.1).
    pub payload: Bytes,
}

impl RtpPacket {
    /// How many bytes of padding a packet has whose payload is empty.
    pub const PADDING: usize = 204;
    /// What the headers of IP, UDP and RTP with its extensions and the tag of SRTP add to a payload, about.
    const OVERHEAD: usize = 60;

    pub fn is_padding(&self) -> bool {
        self.payload.is_empty()
    }

    /// About how many bytes the packet has on the network.
    pub fn wire_bytes(&self) -> usize {
        Self::OVERHEAD + if self.is_padding() { Self::PADDING } else { self.payload.len() }
    }
}
