//! Tests of atomic layouts: all slots change together, or none does.

use super::*;
use crate::slot::settle_layouts;

/// Two slots that show cameras 1 and 2, with a request (9) for an atomic layout of cameras 3 and 4.
fn asked() -> ([Slot; 2], [Camera; 4], Instant) {
    let mut cameras = [1, 2, 3, 4].map(|id| Camera::new(id, Codec::H264, 50));
    let (first, now) = showing(&mut cameras[0], 1);
    let (second, _) = showing(&mut cameras[1], 1);
    let mut slots = [first, second];
    for (slot, name) in slots.iter_mut().zip(["camera3", "camera4"]) {
        drain(slot);
        actions(slot);
        slot.hold(now, 1, target(name), Some("9".to_owned()));
        assert_eq!(statuses(&actions(slot)), ["buffering"]);
    }
    (slots, cameras, now)
}

/// The cameras whose packets leave each slot.
fn pictures(slots: &mut [Slot]) -> Vec<Vec<u8>> {
    slots.iter_mut().map(|slot| drain(slot).iter().map(|packet| packet.payload[0]).collect()).collect()
}

fn gop(camera: &mut Camera, ticks: u64) -> Vec<Arc<Frame>> {
    camera.next_frame(Timestamp90k(ticks), 1);
    camera.gop.clone()
}

#[test]
fn all_slots_change_when_the_last_key_frame_is_there() {
    let (mut slots, mut cameras, now) = asked();
    slots[0].handle_gop(now, tag(1), &gop(&mut cameras[2], 2_000_000));
    settle_layouts(now, &mut slots);
    slots[0].handle_frame(Instant::now(), tag(1), cameras[2].next_frame(Timestamp90k(2_003_000), 1));
    let old = cameras[0].next_frame(Timestamp90k(2_003_000), 1);
    slots[0].handle_frame(Instant::now(), tag(0), old);
    assert_eq!(
        pictures(&mut slots),
        [vec![1], vec![]],
        "the old picture moves, the new one waits for the other slot"
    );
    slots[1].handle_gop(now, tag(1), &gop(&mut cameras[3], 2_004_000));
    settle_layouts(now, &mut slots);
    assert_eq!(pictures(&mut slots), [vec![3, 3], vec![4]], "both at once, up to the present");
    for slot in &mut slots {
        let said = actions(slot);
        assert!(said.contains(&Action::Unsubscribe { tag: tag(0) }), "{said:?}");
        assert_eq!(statuses(&said), ["active #9"]);
    }
}

/// Checks the statuses of both slots, and that they still show their old streams.
fn refused(slots: &mut [Slot; 2], cameras: &mut [Camera; 4], says: &str) {
    for (slot, camera) in slots.iter_mut().zip(cameras) {
        let said = actions(slot);
        assert_eq!(statuses(&said), [says, "active"]);
        assert!(said.contains(&Action::Unsubscribe { tag: tag(1) }), "{said:?}");
        slot.handle_frame(Instant::now(), tag(0), camera.next_frame(Timestamp90k(3_000_000), 1));
        assert_eq!(drain(slot)[0].payload[0], camera.id);
    }
}

#[test]
fn one_offline_camera_refuses_the_layout_and_no_slot_changes() {
    let (mut slots, mut cameras, now) = asked();
    slots[0].handle_gop(now, tag(1), &gop(&mut cameras[2], 2_000_000));
    slots[1].handle_offline(now, tag(1), &gone());
    settle_layouts(now, &mut slots);
    refused(&mut slots, &mut cameras, "error (source-offline) #9");
}

#[test]
fn a_codec_that_the_browser_lacks_refuses_the_layout() {
    let (mut slots, mut cameras, now) = asked();
    cameras[3].codec = Codec::Av1;
    slots[1].handle_gop(now, tag(1), &gop(&mut cameras[3], 2_000_000));
    for slot in &mut slots {
        assert_eq!(actions(slot), [], "what cannot be shown is noticed");
    }
    settle_layouts(now, &mut slots);
    refused(&mut slots, &mut cameras, "error (unsupported-codec) #9");
}

#[test]
fn a_key_frame_that_does_not_come_in_time_refuses_the_layout() {
    let (mut slots, mut cameras, now) = asked();
    slots[0].handle_gop(now, tag(1), &gop(&mut cameras[2], 2_000_000));
    assert_eq!((slots[0].poll_timeout(), slots[1].poll_timeout()), (None, Some(now + TIMEOUT)));
    for slot in &mut slots {
        slot.handle_timeout(now + TIMEOUT);
    }
    settle_layouts(now + TIMEOUT, &mut slots);
    refused(&mut slots, &mut cameras, "error (switch-timeout) #9");
}

#[test]
fn a_later_request_takes_its_slot_out_and_the_others_change_without_it() {
    let (mut slots, mut cameras, now) = asked();
    slots[1].show(now, target("camera5"), Some("10".to_owned()));
    assert_eq!(statuses(&actions(&mut slots[1])), ["error (superseded) #9", "buffering"]);
    slots[0].handle_gop(now, tag(1), &gop(&mut cameras[2], 2_000_000));
    settle_layouts(now, &mut slots);
    assert_eq!(pictures(&mut slots), [vec![3], vec![]]);
}

#[test]
fn a_slot_that_shows_the_stream_already_waits_for_the_others_and_is_answered_with_them() {
    let (mut slots, mut cameras, now) = asked();
    slots[0].hold(now, 2, target("camera0"), Some("11".to_owned()));
    slots[1].hold(now, 2, target("camera4"), Some("11".to_owned()));
    settle_layouts(now, &mut slots);
    for slot in &mut slots {
        assert_eq!(statuses(&actions(slot)), ["error (superseded) #9", "buffering"]);
    }
    slots[1].handle_gop(now, tag(2), &gop(&mut cameras[3], 2_000_000));
    settle_layouts(now, &mut slots);
    assert_eq!(statuses(&actions(&mut slots[0])), ["active #11"]);
    assert_eq!(pictures(&mut slots), [vec![], vec![4]]);
}

#[test]
fn a_layout_resumes_a_paused_slot_which_stays_paused_if_the_layout_is_refused() {
    for works in [true, false] {
        let (mut slots, mut cameras, now) = asked();
        slots[0].pause(None);
        slots[0].hold(now, 1, target("camera3"), Some("9".to_owned()));
        actions(&mut slots[0]);
        slots[1].handle_gop(now, tag(1), &gop(&mut cameras[3], 2_000_000));
        if works {
            slots[0].handle_gop(now, tag(2), &gop(&mut cameras[2], 2_000_000));
        } else {
            slots[0].handle_offline(now, tag(2), &gone());
        }
        settle_layouts(now, &mut slots);
        let shown = pictures(&mut slots);
        let said = statuses(&actions(&mut slots[0]));
        if works {
            assert_eq!((shown, said), (vec![vec![3], vec![4]], vec!["active #9".to_owned()]));
        } else {
            assert_eq!(said, ["error (source-offline) #9", "paused"]);
            assert_eq!(shown, [vec![], vec![]] as [Vec<u8>; 2]);
        }
    }
}
