//! Tests of the steps that a slot goes to by itself: smaller variants, key frames only, the first picture only.

use super::*;
use crate::slot::{Change, Order, Pictures, Step, StepFailure};

const KEY_FRAMES: Pictures = Pictures::KeyFrames { every: Some(Duration::from_secs(2)) };

fn variant() -> Target {
    Target { name: stream("camera0-360p"), quality: Some("360p".to_owned()) }
}

fn limited(source: Target, pictures: Pictures) -> Step {
    Step { pictures, is_limited: true, ..Step::whole(source) }
}

/// A slot that shows camera 0, with a variant of it as camera 9.
fn showing_with_variant() -> (Slot, Instant, Camera, Camera) {
    let mut camera = Camera::new(0, Codec::H264, 50);
    let (mut slot, now) = showing(&mut camera, 3);
    drain(&mut slot);
    actions(&mut slot);
    let mut small = Camera::new(9, Codec::H264, 50);
    for index in 0..4 {
        small.next_frame(Timestamp90k(2_000_000 + index * FRAME_TICKS), 1);
    }
    (slot, now, camera, small)
}

fn cameras(packets: &[RtpPacket]) -> Vec<u8> {
    packets.iter().map(|packet| packet.payload[0]).collect()
}

/// The statuses that were sent: the state, the quality that is sent, the reason, and how often a picture comes.
fn told(slot: &mut Slot) -> Vec<String> {
    let told = actions(slot).into_iter().filter_map(|action| {
        let Action::Status { status, .. } = action else { return None };
        let words =
            [status.actual_quality, status.reason, status.picture_every_ms.map(|every| every.to_string())];
        let words: Vec<String> = words.into_iter().flatten().collect();
        Some(format!("{} {}", status.status, words.join(" ")))
    });
    told.collect()
}

#[test]
fn the_old_stream_goes_on_until_the_variant_has_a_key_frame() {
    let (mut slot, now, mut camera, small) = showing_with_variant();
    slot.go_to(limited(variant(), Pictures::All), Change::FREE);
    slot.handle_frame(now, tag(0), camera.next_frame(Timestamp90k(1_900_000), 2));
    assert_eq!(cameras(&drain(&mut slot)), [0, 0]);
    slot.handle_gop(now, tag(1), &small.gop);
    assert_eq!(cameras(&drain(&mut slot)), [9; 4]);
    let told = actions(&mut slot);
    assert!(told.contains(&Action::Unsubscribe { tag: tag(0) }), "{told:?}");
    assert!(
        !told.iter().any(|action| matches!(action, Action::Shown { .. })),
        "a step is no switch: {told:?}"
    );
    let status = slot.status();
    assert_eq!(
        (status.status, status.stream.as_str(), status.actual_quality.as_deref(), status.reason.as_deref()),
        (SlotState::Active, "camera0", Some("360p"), Some("bandwidth"))
    );
    assert_eq!(slot.wanted().name(), "camera0", "what the client asked for stays");
}

#[test]
fn a_gop_that_is_too_large_for_the_path_is_not_sent_and_the_next_key_frame_is() {
    let (mut slot, now, _, mut small) = showing_with_variant();
    slot.go_to(limited(variant(), Pictures::All), Change { burst: 10, is_urgent: false });
    slot.handle_gop(now, tag(1), &small.gop);
    slot.handle_frame(now, tag(1), small.next_frame(Timestamp90k(2_100_000), 1));
    assert_eq!(drain(&mut slot), []);
    let mut later = Camera::new(9, Codec::H264, 50);
    slot.handle_frame(now, tag(1), later.next_frame(Timestamp90k(2_200_000), 1));
    slot.handle_frame(now, tag(1), later.next_frame(Timestamp90k(2_203_000), 1));
    assert_eq!(cameras(&drain(&mut slot)), [9, 9]);
}

#[test]
fn of_key_frames_only_nothing_else_is_sent_and_afterwards_no_frame_is_missing() {
    let (mut slot, now, mut camera, _) = showing_with_variant();
    slot.go_to(limited(target("camera0"), KEY_FRAMES), Change::FREE);
    assert_eq!(told(&mut slot), ["active native bandwidth 2000"]);
    slot.handle_frame(now, tag(0), camera.next_frame(Timestamp90k(1_900_000), 2));
    assert_eq!(drain(&mut slot), []);
    let mut next = Camera::new(0, Codec::H264, 50);
    slot.handle_frame(now, tag(0), next.next_frame(Timestamp90k(2_000_000), 2));
    slot.handle_frame(now, tag(0), next.next_frame(Timestamp90k(2_003_000), 2));
    let sent = drain(&mut slot);
    assert!(sent.len() == 2 && sent.iter().all(|packet| packet.payload[1] == 1), "{sent:?}");
    slot.go_to(Step::whole(target("camera0")), Change::FREE);
    let told = actions(&mut slot);
    assert!(told.contains(&Action::Refresh { tag: tag(0) }), "{told:?}");
    slot.handle_frame(now, tag(0), next.next_frame(Timestamp90k(2_006_000), 2));
    assert_eq!(drain(&mut slot), [], "a frame before it is missing");
    slot.handle_gop(now, tag(0), &next.gop);
    assert_eq!(drain(&mut slot).len(), 6);
    assert_eq!(slot.status().reason, None);
}

#[test]
fn of_the_first_picture_only_it_stays_paused_and_a_switch_still_shows_one() {
    let (mut slot, now, mut camera, small) = showing_with_variant();
    slot.go_to(limited(target("camera0"), Pictures::First), Change::FREE);
    assert_eq!(told(&mut slot), ["paused native bandwidth"]);
    let mut next = Camera::new(0, Codec::H264, 50);
    slot.handle_frame(now, tag(0), next.next_frame(Timestamp90k(2_000_000), 2));
    slot.handle_frame(now, tag(0), camera.next_frame(Timestamp90k(2_003_000), 2));
    assert_eq!(drain(&mut slot), []);
    let order = Order::from(target("camera9"));
    let step = limited(target("camera9"), Pictures::First);
    slot.show(now, Order { step, ..order }, Some("2".to_owned()));
    slot.handle_gop(now, tag(1), &small.gop);
    assert_eq!(cameras(&drain(&mut slot)), [9]);
    assert_eq!(statuses(&actions(&mut slot)).last().map(String::as_str), Some("paused (bandwidth) #2"));
}

#[test]
fn a_variant_that_has_a_key_frame_earlier_is_shown_until_the_requested_stream_has_one() {
    let (mut slot, now, mut camera, small) = showing_with_variant();
    let order = Order { first: Some(variant()), ..Order::from(target("camera5")) };
    slot.show(now, order, Some("2".to_owned()));
    slot.handle_frame(now, tag(0), camera.next_frame(Timestamp90k(1_900_000), 1));
    assert_eq!(cameras(&drain(&mut slot)), [0]);
    slot.handle_gop(now, tag(2), &small.gop);
    assert_eq!(cameras(&drain(&mut slot)), [9; 4]);
    assert_eq!(statuses(&actions(&mut slot)).last().map(String::as_str), Some("active #2"));
    let mut large = Camera::new(5, Codec::H264, 50);
    large.next_frame(Timestamp90k(3_000_000), 3);
    slot.handle_gop(now, tag(1), &large.gop);
    assert_eq!(cameras(&drain(&mut slot)), [5, 5, 5]);
    assert_eq!(slot.status().actual_quality.as_deref(), Some("native"));
}

#[test]
fn a_variant_that_fails_leaves_the_slot_as_it_is() {
    let (mut slot, now, mut camera, small) = showing_with_variant();
    let failure = Action::StepFailed(StepFailure { source: variant(), permanent: false });
    slot.go_to(limited(variant(), Pictures::All), Change::FREE);
    slot.handle_offline(now, tag(1), &gone());
    assert!(actions(&mut slot).contains(&failure));
    slot.handle_frame(now, tag(0), camera.next_frame(Timestamp90k(1_900_000), 1));
    assert_eq!(cameras(&drain(&mut slot)), [0]);
    // The same when it is on the screen already: then the slot shows the requested stream again.
    slot.go_to(limited(variant(), Pictures::All), Change::FREE);
    slot.handle_gop(now, tag(2), &small.gop);
    drain(&mut slot);
    slot.handle_offline(now, tag(2), &gone());
    assert!(actions(&mut slot).contains(&failure));
    assert_eq!(slot.status().status, SlotState::Buffering);
    slot.handle_gop(now, tag(3), &camera.gop);
    assert_eq!(cameras(&drain(&mut slot)).first(), Some(&0));
    assert_eq!(slot.status().status, SlotState::Active);
}

#[test]
fn a_switch_during_a_step_ends_it() {
    let (mut slot, now, ..) = showing_with_variant();
    slot.go_to(limited(variant(), Pictures::All), Change::FREE);
    slot.show(now, target("camera3"), Some("2".to_owned()));
    let told = actions(&mut slot);
    assert!(told.contains(&Action::Unsubscribe { tag: tag(1) }), "{told:?}");
    assert!(told.contains(&Action::Subscribe { tag: tag(2), name: stream("camera3") }), "{told:?}");
}

#[test]
fn a_step_that_is_urgent_begins_with_the_key_frame_and_goes_on_at_the_next_one() {
    let (mut slot, now, mut camera, mut small) = showing_with_variant();
    slot.go_to(limited(variant(), Pictures::All), Change { burst: 10, is_urgent: true });
    slot.handle_gop(now, tag(1), &small.gop);
    slot.handle_frame(now, tag(0), camera.next_frame(Timestamp90k(1_900_000), 1));
    slot.handle_frame(now, tag(1), small.next_frame(Timestamp90k(2_100_000), 1));
    let sent = drain(&mut slot);
    assert!(sent.len() == 1 && sent[0].payload[..2] == [9, 1], "the key frame alone: {sent:?}");
    let mut later = Camera::new(9, Codec::H264, 50);
    slot.handle_frame(now, tag(1), later.next_frame(Timestamp90k(2_200_000), 1));
    slot.handle_frame(now, tag(1), later.next_frame(Timestamp90k(2_203_000), 1));
    assert_eq!(cameras(&drain(&mut slot)), [9, 9]);
}
