//! Annex B byte streams of H.264 and H.265: NAL units with a start code before each.

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use memchr::memmem;

/// The start code that is written before each NAL unit.
pub const START_CODE: [u8; 4] = [0, 0, 0, 1];
/// The shortest start code.
const SHORT_START_CODE: &[u8] = &[0, 0, 1];

/// Splits an Annex B byte stream into its NAL units, without start codes and trailing zeros. They are slices of `data`, without
/// copies. Bytes before the first start code are ignored.
pub fn split(data: &Bytes) -> NalUnits {
    let mut rest = data.clone();
    match find_start_code(&rest) {
        Some(start) => rest.advance(start + SHORT_START_CODE.len()),
        None => rest.clear(),
    }
    NalUnits { rest }
}

/// See [`split`].
#[derive(Debug, Clone)]
pub struct NalUnits {
    /// The rest of the data, which begins with a NAL unit.
    rest: Bytes,
}

impl Iterator for NalUnits {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        while !self.rest.is_empty() {
            let nal = match find_start_code(&self.rest) {
                Some(start) => {
                    let nal = self.rest.split_to(start);
                    self.rest.advance(SHORT_START_CODE.len());
                    nal
                }
                None => std::mem::take(&mut self.rest),
            };
            // A NAL unit never ends in a zero byte (H.264 §7.4.1, H.265 §7.4.2.1), so zeros belong to the next start code.
            let len = nal.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
            if len > 0 {
                return Some(nal.slice(..len));
            }
        }
        None
    }
}

/// The position of the first start code of `data`. Only the last three bytes of a start code are searched for; a zero byte in
/// front of them is left to what comes before.
pub fn find_start_code(data: &[u8]) -> Option<usize> {
    memmem::find(data, SHORT_START_CODE)
}

/// Joins NAL units to an Annex B byte stream.
pub fn join(nals: &[Bytes]) -> Bytes {
    let len = nals.iter().map(|nal| START_CODE.len() + nal.len()).sum();
    let mut data = BytesMut::with_capacity(len);
    for nal in nals {
        data.put_slice(&START_CODE);
        data.put_slice(nal);
    }
    data.freeze()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn units(data: &'static [u8]) -> Vec<Bytes> {
        split(&Bytes::from_static(data)).collect()
    }

    #[test]
    fn short_and_long_start_codes_may_be_mixed() {
        let nals = units(&[0, 0, 0, 1, 0x67, 1, 0, 0, 1, 0x68, 2, 0, 0, 0, 1, 0x65, 3]);
        assert_eq!(nals, [&[0x67, 1][..], &[0x68, 2], &[0x65, 3]]);
    }

    #[test]
    fn bytes_before_the_first_start_code_are_ignored() {
        assert_eq!(units(&[9, 9, 0, 0, 1, 0x65, 3]), [&[0x65, 3][..]]);
        assert!(units(&[0x65, 3, 4]).is_empty());
    }

    #[test]
    fn empty_nal_units_are_left_out() {
        assert_eq!(units(&[0, 0, 1, 0, 0, 1, 0x65, 0, 0, 1]), [&[0x65][..]]);
    }

    /// A NAL unit as an encoder would emit it: no start code inside, no zero at its end.
    fn nal(max: usize) -> impl Strategy<Value = Bytes> {
        proptest::collection::vec(1u8..=255, 1..max).prop_map(Bytes::from)
    }

    proptest! {
        #[test]
        fn nal_units_that_are_joined_and_split_are_the_same(nals in proptest::collection::vec(nal(50), 0..8)) {
            prop_assert_eq!(split(&join(&nals)).collect::<Vec<_>>(), nals);
        }

        #[test]
        fn any_bytes_split_into_slices_of_themselves(data: Vec<u8>) {
            let data = Bytes::from(data);
            let total: usize = split(&data).map(|nal| nal.len()).sum();
            prop_assert!(total <= data.len());
        }
    }
}
