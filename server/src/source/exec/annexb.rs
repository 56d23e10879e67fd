//! A raw H.264 or H.265 byte stream (Annex B), cut into access units as it comes. Pure.
//!
//! An access unit is complete when the next one begins (H.264 §7.4.1.2.3, H.265 §7.4.2.4.4), so a program that writes no
//! container shows its pictures one picture late.

use bytes::{Bytes, BytesMut};

use crate::bitstream::Codec;
use crate::bitstream::nal::{self, NalKind};

/// An access unit that grows beyond this is none.
const MAX_UNIT: usize = 32 << 20;

#[derive(Debug)]
pub(super) struct Splitter {
    codec: Codec,
    kind: fn(&[u8]) -> NalKind,
    /// Begins with a start code, or is empty.
    buffer: BytesMut,
    /// How much of it was searched for a start code that ends the first NAL unit.
    searched: usize,
    unit: Vec<Bytes>,
    has_slice: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum SplitError {
    #[error("no start code in {MAX_UNIT} bytes")]
    NoStartCode,
    #[error("no end of a picture in {MAX_UNIT} bytes")]
    NoPictureEnd,
}

/// A complete access unit, and whether decoding can start there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unit {
    pub(super) keyframe: bool,
    pub(super) data: Bytes,
}

/// Which codec a byte stream carries; `None` if it is none. Looks at the header of its first NAL unit: an encoder begins
/// with a delimiter, a parameter set or SEI.
pub(super) fn codec_of(start: &[u8]) -> Option<Codec> {
    let ([0, 0, 0, 1, header @ ..] | [0, 0, 1, header @ ..]) = start else { return None };
    match *header {
        // VPS, SPS, PPS, AUD, prefix SEI of layer 0, temporal id 0. As H.264 these would be types that no stream begins with.
        [0x40 | 0x42 | 0x44 | 0x46 | 0x4e, 1, ..] => Some(Codec::H265),
        [first, ..] if first & 0x80 == 0 && matches!(first & 0x1f, 1 | 5..=9) => Some(Codec::H264),
        _ => None,
    }
}

impl Splitter {
    /// `None` for a codec that has no byte stream format.
    pub(super) fn new(codec: Codec) -> Option<Self> {
        let kind = nal::kind_of(codec)?;
        Some(Self { codec, kind, buffer: BytesMut::new(), searched: 0, unit: Vec::new(), has_slice: false })
    }

    /// Takes the next bytes, however they are cut, and returns the access units that they complete.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<Vec<Unit>, SplitError> {
        self.buffer.extend_from_slice(bytes);
        let mut done = Vec::new();
        while let Some(end) = self.next_start() {
            let nal = self.buffer.split_to(end).freeze();
            self.searched = 0;
            if let Some(nal) = nal::annex_b(&nal).next() {
                done.extend(self.nal(nal));
            }
        }
        if self.buffer.len() > MAX_UNIT {
            return Err(SplitError::NoStartCode);
        }
        if self.unit.iter().map(Bytes::len).sum::<usize>() > MAX_UNIT {
            return Err(SplitError::NoPictureEnd);
        }
        Ok(done)
    }

    /// Where the second start code of the buffer is.
    fn next_start(&mut self) -> Option<usize> {
        // A start code may have been cut: its first two bytes are searched again.
        let from = self.searched.max(4).min(self.buffer.len());
        let found = self.buffer[from..].windows(3).position(|window| window == [0, 0, 1]);
        self.searched = self.buffer.len().saturating_sub(2);
        found.map(|at| from + at)
    }

    fn nal(&mut self, nal: Bytes) -> Option<Unit> {
        let kind = (self.kind)(&nal);
        let slice = matches!(kind, NalKind::Slice | NalKind::KeySlice);
        let begins = if slice { self.is_first_slice(&nal) } else { !self.belongs_after_slices(&nal) };
        let done = if self.has_slice && begins { self.take() } else { None };
        self.has_slice |= slice;
        if kind != NalKind::Padding {
            self.unit.push(nal);
        }
        done
    }

    /// `first_mb_in_slice` 0 is the Exp-Golomb code `1` (H.264 §7.3.3); `first_slice_segment_in_pic_flag` (H.265 §7.3.6.1).
    fn is_first_slice(&self, nal: &[u8]) -> bool {
        let header = if self.codec == Codec::H265 { 2 } else { 1 };
        nal.get(header).is_none_or(|byte| byte & 0x80 != 0)
    }

    /// Suffix SEI, filler and ends of sequence close a picture; anything else that is no slice opens the next.
    fn belongs_after_slices(&self, nal: &[u8]) -> bool {
        let first = nal.first().copied().unwrap_or(0);
        match self.codec {
            Codec::H265 => matches!(first >> 1 & 0x3f, 36..=38 | 40),
            _ => matches!(first & 0x1f, 10..=12 | 19..=21),
        }
    }

    fn take(&mut self) -> Option<Unit> {
        let nals = std::mem::take(&mut self.unit);
        self.has_slice = false;
        let keyframe = nals.iter().any(|nal| (self.kind)(nal) == NalKind::KeySlice);
        (!nals.is_empty()).then(|| Unit { keyframe, data: nal::to_annex_b(&nals) })
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
        nal::to_annex_b(&nals.iter().map(|nal| Bytes::copy_from_slice(nal)).collect::<Vec<_>>())
    }

    fn split(bytes: &[u8], chunk: usize) -> Vec<Unit> {
        let mut splitter = Splitter::new(Codec::H264).expect("it has a byte stream");
        bytes.chunks(chunk).flat_map(|chunk| splitter.push(chunk).expect("small")).collect()
    }

    #[test]
    fn slices_of_one_picture_stay_together_however_the_bytes_are_cut() {
        let bytes = stream(&[AUD, SPS, PPS, IDR, SECOND_SLICE, AUD, P, P, SPS]);
        for chunk in 1..=bytes.len() {
            let units = split(&bytes, chunk);
            let expected = [
                Unit { keyframe: true, data: stream(&[SPS, PPS, IDR, SECOND_SLICE]) },
                Unit { keyframe: false, data: stream(&[P]) },
            ];
            assert_eq!(units, expected, "the second P waits for the end of the SPS, in chunks of {chunk}");
        }
    }

    #[test]
    fn the_codec_is_told_by_the_first_nal_unit() {
        assert_eq!(codec_of(&[0, 0, 0, 1, 0x67, 0x64]), Some(Codec::H264));
        assert_eq!(codec_of(&[0, 0, 1, 0x09, 0xf0]), Some(Codec::H264));
        assert_eq!(codec_of(&[0, 0, 0, 1, 0x40, 1, 0x0c]), Some(Codec::H265));
        assert_eq!(codec_of(&[0, 0, 0, 1, 0x46, 1, 0x50]), Some(Codec::H265));
        assert_eq!(codec_of(b"FLV\x01"), None);
    }

    proptest! {
        #[test]
        fn no_bytes_panic_and_none_are_invented(chunks in prop::collection::vec(any::<Vec<u8>>(), 0..10)) {
            for codec in [Codec::H264, Codec::H265] {
                let mut splitter = Splitter::new(codec).expect("it has a byte stream");
                for chunk in &chunks {
                    prop_assert!(splitter.push(chunk).is_ok());
                }
            }
        }
    }
}
