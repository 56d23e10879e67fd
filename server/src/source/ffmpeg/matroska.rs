//! Writes access units as an endless Matroska stream (RFC 9559) for ffmpeg's stdin.
//!
//! Matroska supports every codec, and is the only simple container with presentation times only: FLV and MPEG-TS would require
//! decoding times to be invented for cameras with B frames. ffmpeg reads the codec's parameters from the first key frame, so
//! the header names only the codec. Blocks are Annex B, which ffmpeg accepts if the track has no `CodecPrivate`.

use crate::media::Codec;

/// Milliseconds: with a `TimestampScale` of 1 000 000 ns, the default.
pub(super) type Milliseconds = u64;

/// The size of an element that ends with the stream (RFC 8794 §6.2).
const UNKNOWN_SIZE: u8 = 0xff;

mod id {
    pub(super) const EBML: &[u8] = &[0x1a, 0x45, 0xdf, 0xa3];
    pub(super) const DOC_TYPE: &[u8] = &[0x42, 0x82];
    pub(super) const DOC_TYPE_VERSION: &[u8] = &[0x42, 0x87];
    pub(super) const DOC_TYPE_READ_VERSION: &[u8] = &[0x42, 0x85];
    pub(super) const SEGMENT: &[u8] = &[0x18, 0x53, 0x80, 0x67];
    pub(super) const TRACKS: &[u8] = &[0x16, 0x54, 0xae, 0x6b];
    pub(super) const TRACK_ENTRY: &[u8] = &[0xae];
    pub(super) const TRACK_NUMBER: &[u8] = &[0xd7];
    pub(super) const TRACK_UID: &[u8] = &[0x73, 0xc5];
    pub(super) const TRACK_TYPE: &[u8] = &[0x83];
    pub(super) const CODEC_ID: &[u8] = &[0x86];
    pub(super) const CLUSTER: &[u8] = &[0x1f, 0x43, 0xb6, 0x75];
    pub(super) const TIMESTAMP: &[u8] = &[0xe7];
    pub(super) const SIMPLE_BLOCK: &[u8] = &[0xa3];
}

/// The bytes before the first access unit.
pub(super) fn header(codec: Codec) -> Vec<u8> {
    let track = [
        element(id::TRACK_NUMBER, &[1]),
        element(id::TRACK_UID, &[1]),
        element(id::TRACK_TYPE, &[1]),
        element(id::CODEC_ID, codec_id(codec).as_bytes()),
    ]
    .concat();
    let mut out = element(
        id::EBML,
        &[
            element(id::DOC_TYPE, b"matroska"),
            element(id::DOC_TYPE_VERSION, &[4]),
            element(id::DOC_TYPE_READ_VERSION, &[2]),
        ]
        .concat(),
    );
    out.extend(id::SEGMENT);
    out.push(UNKNOWN_SIZE);
    out.extend(element(id::TRACKS, &element(id::TRACK_ENTRY, &track)));
    out
}

/// The bytes before the data of each access unit: it gets a cluster of its own with one block, so that it does not wait for a
/// cluster to fill.
pub(super) fn before_unit(timestamp: Milliseconds, keyframe: bool, data_length: usize) -> Vec<u8> {
    // Track number 1, time relative to the cluster 0, flags (RFC 9559 §10.2).
    let block_header = [0x81, 0, 0, if keyframe { 0x80 } else { 0 }];
    let time = element(id::TIMESTAMP, &timestamp.to_be_bytes());
    let block_length = (block_header.len() + data_length) as u64;
    let mut block = id::SIMPLE_BLOCK.to_vec();
    block.extend(size(block_length));
    block.extend(block_header);

    let mut out = id::CLUSTER.to_vec();
    out.extend(size((time.len() + block.len() + data_length) as u64));
    out.extend(time);
    out.extend(block);
    out
}

/// <https://www.matroska.org/technical/codec_specs.html>
const fn codec_id(codec: Codec) -> &'static str {
    match codec {
        Codec::H264 => "V_MPEG4/ISO/AVC",
        Codec::H265 => "V_MPEGH/ISO/HEVC",
        Codec::Vp8 => "V_VP8",
        Codec::Vp9 => "V_VP9",
        Codec::Av1 => "V_AV1",
    }
}

fn element(id: &[u8], body: &[u8]) -> Vec<u8> {
    [id, &size(body.len() as u64), body].concat()
}

/// A size in eight bytes (RFC 8794 §4), at most 2^56 − 2.
fn size(length: u64) -> [u8; 8] {
    (length | 1 << 56).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_units_cluster_ends_where_its_data_ends() {
        let before = before_unit(40, true, 1000);
        let cluster_size = u64::from_be_bytes(before[4..12].try_into().expect("8 bytes")) & !(1 << 56);
        assert_eq!(cluster_size as usize, before.len() - 12 + 1000);
    }

    #[test]
    fn the_first_byte_of_a_size_gives_its_length() {
        assert_eq!(size(1), [1, 0, 0, 0, 0, 0, 0, 1]);
    }
}
