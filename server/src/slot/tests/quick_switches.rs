//! Tests of a second request while the first one still waits for its key frame: the old stream is shown meanwhile.

use super::*;

/// A slot that shows `old`, with requests for camera1 (2) and then camera2 (3), neither of which has a key frame yet.
fn asked_twice(old: &mut Camera) -> (Slot, Instant) {
    let (mut slot, now) = showing(old, 1);
    drain(&mut slot);
    slot.show(now, target("camera1"), Some("2".to_owned()));
    actions(&mut slot);
    let later = now + Duration::from_secs(1);
    slot.show(later, target("camera2"), Some("3".to_owned()));
    (slot, later)
}

#[test]
fn the_old_stream_is_shown_until_the_last_requested_one_has_a_key_frame() {
    let mut old = Camera::new(1, Codec::H264, 50);
    let (mut slot, now) = asked_twice(&mut old);
    let said = actions(&mut slot);
    assert!(
        !said.contains(&Action::Unsubscribe { tag: tag(0) }),
        "the camera on the screen is given back: {said:?}"
    );
    assert!(said.contains(&Action::Unsubscribe { tag: tag(1) }), "{said:?}");
    slot.handle_frame(now, tag(0), old.next_frame(Timestamp90k(2_000_000), 1));
    assert_eq!(drain(&mut slot).len(), 1, "the old picture moves");
    assert_eq!(slot.poll_timeout(), Some(now + TIMEOUT), "the time counts from the latest request");

    let mut new = Camera::new(3, Codec::H264, 50);
    new.next_frame(Timestamp90k(2_100_000), 1);
    slot.handle_gop(now, tag(2), &new.gop);
    assert_eq!(actions(&mut slot), [Action::Unsubscribe { tag: tag(0) }]);
    assert!(drain(&mut slot).iter().all(|packet| packet.payload[0] == 3));
    assert_eq!(statuses(&actions(&mut slot)), ["active #3"]);
}

#[test]
fn a_browser_that_cannot_decode_the_old_stream_meanwhile_gets_its_gop_again() {
    let mut old = Camera::new(1, Codec::H264, 50);
    let (mut slot, now) = asked_twice(&mut old);
    actions(&mut slot);
    slot.keyframe_wanted(now);
    assert_eq!(actions(&mut slot), [Action::Refresh { tag: tag(0) }]);
    slot.handle_gop(now, tag(0), &old.gop);
    assert_eq!(drain(&mut slot)[0].payload[..2], [1, 1], "the old stream's key frame");
    assert_eq!(actions(&mut slot), [], "and that is no new picture");
}

#[test]
fn a_key_frame_requested_meanwhile_is_sent_and_answered() {
    let mut old = Camera::new(1, Codec::H264, 50);
    let (mut slot, now) = asked_twice(&mut old);
    actions(&mut slot);
    slot.request_keyframe(now, "4".to_owned());
    assert_eq!(actions(&mut slot), [Action::Refresh { tag: tag(0) }]);
    slot.handle_gop(now, tag(0), &old.gop);
    drain(&mut slot);
    let sent = Action::Keyframe { status: KeyframeStatus::Sent, request_id: "4".to_owned() };
    assert_eq!(actions(&mut slot), [sent]);
}

#[test]
fn if_the_last_request_is_refused_the_slot_shows_the_old_stream() {
    let mut old = Camera::new(1, Codec::H264, 50);
    let (mut slot, now) = asked_twice(&mut old);
    actions(&mut slot);
    let mut new = Camera::new(3, Codec::Av1, 50);
    new.next_frame(Timestamp90k(1), 1);
    slot.handle_gop(now, tag(2), &new.gop);
    let said = actions(&mut slot);
    assert_eq!(statuses(&said), ["error (unsupported-codec) #3", "active"]);
    assert_eq!(slot.wanted(), target("camera0").into());
    slot.handle_frame(now, tag(0), old.next_frame(Timestamp90k(2_000_000), 1));
    assert_eq!(drain(&mut slot).len(), 1, "and its picture moves");
}

#[test]
fn a_switch_back_to_the_shown_stream_is_answered_at_once() {
    let mut old = Camera::new(1, Codec::H264, 50);
    let (mut slot, now) = showing(&mut old, 1);
    drain(&mut slot);
    slot.show(now, target("camera1"), Some("2".to_owned()));
    actions(&mut slot);
    slot.show(now, target("camera0"), Some("3".to_owned()));
    let said = actions(&mut slot);
    assert_eq!(statuses(&said), ["error (superseded) #2", "active #3"]);
    assert!(!said.iter().any(|action| matches!(action, Action::Subscribe { .. })), "{said:?}");
}

#[test]
fn the_end_of_the_old_streams_key_frame_does_not_count_for_the_new_stream() {
    let mut old = Camera::new(1, Codec::H264, 50);
    let (mut slot, now) = showing(&mut old, 1);
    slot.pop_packet(now).expect("the first of the two packets of the old key frame");
    slot.show(now, target("camera1"), Some("2".to_owned()));
    let mut new = Camera::new(2, Codec::H264, 50);
    new.next_frame(Timestamp90k(2_000_000), 1);
    slot.handle_gop(now, tag(1), &new.gop);
    actions(&mut slot);
    assert_eq!(slot.pop_packet(now).expect("the second").packet.payload[0], 1);
    assert_eq!(statuses(&actions(&mut slot)), [] as [&str; 0]);
    assert_eq!(slot.pop_packet(now).expect("the new key frame").packet.payload[0], 2);
    assert_eq!(statuses(&actions(&mut slot)), ["active #2"]);
}

#[test]
fn the_end_of_a_frame_of_an_offline_camera_does_not_make_the_slot_active() {
    let mut camera = Camera::new(1, Codec::H264, 50);
    let (mut slot, now) = showing(&mut camera, 1);
    slot.pop_packet(now).expect("the first of the two packets of the key frame");
    slot.handle_offline(now, tag(0), &gone());
    actions(&mut slot);
    slot.pop_packet(now).expect("the second");
    assert_eq!(actions(&mut slot), []);
}

#[test]
fn continuous_requests_for_key_frames_are_served_four_times_a_second() {
    let mut camera = Camera::new(1, Codec::H264, 50);
    let (mut slot, start) = showing(&mut camera, 1);
    drain(&mut slot);
    actions(&mut slot);
    let (mut refreshes, mut answered) = (0, 0);
    for ms in 0..1_100_u64 {
        let now = start + Duration::from_millis(ms);
        if ms % 20 == 0 && ms < 800 {
            slot.request_keyframe(now, ms.to_string());
        }
        slot.handle_timeout(now);
        for action in actions(&mut slot) {
            match action {
                Action::Refresh { tag: shown } if shown == tag(0) => {
                    refreshes += 1;
                    slot.handle_gop(now, tag(0), &camera.gop);
                }
                other => panic!("{other:?}"),
            }
        }
        drain(&mut slot);
        answered += actions(&mut slot)
            .iter()
            .filter(|action| matches!(action, Action::Keyframe { status: KeyframeStatus::Sent, .. }))
            .count();
    }
    assert_eq!((refreshes, answered), (4, 40));
}
