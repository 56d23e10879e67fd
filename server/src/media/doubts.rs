//! Notices by a stream's pictures that no browser shows them as they are: they come in another order than they are shown in, or have
//! more colours than WebRTC carries.

use std::fmt;

use bytes::Bytes;
use h264_reader::nal::sps::{ChromaFormat, SeqParameterSet};
use h264_reader::rbsp::{BitRead as _, BitReader, ByteReader};

use super::{AccessUnit, Timestamp90k};
use crate::bitstream::nal::{NalCodec, NalKind};
use crate::bitstream::{annex_b, sps};

/// A picture is shown at most this much before one that came earlier. A larger step back is a clock that was set.
const REACH: i32 = 2 * 90_000;
/// How many steps back, …
const STEPS: u32 = 3;
/// … within how many pictures. A clock that is set, or one picture that was late, is no reordering.
const WITHIN: u32 = 60;

/// What a source sends that no browser shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unplayable {
    /// Pictures that refer to later ones (H.264 §3.30): WebRTC has no way to say when each is shown.
    Bidirectional,
    /// More colours than WebRTC carries.
    Format(&'static str),
    /// Another codec, by its name.
    Codec(String),
}

impl Unplayable {
    /// What a person can change in the camera.
    pub fn advice(&self) -> &'static str {
        match self {
            Self::Bidirectional => {
                "switch them off in the camera (profile Baseline or Main, B-frames 0, no \"smart\" coding)"
            }
            Self::Format(_) => "set profile High or Main with 8 bits and 4:2:0 in the camera",
            Self::Codec(_) => "set H.264 in the camera",
        }
    }
}

impl fmt::Display for Unplayable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bidirectional => "B-frames",
            Self::Format(what) => what,
            Self::Codec(name) => name,
        })
    }
}

/// Looks at the pictures of one run of a source.
#[derive(Debug, Default)]
pub struct Doubts {
    last: Option<Timestamp90k>,
    /// Steps back, of the last pictures.
    steps: u32,
    pictures: u32,
    /// Whether a slice was seen that may refer to later pictures.
    has_b_slices: bool,
    sps: Bytes,
    /// Whether the SPS says that pictures are reordered.
    may_reorder: bool,
    /// Whether timestamps are those of arrival, and tell nothing of the order.
    arrive_in_order: bool,
}

impl Doubts {
    /// For a byte stream, whose timestamps are those of arrival: the SPS says whether pictures are reordered.
    pub fn of_byte_stream() -> Self {
        Self { arrive_in_order: true, ..Self::default() }
    }

    pub fn see(&mut self, unit: &AccessUnit) -> Option<Unplayable> {
        let codec = unit.codec.nal()?;
        for nal in annex_b::split(&unit.data) {
            match codec.kind(&nal) {
                NalKind::Sps if nal != self.sps => {
                    self.sps = Bytes::copy_from_slice(&nal);
                    self.may_reorder = sps::reorders(codec, &nal);
                    if codec == NalCodec::H264
                        && let Some(what) = format(&nal)
                    {
                        return Some(Unplayable::Format(what));
                    }
                }
                kind if kind.is_slice() => {
                    self.has_b_slices |=
                        kind == NalKind::Slice && (codec == NalCodec::H265 || is_b_slice(&nal));
                    // The other slices of a picture are of the same kind, as far as this is concerned.
                    break;
                }
                _ => {}
            }
        }
        self.count(unit.timestamp);
        let is_reordered = if self.arrive_in_order { self.may_reorder } else { self.steps >= STEPS };
        (is_reordered && self.has_b_slices).then_some(Unplayable::Bidirectional)
    }

    fn count(&mut self, timestamp: Timestamp90k) {
        let last = self.last.replace(timestamp);
        // Sources' timestamps wrap at 32 bits.
        let step = last.map_or(0, |last| (timestamp.0 as u32).wrapping_sub(last.0 as u32) as i32);
        self.pictures += 1;
        if self.pictures > WITHIN {
            (self.pictures, self.steps) = (0, 0);
        }
        if (-REACH..0).contains(&step) {
            self.steps += 1;
        }
    }
}

/// Whether a slice of H.264 is a B slice (§7.3.3, table 7-6).
fn is_b_slice(nal: &[u8]) -> bool {
    let mut bits = BitReader::new(ByteReader::without_skip(nal.get(1..).unwrap_or_default()));
    let kind = bits.read_ue("first_mb_in_slice").and_then(|_| bits.read_ue("slice_type"));
    kind.is_ok_and(|kind| kind % 5 == 1)
}

/// What browsers cannot show of a stream with this SPS of H.264.
fn format(sps: &[u8]) -> Option<&'static str> {
    let bits = BitReader::new(ByteReader::without_skip(sps.get(1..)?));
    let chroma = SeqParameterSet::from_bits(bits).ok()?.chroma_info;
    if chroma.bit_depth_luma_minus8 > 0 || chroma.bit_depth_chroma_minus8 > 0 {
        return Some("H.264 with more than 8 bits");
    }
    match chroma.chroma_format {
        ChromaFormat::YUV422 => Some("H.264 in 4:2:2"),
        ChromaFormat::YUV444 => Some("H.264 in 4:4:4"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::media::Codec;

    const KEY: &[u8] = &[0, 0, 0, 1, 0x65, 0x88, 0x84];
    /// `first_mb_in_slice` 0, `slice_type` 5 (P) or 6 (B).
    const P: &[u8] = &[0, 0, 0, 1, 0x41, 0b1001_1010, 0x24];
    const B: &[u8] = &[0, 0, 0, 1, 0x01, 0b1001_1110, 0x24];

    fn first_doubt(pictures: impl IntoIterator<Item = (u64, &'static [u8])>) -> Option<usize> {
        let mut doubts = Doubts::default();
        pictures.into_iter().position(|(timestamp, data)| {
            let timestamp = Timestamp90k(timestamp & u64::from(u32::MAX));
            let data = Bytes::from_static(data);
            doubts.see(&AccessUnit { codec: Codec::H264, timestamp, discontinuity: false, data }).is_some()
        })
    }

    /// I P B B P B B …, as they are sent, from this time on.
    fn reordered(start: u64) -> impl Iterator<Item = (u64, &'static [u8])> {
        let shown = move |picture: u64| start + picture * 3600;
        let groups = (0..100).flat_map(move |group: u64| {
            [(shown(3 * group + 3), P), (shown(3 * group + 1), B), (shown(3 * group + 2), B)]
        });
        [(shown(0), KEY)].into_iter().chain(groups)
    }

    #[test]
    fn b_frames_are_noticed_within_a_few_pictures_also_where_timestamps_wrap() {
        assert_eq!(first_doubt(reordered(0)), Some(8));
        assert_eq!(first_doubt(reordered(u64::from(u32::MAX) - 4 * 3600)), Some(8));
    }

    #[test]
    fn b_slices_in_order_and_clocks_that_are_set_are_no_reordering() {
        assert_eq!(first_doubt((0..500).map(|picture| (picture * 3600, B))), None);
        let set_back = |picture: u64| if picture.is_multiple_of(100) { 0 } else { picture * 3600 };
        assert_eq!(first_doubt((0..500).map(|picture| (set_back(picture), B))), None);
        // Some cameras' clocks jitter; without B slices no picture refers to a later one.
        assert_eq!(first_doubt((0..500).map(|picture| ((picture ^ 1) * 3600, P))), None);
    }

    #[test]
    fn colours_that_no_browser_shows_are_read_from_the_sps() {
        // From x264, of 320x180 pictures: yuv420p, yuv422p, yuv444p, yuv420p10le.
        let sps = |hex: &str| -> Vec<u8> {
            (0..hex.len())
                .step_by(2)
                .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex"))
                .collect()
        };
        for (set, expected) in [
            ("6742c00cda05067e7c0440000003004000000c83c50aa8", None),
            ("677a000cbcb40a0cfc6e0220000003002000000641e28554", Some("H.264 in 4:2:2")),
            ("67f4000c919681419f8dc044000003000400000300c83c50aa80", Some("H.264 in 4:4:4")),
            ("676e000ca6cb40a0cfcf80880000030008000003019078a155", Some("H.264 with more than 8 bits")),
        ] {
            assert_eq!(format(&sps(set)), expected, "{set}");
        }
        assert_eq!(format(&[0x67, 1, 2]), None);
    }
}
