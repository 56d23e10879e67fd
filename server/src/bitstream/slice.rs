//! Reads from the header of an H.264 slice what tells pictures apart (§7.4.1.2.4).

use std::collections::BTreeMap;

use h264_reader::nal::sps::{FrameMbsFlags, PicOrderCntType, SeqParameterSet};
use h264_reader::rbsp::{BitRead, BitReader, BitReaderError, ByteReader};

/// The highest ids that parameter sets may have (§7.4.2.1.1, §7.4.2.2).
const MAX_SPS_ID: u32 = 31;
const MAX_PPS_ID: u32 = 255;

/// What of the parameter sets is needed to read a slice header, by id.
#[derive(Debug, Default)]
pub(super) struct Context {
    sps: BTreeMap<u32, Sps>,
    pps: BTreeMap<u32, Pps>,
}

#[derive(Debug, Clone, Copy)]
struct Sps {
    has_colour_planes: bool,
    frame_num_bits: u32,
    may_be_fields: bool,
    order: Order,
}

/// How the order of pictures is coded.
#[derive(Debug, Clone, Copy)]
enum Order {
    /// `pic_order_cnt_lsb` of so many bits.
    Lsb(u32),
    Deltas,
    None,
}

#[derive(Debug, Clone, Copy)]
struct Pps {
    sps: u32,
    has_order_of_bottom: bool,
}

/// What two slices of one picture have in common, and the position of the slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slice {
    pub(super) first_macroblock: u32,
    pps: Option<u32>,
    is_reference: bool,
    is_idr: bool,
    /// `None` if the parameter sets that are needed to read them are not known.
    numbers: Option<Numbers>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Numbers {
    frame: u32,
    /// `None` for a frame; for a field, whether it is the bottom one.
    bottom_field: Option<bool>,
    idr: Option<u32>,
    order: [i32; 2],
}

impl Slice {
    /// Whether both can be of one picture: nothing that is the same for all slices of a picture differs.
    pub(super) fn is_of_picture(&self, other: &Self) -> bool {
        let numbers = match (self.numbers, other.numbers) {
            (Some(one), Some(other)) => one == other,
            _ => true,
        };
        numbers
            && self.pps == other.pps
            && self.is_reference == other.is_reference
            && self.is_idr == other.is_idr
    }

    /// Whether this is of the second field of the frame whose first field `first` is of.
    pub(super) fn is_second_field_of(&self, first: &Self) -> bool {
        let (Some(numbers), Some(of_first)) = (self.numbers, first.numbers) else { return false };
        let (Some(parity), Some(other)) = (numbers.bottom_field, of_first.bottom_field) else { return false };
        parity != other && numbers.frame == of_first.frame && !self.is_idr
    }
}

impl Context {
    /// Remembers a sequence parameter set (with its NAL header).
    pub(super) fn put_sps(&mut self, nal: &[u8]) {
        let Some(sps) = reader(nal).and_then(|bits| SeqParameterSet::from_bits(bits).ok()) else { return };
        let order = match sps.pic_order_cnt {
            PicOrderCntType::TypeZero { log2_max_pic_order_cnt_lsb_minus4: bits } => {
                Order::Lsb(u32::from(bits) + 4)
            }
            PicOrderCntType::TypeOne { delta_pic_order_always_zero_flag: false, .. } => Order::Deltas,
            PicOrderCntType::TypeOne { .. } | PicOrderCntType::TypeTwo => Order::None,
        };
        let id = u32::from(sps.seq_parameter_set_id.id());
        let sps = Sps {
            has_colour_planes: sps.chroma_info.separate_colour_plane_flag,
            frame_num_bits: u32::from(sps.log2_max_frame_num_minus4) + 4,
            may_be_fields: sps.frame_mbs_flags != FrameMbsFlags::Frames,
            order,
        };
        if id <= MAX_SPS_ID {
            self.sps.insert(id, sps);
        }
    }

    /// Remembers a picture parameter set (with its NAL header).
    pub(super) fn put_pps(&mut self, nal: &[u8]) {
        if let Some((id, pps)) = reader(nal).and_then(|bits| read_pps(bits).ok())
            && id <= MAX_PPS_ID
        {
            self.pps.insert(id, pps);
        }
    }

    /// Reads a slice, of which the header is enough. `None` if it is damaged.
    pub(super) fn read(&self, nal: &[u8]) -> Option<Slice> {
        let header = *nal.first()?;
        let mut bits = reader(nal)?;
        let first_macroblock = bits.read_ue("first_mb_in_slice").ok()?;
        let pps = bits.read_ue("slice_type").and_then(|_| bits.read_ue("pic_parameter_set_id")).ok();
        let is_idr = header & 0x1f == 5;
        let numbers = pps
            .and_then(|id| self.pps.get(&id))
            .and_then(|pps| Some((*pps, *self.sps.get(&pps.sps)?)))
            .and_then(|(pps, sps)| read_numbers(bits, pps, sps, is_idr).ok());
        Some(Slice { first_macroblock, pps, is_reference: header & 0x60 != 0, is_idr, numbers })
    }
}

fn reader(nal: &[u8]) -> Option<BitReader<ByteReader<&[u8]>>> {
    Some(BitReader::new(ByteReader::without_skip(nal.get(1..)?)))
}

/// §7.3.2.2, as far as needed.
fn read_pps(mut bits: impl BitRead) -> Result<(u32, Pps), BitReaderError> {
    let id = bits.read_ue("pic_parameter_set_id")?;
    let sps = bits.read_ue("seq_parameter_set_id")?;
    bits.skip(1, "entropy_coding_mode_flag")?;
    let has_order_of_bottom = bits.read_bool("bottom_field_pic_order_in_frame_present_flag")?;
    Ok((id, Pps { sps, has_order_of_bottom }))
}

/// §7.3.3, from the colour plane to the order of the picture.
fn read_numbers(mut bits: impl BitRead, pps: Pps, sps: Sps, is_idr: bool) -> Result<Numbers, BitReaderError> {
    if sps.has_colour_planes {
        bits.skip(2, "colour_plane_id")?;
    }
    let frame = bits.read(sps.frame_num_bits, "frame_num")?;
    let bottom_field = if sps.may_be_fields && bits.read_bool("field_pic_flag")? {
        Some(bits.read_bool("bottom_field_flag")?)
    } else {
        None
    };
    let idr = if is_idr { Some(bits.read_ue("idr_pic_id")?) } else { None };
    let has_bottom = pps.has_order_of_bottom && bottom_field.is_none();
    let mut order = [0; 2];
    match sps.order {
        Order::Lsb(count) => {
            // At most 16 bits.
            order[0] = bits.read::<u32>(count, "pic_order_cnt_lsb")?.cast_signed();
            if has_bottom {
                order[1] = bits.read_se("delta_pic_order_cnt_bottom")?;
            }
        }
        Order::Deltas => {
            order[0] = bits.read_se("delta_pic_order_cnt[0]")?;
            if has_bottom {
                order[1] = bits.read_se("delta_pic_order_cnt[1]")?;
            }
        }
        Order::None => {}
    }
    Ok(Numbers { frame, bottom_field, idr, order })
}
