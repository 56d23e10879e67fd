//! The sample aspect ratio in a sequence parameter set of H.265. It stands behind lists that are read only as far as it takes to find
//! where they end (H.265 §7.3.2.2.1).

use h264_reader::rbsp::{BitRead, BitReaderError};

/// The ratios that have a number, from 1 on (H.265 table E.1).
const RATIOS: [(u16, u16); 16] = [
    (1, 1),
    (12, 11),
    (10, 11),
    (16, 11),
    (40, 33),
    (24, 11),
    (20, 11),
    (32, 11),
    (80, 33),
    (18, 11),
    (15, 11),
    (64, 33),
    (160, 99),
    (4, 3),
    (3, 2),
    (2, 1),
];
/// The number that stands for a ratio that is written out.
const WRITTEN_OUT: u8 = 255;
/// The most reference picture sets, and pictures of one in each direction, that there may be (H.265 §7.4.3.2.1, §7.4.8).
const MOST_SETS: u32 = 64;
const MOST_PICTURES: usize = 16;
const MOST_LONG_TERM: u32 = 32;

/// The sample aspect ratio. `bits` stand behind `sps_max_latency_increase_plus1`; `order_bits` is the length of
/// `slice_pic_order_cnt_lsb`. `None` if the set does not say one, or is damaged.
pub(super) fn sample_aspect_ratio(bits: &mut impl BitRead, order_bits: u32) -> Option<(u16, u16)> {
    skip_coding(bits).ok()?;
    let sets = bits.read_ue("num_short_term_ref_pic_sets").ok().filter(|sets| *sets <= MOST_SETS)?;
    let mut distances = Vec::new();
    for index in 0..sets {
        distances = reference_set(bits, (index > 0).then_some(distances.as_slice()))?;
    }
    if bits.read_bool("long_term_ref_pics_present_flag").ok()? {
        let count =
            bits.read_ue("num_long_term_ref_pics_sps").ok().filter(|count| *count <= MOST_LONG_TERM)?;
        bits.skip(count * (order_bits + 1), "lt_ref_pic_poc_lsb_sps, used_by_curr_pic_lt_sps_flag").ok()?;
    }
    bits.skip(2, "sps_temporal_mvp_enabled_flag, strong_intra_smoothing_enabled_flag").ok()?;
    let is_there = bits.read_bool("vui_parameters_present_flag").ok()?
        && bits.read_bool("aspect_ratio_info_present_flag").ok()?;
    match is_there.then(|| bits.read::<u8>(8, "aspect_ratio_idc").ok()).flatten()? {
        WRITTEN_OUT => Some((bits.read(16, "sar_width").ok()?, bits.read(16, "sar_height").ok()?)),
        number => RATIOS.get(usize::from(number).checked_sub(1)?).copied(),
    }
}

/// Skips the sizes of blocks, the scaling lists and the tools up to the reference picture sets.
fn skip_coding(bits: &mut impl BitRead) -> Result<(), BitReaderError> {
    for field in [
        "log2_min_luma_coding_block_size_minus3",
        "log2_diff_max_min_luma_coding_block_size",
        "log2_min_luma_transform_block_size_minus2",
        "log2_diff_max_min_luma_transform_block_size",
        "max_transform_hierarchy_depth_inter",
        "max_transform_hierarchy_depth_intra",
    ] {
        bits.read_ue(field)?;
    }
    if bits.read_bool("scaling_list_enabled_flag")? && bits.read_bool("sps_scaling_list_data_present_flag")? {
        skip_scaling_lists(bits)?;
    }
    bits.skip(2, "amp_enabled_flag, sample_adaptive_offset_enabled_flag")?;
    if bits.read_bool("pcm_enabled_flag")? {
        bits.skip(8, "pcm_sample_bit_depth")?;
        bits.read_ue("log2_min_pcm_luma_coding_block_size_minus3")?;
        bits.read_ue("log2_diff_max_min_pcm_luma_coding_block_size")?;
        bits.skip(1, "pcm_loop_filter_disabled_flag")?;
    }
    Ok(())
}

/// H.265 §7.3.4.
fn skip_scaling_lists(bits: &mut impl BitRead) -> Result<(), BitReaderError> {
    for size in 0..4 {
        for _ in 0..if size == 3 { 2 } else { 6 } {
            if !bits.read_bool("scaling_list_pred_mode_flag")? {
                bits.read_ue("scaling_list_pred_matrix_id_delta")?;
                continue;
            }
            if size > 1 {
                bits.read_se("scaling_list_dc_coef_minus8")?;
            }
            for _ in 0..64.min(1 << (4 + 2 * size)) {
                bits.read_se("scaling_list_delta_coef")?;
            }
        }
    }
    Ok(())
}

/// The distances of the pictures in a reference picture set (H.265 §7.3.7): those before, the nearest first, then those after. A set may
/// be told by what differs from the one before it, and then its length depends on that one's distances (§7.4.8).
fn reference_set(bits: &mut impl BitRead, previous: Option<&[i64]>) -> Option<Vec<i64>> {
    if let Some(previous) = previous
        && bits.read_bool("inter_ref_pic_set_prediction_flag").ok()?
    {
        let is_negative = bits.read_bool("delta_rps_sign").ok()?;
        let step = i64::from(bits.read_ue("abs_delta_rps_minus1").ok()?) + 1;
        let step = if is_negative { -step } else { step };
        let mut distances = Vec::new();
        // The picture to which the distances of the previous set refer is one of this set, too.
        for distance in previous.iter().chain([&0]) {
            let is_used =
                bits.read_bool("used_by_curr_pic_flag").ok()? || bits.read_bool("use_delta_flag").ok()?;
            // A distance of 0 is the picture itself.
            distances.extend(Some(distance + step).filter(|distance| is_used && *distance != 0));
        }
        distances.sort_by_key(|distance| (*distance > 0, distance.abs()));
        return Some(distances).filter(|distances| distances.len() <= 2 * MOST_PICTURES);
    }
    let before = bits.read_ue("num_negative_pics").ok()?;
    let after = bits.read_ue("num_positive_pics").ok()?;
    let mut distances = Vec::new();
    for (count, direction) in [(before, -1), (after, 1)] {
        let count = usize::try_from(count).ok().filter(|count| *count <= MOST_PICTURES)?;
        let mut distance = 0;
        for _ in 0..count {
            distance += direction * (i64::from(bits.read_ue("delta_poc_minus1").ok()?) + 1);
            bits.skip(1, "used_by_curr_pic_flag").ok()?;
            distances.push(distance);
        }
    }
    Some(distances)
}

#[cfg(test)]
mod tests {
    use crate::bitstream::nal::NalCodec;
    use crate::bitstream::{Dimensions, sps};

    /// Writes fields of a bitstream.
    #[derive(Default)]
    struct Writer(Vec<bool>);

    impl Writer {
        fn u(&mut self, bits: u32, value: u32) -> &mut Self {
            self.0.extend((0..bits).rev().map(|bit| (value >> bit) & 1 == 1));
            self
        }

        /// Unsigned Exp-Golomb numbers.
        fn ue(&mut self, values: &[u32]) -> &mut Self {
            for value in values.iter().map(|value| value + 1) {
                let bits = 32 - value.leading_zeros();
                self.u(bits - 1, 0).u(bits, value);
            }
            self
        }

        /// The bytes with trailing bits and emulation prevention (H.265 §7.4.2).
        fn bytes(&self) -> Vec<u8> {
            let mut bits = self.0.clone();
            bits.push(true);
            bits.resize(bits.len().next_multiple_of(8), false);
            let mut bytes = vec![0x42, 0x01];
            for byte in
                bits.chunks(8).map(|bits| bits.iter().fold(0, |byte, bit| (byte << 1) | u8::from(*bit)))
            {
                if byte <= 3 && bytes.ends_with(&[0, 0]) {
                    bytes.push(3);
                }
                bytes.push(byte);
            }
            bytes
        }
    }

    /// An SPS of a 704×576 picture up to the sizes of blocks.
    fn begun() -> Writer {
        let mut sps = Writer::default();
        sps.u(4, 0).u(3, 0).u(1, 1);
        // The profile Main of level 3.
        sps.u(8, 1).u(32, 0x6000_0000).u(4, 9).u(32, 0).u(12, 0).u(8, 90);
        sps.ue(&[0, 1, 704, 576]).u(1, 0).ue(&[0, 0, 4]).u(1, 1).ue(&[5, 0, 0]);
        sps.ue(&[0, 3, 0, 3, 0, 0]);
        sps
    }

    /// Adds what is left behind the reference picture sets: no long-term pictures, two flags, and the ratio 16:11.
    fn ended(sps: &mut Writer) -> Vec<u8> {
        sps.u(1, 0).u(2, 3).u(1, 1).u(1, 1).u(8, 4).u(32, 0).u(8, 0).bytes()
    }

    fn displayed(sps: &[u8]) -> Option<(u32, u32)> {
        let size = sps::dimensions(NalCodec::H265, sps).expect("it has a size");
        assert_eq!(size, Dimensions { width: 704, height: 576 });
        sps::display(NalCodec::H265, sps, size).map(|size| (size.width, size.height))
    }

    #[test]
    fn scaling_lists_and_raw_blocks_are_skipped() {
        let mut sps = begun();
        sps.u(2, 3);
        for (size, lists) in [(0, 6), (1, 6), (2, 6), (3, 2)] {
            for list in 0..lists {
                if list == 1 {
                    sps.u(1, 0).ue(&[1]);
                } else {
                    let numbers = 64.min(1 << (4 + 2 * size)) + usize::from(size > 1);
                    sps.u(1, 1).ue(&vec![3; numbers]);
                }
            }
        }
        sps.u(2, 3).u(1, 1).u(8, 0x77).ue(&[0, 2]).u(1, 1).ue(&[0]);
        assert_eq!(displayed(&ended(&mut sps)), Some((1024, 576)));
    }

    #[test]
    fn reference_picture_sets_are_skipped_by_the_distances_of_those_before_them() {
        let mut sps = begun();
        sps.u(1, 0).u(2, 3).u(1, 0).ue(&[4]);
        // -1, -3 and 2.
        sps.ue(&[2, 1, 0]).u(1, 1).ue(&[1]).u(1, 1).ue(&[1]).u(1, 1);
        // One less, and -1: -1, -2, -4 and 1.
        sps.u(2, 3).ue(&[0]).u(4, 0b1111);
        // One more, and 1: the picture itself is left out, so it is -1, -3, 1 and 2. One is there without being used.
        sps.u(2, 2).ue(&[0]).u(6, 0b11_0111);
        // Of four, and of the picture that they refer to, three are not there.
        sps.u(2, 3).ue(&[0]).u(8, 0b0000_0011);
        assert_eq!(displayed(&ended(&mut sps)), Some((1024, 576)));
    }

    #[test]
    fn long_term_pictures_are_skipped_and_a_ratio_may_be_written_out() {
        let mut sps = begun();
        sps.u(1, 0).u(2, 3).u(1, 0).ue(&[0]);
        sps.u(1, 1).ue(&[2]).u(9, 0x101).u(9, 0x003).u(2, 3).u(1, 1).u(1, 1);
        sps.u(8, 255).u(16, 3).u(16, 4).u(32, 0);
        assert_eq!(displayed(&sps.bytes()), Some((704, 768)));
    }

    #[test]
    fn without_a_ratio_or_with_more_sets_than_there_may_be_the_size_is_the_coded_one() {
        let with_sets = |sets: u32, vui: u32| {
            let mut sps = begun();
            sps.u(1, 0).u(2, 3).u(1, 0).ue(&[sets]).u(1, 0).u(2, 3).u(1, vui).u(32, 0);
            displayed(&sps.bytes())
        };
        assert_eq!((with_sets(0, 0), with_sets(0, 1), with_sets(65, 1)), (None, None, None));
    }
}
