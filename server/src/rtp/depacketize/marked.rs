//! Joins packets of VP8, VP9 and AV1 to pictures, which end with the marker bit or before another timestamp.

use bytes::{Bytes, BytesMut};
use rtc::rtp::Packet;

use super::vpx::VpxCodec;
use super::{Damaged, MAX_UNIT, Picture, av1, vpx};
use crate::bitstream::Codec;

#[derive(Debug)]
pub(super) struct Marked {
    codec: Codec,
    /// The timestamp of the picture in `unit`.
    timestamp: Option<u32>,
    unit: Unit,
    /// Whether a part of the picture is missing or invalid.
    damaged: bool,
    /// Whether something was lost since the last complete picture.
    lost: bool,
}

/// The part of a picture so far.
#[derive(Debug)]
enum Unit {
    Vpx(vpx::Unit),
    Av1(av1::Unit),
}

impl Marked {
    pub(super) fn new(codec: Codec) -> Self {
        Self { codec, timestamp: None, unit: Unit::new(codec), damaged: false, lost: false }
    }

    /// Packets are missing before the next one.
    pub(super) fn lose(&mut self) {
        self.unit = Unit::new(self.codec);
        self.timestamp = None;
        self.lost = true;
        // The packets before the next one may have belonged to the same picture.
        self.damaged = true;
    }

    pub(super) fn push(&mut self, packet: &Packet, done: &mut impl Extend<Picture>) {
        let header = &packet.header;
        if self.timestamp.is_some_and(|timestamp| timestamp != header.timestamp) {
            done.extend(self.finish());
        }
        self.timestamp = Some(header.timestamp);
        if self.unit.len() + packet.payload.len() > MAX_UNIT || self.unit.push(&packet.payload).is_err() {
            self.damaged = true;
        }
        if header.marker {
            done.extend(self.finish());
        }
    }

    fn finish(&mut self) -> Option<Picture> {
        let unit = std::mem::replace(&mut self.unit, Unit::new(self.codec));
        let damaged = std::mem::take(&mut self.damaged);
        let rtp_timestamp = self.timestamp.take()?;
        let (false, Ok(data)) = (damaged, unit.finish()) else {
            self.lost = true;
            return None;
        };
        let discontinuity = self.lost && !data.is_empty();
        self.lost &= data.is_empty();
        (!data.is_empty()).then(|| Picture { rtp_timestamp, discontinuity, data: data.freeze() })
    }
}

/// Joins all payloads of one picture.
pub(super) fn join(codec: Codec, payloads: &[Bytes]) -> Result<BytesMut, Damaged> {
    let mut unit = Unit::new(codec);
    for payload in payloads {
        unit.push(payload)?;
    }
    unit.finish()
}

impl Unit {
    fn new(codec: Codec) -> Self {
        match codec {
            Codec::Vp8 => Self::Vpx(vpx::Unit::new(VpxCodec::Vp8)),
            Codec::Vp9 => Self::Vpx(vpx::Unit::new(VpxCodec::Vp9)),
            Codec::Av1 | Codec::H264 | Codec::H265 => Self::Av1(av1::Unit::default()),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Vpx(unit) => unit.len(),
            Self::Av1(unit) => unit.len(),
        }
    }

    fn push(&mut self, payload: &Bytes) -> Result<(), Damaged> {
        match self {
            Self::Vpx(unit) => unit.push(payload),
            Self::Av1(unit) => unit.push(payload),
        }
    }

    fn finish(self) -> Result<BytesMut, Damaged> {
        match self {
            Self::Vpx(unit) => Ok(unit.finish()),
            Self::Av1(unit) => unit.finish(),
        }
    }
}
