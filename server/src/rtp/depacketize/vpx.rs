//! VP8 (RFC 7741) and VP9 (RFC 9628).

use bytes::{BufMut as _, Bytes, BytesMut};
use rtc::rtp::codec::vp8::Vp8Packet;
use rtc::rtp::codec::vp9::Vp9Packet;
use rtc::rtp::packetizer::Depacketizer as _;

use super::Damaged;

#[derive(Debug, Clone, Copy)]
pub(super) enum VpxCodec {
    Vp8,
    Vp9,
}

/// Joins one picture's payloads to a frame.
#[derive(Debug)]
pub(super) struct Unit {
    codec: VpxCodec,
    data: BytesMut,
}

impl Unit {
    pub(super) fn new(codec: VpxCodec) -> Self {
        Self { codec, data: BytesMut::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.data.len()
    }

    pub(super) fn finish(self) -> BytesMut {
        self.data
    }

    pub(super) fn push(&mut self, payload: &Bytes) -> Result<(), Damaged> {
        let data = match self.codec {
            VpxCodec::Vp8 => Vp8Packet::default().depacketize(payload),
            VpxCodec::Vp9 => Vp9Packet::default().depacketize(payload),
        };
        self.data.put_slice(&data.map_err(|_| Damaged)?);
        Ok(())
    }
}
