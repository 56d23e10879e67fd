//! H.264 (RFC 6184) and H.265 (RFC 7798): small NAL units are aggregated, large ones fragmented, the others sent in packets of
//! their own.
//!
//! They are implemented here because the payloaders of the `rtc` crate lose parameter sets that do not fit into one packet,
//! keep only the last of several, miss short start codes beside long ones, and allocate for each packet.

use bytes::{BufMut, Bytes, BytesMut};

use crate::bitstream::nal::NalCodec;
use crate::rtp::h26x::{AP, FU, FU_A, STAP_A};

/// The header of a packet that holds all of `nals`: STAP-A (RFC 6184 §5.7.1) or AP (RFC 7798 §4.4.2).
fn put_aggregation_header(codec: NalCodec, nals: &[Bytes], out: &mut BytesMut) {
    let forbidden = nals.iter().fold(0, |bits, nal| bits | nal[0] & 0x80);
    match codec {
        NalCodec::H264 => {
            let importance = nals.iter().map(|nal| nal[0] & 0x60).max().unwrap_or(0);
            out.put_u8(forbidden | importance | STAP_A);
        }
        NalCodec::H265 => {
            let layer = nals.iter().map(|nal| (nal[0] & 1) << 5 | nal[1] >> 3).min().unwrap_or(0);
            let temporal = nals.iter().map(|nal| nal[1] & 7).min().unwrap_or(1);
            out.put_u8(forbidden | AP << 1 | layer >> 5);
            out.put_u8((layer & 0x1f) << 3 | temporal);
        }
    }
}

/// The header of a packet with a piece of `nal`: FU-A (RFC 6184 §5.8) or FU (RFC 7798 §4.4.3).
fn put_fragment_header(codec: NalCodec, nal: &[u8], first: bool, last: bool, out: &mut BytesMut) {
    let ends = u8::from(first) << 7 | u8::from(last) << 6;
    match codec {
        NalCodec::H264 => {
            out.put_u8(nal[0] & 0xe0 | FU_A);
            out.put_u8(ends | nal[0] & 0x1f);
        }
        NalCodec::H265 => {
            out.put_u8(nal[0] & 0x81 | FU << 1);
            out.put_u8(nal[1]);
            out.put_u8(ends | nal[0] >> 1 & 0x3f);
        }
    }
}

/// Makes the payloads. NAL units shorter than their header are left out. Everything is copied, since a payload that is a slice
/// would keep the whole access unit in memory.
pub(super) fn packetize(codec: NalCodec, nals: &[Bytes], max: usize) -> Vec<Bytes> {
    let whole: Vec<Bytes> = nals.iter().filter(|nal| nal.len() > codec.header_len()).cloned().collect();
    let total: usize = whole.iter().map(Bytes::len).sum();
    let mut payloads = Vec::with_capacity(total / max + whole.len());
    // One allocation for all packets of the frame.
    let mut out = BytesMut::with_capacity(total + 4 * (total / max + whole.len() + 1));
    let mut rest = whole.as_slice();
    while let Some(nal) = rest.first() {
        let together = fitting(codec, rest, max);
        if together > 1 {
            aggregate(codec, &rest[..together], &mut out);
            payloads.push(out.split().freeze());
        } else if nal.len() <= max {
            out.put_slice(nal);
            payloads.push(out.split().freeze());
        } else {
            fragment(codec, nal, max, &mut out, &mut payloads);
        }
        rest = &rest[together.max(1)..];
    }
    payloads
}

/// How many of the first NAL units fit into one packet together.
fn fitting(codec: NalCodec, nals: &[Bytes], max: usize) -> usize {
    let mut len = codec.header_len();
    nals.iter()
        .take_while(|nal| {
            len += 2 + nal.len();
            len <= max
        })
        .count()
}

fn aggregate(codec: NalCodec, nals: &[Bytes], out: &mut BytesMut) {
    put_aggregation_header(codec, nals, out);
    for nal in nals {
        out.put_u16(nal.len() as u16);
        out.put_slice(nal);
    }
}

fn fragment(codec: NalCodec, nal: &Bytes, max: usize, out: &mut BytesMut, payloads: &mut Vec<Bytes>) {
    // The NAL unit's own header is a part of the fragment's, whose last byte is the FU header.
    let (_, body) = nal.split_at(codec.header_len());
    let pieces = body.chunks(max - codec.header_len() - 1);
    let last = pieces.len() - 1;
    for (index, piece) in pieces.enumerate() {
        put_fragment_header(codec, nal, index == 0, index == last, out);
        out.put_slice(piece);
        payloads.push(out.split().freeze());
    }
}
