//! Property tests of slots with any order of layouts, atomic and plain, and of everything else that happens to them.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::layouts_world::{CAMERAS, Cameras, Event, SLOTS, World};
use super::*;

fn cameras() -> impl Strategy<Value = Cameras> {
    proptest::array::uniform3(proptest::option::weighted(0.7, 0..CAMERAS))
}

fn event() -> impl Strategy<Value = Event> {
    // The browser does not take AV1.
    let codec = prop_oneof![4 => Just(Codec::H264), 2 => Just(Codec::Vp8), 1 => Just(Codec::Av1)];
    prop_oneof![
        2 => (0..SLOTS, 0..CAMERAS).prop_map(|(slot, camera)| Event::Switch { slot, camera }),
        4 => (cameras(), any::<bool>()).prop_map(|(cameras, atomic)| Event::Layout { cameras, atomic }),
        1 => (0..SLOTS).prop_map(|slot| Event::Pause { slot }),
        1 => (0..SLOTS).prop_map(|slot| Event::Refuse { slot }),
        1 => (0..SLOTS).prop_map(|slot| Event::Keyframe { slot }),
        1 => (0..SLOTS).prop_map(|slot| Event::Lost { slot }),
        16 => (0..CAMERAS, 1..4_usize).prop_map(|(camera, packets)| Event::Frame { camera, packets }),
        1 => (0..CAMERAS, codec).prop_map(|(camera, codec)| Event::Codec { camera, codec }),
        1 => (0..CAMERAS).prop_map(|camera| Event::Offline { camera }),
        16 => (0..SLOTS).prop_map(|slot| Event::Deliver { slot }),
        12 => (0..SLOTS, 1..20_usize).prop_map(|(slot, packets)| Event::Release { slot, packets }),
        2 => (1..4000_u64).prop_map(|ms| Event::Wait { ms }),
    ]
}

/// The camera of the tests of refused layouts that never sends a frame, and the slot that is to show it.
const DEAD: usize = CAMERAS - 1;
const DOOMED: usize = SLOTS - 1;

/// Events without a frame of the dead camera.
fn with_a_dead_camera() -> impl Strategy<Value = Vec<Event>> {
    let is_possible = |event: &Event| !matches!(event, Event::Frame { camera: DEAD, .. });
    proptest::collection::vec(event().prop_filter("the camera is dead", is_possible), 1..150)
}

#[test]
fn the_property_tests_have_layouts_that_change_and_layouts_that_are_refused() {
    let mut runner = TestRunner::deterministic();
    let (mut changed, mut refused) = (0, 0);
    for _ in 0..100 {
        let events =
            proptest::collection::vec(event(), 200).new_tree(&mut runner).expect("it rejects nothing");
        let mut world = World::new();
        for event in events.current() {
            world.happen(&event);
        }
        changed += world.changed;
        refused += world.refused;
    }
    assert!(changed > 50 && refused > 50, "{changed} changed, {refused} refused");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn the_slots_of_a_layout_change_in_one_call_or_stay_as_they_are(events in proptest::collection::vec(event(), 1..200)) {
        let mut world = World::new();
        for event in &events {
            world.happen(event);
        }
    }

    #[test]
    fn a_refused_layout_changes_nothing_that_leaves_and_no_status(
        before in with_a_dead_camera(),
        cameras in cameras(),
        after in with_a_dead_camera(),
    ) {
        let mut cameras = cameras;
        cameras[DOOMED] = Some(DEAD);
        // Without the layout the same happens, and what it overrides is cancelled.
        let (mut with, mut without) = (World::new(), World::new());
        without.now = with.now;
        for event in &before {
            with.happen(event);
            without.happen(event);
        }
        with.happen(&Event::Layout { cameras, atomic: true });
        without.cancel(cameras);
        let long = Event::Wait { ms: TIMEOUT.as_millis() as u64 };
        // A later request for the doomed slot would let the others change.
        for event in after.iter().filter(|event| !event.is_for(DOOMED)).chain([&long]) {
            with.happen(event);
            without.happen(event);
            prop_assert_eq!(&with.sent, &without.sent);
        }
        with.catch_up();
        without.catch_up();
        prop_assert_eq!(&with.sent, &without.sent);
        // A slot that is paused while it waits for the layout resumes with the layout's stream, which was requested last.
        for slot in (0..SLOTS).filter(|slot| *slot == DOOMED || !after.iter().any(|event| event.is_for(*slot))) {
            prop_assert_eq!(with.slots[slot].status(), without.slots[slot].status());
        }
    }

    #[test]
    fn after_a_key_frame_of_every_camera_the_last_layout_is_shown(
        events in proptest::collection::vec(event(), 1..150),
        cameras in cameras(),
        atomic in any::<bool>(),
    ) {
        let mut world = World::new();
        for event in &events {
            world.happen(event);
        }
        for hub in &mut world.hubs {
            if hub.camera.codec == Codec::Av1 {
                hub.change_codec(Codec::H264);
            }
            if hub.is_down() {
                hub.recover();
            }
        }
        world.catch_up();
        world.happen(&Event::Layout { cameras, atomic });
        for camera in 0..CAMERAS {
            while {
                world.ticks += FRAME_TICKS;
                let keyframe = world.hubs[camera].frame(world.ticks, 2);
                world.catch_up();
                !keyframe
            } {}
        }
        for (slot, camera) in cameras.into_iter().enumerate() {
            let Some(camera) = camera else { continue };
            let status = world.slots[slot].status();
            prop_assert_eq!((status.status, status.stream), (SlotState::Active, camera.to_string()), "slot {}", slot);
            let last = world.sent[slot].last().map(|packet| (usize::from(packet.payload[0]), packet.payload[2]));
            prop_assert_eq!(last, Some((camera, world.hubs[camera].camera.frames)), "slot {}: its live frame", slot);
        }
    }
}
