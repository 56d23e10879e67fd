//! Reads the OBUs of an AV1 temporal unit. Section numbers are those of the AV1 bitstream specification.

use bitstream_io::{BigEndian, BitRead, BitReader};
use bytes::{Buf as _, BufMut, Bytes};

use super::{Dimensions, leb128};

// OBU types (§6.2.2).
const SEQUENCE_HEADER: u8 = 1;
const TEMPORAL_DELIMITER: u8 = 2;
const FRAME_HEADER: u8 = 3;
const FRAME: u8 = 6;
const TILE_LIST: u8 = 8;

// Bits of an OBU's first byte (§5.3.2): `obu_extension_flag` and `obu_has_size_field`.
const EXTENDED: u8 = 4;
const SIZED: u8 = 2;

/// The properties of a temporal unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unit {
    /// Whether a new coded video sequence starts here (§7.5), with a sequence header and then a key frame that is shown.
    pub keyframe: bool,
    /// The dimensions in the sequence header.
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
    let (extended, sized) = (header & EXTENDED != 0, header & SIZED != 0);
    if extended {
        rest = rest.get(1..)?;
    }
    if !sized {
        return None;
    }
    let (len, rest) = leb128::read(rest)?;
    let (payload, after) = rest.split_at_checked(len)?;
    Some((header >> 3 & 0xf, payload, after))
}

/// Writes an OBU with its size (§5.3), which RTP leaves out, unless it is one that a temporal unit does not need (AOM's RTP
/// specification §5: delimiters and tile lists). `None` if it ends within its header.
pub fn put_obu(obu: &[u8], out: &mut impl BufMut) -> Option<()> {
    let first = *obu.first()?;
    let header_len = if first & EXTENDED == 0 { 1 } else { 2 };
    let (header, payload) = obu.split_at_checked(header_len)?;
    if matches!(first >> 3 & 0xf, TEMPORAL_DELIMITER | TILE_LIST) {
        return Some(());
    }
    if first & SIZED != 0 {
        out.put_slice(obu);
        return Some(());
    }
    out.put_u8(first | SIZED);
    out.put_slice(&header[1..]);
    leb128::put(payload.len(), out);
    out.put_slice(payload);
    Some(())
}

/// Removes the temporal delimiter, with which each temporal unit begins in a container (§7.5), and which RTP leaves out.
pub fn strip_temporal_delimiter(unit: &mut Bytes) {
    const DELIMITER: [u8; 2] = [TEMPORAL_DELIMITER << 3 | SIZED, 0];
    if unit.starts_with(&DELIMITER) {
        unit.advance(DELIMITER.len());
    }
}

/// `show_existing_frame` 0, `frame_type` `KEY_FRAME`, `show_frame` 1 (§5.9.2).
fn shown_key_frame(payload: &[u8]) -> bool {
    payload.first().is_some_and(|byte| byte >> 4 == 0b0001)
}

struct Sequence {
    dimensions: Dimensions,
    /// `reduced_still_picture_header`: every frame is a key frame, without a field for that in its header.
    still: bool,
}

/// Parses a sequence header (§5.5.1) up to the dimensions.
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

/// Parses §5.5.3 and §5.5.4. Returns the length of the decoder model's delays, if there is a model.
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
    fn a_sequence_header_repeated_before_an_inter_frame_starts_no_sequence() {
        assert!(!unit(&[&SEQUENCE_640X360, &[0x32, 0x02, 0x30, 0x00]]).expect("whole").keyframe);
    }

    #[test]
    fn a_key_frame_without_its_sequence_header_starts_no_sequence() {
        assert!(!unit(&[&[0x32, 0x02, 0x10, 0x00]]).expect("whole").keyframe);
    }

    #[test]
    fn an_obu_longer_than_the_data_is_damaged() {
        assert_eq!(unit(&[&[0x32, 0x05, 0x10, 0x00]]), Err(DamagedObu));
        assert_eq!(unit(&[&[0x32, 0xff, 0xff, 0xff, 0xff, 0xff]]), Err(DamagedObu));
    }

    #[test]
    fn a_temporal_delimiter_is_removed() {
        let mut unit = Bytes::from_static(&[0x12, 0x00, 0x32, 0x02, 0x30, 0x00]);
        strip_temporal_delimiter(&mut unit);
        assert_eq!(unit[..], [0x32, 0x02, 0x30, 0x00]);
        strip_temporal_delimiter(&mut unit);
        assert_eq!(unit.len(), 4);
    }

    #[test]
    fn an_obu_gets_its_size_whether_it_has_an_extension_or_not() {
        let sized = |obu: &[u8]| {
            let mut out = Vec::new();
            put_obu(obu, &mut out).map(|()| out)
        };
        assert_eq!(sized(&[0x30, 0x10, 0x00]), Some(vec![0x32, 0x02, 0x10, 0x00]));
        assert_eq!(sized(&[0x34, 0x08, 0x10]), Some(vec![0x36, 0x08, 0x01, 0x10]));
        assert_eq!(sized(&[0x32, 0x01, 0x10]), Some(vec![0x32, 0x01, 0x10]));
        assert_eq!(sized(&[0x10]), Some(Vec::new()), "a delimiter is left out");
        assert_eq!(sized(&[0x34]), None, "the extension is missing");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>, header: Vec<u8>) {
            let _ = read(&bytes);
            let _ = put_obu(&bytes, &mut Vec::new());
            let _ = sequence_header(&header);
        }
    }
}
