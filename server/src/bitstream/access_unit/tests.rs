//! The parameter sets and slices of these tests are written bit by bit, as the standards have them.

use proptest::prelude::*;

use super::*;

/// Bits, and those of Exp-Golomb codes.
#[derive(Default)]
struct Bits(Vec<bool>);

impl Bits {
    fn u(mut self, count: u32, value: u32) -> Self {
        self.0.extend((0..count).rev().map(|bit| value >> bit & 1 == 1));
        self
    }

    fn ue(self, value: u32) -> Self {
        let len = (value + 1).ilog2();
        self.u(len, 0).u(len + 1, value + 1)
    }

    fn nal(self, header: &[u8]) -> Vec<u8> {
        let bits = self.u(1, 1);
        let byte =
            |bits: &[bool]| (0..8).fold(0, |byte, at| byte << 1 | u8::from(bits.get(at) == Some(&true)));
        header.iter().copied().chain(bits.0.chunks(8).map(byte)).collect()
    }
}

fn sps(id: u32, frames_only: bool) -> Vec<u8> {
    // Profile, level; id, four bits of frame_num, pic_order_cnt_type 0 with four bits, one reference.
    let bits = Bits::default().u(24, 0x42_00_1e).ue(id).ue(0).ue(0).ue(0).ue(1).u(1, 0);
    let bits = bits.ue(9).ue(9).u(1, u32::from(frames_only));
    let bits = if frames_only { bits } else { bits.u(1, 0) };
    bits.u(3, 0b100).nal(&[0x67])
}

fn pps(id: u32, sps: u32) -> Vec<u8> {
    Bits::default().ue(id).ue(sps).u(2, 0).ue(0).nal(&[0x68])
}

/// A slice of a frame. Its header is that of `type`, the first macroblock, the PPS, `frame_num` and `pic_order_cnt_lsb`.
fn slice(header: u8, first: u32, pps: u32, frame: u32, order: u32) -> Vec<u8> {
    let bits = Bits::default().ue(first).ue(0).ue(pps).u(4, frame);
    let bits = if header & 0x1f == 5 { bits.ue(order) } else { bits };
    bits.u(4, order).u(8, 0xff).nal(&[header])
}

fn field(header: u8, frame: u32, is_bottom: bool, order: u32) -> Vec<u8> {
    let bits = Bits::default().ue(0).ue(0).ue(0).u(4, frame).u(2, 0b10 | u32::from(is_bottom));
    let bits = if header & 0x1f == 5 { bits.ue(0) } else { bits };
    bits.u(4, order).u(8, 0xff).nal(&[header])
}

/// `|` where a picture begins (`!` if not with its first slice), `+` a slice that continues it, `<` before a picture, `-` within it.
fn places(codec: NalCodec, nals: &[Vec<u8>]) -> String {
    let mut bounds = Bounds::new(codec);
    let place = |nal: &Vec<u8>| match bounds.place(nal) {
        Place::Begins { first: true } => '|',
        Place::Begins { first: false } => '!',
        Place::Continues => '+',
        Place::Before => '<',
        Place::Within => '-',
    };
    nals.iter().map(place).collect()
}

fn h264(nals: &[Vec<u8>]) -> String {
    places(NalCodec::H264, &[&[sps(0, true), pps(0, 0), pps(1, 0)], nals].concat()).split_off(3)
}

const IDR: u8 = 0x65;
const P: u8 = 0x41;
const B: u8 = 0x01;

#[test]
fn slices_of_one_picture_stay_together_and_others_do_not() {
    assert_eq!(
        h264(&[
            slice(IDR, 0, 0, 0, 0),
            slice(IDR, 40, 0, 0, 0),
            slice(P, 0, 0, 1, 2),
            slice(P, 40, 0, 1, 2),
            slice(P, 0, 0, 2, 4),
        ]),
        "|+|+|"
    );
}

#[test]
fn each_thing_that_is_one_in_a_picture_tells_two_pictures_apart_when_the_first_slice_is_missing() {
    let last = slice(P, 20, 0, 1, 2);
    for (what, next) in [
        ("frame_num", slice(P, 40, 0, 2, 2)),
        ("pic_parameter_set_id", slice(P, 40, 1, 1, 2)),
        ("nal_ref_idc", slice(B, 40, 0, 1, 2)),
        ("nal_unit_type", slice(IDR, 40, 0, 1, 2)),
        ("pic_order_cnt_lsb", slice(P, 40, 0, 1, 4)),
    ] {
        assert_eq!(h264(&[slice(P, 0, 0, 1, 2), last.clone(), next]), "|+!", "{what}");
    }
    let idrs = [slice(IDR, 0, 0, 0, 0), slice(IDR, 40, 0, 0, 1)];
    assert_eq!(h264(&idrs), "|!", "idr_pic_id");
}

#[test]
fn both_fields_of_a_frame_are_one_picture() {
    let sets = [sps(0, false), pps(0, 0)];
    let fields = [
        field(IDR, 0, false, 0),
        field(P, 0, true, 1),
        field(P, 1, false, 2),
        field(P, 1, true, 3),
        field(P, 2, false, 4),
        field(P, 3, false, 6),
    ];
    assert_eq!(places(NalCodec::H264, &[&sets[..], &fields].concat()), "<<|+|+||");
}

#[test]
fn sets_and_messages_are_before_a_picture_and_filler_is_within_it() {
    let nals = [
        vec![0x09, 0xf0],
        vec![0x06, 5, 0x80],
        slice(P, 0, 0, 1, 2),
        // SVC puts a NAL unit in front of each slice.
        vec![0x6e, 0x40],
        slice(P, 40, 0, 1, 2),
        vec![0x0c, 0xff, 0x80],
        vec![0x0a],
        vec![0x06, 5, 0x80],
        slice(P, 0, 0, 2, 4),
    ];
    assert_eq!(h264(&nals), "<<|<+--<|");
}

#[test]
fn slices_whose_parameter_sets_are_unknown_are_told_apart_by_their_position() {
    let nals = [slice(P, 0, 7, 1, 2), slice(P, 40, 7, 1, 2), slice(P, 0, 7, 2, 4)];
    assert_eq!(places(NalCodec::H264, &nals), "|+|");
    // A picture of one slice after another, whose first macroblock is the first one in each.
    assert_eq!(places(NalCodec::H264, &[vec![P, 0x9a], vec![P, 0x9a]]), "||");
}

#[test]
fn h265_pictures_begin_with_their_first_slice_segment() {
    let nal = |kind: u8, layer: u8, flags: u8| vec![kind << 1, layer << 3 | 1, flags];
    let (first, next) = (0x80, 0x20);
    let nals = [
        nal(32, 0, 1),
        nal(19, 0, first),
        nal(19, 0, next),
        nal(40, 0, 1),
        nal(35, 0, 0x50),
        nal(39, 0, 1),
        nal(1, 0, first),
        // Another layer of the same picture.
        nal(1, 1, first),
        nal(38, 0, 1),
        nal(1, 0, first),
    ];
    assert_eq!(places(NalCodec::H265, &nals), "<|+-<<|+-|");
}

#[test]
fn after_a_loss_a_slice_that_is_not_the_first_one_begins_a_picture_that_is_not_whole() {
    let mut bounds = Bounds::new(NalCodec::H264);
    assert_eq!(bounds.place(&slice(P, 0, 0, 1, 2)), Place::Begins { first: true });
    bounds.forget_picture();
    assert_eq!(bounds.place(&slice(P, 40, 0, 1, 2)), Place::Begins { first: false });
    assert_eq!(bounds.place(&slice(P, 60, 0, 1, 2)), Place::Continues);
}

#[test]
fn the_beginning_of_a_slice_is_enough() {
    let mut long = slice(P, 0, 0, 1, 2);
    long.resize(5000, 7);
    for len in [ENOUGH_OF_A_SLICE, 5000] {
        let mut bounds = Bounds::new(NalCodec::H264);
        for set in [sps(0, true), pps(0, 0)] {
            assert_eq!(bounds.place(&set), Place::Before);
        }
        assert_eq!(bounds.place(&slice(P, 0, 0, 2, 4)), Place::Begins { first: true });
        assert_eq!(bounds.place(&long[..len]), Place::Begins { first: true });
        assert_eq!(bounds.place(&slice(P, 9, 0, 1, 2)), Place::Continues);
    }
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(nals: Vec<Vec<u8>>) {
        for codec in [NalCodec::H264, NalCodec::H265] {
            places(codec, &nals);
        }
    }
}
