//! Finds where one picture of H.264 or H.265 ends and the next one begins, from the NAL units alone.
//!
//! What transports say of it is not to be relied on: cameras set RTP's marker bit on every slice, on every fragment, or never.

use super::nal::{NalCodec, NalKind};
use super::slice::{Context, Slice};

/// So much of a slice is enough for [`Bounds::place`].
pub const ENOUGH_OF_A_SLICE: usize = 64;

/// The place of a NAL unit among the pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A slice of another picture than the last slice.
    Begins {
        /// Whether it is the first slice of its picture. If it is not, and NAL units were lost, that one may be among them.
        first: bool,
    },
    /// A slice of the same picture as the last slice.
    Continues,
    /// A parameter set, message or delimiter. If the next slice begins a picture, it belongs to that, else to the present one.
    Before,
    /// No slice, and of the present picture.
    Within,
}

/// Places the NAL units of one stream (H.264 §7.4.1.2.4, H.265 §7.4.2.4.4).
///
/// Both fields of an H.264 frame count as one picture, though they are two access units: a browser's decoder expects a picture of
/// each frame that it is given.
#[derive(Debug)]
pub struct Bounds {
    codec: NalCodec,
    h264: Context,
    last: Last,
}

#[derive(Debug)]
enum Last {
    /// There was no slice yet.
    None,
    H264 {
        slice: Slice,
        /// Whether the frame's first field came before.
        is_second_field: bool,
    },
    /// A slice of which nothing more needs to be known.
    Other,
}

impl Bounds {
    pub fn new(codec: NalCodec) -> Self {
        Self { codec, h264: Context::default(), last: Last::None }
    }

    /// Forgets the present picture, as when NAL units were lost: the next slice begins another one.
    pub fn forget_picture(&mut self) {
        self.last = Last::None;
    }

    /// The place of the next NAL unit. Of a slice the first [`ENOUGH_OF_A_SLICE`] bytes will do.
    pub fn place(&mut self, nal: &[u8]) -> Place {
        let kind = self.codec.kind(nal);
        match (self.codec, kind) {
            (NalCodec::H264, NalKind::Sps) => self.h264.put_sps(nal),
            (NalCodec::H264, NalKind::Pps) => self.h264.put_pps(nal),
            _ => {}
        }
        if kind.is_slice() {
            return match self.codec {
                NalCodec::H264 => self.h264_slice(nal),
                NalCodec::H265 => self.h265_slice(nal),
            };
        }
        let before = match (self.codec, self.codec.unit_type(nal)) {
            (NalCodec::H264, Some(kind)) => matches!(kind, 6..=9 | 14..=18),
            (NalCodec::H265, Some(kind)) => matches!(kind, 32..=35 | 39 | 41..=44 | 48..=55),
            (_, None) => false,
        };
        if before || matches!(self.last, Last::None) { Place::Before } else { Place::Within }
    }

    fn h264_slice(&mut self, nal: &[u8]) -> Place {
        // The partitions B and C of a slice have no header of their own.
        let is_partition = matches!(self.codec.unit_type(nal), Some(3 | 4));
        let slice = if is_partition { None } else { self.h264.read(nal) };
        let Some(slice) = slice else {
            return if matches!(self.last, Last::None) {
                self.last = Last::Other;
                Place::Begins { first: false }
            } else {
                Place::Continues
            };
        };
        let (place, is_second_field) = match self.last {
            Last::H264 { slice: last, is_second_field } => {
                if slice.is_of_picture(&last) && slice.first_macroblock > last.first_macroblock {
                    (Place::Continues, is_second_field)
                } else if !is_second_field && slice.is_second_field_of(&last) {
                    (Place::Continues, true)
                } else {
                    (Place::Begins { first: slice.first_macroblock == 0 }, false)
                }
            }
            Last::None | Last::Other => (Place::Begins { first: slice.first_macroblock == 0 }, false),
        };
        self.last = Last::H264 { slice, is_second_field };
        place
    }

    fn h265_slice(&mut self, nal: &[u8]) -> Place {
        // Six bits of the layer's number, across both bytes of the header. Those of other layers follow the base layer's.
        let [high, low, flags] = *nal.first_chunk::<3>().unwrap_or(&[0; 3]);
        let is_base = high & 1 == 0 && low & 0xf8 == 0;
        let first = flags & 0x80 != 0 && is_base;
        let is_none = matches!(self.last, Last::None);
        self.last = Last::Other;
        if first || is_none { Place::Begins { first } } else { Place::Continues }
    }
}

#[cfg(test)]
mod tests;
