//! The packets of one slot as they leave: with the header of its m-line.

use bytes::Bytes;
use rtc::rtp::Packet;
use rtc::rtp::header::{Extension, Header};

use super::codecs::HeaderExtensions;
use crate::rtp::RtpPacket;

/// Playout-delay extension: minimum and maximum 0, in units of 10 ms, 12 bits each.
const NO_PLAYOUT_DELAY: Bytes = Bytes::from_static(&[0, 0, 0]);
/// RFC 8285 §4.2.
const ONE_BYTE_EXTENSIONS: u16 = 0xbede;

/// The header fields of one slot's packets.
#[derive(Debug, Clone, Copy)]
pub(super) struct Outgoing {
    pub(super) ssrc: u32,
    extensions: HeaderExtensions,
}

impl Outgoing {
    pub(super) fn new(ssrc: u32, extensions: HeaderExtensions) -> Self {
        Self { ssrc, extensions }
    }

    /// The packet with its header, and with its transport-wide sequence number if that header extension was negotiated.
    pub(super) fn packet(self, rtp: RtpPacket, transport_number: u16) -> Packet {
        let Self { ssrc, extensions } = self;
        let mut header = Header {
            version: 2,
            padding: rtp.is_padding(),
            marker: rtp.marker,
            payload_type: rtp.payload_type,
            sequence_number: rtp.sequence_number,
            timestamp: rtp.timestamp,
            ssrc,
            ..Default::default()
        };
        let no_delay =
            extensions.playout_delay.filter(|_| rtp.no_playout_delay).map(|id| (id, NO_PLAYOUT_DELAY));
        let number = extensions
            .transport_number
            .map(|id| (id, Bytes::copy_from_slice(&transport_number.to_be_bytes())));
        // The library pads a packet by 4 bytes only. The rest of the padding is that of the extensions: bytes of zero, here two
        // for each extension with the id 0 (RFC 8285 §4.2).
        let padding = if rtp.is_padding() { RtpPacket::PADDING / 2 } else { 0 };
        let padding = std::iter::repeat_n((0, Bytes::from_static(&[0])), padding);
        for (id, payload) in [no_delay, number].into_iter().flatten().chain(padding) {
            header.extension = true;
            header.extension_profile = ONE_BYTE_EXTENSIONS;
            header.extensions.push(Extension { id, payload });
        }
        Packet { header, payload: rtp.payload }
    }
}
