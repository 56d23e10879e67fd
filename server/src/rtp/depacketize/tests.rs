//! The packets of these tests are made by the payloaders of the `rtc` crate, as an independent implementation.

use proptest::prelude::*;
use rtc::rtp::codec::h264::H264Payloader;
use rtc::rtp::codec::h265::HevcPayloader;
use rtc::rtp::header::Header;
use rtc::rtp::packetizer::Payloader;

use super::*;
use crate::bitstream::annex_b::START_CODE;

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
        let expected = Picture { rtp_timestamp: 90, discontinuity: false, data: unit.clone() };
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
        let expected = Picture { rtp_timestamp: 90, discontinuity: false, data: unit.clone() };
        assert_eq!(pictures(&mut depacketizer), [expected], "{mtu}");
    }
}

#[test]
fn a_picture_with_a_hole_is_dropped_and_the_next_one_says_so() {
    let mut depacketizer = Depacketizer::new(Codec::H264, Vec::new());
    let nal = |kind: u8| Bytes::from(vec![kind, 1, 2]);
    depacketizer.push(&packet(1, 0, true, nal(0x65)));
    depacketizer.push(&packet(2, 3000, false, nal(0x41)));
    // 3 is missing, which may have been a part of the same picture as 4.
    depacketizer.push(&packet(4, 6000, true, nal(0x41)));
    depacketizer.push(&packet(5, 9000, true, nal(0x41)));
    depacketizer.push(&packet(6, 12000, true, nal(0x41)));
    let seen: Vec<(u32, bool)> = pictures(&mut depacketizer)
        .iter()
        .map(|picture| (picture.rtp_timestamp, picture.discontinuity))
        .collect();
    assert_eq!(seen, [(0, false), (9000, true), (12000, false)]);
}

#[test]
fn a_fragment_without_its_beginning_is_a_hole_as_well() {
    let mut depacketizer = Depacketizer::new(Codec::H264, Vec::new());
    depacketizer.push(&packet(1, 0, true, Bytes::from_static(&[0x7c, 0x45, 1])));
    depacketizer.push(&packet(2, 3000, true, Bytes::from_static(&[0x41, 1])));
    let picture = depacketizer.pop().expect("the second");
    assert_eq!((picture.rtp_timestamp, picture.discontinuity), (3000, true));
}

#[test]
fn a_new_timestamp_ends_a_picture_whose_marker_is_missing() {
    let mut depacketizer = Depacketizer::new(Codec::H264, Vec::new());
    depacketizer.push(&packet(1, 0, false, Bytes::from_static(&[0x65, 1])));
    depacketizer.push(&packet(2, 3000, true, Bytes::from_static(&[0x41, 1])));
    assert_eq!(pictures(&mut depacketizer).len(), 2);
}

#[test]
fn parameter_sets_from_the_sdp_stand_before_the_first_picture() {
    let sets = vec![Bytes::from_static(&[0x67, 9]), Bytes::from_static(&[0x68, 9])];
    let mut depacketizer = Depacketizer::new(Codec::H264, sets);
    depacketizer.push(&packet(1, 0, true, Bytes::from_static(&[0x65, 1])));
    let picture = depacketizer.pop().expect("a key frame");
    assert_eq!(picture.data, annex_b(&[&[0x67, 9], &[0x68, 9], &[0x65, 1]]));
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
