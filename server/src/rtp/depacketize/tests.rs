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
    let idr = [&[0x65, 0x88][..], &[7; 5000]].concat();
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
    let idr = [&[19 << 1, 1, 0x88][..], &[7; 5000]].concat();
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
    let nal = |kind: u8| Bytes::from(vec![kind, 0x9a, 2]);
    depacketizer.push(&packet(1, 0, true, nal(0x65)));
    depacketizer.push(&packet(2, 3000, false, nal(0x41)));
    // 3 is missing, and with it the beginning of the picture of 4.
    depacketizer.push(&packet(4, 6000, true, Bytes::from_static(&[0x41, 0x3a, 2])));
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
    depacketizer.push(&packet(2, 3000, true, Bytes::from_static(&[0x41, 0x9a])));
    let picture = depacketizer.pop().expect("the second");
    assert_eq!((picture.rtp_timestamp, picture.discontinuity), (3000, true));
}

/// `65.2` and so on: the pictures by the first bytes of their NAL units and the last ones, `!` where something was lost before.
fn told(depacketizer: &mut Depacketizer) -> String {
    let nal = |nal: Bytes| format!("{:x}.{}", nal[0], nal[nal.len() - 1]);
    let picture = |picture: Picture| {
        let nals: Vec<String> = annex_b::split(&picture.data).map(nal).collect();
        format!(
            "{}{}@{}",
            if picture.discontinuity { "!" } else { "" },
            nals.join("+"),
            picture.rtp_timestamp
        )
    };
    pictures(depacketizer).into_iter().map(picture).collect::<Vec<_>>().join(" ")
}

/// A slice at this position in its picture, with a number to be told by.
fn slice(kind: u8, position: usize, number: u8) -> Vec<u8> {
    vec![kind, [0x88, 0x42, 0x62][position], number]
}

/// Pushes packets of `(timestamp, marker, payload)` with successive numbers, and tells the pictures after each, `/` between them.
fn tell(packets: &[(u32, bool, Vec<u8>)]) -> String {
    let mut depacketizer = Depacketizer::new(Codec::H264, Vec::new());
    let mut push = |(number, (timestamp, marker, payload)): (usize, &(u32, bool, Vec<u8>))| {
        depacketizer.push(&packet(number as u16, *timestamp, *marker, payload.clone().into()));
        told(&mut depacketizer)
    };
    packets.iter().enumerate().map(&mut push).collect::<Vec<_>>().join("/")
}

#[test]
fn a_picture_that_is_marked_leaves_with_its_last_packet() {
    let packets = [
        (0, false, slice(0x65, 0, 1)),
        (0, true, slice(0x65, 1, 2)),
        (3000, true, slice(0x41, 0, 3)),
        (6000, true, slice(0x41, 0, 4)),
    ];
    assert_eq!(tell(&packets), "/65.1+65.2@0/41.3@3000/41.4@6000");
}

#[test]
fn markers_on_every_slice_are_believed_once_and_the_cut_picture_is_handed_out_again_as_a_whole() {
    let packets = [
        (0, true, slice(0x65, 0, 1)),
        (0, true, slice(0x65, 1, 2)),
        (0, true, slice(0x65, 2, 3)),
        (3000, true, slice(0x41, 0, 4)),
        (3000, true, slice(0x41, 1, 5)),
        (6000, true, slice(0x41, 0, 6)),
    ];
    assert_eq!(tell(&packets), "65.1@0///!65.1+65.2+65.3@0//41.4+41.5@3000");
}

#[test]
fn a_marker_within_a_nal_unit_is_no_end_and_costs_no_picture() {
    let fragment = |header: u8, number: u8| vec![0x7c, header | 5, 0x88, number];
    let packets = [
        (0, true, fragment(0x80, 1)),
        (0, true, fragment(0, 2)),
        (0, true, fragment(0x40, 3)),
        (3000, true, slice(0x41, 0, 4)),
        (6000, true, slice(0x41, 0, 5)),
    ];
    assert_eq!(tell(&packets), "///65.3@0/41.4@3000");
}

#[test]
fn a_picture_without_a_marker_leaves_when_the_next_one_begins() {
    let packets = [
        (0, false, slice(0x65, 0, 1)),
        (0, false, slice(0x65, 1, 2)),
        (3000, false, slice(0x41, 0, 3)),
        (3000, false, slice(0x41, 0, 4)),
        (3000, false, slice(0x41, 1, 5)),
        (6000, false, slice(0x41, 0, 6)),
    ];
    assert_eq!(tell(&packets), "//65.1+65.2@0/41.3@3000//41.4+41.5@3000");
}

#[test]
fn timestamps_that_change_within_a_picture_are_not_believed_twice() {
    let packets = [
        (0, false, slice(0x65, 0, 1)),
        (90, false, slice(0x65, 1, 2)),
        (3000, false, slice(0x41, 0, 3)),
        (3090, false, slice(0x41, 1, 4)),
        (6000, false, slice(0x41, 0, 5)),
    ];
    assert_eq!(tell(&packets), "/65.1@0/!65.1+65.2@0//41.3+41.4@3000");
}

#[test]
fn what_comes_between_two_pictures_goes_with_the_next_one_and_gives_it_no_timestamp() {
    let sei = |number| vec![0x06, 5, number];
    let packets = [
        (0, true, slice(0x65, 0, 1)),
        // A message of the next picture with the timestamp and the marker of this one, and filler of this one.
        (0, true, sei(2)),
        (0, true, vec![0x0c, 0xff, 9]),
        (3000, false, slice(0x41, 0, 3)),
        (3000, true, sei(4)),
        (6000, true, slice(0x41, 0, 5)),
    ];
    assert_eq!(tell(&packets), "65.1@0////6.2+41.3@3000/6.4+41.5@6000");
}

#[test]
fn silence_ends_a_picture_without_a_marker_as_long_as_that_was_right() {
    let mut depacketizer = Depacketizer::new(Codec::H264, Vec::new());
    assert!(!depacketizer.waits());
    depacketizer.push(&packet(0, 0, false, slice(0x65, 0, 1).into()));
    assert!(depacketizer.waits());
    depacketizer.flush();
    assert!(!depacketizer.waits());
    assert_eq!(told(&mut depacketizer), "65.1@0");
    depacketizer.push(&packet(1, 0, false, slice(0x65, 1, 2).into()));
    assert!(!depacketizer.waits());
    depacketizer.push(&packet(2, 3000, false, slice(0x41, 0, 3).into()));
    assert_eq!(told(&mut depacketizer), "!65.1+65.2@0");
}

#[test]
fn a_stream_that_begins_in_mid_picture_is_shown_from_the_next_one_on() {
    let packets = [(0, true, slice(0x65, 1, 1)), (3000, true, slice(0x41, 0, 2))];
    assert_eq!(tell(&packets), "/41.2@3000");
}

#[test]
fn sets_after_a_loss_stay_with_the_key_frame_that_follows() {
    let mut depacketizer = Depacketizer::new(Codec::H264, Vec::new());
    depacketizer.push(&packet(1, 0, true, slice(0x65, 0, 1).into()));
    for (number, payload) in [(4, vec![0x67, 1, 2]), (5, vec![0x68, 1, 3]), (6, slice(0x65, 0, 4))] {
        depacketizer.push(&packet(number, 3000, number == 6, payload.into()));
    }
    assert_eq!(told(&mut depacketizer), "65.1@0 !67.2+68.3+65.4@3000");
}

#[test]
fn a_nal_unit_without_its_end_costs_its_picture_only() {
    let packets = [(0, false, vec![0x7c, 0x85, 0x88, 1]), (3000, true, slice(0x41, 0, 2))];
    assert_eq!(tell(&packets), "/!41.2@3000");
}

#[test]
fn parameter_sets_from_the_sdp_stand_before_the_first_picture() {
    let sets = vec![Bytes::from_static(&[0x67, 9]), Bytes::from_static(&[0x68, 9])];
    let mut depacketizer = Depacketizer::new(Codec::H264, sets);
    depacketizer.push(&packet(1, 0, true, Bytes::from_static(&[0x65, 0x88])));
    let picture = depacketizer.pop().expect("a key frame");
    assert_eq!(picture.data, annex_b(&[&[0x67, 9], &[0x68, 9], &[0x65, 0x88]]));
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
