//! RTP packets back into access units: RFC 6184 (H.264), RFC 7798 (H.265), RFC 7741 (VP8), RFC 9628 (VP9), AV1.
//!
//! For packets that come in order. A hole in the sequence numbers costs everything up to the next key frame: a picture
//! whose reference is missing is never handed on.

use std::collections::VecDeque;

use bytes::{BufMut, Bytes, BytesMut};
use rtc::rtp::Packet;
use rtc::rtp::codec::vp8::Vp8Packet;
use rtc::rtp::codec::vp9::Vp9Packet;
use rtc::rtp::packetizer::Depacketizer as _;

use crate::bitstream::Codec;

const START_CODE: [u8; 4] = [0, 0, 0, 1];
/// An access unit that grows beyond this is no picture.
const MAX_UNIT: usize = 32 << 20;

/// A picture with the timestamp of its packets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    pub rtp_timestamp: u32,
    pub keyframe: bool,
    pub data: Bytes,
}

#[derive(Debug)]
pub struct Depacketizer {
    codec: Codec,
    /// Sent out of band: the first key frame gets them in front.
    parameter_sets: Vec<Bytes>,
    next_sequence: Option<u16>,
    unit: Unit,
    /// Nothing is handed on before a key frame: at the start, and after a hole.
    waiting: bool,
    done: VecDeque<Picture>,
}

#[derive(Debug, Default)]
struct Unit {
    timestamp: Option<u32>,
    keyframe: bool,
    data: BytesMut,
    /// A fragmented NAL unit or OBU has begun and not ended.
    in_fragment: bool,
    /// AV1: what has come of the current OBU.
    obu: Vec<u8>,
    damaged: bool,
}

impl Depacketizer {
    pub fn new(codec: Codec, parameter_sets: Vec<Bytes>) -> Self {
        Self {
            codec,
            parameter_sets,
            next_sequence: None,
            unit: Unit::default(),
            waiting: true,
            done: VecDeque::new(),
        }
    }

    /// Takes the next packet; then [`Self::pop`] until there is no more.
    pub fn push(&mut self, packet: &Packet) {
        let header = &packet.header;
        if self.next_sequence.is_some_and(|expected| expected != header.sequence_number) {
            self.unit = Unit::default();
            self.waiting = true;
            // The packets before this one may have belonged to the same picture.
            self.unit.damaged = true;
        }
        self.next_sequence = Some(header.sequence_number.wrapping_add(1));

        if self.unit.timestamp.is_some_and(|timestamp| timestamp != header.timestamp) {
            self.finish();
        }
        self.unit.timestamp = Some(header.timestamp);
        if self.unit.data.len() + packet.payload.len() > MAX_UNIT || self.payload(&packet.payload).is_none() {
            self.unit.damaged = true;
        }
        if header.marker {
            self.finish();
        }
    }

    pub fn pop(&mut self) -> Option<Picture> {
        self.done.pop_front()
    }

    fn finish(&mut self) {
        let unit = std::mem::take(&mut self.unit);
        let Some(rtp_timestamp) = unit.timestamp else { return };
        if unit.damaged || unit.in_fragment {
            self.waiting = true;
            return;
        }
        self.waiting &= !unit.keyframe;
        if self.waiting || unit.data.is_empty() {
            return;
        }
        let mut data = BytesMut::new();
        if unit.keyframe {
            for set in self.parameter_sets.drain(..) {
                data.put_slice(&START_CODE);
                data.put_slice(&set);
            }
        }
        let data = if data.is_empty() { unit.data } else { [data, unit.data].concat().as_slice().into() };
        self.done.push_back(Picture { rtp_timestamp, keyframe: unit.keyframe, data: data.freeze() });
    }

    fn payload(&mut self, payload: &Bytes) -> Option<()> {
        match self.codec {
            Codec::H264 => self.unit.nal_payload(payload, &H264),
            Codec::H265 => self.unit.nal_payload(payload, &H265),
            Codec::Vp8 => {
                let first = self.unit.data.is_empty();
                let data = Vp8Packet::default().depacketize(payload).ok()?;
                // The frame tag's first bit is 0 in a key frame (RFC 6386 §9.1).
                self.unit.keyframe |= first && data.first()? & 1 == 0;
                self.unit.data.put_slice(&data);
                Some(())
            }
            Codec::Vp9 => {
                let first = self.unit.data.is_empty();
                let data = Vp9Packet::default().depacketize(payload).ok()?;
                self.unit.keyframe |= first && vp9_keyframe(*data.first()?);
                self.unit.data.put_slice(&data);
                Some(())
            }
            Codec::Av1 => self.unit.av1_payload(payload),
        }
    }
}

/// Frame marker, profile, `show_existing_frame`, `frame_type` (VP9 bitstream specification §6.2).
const fn vp9_keyframe(first: u8) -> bool {
    let profile_3 = first & 0b0011_0000 == 0b0011_0000;
    let bits = if profile_3 { first << 1 } else { first };
    bits & 0b0000_1100 == 0
}

/// What differs between the two payload formats.
struct NalFormat {
    header: usize,
    kind: fn(&[u8]) -> u8,
    aggregation: u8,
    fragment: u8,
    /// Kinds of slices that decoding can start with, and of units that are of no use in a browser.
    key: std::ops::RangeInclusive<u8>,
    /// The NAL header of a fragmented unit, from the first bytes of a fragment.
    whole_header: fn(&[u8]) -> [u8; 2],
    last: u8,
}

/// RFC 6184 §5.4, packetization modes 0 and 1.
const H264: NalFormat = NalFormat {
    header: 1,
    kind: |nal| nal[0] & 0x1f,
    aggregation: 24,
    fragment: 28,
    key: 5..=5,
    whole_header: |fu| [fu[0] & 0xe0 | fu[1] & 0x1f, 0],
    last: 23,
};

/// RFC 7798 §4.4, without DONL.
const H265: NalFormat = NalFormat {
    header: 2,
    kind: |nal| nal[0] >> 1 & 0x3f,
    aggregation: 48,
    fragment: 49,
    key: 16..=23,
    whole_header: |fu| [fu[0] & 0x81 | (fu[2] & 0x3f) << 1, fu[1]],
    last: 47,
};

impl Unit {
    /// `None`: the payload is damaged.
    fn nal_payload(&mut self, payload: &[u8], format: &NalFormat) -> Option<()> {
        if payload.len() <= format.header {
            return None;
        }
        let kind = (format.kind)(payload);
        if kind == format.fragment {
            return self.fragment(payload, format);
        }
        if self.in_fragment {
            return None;
        }
        if kind == format.aggregation {
            let mut rest = &payload[format.header..];
            while !rest.is_empty() {
                let (length, after) = rest.split_first_chunk::<2>()?;
                let (nal, after) = after.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
                self.nal(nal, format)?;
                rest = after;
            }
            return Some(());
        }
        if kind > format.last {
            return None;
        }
        self.nal(payload, format)
    }

    fn nal(&mut self, nal: &[u8], format: &NalFormat) -> Option<()> {
        if nal.len() < format.header {
            return None;
        }
        self.keyframe |= format.key.contains(&(format.kind)(nal));
        self.data.put_slice(&START_CODE);
        self.data.put_slice(nal);
        Some(())
    }

    fn fragment(&mut self, payload: &[u8], format: &NalFormat) -> Option<()> {
        let fu_header = *payload.get(format.header)?;
        let body = payload.get(format.header + 1..)?;
        let (start, end) = (fu_header & 0x80 != 0, fu_header & 0x40 != 0);
        if start == self.in_fragment {
            return None;
        }
        if start {
            let header = (format.whole_header)(payload);
            self.nal(&header[..format.header], format)?;
        }
        self.data.put_slice(body);
        self.in_fragment = !end;
        Some(())
    }
}

impl Unit {
    /// AV1 RTP payload specification §4.4: elements are OBUs without their size; they get it back (AV1 §5.3).
    ///
    /// Not `rtc`'s, which panics at an OBU that ends within its header. `None`: the payload is damaged.
    fn av1_payload(&mut self, payload: &[u8]) -> Option<()> {
        let (header, mut rest) = payload.split_first()?;
        let (continues, goes_on) = (header & 0x80 != 0, header & 0x40 != 0);
        let count = usize::from(header >> 4 & 3);
        self.keyframe |= header & 0x08 != 0;
        if continues != self.in_fragment {
            return None;
        }
        let mut index = 0;
        while !rest.is_empty() {
            index += 1;
            let length = if index == count { rest.len() } else { leb128(&mut rest)? };
            let (element, after) = rest.split_at_checked(length)?;
            self.obu.extend_from_slice(element);
            rest = after;
            if !(rest.is_empty() && goes_on) {
                self.end_obu()?;
            }
        }
        self.in_fragment = goes_on;
        Some(())
    }

    fn end_obu(&mut self) -> Option<()> {
        const TEMPORAL_DELIMITER: u8 = 2;
        const TILE_LIST: u8 = 8;
        let obu = std::mem::take(&mut self.obu);
        let first = *obu.first()?;
        let header = if first & 4 == 0 { 1 } else { 2 };
        let body = obu.get(header..)?;
        match (first >> 3 & 0xf, first & 2 != 0) {
            (TEMPORAL_DELIMITER | TILE_LIST, _) => {}
            (_, true) => self.data.put_slice(&obu),
            (_, false) => {
                self.data.put_u8(first | 2);
                self.data.put_slice(&obu[1..header]);
                let mut length = body.len();
                while length > 0x7f {
                    self.data.put_u8(length as u8 | 0x80);
                    length >>= 7;
                }
                self.data.put_u8(length as u8);
                self.data.put_slice(body);
            }
        }
        Some(())
    }
}

/// AV1 §4.10.5, as far as a packet can be long.
fn leb128(bytes: &mut &[u8]) -> Option<usize> {
    let mut value = 0;
    for shift in [0, 7, 14, 21] {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rtc::rtp::codec::h264::H264Payloader;
    use rtc::rtp::codec::h265::HevcPayloader;
    use rtc::rtp::header::Header;
    use rtc::rtp::packetizer::Payloader;

    use super::*;

    fn packet(sequence_number: u16, timestamp: u32, marker: bool, payload: Bytes) -> Packet {
        let header = Header { version: 2, sequence_number, timestamp, marker, ..Header::default() };
        Packet { header, payload }
    }

    fn pictures(depacketizer: &mut Depacketizer) -> Vec<Picture> {
        std::iter::from_fn(|| depacketizer.pop()).collect()
    }

    fn annex_b(nals: &[&[u8]]) -> Bytes {
        nals.iter().flat_map(|nal| [&START_CODE[..], nal].concat()).collect::<Vec<u8>>().into()
    }

    fn send(depacketizer: &mut Depacketizer, payloads: Vec<Bytes>, first: u16, timestamp: u32) -> u16 {
        let count = payloads.len();
        for (i, payload) in payloads.into_iter().enumerate() {
            depacketizer.push(&packet(first.wrapping_add(i as u16), timestamp, i + 1 == count, payload));
        }
        first.wrapping_add(count as u16)
    }

    #[test]
    fn an_h264_key_frame_survives_packets_of_any_size() {
        let idr = [&[0x65][..], &[7; 5000]].concat();
        let unit = annex_b(&[&[0x67, 1, 2, 3], &[0x68, 4, 5], &idr]);
        for mtu in [60, 500, 1200, 9000] {
            let payloads = H264Payloader::default().payload(mtu, &unit).expect("valid");
            let mut depacketizer = Depacketizer::new(Codec::H264, Vec::new());
            send(&mut depacketizer, payloads, u16::MAX, 90);
            let expected = Picture { rtp_timestamp: 90, keyframe: true, data: unit.clone() };
            assert_eq!(pictures(&mut depacketizer), [expected]);
        }
    }

    #[test]
    fn an_h265_key_frame_survives_packets_of_any_size() {
        let idr = [&[19 << 1, 1][..], &[7; 5000]].concat();
        let unit = annex_b(&[&[32 << 1, 1, 2], &[33 << 1, 1, 2], &[34 << 1, 1, 2], &idr]);
        for mtu in [60, 1200] {
            let payloads = HevcPayloader.payload(mtu, &unit).expect("valid");
            let mut depacketizer = Depacketizer::new(Codec::H265, Vec::new());
            send(&mut depacketizer, payloads, 0, 90);
            let pictures = pictures(&mut depacketizer);
            assert_eq!(pictures.len(), 1);
            assert!(pictures[0].keyframe);
            assert_eq!(pictures[0].data, unit);
        }
    }

    #[test]
    fn an_av1_key_frame_survives_packets_of_any_size() {
        use rtc::rtp::codec::av1::Av1Payloader;
        // A sequence header and a frame of 300 bytes.
        let sequence = [0x0a, 0x03, 1, 2, 3];
        let frame = [&[0x32, 0xac, 0x02][..], &[7; 300]].concat();
        let unit = Bytes::from([&sequence[..], &frame].concat());
        for mtu in [60, 200, 1200] {
            let payloads = Av1Payloader::default().payload(mtu, &unit).expect("valid");
            let mut depacketizer = Depacketizer::new(Codec::Av1, Vec::new());
            send(&mut depacketizer, payloads, 0, 90);
            let expected = Picture { rtp_timestamp: 90, keyframe: true, data: unit.clone() };
            assert_eq!(pictures(&mut depacketizer), [expected], "{mtu}");
        }
    }

    #[test]
    fn a_hole_costs_everything_up_to_the_next_key_frame() {
        let mut depacketizer = Depacketizer::new(Codec::H264, Vec::new());
        let nal = |kind: u8| Bytes::from(vec![kind, 1, 2]);
        depacketizer.push(&packet(1, 0, true, nal(0x65)));
        depacketizer.push(&packet(2, 3000, true, nal(0x41)));
        depacketizer.push(&packet(4, 9000, true, nal(0x41)));
        depacketizer.push(&packet(5, 12000, true, nal(0x41)));
        depacketizer.push(&packet(6, 15000, true, nal(0x65)));
        let times: Vec<u32> =
            pictures(&mut depacketizer).iter().map(|picture| picture.rtp_timestamp).collect();
        assert_eq!(times, [0, 3000, 15000]);
    }

    #[test]
    fn a_new_timestamp_ends_a_picture_whose_marker_is_missing() {
        let mut depacketizer = Depacketizer::new(Codec::H264, Vec::new());
        depacketizer.push(&packet(1, 0, false, Bytes::from_static(&[0x65, 1])));
        depacketizer.push(&packet(2, 3000, true, Bytes::from_static(&[0x41, 1])));
        assert_eq!(pictures(&mut depacketizer).len(), 2);
    }

    #[test]
    fn parameter_sets_from_the_sdp_stand_before_the_first_key_frame() {
        let sets = vec![Bytes::from_static(&[0x67, 9]), Bytes::from_static(&[0x68, 9])];
        let mut depacketizer = Depacketizer::new(Codec::H264, sets);
        depacketizer.push(&packet(1, 0, true, Bytes::from_static(&[0x65, 1])));
        let picture = depacketizer.pop().expect("a key frame");
        assert_eq!(picture.data, annex_b(&[&[0x67, 9], &[0x68, 9], &[0x65, 1]]));
    }

    #[test]
    fn a_stream_is_not_begun_in_the_middle_of_a_gop() {
        let mut depacketizer = Depacketizer::new(Codec::Vp8, Vec::new());
        depacketizer.push(&packet(1, 0, true, Bytes::from_static(&[0x10, 0x01, 2, 3])));
        assert_eq!(depacketizer.pop(), None);
        depacketizer.push(&packet(2, 1, true, Bytes::from_static(&[0x10, 0x00, 2, 3])));
        assert_eq!(depacketizer.pop().map(|picture| picture.data), Some(Bytes::from_static(&[0, 2, 3])));
    }

    proptest! {
        #[test]
        fn no_payload_panics(
            codec in prop::sample::select(&Codec::ALL[..]),
            packets in prop::collection::vec((any::<Vec<u8>>(), any::<bool>(), 0u32..3), 0..20),
        ) {
            let mut depacketizer = Depacketizer::new(codec, Vec::new());
            for (i, (payload, marker, timestamp)) in packets.into_iter().enumerate() {
                depacketizer.push(&packet(i as u16, timestamp, marker, payload.into()));
                while depacketizer.pop().is_some() {}
            }
        }
    }
}
