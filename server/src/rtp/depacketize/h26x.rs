//! H.264 (RFC 6184 §5.4, packetization modes 0 and 1) and H.265 (RFC 7798 §4.4, without DONL).

use bytes::{BufMut as _, BytesMut};

use super::Damaged;
use crate::bitstream::annex_b::START_CODE;
use crate::bitstream::nal::NalCodec;
use crate::rtp::h26x::{AP, FU, FU_A, STAP_A};

/// The most NAL units of an access unit. Those of real cameras have some ten: slices, parameter sets and messages.
const MAX_NALS: usize = 4096;

/// Joins one picture's payloads to an Annex B access unit.
#[derive(Debug)]
pub(super) struct Unit {
    codec: NalCodec,
    data: BytesMut,
    nals: usize,
    /// Whether a fragmented NAL unit has begun and not ended.
    in_fragment: bool,
}

impl Unit {
    pub(super) fn new(codec: NalCodec) -> Self {
        Self { codec, data: BytesMut::new(), nals: 0, in_fragment: false }
    }

    pub(super) fn len(&self) -> usize {
        self.data.len()
    }

    pub(super) fn finish(self) -> Result<BytesMut, Damaged> {
        if self.in_fragment { Err(Damaged) } else { Ok(self.data) }
    }

    pub(super) fn push(&mut self, payload: &[u8]) -> Result<(), Damaged> {
        if payload.len() <= self.codec.header_len() {
            return Err(Damaged);
        }
        let kind = self.codec.unit_type(payload);
        let (aggregation, fragment) = match self.codec {
            NalCodec::H264 => (STAP_A, FU_A),
            NalCodec::H265 => (AP, FU),
        };
        match kind {
            Some(kind) if kind == fragment => self.fragment(payload),
            _ if self.in_fragment => Err(Damaged),
            Some(kind) if kind == aggregation => self.aggregated(&payload[self.codec.header_len()..]),
            // The types above are specific to RTP and not supported here.
            Some(kind) if kind > aggregation => Err(Damaged),
            _ => self.nal(payload),
        }
    }

    fn aggregated(&mut self, mut rest: &[u8]) -> Result<(), Damaged> {
        while !rest.is_empty() {
            let (length, after) = rest.split_first_chunk::<2>().ok_or(Damaged)?;
            let (nal, after) =
                after.split_at_checked(usize::from(u16::from_be_bytes(*length))).ok_or(Damaged)?;
            self.nal(nal)?;
            rest = after;
        }
        Ok(())
    }

    fn nal(&mut self, nal: &[u8]) -> Result<(), Damaged> {
        if nal.len() < self.codec.header_len() || self.nals == MAX_NALS {
            return Err(Damaged);
        }
        self.nals += 1;
        self.data.put_slice(&START_CODE);
        self.data.put_slice(nal);
        Ok(())
    }

    fn fragment(&mut self, payload: &[u8]) -> Result<(), Damaged> {
        let (header, rest) = payload.split_at_checked(self.codec.header_len()).ok_or(Damaged)?;
        let (fu_header, body) = rest.split_first().ok_or(Damaged)?;
        let (start, end) = (fu_header & 0x80 != 0, fu_header & 0x40 != 0);
        if start == self.in_fragment {
            return Err(Damaged);
        }
        if start {
            // Rebuild the NAL unit's own header, whose type is in the FU header.
            match *header {
                [first, second] => self.nal(&[first & 0x81 | (fu_header & 0x3f) << 1, second])?,
                _ => self.nal(&[header[0] & 0xe0 | fu_header & 0x1f])?,
            }
        }
        self.data.put_slice(body);
        self.in_fragment = !end;
        Ok(())
    }
}
