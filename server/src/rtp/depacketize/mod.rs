//! Joins RTP packets to access units.
//!
//! Packets must come in order. A picture with a missing packet is dropped, and the next complete one is marked with a
//! discontinuity.

mod av1;
mod h26x;
mod vpx;

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};
use rtc::rtp::Packet;

use self::vpx::VpxCodec;
use crate::bitstream::nal::NalCodec;
use crate::bitstream::{Codec, annex_b};

/// The largest access unit; a longer one is dropped.
const MAX_UNIT: usize = 32 << 20;

/// A picture with the timestamp of its packets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    pub rtp_timestamp: u32,
    /// Whether a packet or a picture before it was lost.
    pub discontinuity: bool,
    pub data: Bytes,
}

/// Joins the packets of one stream. A picture is complete with its last packet.
#[derive(Debug)]
pub struct Depacketizer {
    codec: Codec,
    /// Parameter sets that were sent out of band and are put before the first picture.
    parameter_sets: Vec<Bytes>,
    next_sequence: Option<u16>,
    /// The timestamp of the picture in `unit`.
    timestamp: Option<u32>,
    unit: Unit,
    /// Whether a part of the picture is missing or invalid.
    damaged: bool,
    /// Whether something was lost since the last complete picture.
    lost: bool,
    done: VecDeque<Picture>,
}

/// A payload is invalid, or does not follow the one before it.
#[derive(Debug, Clone, Copy)]
struct Damaged;

/// The part of a picture so far.
#[derive(Debug)]
enum Unit {
    H26x(h26x::Unit),
    Vpx(vpx::Unit),
    Av1(av1::Unit),
}

impl Depacketizer {
    pub fn new(codec: Codec, parameter_sets: Vec<Bytes>) -> Self {
        Self {
            codec,
            parameter_sets,
            next_sequence: None,
            timestamp: None,
            unit: Unit::new(codec),
            damaged: false,
            lost: false,
            done: VecDeque::new(),
        }
    }

    /// Handles the next packet. Call [`Self::pop`] afterwards until it returns `None`.
    pub fn push(&mut self, packet: &Packet) {
        let header = &packet.header;
        if self.next_sequence.is_some_and(|expected| expected != header.sequence_number) {
            self.unit = Unit::new(self.codec);
            self.timestamp = None;
            self.lost = true;
            // The packets before this one may have belonged to the same picture.
            self.damaged = true;
        }
        self.next_sequence = Some(header.sequence_number.wrapping_add(1));

        if self.timestamp.is_some_and(|timestamp| timestamp != header.timestamp) {
            self.finish();
        }
        self.timestamp = Some(header.timestamp);
        if self.unit.len() + packet.payload.len() > MAX_UNIT || self.unit.push(&packet.payload).is_err() {
            self.damaged = true;
        }
        if header.marker {
            self.finish();
        }
    }

    pub fn pop(&mut self) -> Option<Picture> {
        self.done.pop_front()
    }

    fn finish(&mut self) {
        let unit = std::mem::replace(&mut self.unit, Unit::new(self.codec));
        let damaged = std::mem::take(&mut self.damaged);
        let Some(rtp_timestamp) = self.timestamp.take() else { return };
        let (false, Ok(data)) = (damaged, unit.finish()) else {
            self.lost = true;
            return;
        };
        if data.is_empty() {
            return;
        }
        let mut data = data.freeze();
        if !self.parameter_sets.is_empty() {
            let sets = annex_b::join(&std::mem::take(&mut self.parameter_sets));
            data = [sets, data].concat().into();
        }
        self.done.push_back(Picture { rtp_timestamp, discontinuity: std::mem::take(&mut self.lost), data });
    }
}

/// Joins all payloads of an access unit, in order. `None` if one is missing or invalid.
pub fn join(codec: Codec, payloads: &[Bytes]) -> Option<Bytes> {
    let mut unit = Unit::new(codec);
    for payload in payloads {
        unit.push(payload).ok()?;
    }
    unit.finish().ok().map(BytesMut::freeze)
}

impl Unit {
    fn new(codec: Codec) -> Self {
        match codec {
            Codec::H264 => Self::H26x(h26x::Unit::new(NalCodec::H264)),
            Codec::H265 => Self::H26x(h26x::Unit::new(NalCodec::H265)),
            Codec::Vp8 => Self::Vpx(vpx::Unit::new(VpxCodec::Vp8)),
            Codec::Vp9 => Self::Vpx(vpx::Unit::new(VpxCodec::Vp9)),
            Codec::Av1 => Self::Av1(av1::Unit::default()),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::H26x(unit) => unit.len(),
            Self::Vpx(unit) => unit.len(),
            Self::Av1(unit) => unit.len(),
        }
    }

    fn push(&mut self, payload: &Bytes) -> Result<(), Damaged> {
        match self {
            Self::H26x(unit) => unit.push(payload),
            Self::Vpx(unit) => unit.push(payload),
            Self::Av1(unit) => unit.push(payload),
        }
    }

    fn finish(self) -> Result<BytesMut, Damaged> {
        match self {
            Self::H26x(unit) => unit.finish(),
            Self::Vpx(unit) => Ok(unit.finish()),
            Self::Av1(unit) => unit.finish(),
        }
    }
}

#[cfg(test)]
mod tests;
