//! Tests of complete switches, step by step.

use super::*;

#[test]
fn the_status_is_active_when_the_last_packet_of_the_first_key_frame_has_left() {
    let (mut slot, _) = showing(&mut Camera::new(7, Codec::H264, 50), 3);
    assert_eq!(statuses(&actions(&mut slot)), ["buffering"]);
    slot.pop_packet(Instant::now()).expect("the first packet of the key frame");
    assert_eq!(actions(&mut slot), []);
    slot.pop_packet(Instant::now()).expect("the second and last");
    assert_eq!(statuses(&actions(&mut slot)), ["active #1"]);
}

#[test]
fn a_burst_ends_at_live_and_its_frames_are_ten_ticks_apart() {
    let (mut slot, _) = showing(&mut Camera::new(7, Codec::H264, 50), 4);
    let live = (1_000_000 + 3 * FRAME_TICKS + u64::from(TIMESTAMP_OFFSET)) as u32;
    let timestamps: Vec<u32> =
        drain(&mut slot).iter().filter(|packet| packet.marker).map(|p| p.timestamp).collect();
    assert_eq!(timestamps, [30, 20, 10, 0].map(|before| live.wrapping_sub(before)));
}

#[test]
fn only_key_frames_request_zero_playout_delay() {
    let (mut slot, _) = showing(&mut Camera::new(7, Codec::H264, 50), 2);
    let asks: Vec<_> = drain(&mut slot).iter().map(|packet| packet.no_playout_delay).collect();
    assert_eq!(asks, [true, true, false, false]);
}

#[test]
fn the_old_stream_is_shown_until_the_new_one_has_a_key_frame() {
    let mut old = Camera::new(1, Codec::H264, 50);
    let (mut slot, now) = showing(&mut old, 3);
    drain(&mut slot);
    actions(&mut slot);

    slot.show(now, target("camera1"), Some("2".to_owned()));
    let said = actions(&mut slot);
    assert_eq!(said[0], Action::Subscribe { tag: tag(1), name: stream("camera1") });
    slot.handle_frame(Instant::now(), tag(0), old.next_frame(Timestamp90k(2_000_000), 1));
    assert_eq!(drain(&mut slot).len(), 1, "the old stream plays on");

    let mut new = Camera::new(2, Codec::H264, 50);
    new.next_frame(Timestamp90k(2_000_100), 2);
    slot.handle_gop(now, tag(1), &new.gop);
    assert_eq!(actions(&mut slot), [Action::Unsubscribe { tag: tag(0) }]);
    assert!(drain(&mut slot).iter().all(|packet| packet.payload[0] == 2));
    assert_eq!(statuses(&actions(&mut slot)), ["active #2"]);
}

#[test]
fn the_latest_request_wins_and_the_earlier_one_is_superseded() {
    let (mut slot, now) = showing(&mut Camera::new(1, Codec::H264, 50), 1);
    drain(&mut slot);
    actions(&mut slot);
    slot.show(now, target("camera1"), Some("2".to_owned()));
    actions(&mut slot);
    slot.show(now, target("camera2"), Some("3".to_owned()));
    let said = actions(&mut slot);
    assert!(said.contains(&Action::Unsubscribe { tag: tag(1) }));
    assert_eq!(statuses(&said)[0], "error (superseded) #2");
}

#[test]
fn without_a_key_frame_the_old_stream_ends_after_the_switch_timeout() {
    let mut old = Camera::new(1, Codec::H264, 50);
    let (mut slot, now) = showing(&mut old, 1);
    drain(&mut slot);
    slot.show(now, target("camera1"), Some("2".to_owned()));
    actions(&mut slot);
    assert_eq!(slot.poll_timeout(), Some(now + TIMEOUT));
    slot.handle_timeout(now + TIMEOUT);
    let said = actions(&mut slot);
    assert!(said.contains(&Action::Unsubscribe { tag: tag(0) }));
    assert_eq!(statuses(&said), ["offline (switch-timeout) #2"]);
    slot.handle_frame(Instant::now(), tag(0), old.next_frame(Timestamp90k(9_000_000), 1));
    assert_eq!(drain(&mut slot), [], "nothing of the old stream is shown any more");

    let mut new = Camera::new(2, Codec::H264, 50);
    new.next_frame(Timestamp90k(9_000_000), 1);
    slot.handle_gop(now + 2 * TIMEOUT, tag(1), &new.gop);
    drain(&mut slot);
    assert_eq!(statuses(&actions(&mut slot)), ["active"], "it comes back by itself");
}

#[test]
fn the_switch_timeout_starts_only_when_the_browser_is_connected() {
    let now = Instant::now();
    let mut slot = Slot::new(0, target("camera0").into(), Splicer::new(1, 1), TIMEOUT);
    slot.show(now, target("camera0"), None);
    assert_eq!(slot.poll_timeout(), None);
    slot.handle_timeout(now + 2 * TIMEOUT);
    slot.connected(now + 2 * TIMEOUT);
    assert_eq!(slot.poll_timeout(), Some(now + 3 * TIMEOUT));
}

#[test]
fn a_camera_that_goes_offline_is_reported_once_and_recovers_by_itself() {
    let mut camera = Camera::new(1, Codec::H264, 50);
    let (mut slot, now) = showing(&mut camera, 2);
    drain(&mut slot);
    actions(&mut slot);
    slot.handle_offline(now, tag(0), &gone());
    slot.handle_offline(now, tag(0), &gone());
    assert_eq!(statuses(&actions(&mut slot)), ["offline (source-offline)"]);
    slot.handle_gop(now, tag(0), &camera.gop);
    drain(&mut slot);
    assert_eq!(statuses(&actions(&mut slot)), ["active"]);
}

#[test]
fn a_permanent_failure_of_a_source_is_an_error_until_a_key_frame_comes() {
    let mut camera = Camera::new(1, Codec::H264, 50);
    let (mut slot, now) = showing(&mut camera, 1);
    drain(&mut slot);
    actions(&mut slot);
    slot.handle_offline(now, tag(0), &StreamError { permanent: true, message: "wrong password".to_owned() });
    assert_eq!(statuses(&actions(&mut slot)), ["error (source-invalid)"]);
    slot.handle_gop(now, tag(0), &camera.gop);
    drain(&mut slot);
    assert_eq!(statuses(&actions(&mut slot)), ["active"]);
}

#[test]
fn a_switch_to_an_unsupported_codec_is_refused_and_the_old_stream_stays() {
    let mut old = Camera::new(1, Codec::H264, 50);
    let (mut slot, now) = showing(&mut old, 1);
    drain(&mut slot);
    slot.show(now, target("camera1"), Some("2".to_owned()));
    actions(&mut slot);
    let mut new = Camera::new(2, Codec::Av1, 50);
    new.next_frame(Timestamp90k(1), 1);
    slot.handle_gop(now, tag(1), &new.gop);
    let said = actions(&mut slot);
    assert_eq!(statuses(&said), ["error (unsupported-codec) #2", "active"]);
    slot.handle_frame(Instant::now(), tag(0), old.next_frame(Timestamp90k(2_000_000), 1));
    assert_eq!(drain(&mut slot).len(), 1);
}

#[test]
fn pausing_unsubscribes_the_stream_and_resuming_subscribes_again() {
    let (mut slot, now) = showing(&mut Camera::new(1, Codec::H264, 50), 1);
    drain(&mut slot);
    actions(&mut slot);
    slot.pause(Some("2".to_owned()));
    let said = actions(&mut slot);
    assert_eq!(said[0], Action::Unsubscribe { tag: tag(0) });
    assert_eq!(statuses(&said), ["paused #2"]);
    let Wanted::Known(wanted) = slot.wanted() else { panic!("the stream exists") };
    slot.show(now, wanted, Some("3".to_owned()));
    assert_eq!(actions(&mut slot)[0], Action::Subscribe { tag: tag(1), name: stream("camera0") });
}

#[test]
fn a_browser_that_reports_loss_all_the_time_gets_four_key_frames_a_second() {
    let mut camera = Camera::new(1, Codec::H264, 50);
    let (mut slot, start) = showing(&mut camera, 1);
    drain(&mut slot);
    actions(&mut slot);
    let refreshes = (0..1000)
        .filter(|ms| {
            let now = start + Duration::from_millis(*ms);
            slot.keyframe_wanted(now);
            let asked = actions(&mut slot).contains(&Action::Refresh { tag: tag(0) });
            if asked {
                slot.handle_gop(now, tag(0), &camera.gop);
                drain(&mut slot);
            }
            asked
        })
        .count();
    assert_eq!(refreshes, 3);
}

#[test]
fn a_camera_that_stands_still_is_not_shown_again_because_its_browser_waits_for_a_frame() {
    let mut camera = Camera::new(1, Codec::H264, 50);
    let (mut slot, now) = showing(&mut camera, 1);
    drain(&mut slot);
    actions(&mut slot);
    slot.keyframe_wanted(now + Duration::from_secs(3));
    assert_eq!(actions(&mut slot), []);
    slot.handle_frame(now, tag(0), camera.next_frame(Timestamp90k(1_000_000), 1));
    drain(&mut slot);
    slot.keyframe_wanted(now + Duration::from_secs(1));
    assert_eq!(actions(&mut slot), [Action::Refresh { tag: tag(0) }], "this frame could not be decoded");
}

#[test]
fn frames_that_a_blocked_connection_missed_are_dropped_up_to_a_key_frame() {
    let mut camera = Camera::new(1, Codec::H264, 700);
    let (mut slot, _) = showing(&mut camera, 1);
    drain(&mut slot);
    for index in 1..1_500 {
        slot.handle_frame(
            Instant::now(),
            tag(0),
            camera.next_frame(Timestamp90k(1_000_000 + index * FRAME_TICKS), 1),
        );
    }
    let sent = drain(&mut slot);
    assert!(sent.len() <= 200, "{} packets waited", sent.len());
    assert_eq!(sent[0].payload[1], 1, "the first one is a key frame's");
}

#[test]
fn a_new_size_of_the_picture_is_told_at_once_and_once() {
    let mut camera = Camera::new(7, Codec::H264, 1);
    let (mut slot, now) = showing(&mut camera, 1);
    drain(&mut slot);
    actions(&mut slot);
    let mut key_frame = |width: u32| {
        let frame = camera.next_frame(Timestamp90k(2_000_000), 1);
        let dimensions = Some(Dimensions { width, height: 90 });
        camera.gop.clear();
        Arc::new(Frame { dimensions, payloads: frame.payloads.clone(), ..*frame })
    };
    let sizes = |slot: &mut Slot| -> Vec<Option<u32>> {
        let width = |action: Action| match action {
            Action::Status { status, .. } => Some(status.width),
            _ => None,
        };
        actions(slot).into_iter().filter_map(width).collect()
    };
    let frames = [160, 160, 320].map(&mut key_frame);
    for (frame, told) in frames.into_iter().zip([&[Some(160)][..], &[], &[Some(320)]]) {
        slot.handle_frame(now, tag(0), frame);
        assert_eq!(sizes(&mut slot), told);
    }
    let gop = [key_frame(640)];
    slot.handle_gop(now, tag(0), &gop);
    assert_eq!(sizes(&mut slot), [Some(640)]);
}
