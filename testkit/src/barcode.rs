//! Reads the barcode of `e2e/cameras/barcode.py` from the luma plane of a decoded picture.

const COLUMNS: usize = 16;
/// The barcode's cells are this part of the picture's width.
const CELLS_PER_WIDTH: usize = 32;
const THRESHOLD: u8 = 128;

/// The content of a picture's barcode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// 1 for `camera1`.
    pub camera: u8,
    /// Number of the frame in the camera's loop: it is sent when `floor(unix_time * fps) % frames_of_loop` is this.
    pub frame: u16,
}

/// `None` if there is no barcode, or a damaged one.
pub fn read(luma: &[u8], stride: usize, width: usize) -> Option<Reading> {
    let cell = width / CELLS_PER_WIDTH;
    let row = |y: usize| {
        (0..COLUMNS).try_fold(0u16, |bits, x| {
            let level = *luma.get((y * cell + cell / 2) * stride + x * cell + cell / 2)?;
            Some(bits << 1 | u16::from(level > THRESHOLD))
        })
    };
    let [[0xA5, camera], [high, low], [0x5A, check]] =
        [row(0)?.to_be_bytes(), row(1)?.to_be_bytes(), row(2)?.to_be_bytes()]
    else {
        return None;
    };
    let reading = Reading { camera, frame: u16::from_be_bytes([high, low]) };
    (check == checksum(reading)).then_some(reading)
}

fn checksum(reading: Reading) -> u8 {
    let [high, low] = reading.frame.to_be_bytes();
    reading.camera.wrapping_add(high.wrapping_mul(7)).wrapping_add(low.wrapping_mul(13))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDTH: usize = 160;

    fn picture(rows: [u16; 3]) -> Vec<u8> {
        let cell = WIDTH / CELLS_PER_WIDTH;
        let mut luma = vec![90u8; WIDTH * 90];
        for (i, level) in luma.iter_mut().enumerate() {
            let (x, y) = (i % WIDTH / cell, i / WIDTH / cell);
            if let (Some(bits), true) = (rows.get(y), x < COLUMNS) {
                *level = if bits >> (COLUMNS - 1 - x) & 1 == 1 { 235 } else { 16 };
            }
        }
        luma
    }

    #[test]
    fn camera_and_frame_are_read() {
        let reading = Reading { camera: 7, frame: 0x0123 };
        let luma = picture([0xA507, 0x0123, 0x5A00 | u16::from(checksum(reading))]);
        assert_eq!(read(&luma, WIDTH, WIDTH), Some(reading));
    }

    #[test]
    fn a_damaged_barcode_is_no_reading() {
        let check = 0x5A00 | u16::from(checksum(Reading { camera: 7, frame: 0x0123 }));
        assert_eq!(read(&picture([0xA507, 0x0122, check]), WIDTH, WIDTH), None, "the frame number");
        assert_eq!(read(&picture([0xA506, 0x0123, check]), WIDTH, WIDTH), None, "the camera");
        assert_eq!(read(&picture([0xA407, 0x0123, check]), WIDTH, WIDTH), None, "the mark");
    }

    #[test]
    fn a_picture_that_is_too_small_is_no_reading() {
        assert_eq!(read(&[0; 100], WIDTH, WIDTH), None);
        assert_eq!(read(&[], 0, 0), None);
    }
}
