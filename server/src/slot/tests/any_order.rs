//! Property tests of a slot with any order of events, with the parts that real hubs consist of.

use proptest::prelude::*;
use tokio::sync::mpsc;

use super::hubs::Hub;
use super::*;
use crate::media::StreamEvent;
use crate::slot::{Change, Order, Pictures, Step};

/// An event of the property tests.
#[derive(Debug, Clone)]
enum Event {
    Switch {
        camera: usize,
    },
    Frame {
        camera: usize,
        packets: usize,
    },
    /// The camera continues with another codec, from a key frame.
    Codec {
        camera: usize,
        codec: Codec,
    },
    Offline {
        camera: usize,
    },
    /// The queued events of the hubs are delivered to the slot.
    Deliver,
    Refresh,
    Pause,
    Release {
        packets: usize,
    },
    Wait {
        ms: u64,
    },
    /// The slot goes to another step, which is that of this camera.
    Step {
        camera: usize,
        pictures: Pictures,
        change: Change,
    },
    /// A switch to a camera for which another one is shown if it has a key frame earlier.
    Race {
        camera: usize,
        first: usize,
    },
}

/// Events with changes of the step among them.
fn event_or_step() -> impl Strategy<Value = Event> {
    let pictures = prop_oneof![3 => Just(Pictures::All), 1 => Just(Pictures::KeyFrames { every: None }), 1 => Just(Pictures::First)];
    let change = (prop_oneof![Just(usize::MAX), Just(40)], any::<bool>())
        .prop_map(|(burst, is_urgent)| Change { burst, is_urgent });
    let step = (0..4_usize, pictures, change).prop_map(|(camera, pictures, change)| Event::Step {
        camera,
        pictures,
        change,
    });
    let race = (0..4_usize, 0..4_usize).prop_map(|(camera, first)| Event::Race { camera, first });
    prop_oneof![44 => event(), 4 => step, 2 => race]
}

fn event() -> impl Strategy<Value = Event> {
    let codec = prop_oneof![Just(Codec::H264), Just(Codec::Vp8), Just(Codec::Vp9)];
    prop_oneof![
        2 => (0..4_usize).prop_map(|camera| Event::Switch { camera }),
        12 => (0..4_usize, 1..6_usize).prop_map(|(camera, packets)| Event::Frame { camera, packets }),
        1 => (0..4_usize, codec).prop_map(|(camera, codec)| Event::Codec { camera, codec }),
        1 => (0..4_usize).prop_map(|camera| Event::Offline { camera }),
        12 => Just(Event::Deliver),
        1 => Just(Event::Refresh),
        1 => Just(Event::Pause),
        12 => (1..40_usize).prop_map(|packets| Event::Release { packets }),
        2 => (1..4000_u64).prop_map(|ms| Event::Wait { ms }),
    ]
}

struct Subscription {
    tag: SubscriptionTag,
    camera: usize,
    events: mpsc::Receiver<StreamEvent>,
}

/// A slot, and the hubs that it subscribes to. Their events wait in queues until they are delivered.
struct World {
    slot: Slot,
    hubs: Vec<Hub>,
    subscriptions: Vec<Subscription>,
    /// Unsubscribed streams, whose queued events are still delivered.
    former: Vec<Subscription>,
    now: Instant,
    ticks: u64,
    sent: Vec<RtpPacket>,
    /// The GOPs that the slot was cut to: how many packets had left by then, and the camera.
    cuts: Vec<(usize, usize)>,
}

impl World {
    fn new() -> Self {
        let codecs = [Codec::H264, Codec::Vp8, Codec::H264, Codec::Vp9];
        let hubs = codecs.into_iter().zip([3, 7, 30, 11]).enumerate();
        Self {
            slot: slot(),
            hubs: hubs.map(|(id, (codec, gop_len))| Hub::new(id, codec, gop_len)).collect(),
            subscriptions: Vec::new(),
            former: Vec::new(),
            now: Instant::now(),
            ticks: 1_000_000,
            sent: Vec::new(),
            cuts: Vec::new(),
        }
    }

    /// The RTP timestamp of a frame that is captured now.
    fn present(&self) -> u32 {
        TIMESTAMP_OFFSET.wrapping_add(self.ticks as u32)
    }

    fn happen(&mut self, event: &Event) {
        match *event {
            Event::Switch { camera } => self.slot.show(self.now, target(&format!("{camera}")), None),
            Event::Frame { camera, packets } => {
                self.ticks += 1500;
                self.hubs[camera].frame(self.ticks, packets);
            }
            Event::Codec { camera, codec } => self.hubs[camera].change_codec(codec),
            Event::Offline { camera } => self.hubs[camera].go_offline(),
            Event::Deliver => self.deliver(),
            Event::Refresh => self.slot.keyframe_wanted(self.now),
            Event::Pause => self.slot.pause(None),
            Event::Step { camera, pictures, change } => {
                let source = target(&format!("{camera}"));
                self.slot.go_to(Step { pictures, is_limited: true, ..Step::whole(source) }, change);
            }
            Event::Race { camera, first } => {
                let order = Order::from(target(&format!("{camera}")));
                let first = Some(target(&format!("{first}")));
                self.slot.show(self.now, Order { first, ..order }, None);
            }
            Event::Release { packets } => {
                let released = std::iter::from_fn(|| self.slot.pop_packet(self.now))
                    .map(|released| released.packet)
                    .take(packets);
                self.sent.extend(released);
            }
            Event::Wait { ms } => {
                self.now += Duration::from_millis(ms);
                self.ticks += ms * 90;
                self.slot.handle_timeout(self.now);
                for hub in &mut self.hubs {
                    hub.send_owed();
                }
            }
        }
        self.act();
    }

    /// Delivers the queued events to the slot; events that result are delivered the next time.
    fn deliver(&mut self) {
        let mut under_way = Vec::new();
        for viewer in self.former.iter_mut().chain(&mut self.subscriptions) {
            while let Ok(event) = viewer.events.try_recv() {
                under_way.push((viewer.tag, viewer.camera, event));
            }
        }
        for (tag, camera, event) in under_way {
            match event {
                StreamEvent::Gop(gop) => {
                    // The slot ignores a stream that it has unsubscribed.
                    if self.subscriptions.iter().any(|viewer| viewer.tag == tag) {
                        self.cuts.push((self.sent.len(), camera));
                    }
                    self.slot.handle_gop(self.now, tag, &gop);
                }
                StreamEvent::Frame(frame) => self.slot.handle_frame(self.now, tag, frame),
                StreamEvent::Offline(error) => self.slot.handle_offline(self.now, tag, &error),
            }
            self.act();
        }
    }

    fn act(&mut self) {
        while let Some(action) = self.slot.poll_action() {
            match action {
                Action::Subscribe { tag, name } => {
                    let camera: usize = name.as_str().parse().expect("cameras are numbers here");
                    let events = self.hubs[camera].join(tag.0);
                    self.subscriptions.push(Subscription { tag, camera, events });
                }
                Action::Unplayable { tag, codec } => self.slot.cannot_play(tag, codec),
                Action::Unsubscribe { tag } => {
                    for hub in &mut self.hubs {
                        hub.leave(tag.0);
                    }
                    self.former.extend(self.subscriptions.extract_if(.., |viewer| viewer.tag == tag));
                }
                Action::Refresh { tag } => {
                    if let Some(viewer) = self.subscriptions.iter().find(|viewer| viewer.tag == tag) {
                        self.hubs[viewer.camera].refresh(tag.0);
                    }
                }
                Action::Status { .. }
                | Action::Keyframe { .. }
                | Action::StepFailed(_)
                | Action::Shown { .. } => {}
            }
        }
    }

    /// Delivers a frame of a camera and lets it leave at once. Returns the packets that left.
    fn live(&mut self, camera: usize) -> Vec<RtpPacket> {
        let before = self.sent.len();
        for event in
            [Event::Frame { camera, packets: 2 }, Event::Deliver, Event::Release { packets: usize::MAX }]
        {
            self.happen(&event);
        }
        self.sent[before..].to_vec()
    }

    /// Shows a camera and lets it send for the length of its longest GOP, so that a key frame comes.
    fn show_with_a_key_frame(&mut self, camera: usize) -> Vec<RtpPacket> {
        for event in [Event::Deliver, Event::Release { packets: usize::MAX }, Event::Switch { camera }] {
            self.happen(&event);
        }
        (0..=30).map(|_| self.live(camera)).last().expect("31 frames")
    }
}

/// The packets of each frame that left, complete or not, in order.
fn frames(sent: &[RtpPacket]) -> Vec<&[RtpPacket]> {
    sent.chunk_by(|a, b| a.timestamp == b.timestamp).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn with_any_events_the_browser_gets_one_continuous_rtp_stream(events in proptest::collection::vec(event_or_step(), 1..200)) {
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
    fn after_a_switch_and_a_key_frame_the_new_stream_arrives(
        events in proptest::collection::vec(event_or_step(), 1..200),
        camera in 0..4_usize,
    ) {
        let mut world = World::new();
        for event in &events {
            world.happen(event);
        }
        let arrived = world.show_with_a_key_frame(camera);
        let number = world.hubs[camera].camera.frames;
        let from: Vec<_> = arrived.iter().map(|packet| (usize::from(packet.payload[0]), packet.payload[2])).collect();
        prop_assert_eq!(from, [(camera, number); 2], "the live frame, whole, and nothing else");
        let status = world.slot.status();
        prop_assert_eq!((status.status, status.stream), (SlotState::Active, camera.to_string()));
    }

    #[test]
    fn the_old_stream_is_shown_until_a_requested_one_has_a_key_frame(
        events in proptest::collection::vec(event_or_step(), 1..200),
        camera in 0..4_usize,
        requests in proptest::collection::vec((0..4_usize, any::<bool>()), 1..12),
    ) {
        let mut world = World::new();
        for event in &events {
            world.happen(event);
        }
        for hub in &mut world.hubs {
            hub.recover();
        }
        world.show_with_a_key_frame(camera);
        for (next, lost) in requests {
            world.happen(&Event::Switch { camera: next });
            if lost {
                world.happen(&Event::Refresh);
            }
            let sent = world.live(camera);
            prop_assert!(sent.len() >= 2, "the frame of now left");
            let live = sent[sent.len() - 2..].iter().map(|packet| (usize::from(packet.payload[0]), packet.payload[2]));
            prop_assert!(live.eq([(camera, world.hubs[camera].camera.frames); 2]), "{:?}", sent);
        }
    }

    #[test]
    fn a_slot_holds_at_most_three_streams(events in proptest::collection::vec(event_or_step(), 1..200)) {
        let mut world = World::new();
        for event in &events {
            world.happen(event);
            prop_assert!(world.subscriptions.len() <= 3);
        }
    }

    #[test]
    fn no_frame_has_a_timestamp_in_the_future(events in proptest::collection::vec(event_or_step(), 1..200)) {
        let mut world = World::new();
        let mut last: Option<u32> = None;
        for event in &events {
            let before = world.sent.len();
            world.happen(event);
            for packet in &world.sent[before..] {
                let beyond = packet.timestamp.wrapping_sub(world.present()).cast_signed();
                let after_the_last = last.map(|last| packet.timestamp.wrapping_sub(last));
                // A stream whose timestamps are behind those of the stream before it follows as closely as possible.
                prop_assert!(
                    beyond <= 0 || after_the_last.is_some_and(|ticks| ticks <= 10),
                    "{beyond} ticks after the present, {after_the_last:?} after the frame before"
                );
                last = Some(packet.timestamp);
            }
        }
    }
}
