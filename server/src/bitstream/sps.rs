//! Reads the dimensions of the picture from a sequence parameter set, and whether pictures are reordered.

use h264_reader::nal::sps::SeqParameterSet;
use h264_reader::rbsp::{BitRead, BitReader, BitReaderError, ByteReader};

use super::nal::NalCodec;
use super::{Dimensions, vui};

/// The dimensions in an SPS, which includes its NAL header; `None` if it is damaged.
pub fn dimensions(codec: NalCodec, sps: &[u8]) -> Option<Dimensions> {
    let mut bits = BitReader::new(ByteReader::without_skip(sps.get(codec.header_len()..)?));
    match codec {
        NalCodec::H264 => {
            let (width, height) = SeqParameterSet::from_bits(bits).ok()?.pixel_dimensions().ok()?;
            Some(Dimensions { width, height })
        }
        NalCodec::H265 => h265(&mut bits).ok()?.1,
    }
}

/// The size to show a picture of this SPS in, where that is not the one of [`dimensions`] (H.264 §E.2.1, H.265 §E.3.1).
pub fn display(codec: NalCodec, sps: &[u8], size: Dimensions) -> Option<Dimensions> {
    let mut bits = BitReader::new(ByteReader::without_skip(sps.get(codec.header_len()..)?));
    let (width, height) = match codec {
        NalCodec::H264 => SeqParameterSet::from_bits(bits).ok()?.vui_parameters?.aspect_ratio_info?.get()?,
        NalCodec::H265 => {
            let order_bits = h265_order(&mut bits).ok()?.order_bits;
            vui::sample_aspect_ratio(&mut bits, order_bits)?
        }
    };
    size.displayed(width, height)
}

/// Whether pictures of this SPS may come in another order than they are shown in (H.264 §E.2.1, H.265 §7.4.3.2.1). One of H.264 that
/// does not say so counts as one that is in order.
pub fn reorders(codec: NalCodec, sps: &[u8]) -> bool {
    let Some(payload) = sps.get(codec.header_len()..) else { return false };
    let mut bits = BitReader::new(ByteReader::without_skip(payload));
    match codec {
        NalCodec::H264 => SeqParameterSet::from_bits(bits)
            .ok()
            .and_then(|sps| sps.vui_parameters?.bitstream_restrictions)
            .is_some_and(|restrictions| restrictions.max_num_reorder_frames > 0),
        NalCodec::H265 => h265_order(&mut bits).is_ok_and(|order| order.reorders),
    }
}

/// What an SPS of H.265 says about the order of pictures.
struct Order {
    /// The length of `slice_pic_order_cnt_lsb`.
    order_bits: u32,
    reorders: bool,
}

/// Parses H.265 §7.3.2.2.1 up to `sps_max_latency_increase_plus1`.
fn h265_order(bits: &mut impl BitRead) -> Result<Order, BitReaderError> {
    let (sub_layers, _) = h265(bits)?;
    bits.read_ue("bit_depth_luma_minus8")?;
    bits.read_ue("bit_depth_chroma_minus8")?;
    // 12 is the most that is allowed (§7.4.3.2.1).
    let order_bits = bits.read_ue("log2_max_pic_order_cnt_lsb_minus4")?.min(12) + 4;
    let of_each = bits.read_bool("sps_sub_layer_ordering_info_present_flag")?;
    let mut most = 0;
    for _ in 0..=if of_each { sub_layers } else { 0 } {
        bits.read_ue("sps_max_dec_pic_buffering_minus1")?;
        most = most.max(bits.read_ue("sps_max_num_reorder_pics")?);
        bits.read_ue("sps_max_latency_increase_plus1")?;
    }
    Ok(Order { order_bits, reorders: most > 0 })
}

/// Parses H.265 §7.3.2.2.1 up to the conformance window, to which the picture is cropped. Returns `sps_max_sub_layers_minus1`, too.
fn h265(bits: &mut impl BitRead) -> Result<(u32, Option<Dimensions>), BitReaderError> {
    bits.skip(4, "sps_video_parameter_set_id")?;
    let sub_layers: u32 = bits.read(3, "sps_max_sub_layers_minus1")?;
    bits.skip(1, "sps_temporal_id_nesting_flag")?;
    skip_profile_tier_level(bits, sub_layers)?;
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
    let size = cropped(width, unit_x, left, right)
        .zip(cropped(height, unit_y, top, bottom))
        .map(|(width, height)| Dimensions { width, height });
    Ok((sub_layers, size))
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
    fn an_sps_says_whether_pictures_are_reordered() {
        // From x265 and x264, of 320x180 pictures with three B-frames.
        let h265: &[u8] = &[
            0x42, 0x01, 0x01, 0x01, 0x60, 0x00, 0x00, 0x03, 0x00, 0x90, 0x00, 0x00, 0x03, 0x00, 0x00, 0x03,
            0x00, 0x3c, 0xa0, 0x0a, 0x08, 0x0c, 0x1f, 0x3e, 0x59, 0x59, 0x52, 0x93, 0x0b, 0xc0, 0x5a, 0x02,
            0x00, 0x00, 0x03, 0x00, 0x02, 0x00, 0x00, 0x03, 0x00, 0x32, 0x10,
        ];
        let h264: &[u8] = &[
            0x67, 0x4d, 0x40, 0x0c, 0xec, 0xa0, 0xa0, 0xcf, 0xcf, 0x80, 0x88, 0x00, 0x00, 0x03, 0x00, 0x08,
            0x00, 0x00, 0x03, 0x01, 0x90, 0x78, 0xa1, 0x4c, 0xb0,
        ];
        assert!(reorders(NalCodec::H265, h265) && reorders(NalCodec::H264, h264));
        let in_order: &[u8] = &[
            0x42, 0x01, 0x01, 0x01, 0x60, 0x00, 0x00, 0x03, 0x00, 0x90, 0x00, 0x00, 0x03, 0x00, 0x00, 0x03,
            0x00, 0x3c, 0xa0, 0x0a, 0x08, 0x0c, 0x1f, 0x3e, 0x5b, 0xa4, 0xa4, 0xc2, 0xf0, 0x16, 0x80, 0x80,
            0x00, 0x00, 0x03, 0x00, 0x80, 0x00, 0x00, 0x0c, 0x84,
        ];
        assert!(!reorders(NalCodec::H264, H264_1080P) && !reorders(NalCodec::H265, in_order));
    }

    #[test]
    fn a_damaged_sps_has_no_size() {
        assert_eq!(dimensions(NalCodec::H264, &H264_1080P[..6]), None);
        assert_eq!(dimensions(NalCodec::H265, &[0x42]), None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let _ = reorders(NalCodec::H264, &bytes) | reorders(NalCodec::H265, &bytes);
            let _ = dimensions(NalCodec::H264, &bytes);
            let _ = dimensions(NalCodec::H265, &bytes);
            let size = Dimensions { width: 704, height: 576 };
            let _ = (display(NalCodec::H264, &bytes, size), display(NalCodec::H265, &bytes, size));
        }

        /// Damage behind the size, where the lists are that are skipped.
        #[test]
        fn no_bytes_behind_the_size_make_it_panic(end: Vec<u8>) {
            let sps = [&H265_1080P[..26], &end].concat();
            let _ = display(NalCodec::H265, &sps, Dimensions { width: 704, height: 576 });
        }
    }
}
