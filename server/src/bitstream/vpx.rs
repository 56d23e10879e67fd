//! Reads the headers of VP8 and VP9 frames.

use bitstream_io::{BigEndian, BitRead, BitReader};

use super::Dimensions;

/// The dimensions of a key frame, at which decoding can start; `None` for any other frame (RFC 6386 §9.1).
pub fn vp8_key_frame(frame: &[u8]) -> Option<Dimensions> {
    const START_CODE: [u8; 3] = [0x9d, 0x01, 0x2a];
    let [tag, _, _, a, b, c, w0, w1, h0, h1, ..] = *frame else { return None };
    let size = |low, high| u32::from(u16::from_le_bytes([low, high]) & 0x3fff);
    (tag & 1 == 0 && [a, b, c] == START_CODE)
        .then(|| Dimensions { width: size(w0, w1), height: size(h0, h1) })
}

/// The dimensions of a key frame, at which decoding can start; `None` for any other frame (VP9 bitstream specification §6.2).
pub fn vp9_key_frame(frame: &[u8]) -> Option<Dimensions> {
    vp9(frame).ok().flatten()
}

fn vp9(frame: &[u8]) -> std::io::Result<Option<Dimensions>> {
    const RGB: u32 = 7;
    let mut bits = BitReader::endian(frame, BigEndian);
    let marker: u32 = bits.read(2)?;
    let profile = u32::from(bits.read_bit()?) | u32::from(bits.read_bit()?) << 1;
    if marker != 2 || (profile == 3 && bits.read_bit()?) {
        return Ok(None);
    }
    let shows_existing = bits.read_bit()?;
    let inter = bits.read_bit()?;
    if shows_existing || inter {
        return Ok(None);
    }
    bits.skip(2)?; // show_frame, error_resilient_mode
    if bits.read::<u32>(24)? != 0x49_83_42 {
        return Ok(None);
    }
    if profile >= 2 {
        bits.skip(1)?; // ten_or_twelve_bit
    }
    let color_space: u32 = bits.read(3)?;
    match (color_space, profile) {
        (RGB, 1 | 3) => bits.skip(1)?, // reserved
        (RGB, _) => {}
        (_, 1 | 3) => bits.skip(4)?, // color_range, subsampling, reserved
        _ => bits.skip(1)?,          // color_range
    }
    let width = bits.read::<u32>(16)? + 1;
    let height = bits.read::<u32>(16)? + 1;
    Ok(Some(Dimensions { width, height }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_size_of_a_vp8_key_frame_is_read() {
        // From ffmpeg, with the scaling bits set by hand: frame tag, start code, 640, 360.
        let frame = [0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0x80, 0x42, 0x68, 0x81];
        assert_eq!(vp8_key_frame(&frame), Some(Dimensions { width: 640, height: 360 }));
        assert_eq!(vp8_key_frame(&[0x11, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0x80, 0x42, 0x68, 0x81]), None);
    }

    #[test]
    fn the_size_of_a_vp9_key_frame_is_read() {
        // From ffmpeg: marker 2, profile 0, a key frame that is shown; sync code; 3 bits of color space, 1 of range; 1279; 719.
        let frame = [0x82, 0x49, 0x83, 0x42, 0x00, 0x4f, 0xf0, 0x2c, 0xf6];
        assert_eq!(vp9_key_frame(&frame), Some(Dimensions { width: 1280, height: 720 }));
        assert_eq!(vp9_key_frame(&[0x86, 0x49, 0x83, 0x42, 0x00, 0x4f, 0xf0, 0x2c, 0xf6]), None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_them_panic(bytes: Vec<u8>) {
            let _ = vp8_key_frame(&bytes);
            let _ = vp9_key_frame(&bytes);
        }
    }
}
