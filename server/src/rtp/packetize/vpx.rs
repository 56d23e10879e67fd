//! VP8 (RFC 7741) and VP9 (RFC 9628), each with the shortest descriptor there is.
//!
//! They are implemented here for their descriptors: the VP9 payloader of the `rtc` crate marks every frame as independent, and
//! numbers pictures, which would have to be renumbered for each viewer.

use bytes::{BufMut, Bytes, BytesMut};

/// RFC 7741 §4.2: S in the first packet of a frame; partition 0 in all of them, since receivers join a frame by the order of
/// its packets.
pub(super) fn vp8(frame: &Bytes, max: usize) -> Vec<Bytes> {
    const START: u8 = 0x10;
    cut(frame, max, |first, _| if first { START } else { 0 })
}

/// RFC 9628 §4.2, non-flexible mode, without layers.
pub(super) fn vp9(frame: &Bytes, keyframe: bool, max: usize) -> Vec<Bytes> {
    const INTER_PREDICTED: u8 = 0x40;
    const START: u8 = 0x08;
    const END: u8 = 0x04;
    let needs_others = if keyframe { 0 } else { INTER_PREDICTED };
    cut(frame, max, |first, last| needs_others | if first { START } else { 0 } | if last { END } else { 0 })
}

fn cut(frame: &Bytes, max: usize, descriptor: impl Fn(bool, bool) -> u8) -> Vec<Bytes> {
    // As few packets as possible, of about equal size, so that none consists mostly of its header.
    let count = frame.len().div_ceil(max - 1).max(1);
    let pieces = frame.chunks(frame.len().div_ceil(count).max(1));
    let count = pieces.len();
    let mut out = BytesMut::with_capacity(frame.len() + count);
    pieces
        .enumerate()
        .map(|(index, piece)| {
            out.put_u8(descriptor(index == 0, index + 1 == count));
            out.put_slice(piece);
            out.split().freeze()
        })
        .collect()
}
