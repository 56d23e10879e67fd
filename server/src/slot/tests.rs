//! Cameras, a slot and what leaves it, on a virtual clock: whole switches, and any interleaving of everything that can
//! happen to a slot.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use proptest::prelude::*;

use super::{Action, Pacer, PayloadTypes, Released, RtpPacket, Slot, Splicer, Target};
use crate::media::{Codec, Frame, Timestamp90k};

const TIMEOUT: Duration = Duration::from_secs(5);
const FRAME_TICKS: u64 = 3000;
/// Everything offered, but no AV1.
const TYPES: [(Codec, u8); 4] = [(Codec::H264, 103), (Codec::Vp8, 96), (Codec::Vp9, 98), (Codec::H265, 49)];

/// A camera whose packets say whose they are: the payload is camera, kind, frame number.
struct Camera {
    id: u8,
    codec: Codec,
    gop: Vec<Arc<Frame>>,
    frames: u8,
    gop_len: usize,
}

impl Camera {
    fn new(id: u8, codec: Codec, gop_len: usize) -> Self {
        Self { id, codec, gop: Vec::new(), frames: 0, gop_len }
    }

    fn next_frame(&mut self, timestamp: Timestamp90k, packets: usize) -> Arc<Frame> {
        let keyframe = self.gop.len().is_multiple_of(self.gop_len);
        if keyframe {
            self.gop.clear();
        }
        self.frames = self.frames.wrapping_add(1);
        let payload = Bytes::copy_from_slice(&[self.id, u8::from(keyframe), self.frames]);
        let frame = Arc::new(Frame {
            codec: self.codec,
            timestamp,
            keyframe,
            dimensions: None,
            payloads: vec![payload; packets].into(),
            data: Bytes::new(),
        });
        self.gop.push(frame.clone());
        frame
    }
}

fn target(name: &str) -> Target {
    Target { name: name.to_owned(), quality: None }
}

/// A slot that shows nothing, on a connection that is up.
fn slot() -> Slot {
    let mut slot = Slot::new(0, target("camera0"), 0, Splicer::new(65_530, u32::MAX - 500), TIMEOUT);
    slot.negotiated(PayloadTypes::new(TYPES.to_vec(), Some(5)));
    slot.connected(Instant::now());
    slot
}

fn actions(slot: &mut Slot) -> Vec<Action> {
    std::iter::from_fn(|| slot.poll_action()).collect()
}

/// The statuses among `actions`, each as `state`, `(reason)` and `#request`, where it has them.
fn statuses(actions: &[Action]) -> Vec<String> {
    let brief = |action: &Action| {
        let Action::Status { status, request_id } = action else { return None };
        let reason = status.reason.as_ref().map(|reason| format!(" ({reason})"));
        let request = request_id.as_ref().map(|id| format!(" #{id}"));
        let state = format!("{:?}", status.status).to_lowercase();
        Some(state + &reason.unwrap_or_default() + &request.unwrap_or_default())
    };
    actions.iter().filter_map(brief).collect()
}

fn drain(slot: &mut Slot) -> Vec<Released> {
    std::iter::from_fn(|| slot.pop_packet(Instant::now())).collect()
}

fn packets(slot: &mut Slot) -> Vec<RtpPacket> {
    drain(slot).into_iter().map(|released| released.packet).collect()
}

/// Shows `camera`, whose GOP has `frames` frames so far, on a fresh slot.
fn showing(camera: &mut Camera, frames: u64) -> (Slot, Instant) {
    let now = Instant::now();
    let mut slot = slot();
    slot.show(now, target("camera0"), Some("1".to_owned()));
    for index in 0..frames {
        camera.next_frame(Timestamp90k(1_000_000 + index * FRAME_TICKS), 2);
    }
    slot.handle_gop(now, 0, &camera.gop);
    (slot, now)
}

#[test]
fn active_is_said_when_the_last_packet_of_the_first_key_frame_leaves_and_not_before() {
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
    let live = (1_000_000 + 3 * FRAME_TICKS + u64::from(u32::MAX - 500)) as u32;
    let timestamps: Vec<u32> =
        packets(&mut slot).iter().filter(|packet| packet.marker).map(|p| p.timestamp).collect();
    assert_eq!(timestamps, [30, 20, 10, 0].map(|before| live.wrapping_sub(before)));
}

#[test]
fn key_frames_and_only_they_ask_for_no_playout_delay() {
    let (mut slot, _) = showing(&mut Camera::new(7, Codec::H264, 50), 2);
    let asks: Vec<_> = packets(&mut slot).iter().map(|packet| packet.playout_delay).collect();
    assert_eq!(asks, [Some(5), Some(5), None, None]);
}

#[test]
fn the_old_picture_plays_on_until_the_new_ones_key_frame_is_there() {
    let mut old = Camera::new(1, Codec::H264, 50);
    let (mut slot, now) = showing(&mut old, 3);
    drain(&mut slot);
    actions(&mut slot);

    slot.show(now, target("camera1"), Some("2".to_owned()));
    let said = actions(&mut slot);
    assert_eq!(said[0], Action::Subscribe { tag: 1, name: "camera1".to_owned() });
    slot.handle_frame(0, old.next_frame(Timestamp90k(2_000_000), 1));
    assert_eq!(packets(&mut slot).len(), 1, "the old stream plays on");

    let mut new = Camera::new(2, Codec::H264, 50);
    new.next_frame(Timestamp90k(2_000_100), 2);
    slot.handle_gop(now, 1, &new.gop);
    assert_eq!(actions(&mut slot), [Action::Unsubscribe { tag: 0 }]);
    assert!(packets(&mut slot).iter().all(|packet| packet.payload[0] == 2));
    assert_eq!(statuses(&actions(&mut slot)), ["active #2"]);
}

#[test]
fn the_latest_request_wins_and_the_earlier_one_is_told() {
    let (mut slot, now) = showing(&mut Camera::new(1, Codec::H264, 50), 1);
    drain(&mut slot);
    actions(&mut slot);
    slot.show(now, target("camera1"), Some("2".to_owned()));
    actions(&mut slot);
    slot.show(now, target("camera2"), Some("3".to_owned()));
    let said = actions(&mut slot);
    assert!(said.contains(&Action::Unsubscribe { tag: 1 }));
    assert_eq!(statuses(&said)[0], "error (superseded) #2");
}

#[test]
fn without_a_new_picture_the_old_one_goes_when_the_switch_timeout_is_over() {
    let mut old = Camera::new(1, Codec::H264, 50);
    let (mut slot, now) = showing(&mut old, 1);
    drain(&mut slot);
    slot.show(now, target("camera1"), Some("2".to_owned()));
    actions(&mut slot);
    assert_eq!(slot.poll_timeout(), Some(now + TIMEOUT));
    slot.handle_timeout(now + TIMEOUT);
    let said = actions(&mut slot);
    assert!(said.contains(&Action::Unsubscribe { tag: 0 }));
    assert_eq!(statuses(&said), ["offline (switch-timeout) #2"]);
    slot.handle_frame(0, old.next_frame(Timestamp90k(9_000_000), 1));
    assert_eq!(drain(&mut slot), [], "nothing of the old stream is shown any more");

    let mut new = Camera::new(2, Codec::H264, 50);
    new.next_frame(Timestamp90k(9_000_000), 1);
    slot.handle_gop(now + 2 * TIMEOUT, 1, &new.gop);
    drain(&mut slot);
    assert_eq!(statuses(&actions(&mut slot)), ["active"], "it comes back by itself");
}

#[test]
fn a_browser_that_is_slow_to_connect_does_not_make_its_streams_late() {
    let now = Instant::now();
    let mut slot = Slot::new(0, target("camera0"), 0, Splicer::new(1, 1), TIMEOUT);
    slot.show(now, target("camera0"), None);
    assert_eq!(slot.poll_timeout(), None);
    slot.handle_timeout(now + 2 * TIMEOUT);
    slot.connected(now + 2 * TIMEOUT);
    assert_eq!(slot.poll_timeout(), Some(now + 3 * TIMEOUT));
}

#[test]
fn a_camera_that_goes_down_is_said_once_and_comes_back_by_itself() {
    let mut camera = Camera::new(1, Codec::H264, 50);
    let (mut slot, now) = showing(&mut camera, 2);
    drain(&mut slot);
    actions(&mut slot);
    slot.handle_offline(0, "refused".to_owned());
    slot.handle_offline(0, "refused".to_owned());
    assert_eq!(statuses(&actions(&mut slot)), ["offline (source-offline)"]);
    slot.handle_gop(now, 0, &camera.gop);
    drain(&mut slot);
    assert_eq!(statuses(&actions(&mut slot)), ["active"]);
}

#[test]
fn a_switch_to_a_codec_the_browser_lacks_is_refused_and_the_old_picture_stays() {
    let mut old = Camera::new(1, Codec::H264, 50);
    let (mut slot, now) = showing(&mut old, 1);
    drain(&mut slot);
    slot.show(now, target("camera1"), Some("2".to_owned()));
    actions(&mut slot);
    let mut new = Camera::new(2, Codec::Av1, 50);
    new.next_frame(Timestamp90k(1), 1);
    slot.handle_gop(now, 1, &new.gop);
    let said = actions(&mut slot);
    assert_eq!(statuses(&said), ["error (unsupported-codec) #2", "active"]);
    slot.handle_frame(0, old.next_frame(Timestamp90k(2_000_000), 1));
    assert_eq!(drain(&mut slot).len(), 1);
}

#[test]
fn pausing_gives_the_viewers_place_back_and_resuming_takes_it_again() {
    let (mut slot, now) = showing(&mut Camera::new(1, Codec::H264, 50), 1);
    drain(&mut slot);
    actions(&mut slot);
    slot.pause(Some("2".to_owned()));
    let said = actions(&mut slot);
    assert_eq!(said[0], Action::Unsubscribe { tag: 0 });
    assert_eq!(statuses(&said), ["paused #2"]);
    slot.show(now, slot.wanted().clone(), Some("3".to_owned()));
    assert_eq!(actions(&mut slot)[0], Action::Subscribe { tag: 1, name: "camera0".to_owned() });
}

#[test]
fn a_browser_that_asks_for_key_frames_all_the_time_gets_four_a_second() {
    let mut camera = Camera::new(1, Codec::H264, 50);
    let (mut slot, start) = showing(&mut camera, 1);
    drain(&mut slot);
    actions(&mut slot);
    let refreshes = (0..1000)
        .filter(|ms| {
            let now = start + Duration::from_millis(*ms);
            slot.keyframe_wanted(now);
            let asked = actions(&mut slot).contains(&Action::Refresh { tag: 0 });
            if asked {
                slot.handle_gop(now, 0, &camera.gop);
                drain(&mut slot);
            }
            asked
        })
        .count();
    assert_eq!(refreshes, 3);
}

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

/// What can happen to a slot.
#[derive(Debug, Clone)]
enum Event {
    Switch { camera: usize },
    Frame { camera: usize, packets: usize },
    Offline { camera: usize },
    Refresh,
    Pause,
    Release { packets: usize },
    Wait { ms: u64 },
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        2 => (0..4_usize).prop_map(|camera| Event::Switch { camera }),
        12 => (0..4_usize, 1..6_usize).prop_map(|(camera, packets)| Event::Frame { camera, packets }),
        1 => (0..4_usize).prop_map(|camera| Event::Offline { camera }),
        1 => Just(Event::Refresh),
        1 => Just(Event::Pause),
        12 => (1..40_usize).prop_map(|packets| Event::Release { packets }),
        2 => (1..4000_u64).prop_map(|ms| Event::Wait { ms }),
    ]
}

/// The hubs' side: cameras, and who is subscribed to which.
struct World {
    slot: Slot,
    cameras: Vec<Camera>,
    subscriptions: Vec<(u64, usize)>,
    now: Instant,
    ticks: u64,
    /// The tag the m-line carries, by what was released: only forward.
    sent: Vec<RtpPacket>,
}

impl World {
    fn new() -> Self {
        let codecs = [Codec::H264, Codec::Vp8, Codec::H264, Codec::Vp9];
        let cameras = codecs.into_iter().zip([3, 7, 30, 11]).enumerate();
        let cameras = cameras.map(|(id, (codec, gop))| Camera::new(id as u8, codec, gop)).collect();
        Self {
            slot: slot(),
            cameras,
            subscriptions: Vec::new(),
            now: Instant::now(),
            ticks: 1_000_000,
            sent: Vec::new(),
        }
    }

    fn happen(&mut self, event: &Event) {
        match *event {
            Event::Switch { camera } => self.slot.show(self.now, target(&format!("{camera}")), None),
            Event::Frame { camera, packets } => {
                self.ticks += 1500;
                let frame = self.cameras[camera].next_frame(Timestamp90k(self.ticks), packets);
                for (tag, _) in self.subscriptions.clone().into_iter().filter(|(_, of)| *of == camera) {
                    self.slot.handle_frame(tag, frame.clone());
                }
            }
            Event::Offline { camera } => {
                self.cameras[camera].gop.clear();
                for (tag, _) in self.subscriptions.clone().into_iter().filter(|(_, of)| *of == camera) {
                    self.slot.handle_offline(tag, "gone".to_owned());
                }
            }
            Event::Refresh => self.slot.keyframe_wanted(self.now),
            Event::Pause => self.slot.pause(None),
            Event::Release { packets } => {
                let released = std::iter::from_fn(|| self.slot.pop_packet(self.now)).take(packets);
                self.sent.extend(released.map(|released| released.packet));
            }
            Event::Wait { ms } => {
                self.now += Duration::from_millis(ms);
                self.ticks += ms * 90;
                self.slot.handle_timeout(self.now);
            }
        }
        while let Some(action) = self.slot.poll_action() {
            match action {
                Action::Subscribe { tag, name } => {
                    let camera = name.parse().expect("cameras are numbers here");
                    self.subscriptions.push((tag, camera));
                    self.slot.handle_gop(self.now, tag, &self.cameras[camera].gop);
                }
                Action::Unsubscribe { tag } => self.subscriptions.retain(|(known, _)| *known != tag),
                Action::Refresh { tag } => {
                    let camera =
                        self.subscriptions.iter().find(|(known, _)| *known == tag).map(|(_, camera)| *camera);
                    if let Some(camera) = camera {
                        self.slot.handle_gop(self.now, tag, &self.cameras[camera].gop);
                    }
                }
                Action::Status { .. } | Action::Keyframe { .. } | Action::Shown { .. } => {}
            }
        }
    }
}

/// The frames that left, whole or not: their packets in order.
fn frames(sent: &[RtpPacket]) -> Vec<&[RtpPacket]> {
    sent.chunk_by(|a, b| a.timestamp == b.timestamp).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn whatever_happens_the_browser_sees_one_unbroken_stream(events in proptest::collection::vec(event(), 1..200)) {
        let mut world = World::new();
        for event in &events {
            world.happen(event);
        }
        let sent = &world.sent;
        for pair in sent.windows(2) {
            prop_assert_eq!(pair[1].sequence_number, pair[0].sequence_number.wrapping_add(1), "numbers without a hole");
        }
        let frames = frames(sent);
        let mut shown: Option<(u8, u8)> = None;
        for (index, frame) in frames.iter().enumerate() {
            let [camera, keyframe, number] = frame[0].payload[..] else { unreachable!("payloads are three bytes here") };
            prop_assert!(frame.iter().all(|packet| packet.payload == frame[0].payload), "one frame, one timestamp");
            if index > 0 {
                let forward = frame[0].timestamp.wrapping_sub(frames[index - 1][0].timestamp);
                prop_assert!((1..1 << 31).contains(&forward), "timestamps go forward");
            }
            let codec = world.cameras[usize::from(camera)].codec;
            let payload_type = TYPES.iter().find(|(known, _)| *known == codec).map(|(_, pt)| *pt);
            prop_assert_eq!(Some(frame[0].payload_type), payload_type, "the payload type is the codec's");
            if keyframe == 0 {
                prop_assert_eq!(shown, Some((camera, number.wrapping_sub(1))), "no delta frame without what it refers to");
            }
            shown = Some((camera, number));
            let markers = frame.iter().filter(|packet| packet.marker).count();
            let last = frame.last().is_some_and(|packet| packet.marker);
            prop_assert!(markers <= 1 && (markers == 0 || last), "the marker is on a frame's last packet");
            prop_assert!(last || index + 1 == frames.len(), "a frame that was begun is finished");
        }
    }

    #[test]
    fn a_slot_holds_at_most_two_streams(events in proptest::collection::vec(event(), 1..200)) {
        let mut world = World::new();
        for event in &events {
            world.happen(event);
            prop_assert!(world.subscriptions.len() <= 2);
        }
    }
}
