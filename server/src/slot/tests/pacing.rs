//! Many slots on one connection, of which some catch up.

use super::super::{Arrival, Pacer};
use super::*;

#[test]
fn nine_slots_share_the_packets_of_a_millisecond() {
    let start = Instant::now();
    let mut slots: Vec<Slot> = (0..9)
        .map(|id| {
            let mut camera = Camera::new(id, Codec::H264, 50);
            let (mut slot, now) = showing(&mut camera, 0);
            camera.next_frame(Timestamp90k(1), 40);
            slot.handle_gop(now, 0, &camera.gop);
            slot
        })
        .collect();
    let mut pacer = Pacer::new(start);
    let mut sent = [0_u32; 9];
    let mut now = start;
    let mut ticks = 0;
    while let Some(again) = pacer.release(now, &mut slots, |slot, _| sent[slot] += 1) {
        assert!(again > now, "the pacer never asks to be called at once");
        ticks += 1;
        let (least, most) = (sent.iter().min().unwrap_or(&0), sent.iter().max().unwrap_or(&0));
        assert!(most - least <= 5, "no slot runs ahead by more than a turn: {sent:?}");
        assert!(sent.iter().sum::<u32>() <= 30 * ticks, "30 packets a millisecond");
        now = again;
    }
    assert_eq!(sent, [40; 9]);
}

/// Slot 0 plays live, slot 1 catches up with a GOP of `packets` packets of 1000 bytes.
fn one_live_one_behind(packets: usize) -> (Vec<Slot>, Instant, Camera) {
    let mut live = Camera::new(0, Codec::H264, 50);
    let (mut playing, now) = showing(&mut live, 1);
    drain(&mut playing);
    let (mut behind, _) = showing(&mut Camera::new(1, Codec::H264, 50), 0);
    let frame = |keyframe, timestamp, count| {
        Arc::new(Frame {
            codec: Codec::H264,
            timestamp: Timestamp90k(timestamp),
            keyframe,
            dimensions: None,
            payloads: vec![Bytes::from_static(&[1; 1000]); count].into(),
            data: Bytes::new(),
        })
    };
    let gop: Vec<_> = (0..packets / 10)
        .map(|index| frame(index == 0, 1_000_000 + index as u64 * FRAME_TICKS, 10))
        .collect();
    behind.handle_gop(now, 0, &gop);
    (vec![playing, behind], now, live)
}

/// A receiver's report on 100 packets that took a second: 100 kB/s.
fn slow_path(now: Instant) -> Vec<Arrival> {
    let arrival = |n: u64| Arrival { sent: now, arrived: Some(Duration::from_millis(10 * n)), bytes: 1000 };
    (0..100).map(arrival).collect()
}

#[test]
fn a_burst_leaves_no_faster_than_the_path_was_measured_to_carry() {
    let (mut slots, start, _) = one_live_one_behind(2000);
    let mut pacer = Pacer::new(start);
    pacer.handle_arrivals(start, &slow_path(start));
    let (mut now, mut bytes) = (start, 0);
    while now < start + Duration::from_secs(2) {
        let again = pacer.release(now, &mut slots, |_, released| bytes += released.packet.payload.len());
        now = again.expect("more is waiting");
    }
    assert!((100_000..200_000).contains(&bytes), "{bytes} bytes in 2 s");
}

#[test]
fn a_live_frame_leaves_before_a_burst_and_whole() {
    let (mut slots, start, mut live) = one_live_one_behind(2000);
    let mut pacer = Pacer::new(start);
    pacer.handle_arrivals(start, &slow_path(start));
    let mut now = start;
    for turn in 0..50 {
        slots[0].handle_frame(0, live.next_frame(Timestamp90k(2_000_000 + turn * FRAME_TICKS), 20));
        let mut sent = Vec::new();
        pacer.release(now, &mut slots, |slot, _| sent.push(slot));
        assert!(sent.starts_with(&[0; 20]), "{sent:?}");
        now += Duration::from_millis(33);
    }
    assert!(slots[1].is_catching_up(), "the burst is not over: it would have taken all of the path");
}

#[test]
fn a_slot_that_is_far_behind_goes_on_at_the_next_key_frame() {
    let (mut slots, start, _) = one_live_one_behind(2000);
    let mut pacer = Pacer::new(start);
    pacer.handle_arrivals(start, &slow_path(start));
    pacer.release(start, &mut slots, |_, _| {});
    let mut camera = Camera::new(9, Codec::H264, 50);
    slots[1].handle_frame(0, camera.next_frame(Timestamp90k(9_000_000), 2));
    let rest = packets(&mut slots[1]);
    let frames: Vec<_> = rest.chunk_by(|a, b| a.timestamp == b.timestamp).collect();
    assert!(
        frames.len() <= 2,
        "at most the frame that had begun to leave, and the key frame: {}",
        frames.len()
    );
    assert_eq!(rest.last().expect("the key frame").payload[0], 9);
}

#[test]
fn a_key_frame_that_takes_the_place_of_one_that_had_not_left_turns_the_slot_active() {
    let (mut slots, _, _) = one_live_one_behind(2000);
    assert_eq!(statuses(&actions(&mut slots[1])), ["buffering"]);
    let mut camera = Camera::new(9, Codec::H264, 50);
    slots[1].handle_frame(0, camera.next_frame(Timestamp90k(9_000_000), 2));
    assert!(packets(&mut slots[1]).iter().all(|packet| packet.payload[0] == 9));
    assert_eq!(statuses(&actions(&mut slots[1])), ["active #1"]);
}

#[test]
fn only_packets_of_bursts_ask_when_they_arrived() {
    let mut camera = Camera::new(7, Codec::H264, 50);
    let (mut slot, _) = showing(&mut camera, 3);
    assert!(packets(&mut slot).iter().all(|packet| packet.arrival_report == Some(3)));
    slot.handle_frame(0, camera.next_frame(Timestamp90k(2_000_000), 2));
    assert!(packets(&mut slot).iter().all(|packet| packet.arrival_report.is_none()));
}
