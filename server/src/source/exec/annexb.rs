//! Splits a raw H.264 or H.265 byte stream (Annex B) into access units. Pure.
//!
//! An access unit is complete only when the next one begins ([`Bounds`]), so the pictures of a program that writes no container are
//! one picture late.

use bytes::{Bytes, BytesMut};

use crate::bitstream::access_unit::{Bounds, ENOUGH_OF_A_SLICE, Place};
use crate::bitstream::annex_b;
use crate::bitstream::nal::{NalCodec, NalKind};

/// The largest access unit; longer data is an error.
const MAX_UNIT: usize = 32 << 20;
/// The most NAL units of an access unit.
const MAX_NALS: usize = 4096;

#[derive(Debug)]
pub(super) struct Splitter {
    codec: NalCodec,
    /// Begins with a start code, or is empty.
    buffer: BytesMut,
    /// How many bytes of `buffer` were searched for the start code that ends the first NAL unit.
    searched: usize,
    /// Whether the first NAL unit of `buffer` has its place already.
    is_placed: bool,
    bounds: Bounds,
    unit: Vec<Bytes>,
    /// At least this many NAL units of `unit` are of its picture; those after them, behind the last slice, may be of the next one.
    complete: usize,
    has_slice: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum SplitError {
    #[error("no start code in {MAX_UNIT} bytes")]
    NoStartCode,
    #[error("no end of a picture in {MAX_UNIT} bytes or {MAX_NALS} NAL units")]
    NoPictureEnd,
}

impl Splitter {
    pub(super) fn new(codec: NalCodec) -> Self {
        Self {
            codec,
            buffer: BytesMut::new(),
            searched: 0,
            is_placed: false,
            bounds: Bounds::new(codec),
            unit: Vec::new(),
            complete: 0,
            has_slice: false,
        }
    }

    /// Takes the next bytes, however they are cut, and returns the access units that they complete.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<Vec<Bytes>, SplitError> {
        self.buffer.extend_from_slice(bytes);
        let mut done = Vec::new();
        while let Some(end) = self.next_start() {
            let nal = self.buffer.split_to(end).freeze();
            self.searched = 0;
            let is_placed = std::mem::take(&mut self.is_placed);
            if let Some(nal) = annex_b::split(&nal).next() {
                if !is_placed {
                    done.extend(self.place(&nal));
                }
                if self.codec.kind(&nal) != NalKind::Padding {
                    self.unit.push(nal);
                }
            }
        }
        done.extend(self.place_early());
        if self.buffer.len() > MAX_UNIT {
            return Err(SplitError::NoStartCode);
        }
        if self.unit.len() > MAX_NALS || self.unit.iter().map(Bytes::len).sum::<usize>() > MAX_UNIT {
            return Err(SplitError::NoPictureEnd);
        }
        Ok(done)
    }

    /// The position of the second start code of the buffer.
    fn next_start(&mut self) -> Option<usize> {
        // The last two bytes are searched again, since a start code may be split between two reads.
        let from = self.searched.max(4).min(self.buffer.len());
        let found = annex_b::find_start_code(&self.buffer[from..]);
        self.searched = self.buffer.len().saturating_sub(2);
        found.map(|at| from + at)
    }

    /// A slice has its place as soon as its header is there, and the picture before it need not wait for its end.
    fn place_early(&mut self) -> Option<Bytes> {
        let start = annex_b::find_start_code(&self.buffer)? + 3;
        let nal = self.buffer.get(start..start + ENOUGH_OF_A_SLICE)?;
        if self.is_placed || !self.codec.kind(nal).is_slice() {
            return None;
        }
        self.is_placed = true;
        let nal = Bytes::copy_from_slice(nal);
        self.place(&nal)
    }

    /// Finds the place of the next NAL unit. Returns the access unit that ends before it.
    fn place(&mut self, nal: &[u8]) -> Option<Bytes> {
        let place = self.bounds.place(nal);
        let done = if self.has_slice && matches!(place, Place::Begins { .. }) { self.take() } else { None };
        if self.codec.kind(nal).is_slice() {
            self.has_slice = true;
            self.complete = usize::MAX;
        } else if place == Place::Before {
            self.complete = self.complete.min(self.unit.len());
        }
        done
    }

    fn take(&mut self) -> Option<Bytes> {
        let next = self.unit.split_off(self.complete.min(self.unit.len()));
        let nals = std::mem::replace(&mut self.unit, next);
        (!nals.is_empty()).then(|| annex_b::join(&nals))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SPS: &[u8] = &[0x67, 1, 2];
    const PPS: &[u8] = &[0x68, 1];
    const AUD: &[u8] = &[0x09, 0xf0];
    const IDR: &[u8] = &[0x65, 0x88, 3];
    const SECOND_SLICE: &[u8] = &[0x65, 0x08, 4];
    const P: &[u8] = &[0x41, 0x9a, 5];

    fn stream(nals: &[&[u8]]) -> Bytes {
        annex_b::join(&nals.iter().map(|nal| Bytes::copy_from_slice(nal)).collect::<Vec<_>>())
    }

    fn split(bytes: &[u8], chunk: usize) -> Vec<Bytes> {
        let mut splitter = Splitter::new(NalCodec::H264);
        bytes.chunks(chunk).flat_map(|chunk| splitter.push(chunk).expect("small")).collect()
    }

    #[test]
    fn slices_of_one_picture_stay_together_however_the_bytes_are_cut() {
        let bytes = stream(&[AUD, SPS, PPS, IDR, SECOND_SLICE, AUD, P, P, SPS]);
        for chunk in 1..=bytes.len() {
            let units = split(&bytes, chunk);
            let expected = [stream(&[SPS, PPS, IDR, SECOND_SLICE]), stream(&[P])];
            assert_eq!(units, expected, "the second P waits for the end of the SPS, in chunks of {chunk}");
        }
    }

    #[test]
    fn a_picture_is_complete_with_the_first_bytes_of_the_next_one() {
        let mut splitter = Splitter::new(NalCodec::H264);
        let next = [P, &[7; ENOUGH_OF_A_SLICE]].concat();
        let bytes = stream(&[SPS, PPS, IDR, AUD, &next]);
        assert_eq!(splitter.push(&bytes).expect("small"), [stream(&[SPS, PPS, IDR])]);
        assert_eq!(splitter.push(&stream(&[P, AUD])).expect("small"), [stream(&[&next])]);
    }

    #[test]
    fn a_message_between_two_slices_does_not_cut_their_picture() {
        let sei: &[u8] = &[0x06, 5, 0x80];
        let units = split(&stream(&[IDR, sei, SECOND_SLICE, sei, P, P, P]), 7);
        assert_eq!(units, [stream(&[IDR, sei, SECOND_SLICE]), stream(&[sei, P])]);
    }

    proptest! {
        #[test]
        fn no_bytes_cause_a_panic_and_every_byte_of_a_unit_was_in_the_input(chunks in prop::collection::vec(any::<Vec<u8>>(), 0..10)) {
            for codec in [NalCodec::H264, NalCodec::H265] {
                let mut splitter = Splitter::new(codec);
                for chunk in &chunks {
                    prop_assert!(splitter.push(chunk).is_ok());
                }
            }
        }
    }
}
