//! Notices by a stream's pictures that no browser shows them as they are: they come in another order than they are shown in, or have
//! more colours than WebRTC carries.

use bytes::Bytes;
use h264_reader::nal::sps::{ChromaFormat, SeqParameterSet};
use h264_reader::rbsp::{BitRead as _, BitReader, ByteReader};

use crate::bitstream::annex_b;
use crate::bitstream::nal::{NalCodec, NalKind};
use crate::media::{AccessUnit, Timestamp90k};

/// A picture is shown at most this much before one that came earlier. A larger step back is a clock that was set.
const REACH: i32 = 2 * 90_000;
/// How many steps back, …
const STEPS: u32 = 3;
/// … within how many pictures. A clock that is set, or one picture that was late, is no reordering.
const WITHIN: u32 = 60;

/// Why pictures cannot be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unplayable {
    /// Pictures that refer to later ones (H.264 §3.30): WebRTC has no way to say when each is shown.
    Bidirectional,
    /// In words.
    Format(&'static str),
}

impl Unplayable {
    /// What the source sends, and how a person can change that.
    pub(super) fn words(&self) -> (&'static str, &'static str) {
        match self {
            Self::Bidirectional => (
                "B-frames",
                "switch them off in the camera (profile Baseline or Main, B-frames 0, no \"smart\" coding)",
            ),
            Self::Format(what) => (what, "set profile High or Main with 8 bits and 4:2:0 in the camera"),
        }
    }
}

/// Looks at the pictures of one run of a source.
#[derive(Debug, Default)]
pub(super) struct Doubts {
    last: Option<Timestamp90k>,
    /// Steps back, of the last pictures.
    steps: u32,
    pictures: u32,
    /// Whether a slice was seen that may refer to later pictures.
    has_b_slices: bool,
    sps: Bytes,
}

impl Doubts {
    pub(super) fn see(&mut self, unit: &AccessUnit) -> Option<Unplayable> {
        let codec = unit.codec.nal()?;
        for nal in annex_b::split(&unit.data) {
            match codec.kind(&nal) {
                NalKind::Sps if codec == NalCodec::H264 && nal != self.sps => {
                    self.sps = Bytes::copy_from_slice(&nal);
                    if let Some(what) = format(&nal) {
                        return Some(Unplayable::Format(what));
                    }
                }
                NalKind::Slice => {
                    self.has_b_slices |= codec == NalCodec::H265 || is_b_slice(&nal);
                    // The other slices of a picture are of the same kind, as far as this is concerned.
                    break;
                }
                _ => {}
            }
        }
        self.count(unit.timestamp);
        (self.steps >= STEPS && self.has_b_slices).then_some(Unplayable::Bidirectional)
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
