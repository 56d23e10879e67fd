//! Any interleaving of everything that can happen to a slot.

use proptest::prelude::*;

use super::*;

/// What can happen to a slot.
#[derive(Debug, Clone)]
enum Event {
    Switch {
        camera: usize,
    },
    Frame {
        camera: usize,
        packets: usize,
    },
    /// The camera goes on with another codec, from a key frame.
    Codec {
        camera: usize,
        codec: Codec,
    },
    Offline {
        camera: usize,
    },
    Refresh,
    Pause,
    Release {
        packets: usize,
    },
    Wait {
        ms: u64,
    },
}

fn event() -> impl Strategy<Value = Event> {
    let codec = prop_oneof![Just(Codec::H264), Just(Codec::Vp8), Just(Codec::Vp9)];
    prop_oneof![
        2 => (0..4_usize).prop_map(|camera| Event::Switch { camera }),
        12 => (0..4_usize, 1..6_usize).prop_map(|(camera, packets)| Event::Frame { camera, packets }),
        1 => (0..4_usize, codec).prop_map(|(camera, codec)| Event::Codec { camera, codec }),
        1 => (0..4_usize).prop_map(|camera| Event::Offline { camera }),
        1 => Just(Event::Refresh),
        1 => Just(Event::Pause),
        12 => (1..40_usize).prop_map(|packets| Event::Release { packets }),
        2 => (1..4000_u64).prop_map(|ms| Event::Wait { ms }),
    ]
}

struct Subscription {
    tag: u64,
    camera: usize,
    /// Got the GOP, so that single frames make sense.
    follows: bool,
}

/// The hubs' side: cameras, and who is subscribed to which.
struct World {
    slot: Slot,
    cameras: Vec<Camera>,
    subscriptions: Vec<Subscription>,
    /// Given back; what was under way still comes.
    former: Vec<Subscription>,
    now: Instant,
    ticks: u64,
    sent: Vec<RtpPacket>,
    /// GOPs that the slot took: how much was sent by then, and the camera.
    cuts: Vec<(usize, usize)>,
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
            former: Vec::new(),
            now: Instant::now(),
            ticks: 1_000_000,
            sent: Vec::new(),
            cuts: Vec::new(),
        }
    }

    /// The RTP timestamp of a frame that was taken now.
    fn present(&self) -> u32 {
        TIMESTAMP_OFFSET.wrapping_add(self.ticks as u32)
    }

    /// A hub answers a subscription with what it has. The slot takes no notice of one that it gave back.
    fn give_gop(&mut self, tag: u64, camera: usize) {
        let gop = &self.cameras[camera].gop;
        self.slot.handle_gop(self.now, tag, gop);
        if !gop.is_empty() && self.subscriptions.iter().any(|viewer| viewer.tag == tag) {
            self.cuts.push((self.sent.len(), camera));
        }
    }

    fn happen(&mut self, event: &Event) {
        match *event {
            Event::Switch { camera } => self.slot.show(self.now, target(&format!("{camera}")), None),
            Event::Frame { camera, packets } => {
                self.ticks += 1500;
                let frame = self.cameras[camera].next_frame(Timestamp90k(self.ticks), packets);
                let mut waiting = Vec::new();
                let viewers = self.subscriptions.iter_mut().chain(&mut self.former);
                for viewer in viewers.filter(|viewer| viewer.camera == camera) {
                    if viewer.follows {
                        self.slot.handle_frame(viewer.tag, frame.clone());
                    } else {
                        waiting.push(viewer.tag);
                        viewer.follows = true;
                    }
                }
                for tag in waiting {
                    self.give_gop(tag, camera);
                }
            }
            Event::Codec { camera, codec } => {
                self.cameras[camera].codec = codec;
                self.cameras[camera].gop.clear();
            }
            Event::Offline { camera } => {
                self.cameras[camera].gop.clear();
                for viewer in self.subscriptions.iter_mut().filter(|viewer| viewer.camera == camera) {
                    viewer.follows = false;
                    self.slot.handle_offline(viewer.tag, "gone".to_owned());
                }
            }
            Event::Refresh => self.slot.keyframe_wanted(self.now),
            Event::Pause => self.slot.pause(None),
            Event::Release { packets } => {
                let released = std::iter::from_fn(|| self.slot.pop_packet(self.now)).take(packets);
                self.sent.extend(released);
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
                    let camera: usize = name.parse().expect("cameras are numbers here");
                    let follows = !self.cameras[camera].gop.is_empty();
                    self.subscriptions.push(Subscription { tag, camera, follows });
                    self.give_gop(tag, camera);
                }
                Action::Unsubscribe { tag } => {
                    self.former.extend(self.subscriptions.extract_if(.., |viewer| viewer.tag == tag));
                }
                Action::Refresh { tag } => {
                    if let Some(viewer) = self.subscriptions.iter().find(|viewer| viewer.tag == tag) {
                        self.give_gop(tag, viewer.camera);
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
            let [camera, keyframe, number, codec, packets] = frame[0].payload[..] else { unreachable!("payloads are five bytes here") };
            prop_assert!(frame.iter().all(|packet| packet.payload == frame[0].payload), "one frame, one timestamp");
            if index > 0 {
                let forward = frame[0].timestamp.wrapping_sub(frames[index - 1][0].timestamp);
                prop_assert!((1..1 << 31).contains(&forward), "timestamps go forward");
            }
            let payload_type = TYPES.iter().find(|(known, _)| *known as u8 == codec).map(|(_, pt)| *pt);
            prop_assert_eq!(Some(frame[0].payload_type), payload_type, "the payload type is the codec's");
            if keyframe == 0 {
                prop_assert_eq!(shown, Some((camera, number.wrapping_sub(1))), "no delta frame without what it refers to");
            }
            shown = Some((camera, number));
            let markers = frame.iter().filter(|packet| packet.marker).count();
            let last = frame.last().is_some_and(|packet| packet.marker);
            prop_assert!(markers <= 1 && (markers == 0 || last), "the marker is on a frame's last packet");
            prop_assert!(last || index + 1 == frames.len(), "a frame that was begun is finished");
            prop_assert!(!last || frame.len() == usize::from(packets), "all of a frame is sent");
        }
    }

    #[test]
    fn after_a_cut_the_next_frame_is_the_new_streams_key_frame(events in proptest::collection::vec(event(), 1..200)) {
        let mut world = World::new();
        for event in &events {
            world.happen(event);
        }
        let ends = world.cuts.iter().skip(1).map(|(at, _)| *at).chain([world.sent.len()]);
        for (&(at, camera), end) in world.cuts.iter().zip(ends) {
            let begins = |index: &usize| *index == 0 || world.sent[index - 1].marker;
            if let Some(first) = (at..end).find(begins) {
                let [from, keyframe, ..] = world.sent[first].payload[..] else { unreachable!("payloads are five bytes here") };
                prop_assert_eq!((usize::from(from), keyframe), (camera, 1));
            }
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

    #[test]
    fn no_frame_is_dated_after_the_present(events in proptest::collection::vec(event(), 1..200)) {
        let mut world = World::new();
        let mut last: Option<u32> = None;
        for event in &events {
            let before = world.sent.len();
            world.happen(event);
            for packet in &world.sent[before..] {
                let beyond = packet.timestamp.wrapping_sub(world.present()).cast_signed();
                let after_the_last = last.map(|last| packet.timestamp.wrapping_sub(last));
                // A stream that is behind the one before it follows as closely as it can.
                prop_assert!(
                    beyond <= 0 || after_the_last.is_some_and(|ticks| ticks <= 10),
                    "{beyond} ticks after the present, {after_the_last:?} after the frame before"
                );
                last = Some(packet.timestamp);
            }
        }
    }
}
