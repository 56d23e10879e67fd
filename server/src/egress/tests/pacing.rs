//! Tests of several slots on one connection, some of which catch up.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::egress::{Departing, Pacer, Sent};
use crate::media::{Codec, Frame, Timestamp90k};
use crate::rtp::{ArrivalReport, SlotPosition};
use crate::slot::Slot;
use crate::slot::tests::{Camera, FRAME_TICKS, actions, drain, showing, statuses, tag};

#[test]
fn nine_slots_share_the_packets_of_a_millisecond() {
    let start = Instant::now();
    let mut slots: Vec<Slot> = (0..9)
        .map(|id| {
            let mut camera = Camera::new(id, Codec::H264, 50);
            let (mut slot, now) = showing(&mut camera, 0);
            camera.next_frame(Timestamp90k(1), 40);
            slot.handle_gop(now, tag(0), &camera.gop);
            slot
        })
        .collect();
    let mut pacer = Pacer::new(start, slots.len());
    let mut sent = [0_u32; 9];
    let mut now = start;
    let mut ticks = 0;
    while let Some(again) = pacer.release(now, &mut slots, |slot, _| sent[slot.0] += 1) {
        assert!(again > now, "the pacer never asks to be called at once");
        ticks += 1;
        let (least, most) = (sent.iter().min().unwrap_or(&0), sent.iter().max().unwrap_or(&0));
        assert!(most - least <= 5, "no slot runs ahead by more than a turn: {sent:?}");
        assert!(sent.iter().sum::<u32>() <= 30 * ticks, "30 packets a millisecond");
        now = again;
    }
    assert_eq!(sent, [40; 9]);
}

/// Slot 0 is live, slot 1 catches up with a GOP of `packets` packets of 1000 bytes.
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
            display: None,
            payloads: vec![Bytes::from_static(&[1; 1000]); count].into(),
        })
    };
    let gop: Vec<_> = (0..packets / 10)
        .map(|index| frame(index == 0, 1_000_000 + index as u64 * FRAME_TICKS, 10))
        .collect();
    behind.handle_gop(now, tag(0), &gop);
    (vec![playing, behind], now, live)
}

/// A pacer with a report that 100 packets of 1000 bytes took a second: 100 kB/s.
fn pacer_on_a_slow_path(now: Instant, slots: &mut [Slot]) -> (Pacer, Instant) {
    let mut pacer = Pacer::new(now, slots.len());
    let mut reports = Vec::new();
    let mut at = now;
    while reports.len() < 100 {
        at = pacer
            .release(at, slots, |_, departing| {
                let number = departing.transport_number;
                reports.push(ArrivalReport {
                    number,
                    arrived: Some(Duration::from_millis(10) * u32::from(number)),
                });
            })
            .expect("more is waiting");
    }
    pacer.handle_arrivals(at, &reports);
    (pacer, at + Duration::from_millis(10))
}

#[test]
fn a_burst_leaves_no_faster_than_the_measured_rate_of_the_path() {
    let (mut slots, start, _) = one_live_one_behind(2000);
    let (mut pacer, start) = pacer_on_a_slow_path(start, &mut slots);
    let (mut now, mut bytes) = (start, 0);
    while now < start + Duration::from_secs(2) {
        let again = pacer.release(now, &mut slots, |_, departing| bytes += departing.packet.payload.len());
        now = again.expect("more is waiting");
    }
    assert!((100_000..200_000).contains(&bytes), "{bytes} bytes in 2 s");
}

/// Releases packets for this long. Returns the slots that they are of, and when they left.
fn release_for(
    pacer: &mut Pacer,
    now: &mut Instant,
    how_long: Duration,
    slots: &mut [Slot],
) -> Vec<(SlotPosition, Instant, Departing)> {
    let end = *now + how_long;
    let mut sent = Vec::new();
    while *now < end {
        let at = *now;
        let again = pacer.release(at, slots, |slot, departing| sent.push((slot, at, departing)));
        *now = again.map_or(end, |again| again.min(end));
    }
    sent
}

#[test]
fn a_live_frame_leaves_before_a_burst_and_whole() {
    let (mut slots, start, mut live) = one_live_one_behind(2000);
    let (mut pacer, mut now) = pacer_on_a_slow_path(start, &mut slots);
    for turn in 0..50 {
        slots[0].handle_frame(
            Instant::now(),
            tag(0),
            live.next_frame(Timestamp90k(2_000_000 + turn * FRAME_TICKS), 20),
        );
        let sent = release_for(&mut pacer, &mut now, Duration::from_millis(33), &mut slots);
        let order: Vec<_> = sent.iter().map(|(slot, _, _)| *slot).collect();
        assert!(order.starts_with(&[SlotPosition(0); 20]), "{order:?}");
        // 20 small packets are 1.3 kB, and the path carries 100 kB/s.
        assert!(
            sent[19].1 - sent[0].1 < Duration::from_millis(13),
            "at a little more than the rate of the path"
        );
    }
    assert!(slots[1].is_catching_up(), "the burst is not over: it would have taken all of the path");
}

#[test]
fn repairs_are_paced_too_and_leave_room_for_live_frames() {
    let (mut slots, start, mut live) = one_live_one_behind(1000);
    let (mut pacer, mut now) = pacer_on_a_slow_path(start, &mut slots);
    let sent = release_for(&mut pacer, &mut now, Duration::from_millis(500), &mut slots);
    let lost: Vec<_> = sent.iter().map(|(_, _, departing)| departing.packet.sequence_number).collect();
    pacer.handle_lost(SlotPosition(1), &lost);
    slots[0].handle_frame(Instant::now(), tag(0), live.next_frame(Timestamp90k(2_000_000), 20));
    let sent = release_for(&mut pacer, &mut now, Duration::from_millis(100), &mut slots);
    let bytes: usize = sent.iter().map(|(_, _, departing)| departing.packet.wire_bytes()).sum();
    assert!(bytes < 20_000, "{bytes} bytes in 100 ms");
    assert_eq!(sent.iter().filter(|(slot, _, _)| *slot == SlotPosition(0)).count(), 20);
}

#[test]
fn a_probe_is_padded_between_frames_and_its_packets_have_numbers_of_their_own() {
    let (mut slots, start, mut live) = one_live_one_behind(200);
    let (mut pacer, mut now) = pacer_on_a_slow_path(start, &mut slots);
    let (mut sent, mut free_at) = (Vec::new(), now);
    for turn in 0..200 {
        slots[0].handle_frame(
            Instant::now(),
            tag(0),
            live.next_frame(Timestamp90k(2_000_000 + turn * FRAME_TICKS), 2),
        );
        let released = release_for(&mut pacer, &mut now, Duration::from_millis(33), &mut slots);
        let reports: Vec<_> = released
            .iter()
            .map(|(_, at, departing)| {
                // The path carries 150 kB/s.
                let takes = Duration::from_secs_f64(departing.packet.wire_bytes() as f64 / 150e3);
                free_at = free_at.max(*at) + takes;
                ArrivalReport {
                    number: departing.transport_number,
                    arrived: Some(Duration::from_secs(9) + (free_at - start)),
                }
            })
            .collect();
        pacer.handle_arrivals(now, &reports);
        sent.extend(released);
    }
    assert!(sent.iter().any(|(_, _, departing)| departing.packet.is_padding()));
    for slot in [SlotPosition(0), SlotPosition(1)] {
        let packets: Vec<_> =
            sent.iter().filter(|(of, _, _)| *of == slot).map(|(_, _, d)| &d.packet).collect();
        for pair in packets.windows(2) {
            assert_eq!(pair[1].sequence_number, pair[0].sequence_number.wrapping_add(1));
            if pair[1].is_padding() {
                assert!(pair[0].is_padding() || pair[0].marker, "not within a frame");
                assert_eq!((pair[1].timestamp, pair[1].marker), (pair[0].timestamp, false));
            }
        }
    }
}

#[test]
fn a_slot_that_is_far_behind_continues_at_the_next_key_frame() {
    let (mut slots, start, _) = one_live_one_behind(2000);
    let (mut pacer, start) = pacer_on_a_slow_path(start, &mut slots);
    pacer.release(start, &mut slots, |_, _| {});
    let mut camera = Camera::new(9, Codec::H264, 50);
    slots[1].handle_frame(Instant::now(), tag(0), camera.next_frame(Timestamp90k(9_000_000), 2));
    let rest = drain(&mut slots[1]);
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
    slots[1].handle_frame(Instant::now(), tag(0), camera.next_frame(Timestamp90k(9_000_000), 2));
    assert!(drain(&mut slots[1]).iter().all(|packet| packet.payload[0] == 9));
    assert_eq!(statuses(&actions(&mut slots[1])), ["active #1"]);
}

#[test]
fn a_lost_packet_is_sent_again_unchanged() {
    let (mut slots, start, _) = one_live_one_behind(100);
    let mut pacer = Pacer::new(start, slots.len());
    let mut sent = Vec::new();
    let mut now = start;
    while let Some(again) = pacer.release(now, &mut slots, |_, departing| sent.push(departing)) {
        now = again;
    }
    let counted = pacer.take_sent();
    assert_eq!((counted.packets, counted.repaired), (sent.len() as u64, 0));
    let lost = &sent[17];
    pacer.handle_lost(SlotPosition(1), &[lost.packet.sequence_number]);
    let mut again = Vec::new();
    pacer.release(now + Duration::from_millis(20), &mut slots, |slot, departing| {
        again.push((slot, departing));
    });
    assert_eq!(again, [(SlotPosition(1), lost.clone())]);
    let bytes = lost.packet.wire_bytes() as u64;
    assert_eq!(pacer.take_sent(), Sent { packets: 1, bytes, repaired: 1 });
}

#[test]
fn packets_of_a_slot_that_goes_on_at_a_later_key_frame_count_as_dropped_and_those_of_a_switch_do_not() {
    let (mut slots, now, _) = one_live_one_behind(100);
    let mut camera = Camera::new(1, Codec::H264, 50);
    camera.next_frame(Timestamp90k(9_000_000), 1);
    let key_frame = camera.gop[0].clone();
    assert_eq!(slots[1].take_dropped(), 0);
    slots[1].handle_frame(now, tag(0), key_frame);
    assert_eq!(slots[1].take_dropped(), 100);
    slots[1].handle_gop(now, tag(0), &camera.gop);
    assert_eq!(slots[1].take_dropped(), 0);
}

#[test]
fn a_browser_that_asks_for_everything_again_still_gets_its_live_frames() {
    let (mut slots, start, mut live) = one_live_one_behind(1000);
    let mut pacer = Pacer::new(start, slots.len());
    let mut now = start;
    let mut numbers = Vec::new();
    while let Some(again) =
        pacer.release(now, &mut slots, |_, departing| numbers.push(departing.packet.sequence_number))
    {
        now = again;
    }
    pacer.handle_lost(SlotPosition(1), &numbers);
    slots[0].handle_frame(Instant::now(), tag(0), live.next_frame(Timestamp90k(2_000_000), 20));
    let mut live_packets = 0;
    now += Duration::from_millis(5);
    pacer.release(now, &mut slots, |slot, _| live_packets += u32::from(slot == SlotPosition(0)));
    assert_eq!(live_packets, 20);
}
