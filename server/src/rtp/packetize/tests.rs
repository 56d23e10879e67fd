//! The payloads of these tests are joined by the depacketizers of the `rtc` crate, as an independent implementation.

use bytes::{BufMut, BytesMut};
use proptest::collection::vec;
use proptest::prelude::*;
use rtc::rtp::codec::av1::Av1Depacketizer;
use rtc::rtp::codec::h264::H264Packet;
use rtc::rtp::codec::h265::{H265AggregationUnit, H265Packet, H265Payload};
use rtc::rtp::codec::vp8::Vp8Packet;
use rtc::rtp::codec::vp9::Vp9Packet;
use rtc::rtp::packetizer::Depacketizer;

use super::*;
use crate::bitstream::{annex_b, leb128};

fn body(max: usize) -> impl Strategy<Value = Vec<u8>> {
    vec(1u8..=255, 2..max)
}

/// NAL units with sizes around the limit of a packet, small ones, and ones of many packets.
fn bodies() -> impl Strategy<Value = Vec<Vec<u8>>> {
    vec(prop_oneof![body(40), vec(1u8..=255, 1190..1210), body(8000)], 1..8)
}

fn h264_nals() -> impl Strategy<Value = Vec<Bytes>> {
    let nal = (1u8..=12, 0u8..4).prop_map(|(kind, importance)| importance << 5 | kind);
    (bodies(), vec(nal, 8)).prop_map(|(bodies, headers)| {
        let with_header = |(body, header): (Vec<u8>, u8)| [vec![header], body].concat().into();
        bodies.into_iter().zip(headers).map(with_header).collect()
    })
}

fn h265_nals() -> impl Strategy<Value = Vec<Bytes>> {
    let nal = (0u8..=40, 1u8..=7).prop_map(|(kind, temporal)| [kind << 1, temporal]);
    (bodies(), vec(nal, 8)).prop_map(|(bodies, headers)| {
        let with_header = |(body, header): (Vec<u8>, [u8; 2])| [header.to_vec(), body].concat().into();
        bodies.into_iter().zip(headers).map(with_header).collect()
    })
}

/// The NAL units of a sequence of H.265 packets, by the library's packet types.
fn join_h265(payloads: &[Bytes]) -> Vec<Bytes> {
    let mut nals = Vec::new();
    let mut open = BytesMut::new();
    for payload in payloads {
        let mut packet = H265Packet::default();
        packet.depacketize(payload).expect("a packet of RFC 7798");
        match packet.payload() {
            H265Payload::H265SingleNALUnitPacket(_) => nals.push(payload.clone()),
            H265Payload::H265AggregationPacket(packet) => {
                let first = packet.first_unit().expect("an aggregation has a first unit");
                nals.push(first.nal_unit());
                nals.extend(packet.other_units().iter().map(H265AggregationUnit::nal_unit));
            }
            H265Payload::H265FragmentationUnitPacket(packet) => {
                if packet.fu_header().s() {
                    open.put_u8(payload[0] & 0x81 | packet.fu_header().fu_type() << 1);
                    open.put_u8(payload[1]);
                }
                open.put(packet.payload());
                if packet.fu_header().e() {
                    nals.push(open.split().freeze());
                }
            }
            other => panic!("unexpected {other:?}"),
        }
    }
    assert!(open.is_empty(), "the last fragment carries the end bit");
    nals
}

fn obu(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut obu = vec![kind << 3 | 2];
    leb128::put(body.len(), &mut obu);
    obu.extend_from_slice(body);
    obu
}

proptest! {
    #[test]
    fn h264_nal_units_come_out_as_they_went_in(nals in h264_nals()) {
        let payloads = nal_units(NalCodec::H264, &nals);
        prop_assert!(payloads.iter().all(|payload| payload.len() <= MAX_PAYLOAD));
        let mut packet = H264Packet::default();
        let mut stream = BytesMut::new();
        for payload in &payloads {
            stream.put(packet.depacketize(payload).expect("a packet of RFC 6184"));
        }
        prop_assert_eq!(annex_b::split(&stream.freeze()).collect::<Vec<_>>(), nals);
    }

    #[test]
    fn h265_nal_units_come_out_as_they_went_in(nals in h265_nals()) {
        let payloads = nal_units(NalCodec::H265, &nals);
        prop_assert!(payloads.iter().all(|payload| payload.len() <= MAX_PAYLOAD));
        prop_assert_eq!(join_h265(&payloads), nals);
    }

    #[test]
    fn vp8_frames_come_out_as_they_went_in(frame in vec(any::<u8>(), 8..8000)) {
        let frame = Bytes::from(frame);
        let mut joined = BytesMut::new();
        for (index, payload) in vp8(&frame).iter().enumerate() {
            prop_assert!(payload.len() <= MAX_PAYLOAD);
            let mut packet = Vp8Packet::default();
            joined.put(packet.depacketize(payload).expect("a packet of RFC 7741"));
            prop_assert_eq!(packet.s == 1, index == 0);
        }
        prop_assert_eq!(joined.freeze(), frame);
    }

    #[test]
    fn vp9_frames_come_out_as_they_went_in(frame in vec(any::<u8>(), 8..8000), keyframe: bool) {
        let frame = Bytes::from(frame);
        let mut joined = BytesMut::new();
        let payloads = vp9(&frame, keyframe);
        for (index, payload) in payloads.iter().enumerate() {
            prop_assert!(payload.len() <= MAX_PAYLOAD);
            let mut packet = Vp9Packet::default();
            joined.put(packet.depacketize(payload).expect("a packet of RFC 9628"));
            prop_assert_eq!((packet.b, packet.e), (index == 0, index + 1 == payloads.len()));
            prop_assert_eq!(packet.p, !keyframe);
        }
        prop_assert_eq!(joined.freeze(), frame);
    }

    #[test]
    fn av1_units_come_out_as_they_went_in(bodies in vec(body(4000), 1..5), keyframe: bool) {
        let mut unit: Vec<u8> = obu(1, &bodies[0]);
        for body in &bodies {
            unit.extend(obu(6, body));
        }
        let unit = Bytes::from(unit);
        let mut joined = BytesMut::new();
        let mut depacketizer = Av1Depacketizer::new();
        for (index, payload) in av1(&unit, keyframe).iter().enumerate() {
            prop_assert!(payload.len() <= MAX_PAYLOAD);
            joined.put(depacketizer.depacketize(payload).expect("a packet of the AV1 RTP specification"));
            prop_assert_eq!(depacketizer.n, keyframe && index == 0);
        }
        prop_assert_eq!(joined.freeze(), unit);
    }
}

#[test]
fn parameter_sets_share_one_packet_ahead_of_a_large_idr() {
    let nals = [Bytes::from_static(&[0x67, 1, 2]), Bytes::from_static(&[0x68, 3]), vec![0x65; 3000].into()];
    let payloads = nal_units(NalCodec::H264, &nals);
    assert_eq!(payloads[0], [0x78, 0, 3, 0x67, 1, 2, 0, 2, 0x68, 3][..]);
    assert_eq!(payloads[1][..2], [0x7c, 0x85]);
    assert_eq!(payloads[3][..2], [0x7c, 0x45]);
    assert_eq!(payloads.len(), 4);
}

#[test]
fn a_nal_unit_that_fits_travels_as_it_is() {
    let nal = Bytes::from(vec![0x61; MAX_PAYLOAD]);
    assert_eq!(nal_units(NalCodec::H264, std::slice::from_ref(&nal)), [nal]);
}
