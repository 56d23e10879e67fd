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
    keyframe: bool,
    data: BytesMut,
}

impl Unit {
    pub(super) fn new(codec: VpxCodec) -> Self {
        Self { codec, keyframe: false, data: BytesMut::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.data.len()
    }

    pub(super) fn finish(self) -> (bool, BytesMut) {
        (self.keyframe, self.data)
    }

    pub(super) fn push(&mut self, payload: &Bytes) -> Result<(), Damaged> {
        let data = match self.codec {
            VpxCodec::Vp8 => Vp8Packet::default().depacketize(payload),
            VpxCodec::Vp9 => Vp9Packet::default().depacketize(payload),
        };
        let data = data.map_err(|_| Damaged)?;
        let first = *data.first().ok_or(Damaged)?;
        if self.data.is_empty() {
            self.keyframe = match self.codec {
                // The frame tag's first bit is 0 in a key frame (RFC 6386 §9.1).
                VpxCodec::Vp8 => first & 1 == 0,
                VpxCodec::Vp9 => vp9_keyframe(first),
            };
        }
        self.data.put_slice(&data);
        Ok(())
    }
}

/// Frame marker, profile, `show_existing_frame`, `frame_type` (VP9 bitstream specification §6.2).
const fn vp9_keyframe(first: u8) -> bool {
    let profile_3 = first & 0b0011_0000 == 0b0011_0000;
    let bits = if profile_3 { first << 1 } else { first };
    bits & 0b0000_1100 == 0
}
