//! H.264 (RFC 6184) and H.265 (RFC 7798): small NAL units share a packet, large ones are cut, the rest travel as they are.
//!
//! Own code: the payloaders of the `rtc` crate lose parameter sets that do not fit one packet, keep only the last of
//! several, miss short start codes beside long ones, and allocate for each packet.

use bytes::{BufMut, Bytes, BytesMut};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NalFormat {
    H264,
    H265,
}

/// NAL unit types of RTP packets, not of the codecs (RFC 6184 table 1, RFC 7798 §4.4).
const STAP_A: u8 = 24;
const FU_A: u8 = 28;
const AP: u8 = 48;
const FU: u8 = 49;

impl NalFormat {
    /// Bytes of a NAL unit's header.
    const fn header_len(self) -> usize {
        match self {
            NalFormat::H264 => 1,
            NalFormat::H265 => 2,
        }
    }

    /// The header of a packet that holds all of `nals`: STAP-A (RFC 6184 §5.7.1) or AP (RFC 7798 §4.4.2).
    fn put_aggregation_header(self, nals: &[Bytes], out: &mut BytesMut) {
        let forbidden = nals.iter().fold(0, |bits, nal| bits | nal[0] & 0x80);
        match self {
            NalFormat::H264 => {
                let importance = nals.iter().map(|nal| nal[0] & 0x60).max().unwrap_or(0);
                out.put_u8(forbidden | importance | STAP_A);
            }
            NalFormat::H265 => {
                let layer = nals.iter().map(|nal| (nal[0] & 1) << 5 | nal[1] >> 3).min().unwrap_or(0);
                let temporal = nals.iter().map(|nal| nal[1] & 7).min().unwrap_or(1);
                out.put_u8(forbidden | AP << 1 | layer >> 5);
                out.put_u8((layer & 0x1f) << 3 | temporal);
            }
        }
    }

    /// The header of a packet with a piece of `nal`: FU-A (RFC 6184 §5.8) or FU (RFC 7798 §4.4.3).
    fn put_fragment_header(self, nal: &[u8], first: bool, last: bool, out: &mut BytesMut) {
        let ends = u8::from(first) << 7 | u8::from(last) << 6;
        match self {
            NalFormat::H264 => {
                out.put_u8(nal[0] & 0xe0 | FU_A);
                out.put_u8(ends | nal[0] & 0x1f);
            }
            NalFormat::H265 => {
                out.put_u8(nal[0] & 0x81 | FU << 1);
                out.put_u8(nal[1]);
                out.put_u8(ends | nal[0] >> 1 & 0x3f);
            }
        }
    }
}

/// NAL units shorter than their header are left out.
pub(super) fn packetize(format: NalFormat, nals: &[Bytes], max: usize) -> Vec<Bytes> {
    let whole: Vec<Bytes> = nals.iter().filter(|nal| nal.len() > format.header_len()).cloned().collect();
    let total: usize = whole.iter().map(Bytes::len).sum();
    let mut payloads = Vec::with_capacity(total / max + whole.len());
    // One allocation for all packets of the frame that cannot be slices of it.
    let mut out = BytesMut::with_capacity(total + 4 * (total / max + whole.len() + 1));
    let mut rest = whole.as_slice();
    while let Some(nal) = rest.first() {
        let together = fitting(format, rest, max);
        if together > 1 {
            aggregate(format, &rest[..together], &mut out);
            payloads.push(out.split().freeze());
        } else if nal.len() <= max {
            payloads.push(nal.clone());
        } else {
            fragment(format, nal, max, &mut out, &mut payloads);
        }
        rest = &rest[together.max(1)..];
    }
    payloads
}

/// How many of the first NAL units fit one packet together.
fn fitting(format: NalFormat, nals: &[Bytes], max: usize) -> usize {
    let mut len = format.header_len();
    nals.iter()
        .take_while(|nal| {
            len += 2 + nal.len();
            len <= max
        })
        .count()
}

fn aggregate(format: NalFormat, nals: &[Bytes], out: &mut BytesMut) {
    format.put_aggregation_header(nals, out);
    for nal in nals {
        out.put_u16(nal.len() as u16);
        out.put_slice(nal);
    }
}

fn fragment(format: NalFormat, nal: &Bytes, max: usize, out: &mut BytesMut, payloads: &mut Vec<Bytes>) {
    // The NAL unit's own header travels in the fragment's, whose last byte is the FU header.
    let (_, body) = nal.split_at(format.header_len());
    let pieces = body.chunks(max - format.header_len() - 1);
    let last = pieces.len() - 1;
    for (index, piece) in pieces.enumerate() {
        format.put_fragment_header(nal, index == 0, index == last, out);
        out.put_slice(piece);
        payloads.push(out.split().freeze());
    }
}
