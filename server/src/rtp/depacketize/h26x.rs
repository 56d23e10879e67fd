//! H.264 (RFC 6184 §5.4, packetization modes 0 and 1) and H.265 (RFC 7798 §4.4, without DONL).

use bytes::{BufMut as _, BytesMut};

use super::Damaged;
use crate::bitstream::annex_b::START_CODE;
use crate::bitstream::nal::NalCodec;
use crate::rtp::h26x::{AP, FU, FU_A, STAP_A};

/// The most NAL units of an access unit. Those of real cameras have some ten: slices, parameter sets and messages.
pub(super) const MAX_NALS: usize = 4096;

/// A piece of a NAL unit.
#[derive(Debug, Clone, Copy)]
pub(super) enum Part<'a> {
    Whole(&'a [u8]),
    /// The beginning: the NAL unit's own header, and what follows it.
    First([u8; 2], &'a [u8]),
    Next(&'a [u8]),
}

/// Takes payloads apart.
#[derive(Debug)]
pub(super) struct Payloads {
    codec: NalCodec,
    /// Whether a fragmented NAL unit has begun and not ended.
    pub(super) in_fragment: bool,
}

impl Payloads {
    pub(super) fn new(codec: NalCodec) -> Self {
        Self { codec, in_fragment: false }
    }

    pub(super) fn push(
        &mut self,
        payload: &[u8],
        mut take: impl FnMut(Part) -> Result<(), Damaged>,
    ) -> Result<(), Damaged> {
        if payload.len() <= self.codec.header_len() {
            return Err(Damaged);
        }
        let kind = self.codec.unit_type(payload);
        let (aggregation, fragment) = match self.codec {
            NalCodec::H264 => (STAP_A, FU_A),
            NalCodec::H265 => (AP, FU),
        };
        match kind {
            Some(kind) if kind == fragment => self.fragment(payload, take),
            _ if self.in_fragment => Err(Damaged),
            Some(kind) if kind == aggregation => self.aggregated(&payload[self.codec.header_len()..], take),
            // The types above are specific to RTP and not supported here.
            Some(kind) if kind > aggregation => Err(Damaged),
            _ => take(Part::Whole(payload)),
        }
    }

    fn aggregated(
        &self,
        mut rest: &[u8],
        mut take: impl FnMut(Part) -> Result<(), Damaged>,
    ) -> Result<(), Damaged> {
        while !rest.is_empty() {
            let (length, after) = rest.split_first_chunk::<2>().ok_or(Damaged)?;
            let (nal, after) =
                after.split_at_checked(usize::from(u16::from_be_bytes(*length))).ok_or(Damaged)?;
            if nal.len() < self.codec.header_len() {
                return Err(Damaged);
            }
            take(Part::Whole(nal))?;
            rest = after;
        }
        Ok(())
    }

    fn fragment(
        &mut self,
        payload: &[u8],
        mut take: impl FnMut(Part) -> Result<(), Damaged>,
    ) -> Result<(), Damaged> {
        let (header, rest) = payload.split_at_checked(self.codec.header_len()).ok_or(Damaged)?;
        let (fu_header, body) = rest.split_first().ok_or(Damaged)?;
        let (start, end) = (fu_header & 0x80 != 0, fu_header & 0x40 != 0);
        if start == self.in_fragment {
            return Err(Damaged);
        }
        if start {
            // Rebuild the NAL unit's own header, whose type is in the FU header.
            let header = match *header {
                [first, second] => [first & 0x81 | (fu_header & 0x3f) << 1, second],
                _ => [header[0] & 0xe0 | fu_header & 0x1f, 0],
            };
            take(Part::First(header, body))?;
        } else {
            take(Part::Next(body))?;
        }
        self.in_fragment = !end;
        Ok(())
    }
}

/// The NAL units of one picture so far, as an Annex B access unit.
#[derive(Debug)]
pub(super) struct Unit {
    codec: NalCodec,
    data: BytesMut,
    nals: usize,
}

impl Unit {
    pub(super) fn new(codec: NalCodec) -> Self {
        Self { codec, data: BytesMut::new(), nals: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.data.len()
    }

    pub(super) fn push(&mut self, part: Part) -> Result<(), Damaged> {
        if !matches!(part, Part::Next(_)) {
            if self.nals == MAX_NALS {
                return Err(Damaged);
            }
            self.nals += 1;
            self.data.put_slice(&START_CODE);
        }
        match part {
            Part::Whole(bytes) | Part::Next(bytes) => self.data.put_slice(bytes),
            Part::First(header, body) => {
                self.data.put_slice(&header[..self.codec.header_len()]);
                self.data.put_slice(body);
            }
        }
        Ok(())
    }

    /// Takes the first `len` bytes, which end with a NAL unit.
    pub(super) fn take(&mut self, len: usize) -> BytesMut {
        // The count is only a limit of memory: what is left is little.
        self.nals = 0;
        self.data.split_to(len.min(self.data.len()))
    }

    /// Puts whole NAL units in front.
    pub(super) fn put_first(&mut self, data: &[u8]) {
        let rest = std::mem::take(&mut self.data);
        self.data.reserve(data.len() + rest.len());
        self.data.put_slice(data);
        self.data.put_slice(&rest);
    }
}

/// Joins all payloads of one picture.
pub(super) fn join<'a>(
    codec: NalCodec,
    payloads: impl IntoIterator<Item = &'a [u8]>,
) -> Result<BytesMut, Damaged> {
    let (mut parts, mut unit) = (Payloads::new(codec), Unit::new(codec));
    for payload in payloads {
        parts.push(payload, |part| unit.push(part))?;
    }
    if parts.in_fragment { Err(Damaged) } else { Ok(unit.data) }
}
