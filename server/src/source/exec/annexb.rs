//! Splits a raw H.264 or H.265 byte stream (Annex B) into access units. Pure.
//!
//! An access unit is complete only when the next one begins (H.264 §7.4.1.2.3, H.265 §7.4.2.4.4), so the pictures of a program
//! that writes no container are one picture late.

use bytes::{Bytes, BytesMut};

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
    unit: Vec<Bytes>,
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
        Self { codec, buffer: BytesMut::new(), searched: 0, unit: Vec::new(), has_slice: false }
    }

    /// Takes the next bytes, however they are cut, and returns the access units that they complete.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<Vec<Bytes>, SplitError> {
        self.buffer.extend_from_slice(bytes);
        let mut done = Vec::new();
        while let Some(end) = self.next_start() {
            let nal = self.buffer.split_to(end).freeze();
            self.searched = 0;
            if let Some(nal) = annex_b::split(&nal).next() {
                done.extend(self.nal(nal));
            }
        }
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

    fn nal(&mut self, nal: Bytes) -> Option<Bytes> {
        let kind = self.codec.kind(&nal);
        let done = if self.has_slice && self.codec.begins_unit(&nal) { self.take() } else { None };
        self.has_slice |= kind.is_slice();
        if kind != NalKind::Padding {
            self.unit.push(nal);
        }
        done
    }

    fn take(&mut self) -> Option<Bytes> {
        let nals = std::mem::take(&mut self.unit);
        self.has_slice = false;
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
