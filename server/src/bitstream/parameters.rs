//! Reads by which ids parameter sets and slices refer to each other (H.264 §7.3.2, §7.3.3; H.265 §7.3.2, §7.3.6.1).

use h264_reader::rbsp::{BitRead, BitReader, ByteReader};

use super::nal::{NalCodec, NalKind};
use super::sps::skip_profile_tier_level;

/// The ids in an SPS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sps {
    pub id: u32,
    /// That of the VPS; in H.264 zero.
    pub vps: u32,
}

/// The ids in a PPS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pps {
    pub id: u32,
    pub sps: u32,
}

/// The id of an H.265 VPS. All functions here take NAL units with their header, and return `None` for damaged ones.
pub fn vps_id(nal: &[u8]) -> Option<u32> {
    bits(NalCodec::H265, nal)?.read(4, "vps_video_parameter_set_id").ok()
}

pub fn sps(codec: NalCodec, nal: &[u8]) -> Option<Sps> {
    let mut bits = bits(codec, nal)?;
    let vps = match codec {
        NalCodec::H264 => {
            bits.skip(24, "profile_idc, level_idc").ok()?;
            0
        }
        NalCodec::H265 => {
            let vps = bits.read(4, "sps_video_parameter_set_id").ok()?;
            let sub_layers = bits.read(3, "sps_max_sub_layers_minus1").ok()?;
            bits.skip(1, "sps_temporal_id_nesting_flag").ok()?;
            skip_profile_tier_level(&mut bits, sub_layers).ok()?;
            vps
        }
    };
    let highest = if codec == NalCodec::H264 { 31 } else { 15 };
    let id = bits.read_ue("seq_parameter_set_id").ok().filter(|id| *id <= highest)?;
    Some(Sps { id, vps })
}

pub fn pps(codec: NalCodec, nal: &[u8]) -> Option<Pps> {
    let mut bits = bits(codec, nal)?;
    let highest = if codec == NalCodec::H264 { 255 } else { 63 };
    let id = bits.read_ue("pic_parameter_set_id").ok().filter(|id| *id <= highest)?;
    Some(Pps { id, sps: bits.read_ue("seq_parameter_set_id").ok()? })
}

/// The id of the PPS that a slice uses.
pub fn pps_of_slice(codec: NalCodec, nal: &[u8]) -> Option<u32> {
    let mut bits = bits(codec, nal)?;
    match codec {
        NalCodec::H264 => {
            bits.read_ue("first_mb_in_slice").ok()?;
            bits.read_ue("slice_type").ok()?;
        }
        NalCodec::H265 => {
            // The second flag is that of IRAP pictures.
            let flags = if codec.kind(nal) == NalKind::KeySlice { 2 } else { 1 };
            bits.skip(flags, "first_slice_segment_in_pic_flag").ok()?;
        }
    }
    bits.read_ue("pic_parameter_set_id").ok()
}

fn bits(codec: NalCodec, nal: &[u8]) -> Option<BitReader<ByteReader<&[u8]>>> {
    // The header of a slice and the ids of a set are near its beginning.
    let nal = nal.get(codec.header_len()..)?;
    Some(BitReader::new(ByteReader::without_skip(&nal[..nal.len().min(256)])))
}
