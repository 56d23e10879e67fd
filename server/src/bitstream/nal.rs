//! NAL units of H.264 and H.265: where they start in a byte stream, and what they are.

use bytes::{BufMut, Bytes, BytesMut};
use memchr::memmem;

use super::Codec;

const START_CODE: [u8; 4] = [0, 0, 0, 1];

/// What a NAL unit is, as far as passing it through needs to know (H.264 table 7-1, H.265 table 7-1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NalKind {
    /// Part of a picture that needs others.
    Slice,
    /// Part of a picture that decoding can start with: an IDR slice, or in H.265 any IRAP slice. An H.264 recovery
    /// point without an IDR is not one: browsers refuse to start there.
    KeySlice,
    Vps,
    Sps,
    Pps,
    /// Access unit delimiters, filler, ends of sequence or stream: of no use in RTP, and in the way there.
    Padding,
    Other,
}

impl NalKind {
    pub const fn is_parameter_set(self) -> bool {
        matches!(self, NalKind::Vps | NalKind::Sps | NalKind::Pps)
    }
}

pub fn h264_kind(nal: &[u8]) -> NalKind {
    match nal.first().map(|header| header & 0x1f) {
        Some(1..=4) => NalKind::Slice,
        Some(5) => NalKind::KeySlice,
        Some(7) => NalKind::Sps,
        Some(8) => NalKind::Pps,
        Some(9..=12) => NalKind::Padding,
        _ => NalKind::Other,
    }
}

pub fn h265_kind(nal: &[u8]) -> NalKind {
    match nal.first().map(|header| header >> 1 & 0x3f) {
        Some(0..=15) => NalKind::Slice,
        Some(16..=23) => NalKind::KeySlice,
        Some(32) => NalKind::Vps,
        Some(33) => NalKind::Sps,
        Some(34) => NalKind::Pps,
        Some(35..=38) => NalKind::Padding,
        _ => NalKind::Other,
    }
}

/// `None` for a codec that has no NAL units.
pub fn kind_of(codec: Codec) -> Option<fn(&[u8]) -> NalKind> {
    match codec {
        Codec::H264 => Some(h264_kind),
        Codec::H265 => Some(h265_kind),
        Codec::Vp8 | Codec::Vp9 | Codec::Av1 => None,
    }
}

/// The NAL units of an Annex B byte stream, without start codes and trailing zeros; slices of `data`, nothing is copied.
/// Bytes before the first start code belong to none.
pub fn annex_b(data: &Bytes) -> AnnexB {
    let mut rest = data.clone();
    match next_start(&rest) {
        Some((_, after)) => drop(rest.split_to(after)),
        None => rest.clear(),
    }
    AnnexB { rest }
}

/// See [`annex_b`].
#[derive(Debug, Clone)]
pub struct AnnexB {
    /// Begins with a NAL unit.
    rest: Bytes,
}

impl Iterator for AnnexB {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        while !self.rest.is_empty() {
            let nal = match next_start(&self.rest) {
                Some((start, after)) => {
                    let nal = self.rest.slice(..start);
                    drop(self.rest.split_to(after));
                    nal
                }
                None => std::mem::take(&mut self.rest),
            };
            // A NAL unit never ends in a zero byte (H.264 §7.4.1, H.265 §7.4.2.1): zeros are part of the next start code.
            let len = nal.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
            if len > 0 {
                return Some(nal.slice(..len));
            }
        }
        None
    }
}

/// Where the next start code begins and where it ends.
fn next_start(data: &[u8]) -> Option<(usize, usize)> {
    memmem::find(data, &START_CODE[1..]).map(|at| (at, at + 3))
}

/// NAL units as an Annex B byte stream.
pub fn to_annex_b(nals: &[Bytes]) -> Bytes {
    let len = nals.iter().map(|nal| START_CODE.len() + nal.len()).sum();
    let mut data = BytesMut::with_capacity(len);
    for nal in nals {
        data.put_slice(&START_CODE);
        data.put_slice(nal);
    }
    data.freeze()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a NAL unit of {claimed} bytes is announced where {left} are left")]
pub struct TruncatedNal {
    pub claimed: usize,
    pub left: usize,
}

/// NAL units as MP4, FLV and Matroska carry them: each after its length in `length_size` bytes (ISO/IEC 14496-15 §5.3.3).
pub fn length_prefixed(data: &Bytes, length_size: usize) -> Result<Vec<Bytes>, TruncatedNal> {
    let mut nals = Vec::new();
    let mut rest = data.clone();
    while !rest.is_empty() {
        if rest.len() < length_size {
            return Err(TruncatedNal { claimed: length_size, left: rest.len() });
        }
        let length = rest.split_to(length_size);
        let claimed = length.iter().fold(0usize, |sum, byte| sum << 8 | usize::from(*byte));
        if rest.len() < claimed {
            return Err(TruncatedNal { claimed, left: rest.len() });
        }
        let nal = rest.split_to(claimed);
        if !nal.is_empty() {
            nals.push(nal);
        }
    }
    Ok(nals)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn split(data: &'static [u8]) -> Vec<Bytes> {
        annex_b(&Bytes::from_static(data)).collect()
    }

    #[test]
    fn short_and_long_start_codes_may_be_mixed() {
        let nals = split(&[0, 0, 0, 1, 0x67, 1, 0, 0, 1, 0x68, 2, 0, 0, 0, 1, 0x65, 3]);
        assert_eq!(nals, [&[0x67, 1][..], &[0x68, 2], &[0x65, 3]]);
    }

    #[test]
    fn what_stands_before_the_first_start_code_is_no_nal_unit() {
        assert_eq!(split(&[9, 9, 0, 0, 1, 0x65, 3]), [&[0x65, 3][..]]);
        assert!(split(&[0x65, 3, 4]).is_empty());
    }

    #[test]
    fn empty_nal_units_are_left_out() {
        assert_eq!(split(&[0, 0, 1, 0, 0, 1, 0x65, 0, 0, 1]), [&[0x65][..]]);
    }

    #[test]
    fn a_length_beyond_the_end_is_an_error() {
        let data = Bytes::from_static(&[0, 0, 0, 9, 0x65]);
        assert_eq!(length_prefixed(&data, 4), Err(TruncatedNal { claimed: 9, left: 1 }));
        assert_eq!(length_prefixed(&data.slice(..2), 4), Err(TruncatedNal { claimed: 4, left: 2 }));
    }

    #[test]
    fn an_idr_of_h265_is_told_from_its_vps() {
        assert_eq!(h265_kind(&[19 << 1, 1]), NalKind::KeySlice);
        assert_eq!(h265_kind(&[32 << 1, 1]), NalKind::Vps);
        assert_eq!(h265_kind(&[1 << 1, 1]), NalKind::Slice);
    }

    /// A NAL unit as an encoder would emit it: no start code inside, no zero at its end.
    pub(crate) fn nal(max: usize) -> impl Strategy<Value = Bytes> {
        proptest::collection::vec(1u8..=255, 1..max).prop_map(Bytes::from)
    }

    proptest! {
        #[test]
        fn nal_units_survive_the_way_to_annex_b_and_back(nals in proptest::collection::vec(nal(50), 0..8)) {
            prop_assert_eq!(annex_b(&to_annex_b(&nals)).collect::<Vec<_>>(), nals);
        }

        #[test]
        fn any_bytes_split_into_slices_of_themselves(data: Vec<u8>) {
            let data = Bytes::from(data);
            let total: usize = annex_b(&data).map(|nal| nal.len()).sum();
            prop_assert!(total <= data.len());
            for size in 1..=4 {
                let _ = length_prefixed(&data, size);
            }
        }
    }
}
