//! The sets and slices of these tests have real ids, and otherwise only what is read here.

use super::*;

/// Bits as text, the stop bit added.
fn nal(header: &[u8], bits: &str) -> Bytes {
    let bits: Vec<bool> = bits.chars().filter(|c| *c != ' ').map(|c| c == '1').chain([true]).collect();
    let byte = |bits: &[bool]| (0..8).fold(0, |byte, at| byte << 1 | u8::from(bits.get(at) == Some(&true)));
    header.iter().copied().chain(bits.chunks(8).map(byte)).collect()
}

/// The Exp-Golomb codes of 0 to 3.
const UE: [&str; 4] = ["1", "010", "011", "00100"];

/// An SPS and a PPS with a content to be told by.
fn sps(id: usize, content: &str) -> Bytes {
    nal(&[0x67, 0x42, 0xc0, 0x1e], &format!("{}{content}", UE[id]))
}

fn pps(id: usize, sps: usize, content: &str) -> Bytes {
    nal(&[0x68], &format!("{}{}{content}", UE[id], UE[sps]))
}

fn idr(pps: usize) -> Bytes {
    nal(&[0x65], &format!("1 1 {} 1010", UE[pps]))
}

/// What a key frame leaves with after these units.
fn leaves(codec: NalCodec, units: &[&[Bytes]], key_frame: &[Bytes]) -> Option<Vec<Bytes>> {
    let mut sets = ParameterSets::default();
    for unit in units.iter().copied().chain([key_frame]) {
        sets.remember(codec, unit);
    }
    let mut nals = key_frame.to_vec();
    sets.needed(codec, &nals)?.put_first(&mut nals);
    Some(nals)
}

fn h264(units: &[&[Bytes]], key_frame: &[Bytes]) -> Option<Vec<Bytes>> {
    leaves(NalCodec::H264, units, key_frame)
}

#[test]
fn sets_that_are_sent_one_by_one_are_all_kept() {
    let (sps, first, second) = (sps(0, "01"), pps(0, 0, "01"), pps(1, 0, "11"));
    let units: &[&[Bytes]] =
        &[std::slice::from_ref(&sps), std::slice::from_ref(&first), std::slice::from_ref(&second)];
    // Pictures after a key frame that uses one PPS may use the other.
    let expected = vec![sps.clone(), first.clone(), second.clone(), idr(1)];
    assert_eq!(h264(units, &[idr(1)]), Some(expected.clone()));
    // A key frame that brings one of them gets the others.
    assert_eq!(h264(units, &[sps.clone(), second.clone(), idr(1)]), Some(expected));
}

#[test]
fn the_sps_is_the_one_that_the_slices_pps_refers_to() {
    let large = [sps(0, "01"), pps(0, 0, "01")];
    let small = [sps(1, "11"), pps(1, 1, "11")];
    let units: &[&[Bytes]] = &[&large, &small];
    assert_eq!(h264(units, &[idr(0)]), Some([&large[..], &[idr(0)]].concat()));
    assert_eq!(h264(units, &[idr(1)]), Some([&small[..], &[idr(1)]].concat()));
    // All of them in front of each key frame stay as they are.
    let all = [&large[..], &small, &[idr(1)]].concat();
    assert_eq!(h264(&[], &all), Some(all));
}

#[test]
fn a_set_that_changes_replaces_the_one_of_its_id() {
    let (before, after) = (sps(0, "01"), sps(0, "111"));
    let units: &[&[Bytes]] = &[&[before, pps(0, 0, "01")], std::slice::from_ref(&after)];
    assert_eq!(h264(units, &[idr(0)]), Some(vec![after, pps(0, 0, "01"), idr(0)]));
}

#[test]
fn a_key_frame_whose_sets_are_not_there_is_not_passed_on() {
    let sets = [sps(0, "01"), pps(0, 0, "01")];
    assert_eq!(h264(&[], &[idr(0)]), None);
    assert_eq!(h264(&[&sets], &[idr(1)]), None, "of another PPS");
    assert_eq!(h264(&[&[pps(0, 1, "01"), sps(0, "01")]], &[idr(0)]), None, "of another SPS");
    assert_eq!(
        h264(&[&sets[..1], &sets[1..]], &[idr(0)]),
        Some([&sets[..], &[idr(0)]].concat()),
        "sent late"
    );
}

#[test]
fn a_set_that_is_too_long_is_not_kept() {
    let long = Bytes::from([&pps(0, 0, "01")[..], &vec![7; MAX_LEN]].concat());
    assert_eq!(h264(&[&[sps(0, "01"), long]], &[idr(0)]), None);
}

#[test]
fn an_h265_key_frame_gets_the_vps_of_its_sps() {
    let vps = |id: &str| nal(&[32 << 1, 1], &format!("{id} 1111"));
    // One sub-layer, and a profile and level of 96 bits.
    let sps =
        |id: usize, vps: &str| nal(&[33 << 1, 1], &format!("{vps} 000 1 {} {}", "1".repeat(96), UE[id]));
    let pps = |id: usize, sps: usize| nal(&[34 << 1, 1], &format!("{}{}", UE[id], UE[sps]));
    let idr = |pps: usize| nal(&[19 << 1, 1], &format!("10{}", UE[pps]));
    let (first, second) = ("0000", "0001");
    let sets = [vps(first), vps(second), sps(0, first), sps(1, second), pps(0, 0), pps(1, 1), pps(2, 1)];
    let leaves = |pps| leaves(NalCodec::H265, &[&sets], &[idr(pps)]);
    assert_eq!(leaves(0), Some(vec![vps(first), sps(0, first), pps(0, 0), idr(0)]));
    assert_eq!(leaves(2), Some(vec![vps(second), sps(1, second), pps(1, 1), pps(2, 1), idr(2)]));
}
