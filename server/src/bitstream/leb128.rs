//! The variable-length numbers of AV1 (AV1 §4.10.5).

use bytes::BufMut;

/// Reads the number at the start of `data`. Returns it with the rest; `None` if it is incomplete or exceeds the 32 bits that
/// sizes may have.
pub fn read(data: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0u64;
    for (index, byte) in data.iter().enumerate().take(8) {
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((u32::try_from(value).ok()? as usize, &data[index + 1..]));
        }
    }
    None
}

/// Writes `value` in as few bytes as it needs.
pub fn put(mut value: usize, out: &mut impl BufMut) {
    while value > 0x7f {
        out.put_u8(value as u8 | 0x80);
        value >>= 7;
    }
    out.put_u8(value as u8);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_number_without_an_end_or_of_more_than_32_bits_is_none() {
        assert_eq!(read(&[0x80, 0x80]), None);
        assert_eq!(read(&[0xff, 0xff, 0xff, 0xff, 0x1f]), None);
        assert_eq!(read(&[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0]), None);
    }

    #[test]
    fn leading_zeros_are_allowed() {
        assert_eq!(read(&[0x85, 0x80, 0x00, 9]), Some((5, &[9][..])));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(value: u32, tail: Vec<u8>) {
            let mut bytes = Vec::new();
            put(value as usize, &mut bytes);
            bytes.extend(&tail);
            prop_assert_eq!(read(&bytes), Some((value as usize, &tail[..])));
        }
    }
}
