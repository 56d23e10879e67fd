//! What the OBUs of an AV1 temporal unit tell. Sections are those of the AV1 bitstream specification.

use bitstream_io::{BigEndian, BitRead, BitReader};

use super::Dimensions;

const SEQUENCE_HEADER: u8 = 1;
const FRAME_HEADER: u8 = 3;
const FRAME: u8 = 6;

/// What a temporal unit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unit {
    /// A new coded video sequence starts here (§7.5): a sequence header, then a key frame that is shown.
    pub keyframe: bool,
    /// Of the sequence header.
    pub dimensions: Option<Dimensions>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an OBU of the AV1 temporal unit is damaged")]
pub struct DamagedObu;

/// Reads a temporal unit in the low-overhead format, every OBU with its size (§5.2).
pub fn read(unit: &[u8]) -> Result<Unit, DamagedObu> {
    let mut rest = unit;
    let mut sequence: Option<Sequence> = None;
    let mut keyframe = None;
    while !rest.is_empty() {
        let (kind, payload, after) = obu(rest).ok_or(DamagedObu)?;
        match kind {
            SEQUENCE_HEADER => sequence = Some(sequence_header(payload).map_err(|_| DamagedObu)?),
            FRAME_HEADER | FRAME => {
                keyframe.get_or_insert(
                    sequence.as_ref().is_some_and(|seq| seq.still || shown_key_frame(payload)),
                );
            }
            _ => {}
        }
        rest = after;
    }
    Ok(Unit { keyframe: keyframe.unwrap_or(false), dimensions: sequence.map(|sequence| sequence.dimensions) })
}

/// The first OBU of `data`: its type, its payload, and what follows it (§5.3).
fn obu(data: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (header, mut rest) = data.split_first()?;
    let (extended, sized) = (header & 4 != 0, header & 2 != 0);
    if extended {
        rest = rest.get(1..)?;
    }
    if !sized {
        return None;
    }
    let (len, rest) = leb128(rest)?;
    let (payload, after) = rest.split_at_checked(len)?;
    Some((header >> 3 & 0xf, payload, after))
}

/// §4.10.5; sizes are limited to 32 bits.
fn leb128(data: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0u64;
    for (index, byte) in data.iter().enumerate().take(8) {
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((u32::try_from(value).ok()? as usize, &data[index + 1..]));
        }
    }
    None
}

/// `show_existing_frame` 0, `frame_type` `KEY_FRAME`, `show_frame` 1 (§5.9.2).
fn shown_key_frame(payload: &[u8]) -> bool {
    payload.first().is_some_and(|byte| byte >> 4 == 0b0001)
}

struct Sequence {
    dimensions: Dimensions,
    /// `reduced_still_picture_header`: every frame is a key frame, and its header does not say so.
    still: bool,
}

/// §5.5.1, up to the size.
fn sequence_header(payload: &[u8]) -> std::io::Result<Sequence> {
    let mut bits = BitReader::endian(payload, BigEndian);
    bits.skip(4)?; // seq_profile, still_picture
    let still = bits.read_bit()?;
    if still {
        bits.skip(5)?; // seq_level_idx
    } else {
        let delay_bits = if bits.read_bit()? { timing_info(&mut bits)? } else { None };
        let initial_display_delay = bits.read_bit()?;
        let points = bits.read::<u32>(5)? + 1;
        for _ in 0..points {
            bits.skip(12)?; // operating_point_idc
            let level: u32 = bits.read(5)?;
            if level > 7 {
                bits.skip(1)?; // seq_tier
            }
            if let Some(len) = delay_bits
                && bits.read_bit()?
            {
                bits.skip(2 * len + 1)?; // operating_parameters_info
            }
            if initial_display_delay && bits.read_bit()? {
                bits.skip(4)?;
            }
        }
    }
    let width_bits = bits.read::<u32>(4)? + 1;
    let height_bits = bits.read::<u32>(4)? + 1;
    let width = bits.read::<u32>(width_bits)? + 1;
    let height = bits.read::<u32>(height_bits)? + 1;
    Ok(Sequence { dimensions: Dimensions { width, height }, still })
}

/// §5.5.3 and §5.5.4: the length of the decoder model's delays, if there is a model.
fn timing_info(bits: &mut BitReader<&[u8], BigEndian>) -> std::io::Result<Option<u32>> {
    bits.skip(64)?; // num_units_in_display_tick, time_scale
    if bits.read_bit()? {
        // uvlc (§4.10.3)
        let zeros = bits.read_unary1()?;
        bits.skip(zeros.min(32))?;
    }
    if !bits.read_bit()? {
        return Ok(None);
    }
    let len = bits.read::<u32>(5)? + 1;
    bits.skip(32 + 5 + 5)?;
    Ok(Some(len))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// From ffmpeg: libaom, `testsrc2=size=640x360`: the sequence header of the first temporal unit.
    const SEQUENCE_640X360: [u8; 13] =
        [0x0a, 0x0b, 0x00, 0x00, 0x00, 0x0c, 0xc4, 0xff, 0x67, 0x36, 0xbe, 0x40, 0x10];

    fn unit(obus: &[&[u8]]) -> Result<Unit, DamagedObu> {
        read(&obus.concat())
    }

    #[test]
    fn a_sequence_header_and_a_shown_key_frame_start_a_sequence() {
        let unit = unit(&[&SEQUENCE_640X360, &[0x32, 0x02, 0x10, 0x00]]).expect("whole");
        assert_eq!(unit, Unit { keyframe: true, dimensions: Some(Dimensions { width: 640, height: 360 }) });
    }

    #[test]
    fn a_sequence_header_that_is_repeated_before_an_inter_frame_starts_nothing() {
        assert!(!unit(&[&SEQUENCE_640X360, &[0x32, 0x02, 0x30, 0x00]]).expect("whole").keyframe);
    }

    #[test]
    fn a_key_frame_without_its_sequence_header_starts_nothing() {
        assert!(!unit(&[&[0x32, 0x02, 0x10, 0x00]]).expect("whole").keyframe);
    }

    #[test]
    fn an_obu_that_claims_more_than_there_is_is_damaged() {
        assert_eq!(unit(&[&[0x32, 0x05, 0x10, 0x00]]), Err(DamagedObu));
        assert_eq!(unit(&[&[0x32, 0xff, 0xff, 0xff, 0xff, 0xff]]), Err(DamagedObu));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>, header: Vec<u8>) {
            let _ = read(&bytes);
            let _ = sequence_header(&header);
        }
    }
}
