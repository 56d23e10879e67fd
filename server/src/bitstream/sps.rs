//! Reads the dimensions of the picture from a sequence parameter set.

use h264_reader::nal::sps::SeqParameterSet;
use h264_reader::rbsp::{BitRead, BitReader, BitReaderError, ByteReader};

use super::Dimensions;
use super::nal::NalCodec;

/// The dimensions in an SPS, which includes its NAL header; `None` if it is damaged.
pub fn dimensions(codec: NalCodec, sps: &[u8]) -> Option<Dimensions> {
    let bits = BitReader::new(ByteReader::without_skip(sps.get(codec.header_len()..)?));
    match codec {
        NalCodec::H264 => {
            let (width, height) = SeqParameterSet::from_bits(bits).ok()?.pixel_dimensions().ok()?;
            Some(Dimensions { width, height })
        }
        NalCodec::H265 => h265(bits).ok()?,
    }
}

/// The size to show a picture of this SPS in, where that is not the one of [`dimensions`] (H.264 §E.2.1). That of H.265 is not read.
pub fn display(codec: NalCodec, sps: &[u8], size: Dimensions) -> Option<Dimensions> {
    if codec != NalCodec::H264 {
        return None;
    }
    let bits = BitReader::new(ByteReader::without_skip(sps.get(1..)?));
    let vui = SeqParameterSet::from_bits(bits).ok()?.vui_parameters?;
    let (width, height) = vui.aspect_ratio_info?.get()?;
    size.displayed(width, height)
}

/// Parses H.265 §7.3.2.2.1 up to the conformance window, to which the picture is cropped.
fn h265(mut bits: impl BitRead) -> Result<Option<Dimensions>, BitReaderError> {
    bits.skip(4, "sps_video_parameter_set_id")?;
    let sub_layers: u32 = bits.read(3, "sps_max_sub_layers_minus1")?;
    bits.skip(1, "sps_temporal_id_nesting_flag")?;
    skip_profile_tier_level(&mut bits, sub_layers)?;
    bits.read_ue("sps_seq_parameter_set_id")?;
    let chroma = bits.read_ue("chroma_format_idc")?;
    if chroma == 3 {
        bits.skip(1, "separate_colour_plane_flag")?;
    }
    let width = bits.read_ue("pic_width_in_luma_samples")?;
    let height = bits.read_ue("pic_height_in_luma_samples")?;
    let mut crop = [0; 4];
    if bits.read_bool("conformance_window_flag")? {
        for offset in &mut crop {
            *offset = bits.read_ue("conf_win_offset")?;
        }
    }
    let [left, right, top, bottom] = crop;
    // Offsets count chroma samples (table 6-1).
    let (unit_x, unit_y) = match chroma {
        1 => (2, 2),
        2 => (2, 1),
        _ => (1, 1),
    };
    let cropped = |size: u32, unit: u32, first: u32, second: u32| {
        let left = size.checked_sub(first.checked_add(second)?.checked_mul(unit)?)?;
        (left > 0).then_some(left)
    };
    Ok(cropped(width, unit_x, left, right)
        .zip(cropped(height, unit_y, top, bottom))
        .map(|(width, height)| Dimensions { width, height }))
}

/// H.265 §7.3.3.
pub(super) fn skip_profile_tier_level(
    bits: &mut impl BitRead,
    sub_layers: u32,
) -> Result<(), BitReaderError> {
    bits.skip(88, "general_profile")?;
    bits.skip(8, "general_level_idc")?;
    let mut present = Vec::new();
    for _ in 0..sub_layers {
        let profile = bits.read_bool("sub_layer_profile_present_flag")?;
        let level = bits.read_bool("sub_layer_level_present_flag")?;
        present.push((profile, level));
    }
    if sub_layers > 0 {
        bits.skip(2 * (8 - sub_layers), "reserved_zero_2bits")?;
    }
    for (profile, level) in present {
        bits.skip(if profile { 88 } else { 0 } + if level { 8 } else { 0 }, "sub_layer")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// From ffmpeg: `testsrc2=size=1920x1080`, which x264 codes as 1920×1088 and crops.
    const H264_1080P: &[u8] = &[
        0x67, 0x42, 0xc0, 0x28, 0xda, 0x01, 0xe0, 0x08, 0x9f, 0x97, 0x01, 0x10, 0x00, 0x00, 0x03, 0x00, 0x10,
        0x00, 0x00, 0x03, 0x03, 0x20, 0xf1, 0x83, 0x2a,
    ];

    /// The same picture from x265.
    const H265_1080P: &[u8] = &[
        0x42, 0x01, 0x01, 0x01, 0x60, 0x00, 0x00, 0x03, 0x00, 0x90, 0x00, 0x00, 0x03, 0x00, 0x00, 0x03, 0x00,
        0x78, 0xa0, 0x03, 0xc0, 0x80, 0x11, 0x07, 0xcb, 0x96, 0x56, 0x54, 0xa4, 0xc2, 0xf0, 0x16, 0x80, 0x80,
        0x00, 0x00, 0x03, 0x00, 0x80, 0x00, 0x00, 0x0c, 0x84,
    ];

    #[test]
    fn a_1080p_picture_of_h264_is_cropped_to_its_1080_lines() {
        assert_eq!(dimensions(NalCodec::H264, H264_1080P), Some(Dimensions { width: 1920, height: 1080 }));
    }

    #[test]
    fn the_size_of_a_1080p_picture_of_h265_is_read() {
        assert_eq!(dimensions(NalCodec::H265, H265_1080P), Some(Dimensions { width: 1920, height: 1080 }));
    }

    #[test]
    fn a_damaged_sps_has_no_size() {
        assert_eq!(dimensions(NalCodec::H264, &H264_1080P[..6]), None);
        assert_eq!(dimensions(NalCodec::H265, &[0x42]), None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let _ = dimensions(NalCodec::H264, &bytes);
            let _ = dimensions(NalCodec::H265, &bytes);
        }
    }
}
