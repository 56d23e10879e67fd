//! A session's sending side on virtual time: real slots, GOP caches, queues, pacer and allocator, and a viewer that decodes.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use multistream_testkit::{Network, NetworkConditions};
use tokio::sync::mpsc;

use super::receiver::Receiver;
use super::reports::Reports;
use crate::egress::{Allocator, Departing, Importance, Pacer, Tile};
use crate::media::{Codec, StreamEvent};
use crate::rtp::{ArrivalReport, PayloadTypes, RtpPacket, SlotPosition};
use crate::slot::tests::hubs::Hub;
use crate::slot::tests::{FRAME_TICKS, TIMEOUT, TYPES, target};
use crate::slot::{Action, Change, Order, Pictures, Slot, Splicer, Step, SubscriptionTag};

pub(super) const MS: Duration = Duration::from_millis(1);
const SLOTS: usize = 4;
/// The hub of camera `n` is number `n`, and that of its small variant is number `n + CAMERAS`.
pub(super) const CAMERAS: usize = 5;
pub(super) const FRAME_MS: usize = 33;
pub(super) const GOP_FRAMES: usize = 60;
const PAYLOAD: usize = 1200;
const SMALL_PAYLOAD: usize = 300;
/// RTP, SRTP, UDP and IP.
const HEADERS: usize = 60;
pub(super) const KEY_PACKETS: usize = 12;
const REVIEW_EVERY_MS: usize = 100;
/// A request comes this often.
const REQUEST_EVERY_MS: usize = 700;

struct Subscription {
    slot: usize,
    tag: SubscriptionTag,
    hub: usize,
    /// The number of this viewer among all of them.
    viewer: u64,
    events: mpsc::Receiver<StreamEvent>,
}

pub(super) enum Feedback {
    Arrivals(Vec<ArrivalReport>),
    Lost(SlotPosition, Vec<u16>),
    KeyframeWanted(SlotPosition),
}

/// Slots of one connection, the cameras that they show, the network, and the viewer.
pub(super) struct World {
    start: Instant,
    pub(super) now: Instant,
    random: u64,
    pub(super) hubs: Vec<Hub>,
    pub(super) gone: Option<usize>,
    pub(super) slots: Vec<Slot>,
    subscriptions: Vec<Subscription>,
    viewers: u64,
    pub(super) pacer: Pacer,
    allocator: Allocator,
    pub(super) network: Network<(usize, RtpPacket, u16)>,
    pub(super) back: Network<Feedback>,
    pub(super) receivers: Vec<Receiver>,
    /// The camera that was asked for last; `None` for a paused slot.
    pub(super) wanted: [Option<usize>; SLOTS],
    /// The requests without an answer, and what they are.
    pub(super) open: BTreeMap<String, String>,
    requests: usize,
    pub(super) runs_every: Duration,
    pub(super) clock_ppm: f64,
    reports: Reports,
}

pub(super) fn open_link() -> NetworkConditions {
    NetworkConditions {
        bytes_per_second: 2.5e6,
        queue: Duration::from_millis(200),
        ..NetworkConditions::default()
    }
}

impl World {
    pub(super) fn new(seed: u64) -> Self {
        let now = Instant::now();
        let hubs = (0..2 * CAMERAS).map(|number| {
            let mut hub = Hub::new(number, Codec::H264, GOP_FRAMES);
            hub.camera.payload_bytes = if number < CAMERAS { PAYLOAD } else { SMALL_PAYLOAD };
            hub.camera.key_packets = Some(KEY_PACKETS);
            hub
        });
        let slots = (0..SLOTS).map(|index| {
            let splicer = Splicer::new(65_500 + index as u16, u32::MAX - 100_000);
            let mut slot = Slot::new(index as u32, target(&index.to_string()).into(), splicer, TIMEOUT);
            slot.negotiated(PayloadTypes::new(TYPES.to_vec()));
            slot.connected(now);
            slot
        });
        let mut world = Self {
            start: now,
            now,
            random: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
            hubs: hubs.collect(),
            gone: None,
            slots: slots.collect(),
            subscriptions: Vec::new(),
            viewers: 0,
            pacer: Pacer::new(now, SLOTS),
            allocator: Allocator::default(),
            network: Network::new(now, open_link(), seed),
            back: Network::new(now, NetworkConditions::default(), seed + 1000),
            receivers: std::iter::repeat_with(Receiver::default).take(SLOTS).collect(),
            wanted: [None; SLOTS],
            open: BTreeMap::new(),
            requests: 0,
            runs_every: MS,
            clock_ppm: 0.0,
            reports: Reports::new(now),
        };
        // The cameras have been running for a while.
        for ms in 0..3000 {
            world.film(ms);
            world.now += MS;
        }
        for slot in 0..SLOTS {
            world.show(slot, slot);
        }
        world
    }

    /// Below `below`; xorshift64* (Vigna, 2016).
    pub(super) fn below(&mut self, below: usize) -> usize {
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        ((self.random.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % below as u64) as usize
    }

    fn ms(&self) -> usize {
        (self.now - self.start).as_millis() as usize
    }

    pub(super) fn run(&mut self, time: Duration, with_requests: bool) {
        let end = self.now + time;
        while self.now < end {
            self.now += MS;
            let ms = self.ms();
            if with_requests && ms.is_multiple_of(REQUEST_EVERY_MS) {
                self.request();
            }
            self.film(ms);
            self.deliver();
            self.hubs.iter_mut().for_each(Hub::send_owed);
            self.take_feedback();
            let now = self.now;
            self.slots.iter_mut().for_each(|slot| slot.handle_timeout(now));
            if ms.is_multiple_of(REVIEW_EVERY_MS) {
                self.review();
            }
            let network = &mut self.network;
            self.pacer.release(now, &mut self.slots, |slot, Departing { packet, transport_number }| {
                network.send(now, packet.wire_bytes(), (slot.0, packet, transport_number));
            });
            self.act();
            if ms.is_multiple_of(self.runs_every.as_millis() as usize) {
                self.receive();
            }
        }
    }

    /// The cameras send their frames, each at another moment.
    fn film(&mut self, ms: usize) {
        for number in (0..CAMERAS).filter(|number| ms % FRAME_MS == number * 5 && self.gone != Some(*number))
        {
            let ticks = 1_000_000 + (ms / FRAME_MS) as u64 * FRAME_TICKS;
            self.hubs[number].frame(ticks, 1);
            self.hubs[number + CAMERAS].frame(ticks, 1);
        }
    }

    fn deliver(&mut self) {
        let now = self.now;
        for subscription in &mut self.subscriptions {
            let (slot, tag) = (&mut self.slots[subscription.slot], subscription.tag);
            while let Ok(event) = subscription.events.try_recv() {
                match event {
                    StreamEvent::Gop(gop) => slot.handle_gop(now, tag, &gop),
                    StreamEvent::Frame(frame) => slot.handle_frame(now, tag, frame),
                    StreamEvent::Offline(error) => slot.handle_offline(now, tag, &error),
                }
            }
        }
        self.act();
    }

    fn act(&mut self) {
        for index in 0..SLOTS {
            while let Some(action) = self.slots[index].poll_action() {
                match action {
                    Action::Subscribe { tag, name } => {
                        let hub: usize = name.as_str().parse().expect("cameras are numbers here");
                        self.viewers += 1;
                        let viewer = self.viewers;
                        let events = self.hubs[hub].join(viewer);
                        self.subscriptions.push(Subscription { slot: index, tag, hub, viewer, events });
                    }
                    Action::Unplayable { tag, codec } => self.slots[index].cannot_play(tag, codec),
                    Action::Unsubscribe { tag } => {
                        let is_it = |known: &Subscription| known.slot == index && known.tag == tag;
                        for former in self.subscriptions.extract_if(.., |known| is_it(known)) {
                            self.hubs[former.hub].leave(former.viewer);
                        }
                    }
                    Action::Refresh { tag } => {
                        let is_it = |known: &&Subscription| known.slot == index && known.tag == tag;
                        if let Some(known) = self.subscriptions.iter().find(is_it) {
                            self.hubs[known.hub].refresh(known.viewer);
                        }
                    }
                    Action::Status { request_id: Some(request_id), .. }
                    | Action::Keyframe { request_id, .. } => {
                        self.open.remove(&request_id);
                    }
                    Action::Status { request_id: None, .. }
                    | Action::StepFailed(_)
                    | Action::Shown { .. } => {}
                }
            }
        }
    }

    fn open_request(&mut self, what: String) -> String {
        self.requests += 1;
        let request_id = self.requests.to_string();
        self.open.insert(request_id.clone(), what);
        request_id
    }

    fn show(&mut self, slot: usize, camera: usize) {
        let request_id = self.open_request(format!("slot {slot} shows camera {camera}"));
        self.wanted[slot] = Some(camera);
        self.allocator.forget(slot);
        let order = Order::from(target(&camera.to_string()));
        self.slots[slot].show(self.now, order, Some(request_id));
    }

    fn request(&mut self) {
        let slot = self.below(SLOTS);
        match self.below(5) {
            0 => {
                let request_id = self.open_request(format!("slot {slot} pauses"));
                self.wanted[slot] = None;
                self.slots[slot].pause(Some(request_id));
            }
            1 => {
                let request_id = self.open_request(format!("a key frame of slot {slot}"));
                self.slots[slot].request_keyframe(self.now, request_id);
            }
            _ => {
                let camera = self.below(CAMERAS);
                self.show(slot, camera);
            }
        }
    }

    /// Divides the path among the slots, as the session does, with the steps of a camera that has a small variant.
    fn review(&mut self) {
        let Some(estimate) = self.pacer.measured() else { return };
        let rate = |payload: usize, packets: usize| {
            let wire = (payload + HEADERS) * packets;
            wire as f64 * 1000.0 / (FRAME_MS * GOP_FRAMES) as f64
        };
        let all = KEY_PACKETS + GOP_FRAMES - 1;
        let needs = [rate(PAYLOAD, all), rate(SMALL_PAYLOAD, all), rate(SMALL_PAYLOAD, KEY_PACKETS)];
        let steps = |camera: usize| {
            let (whole, small) = (target(&camera.to_string()), target(&(camera + CAMERAS).to_string()));
            let limited = |pictures| Step { pictures, is_limited: true, ..Step::whole(small.clone()) };
            let every = Some(Duration::from_secs(2));
            [
                Step::whole(whole),
                limited(Pictures::All),
                limited(Pictures::KeyFrames { every }),
                limited(Pictures::First),
            ]
        };
        let tile = |(slot, wanted): (&Slot, Option<usize>)| {
            let (camera, step) = wanted.zip(slot.next_step().or_else(|| slot.step()))?;
            let current = steps(camera).iter().position(|known| known == step)?;
            Some(Tile { importance: Importance::default(), steps: needs.to_vec(), moving: 1, current })
        };
        let tiles: Vec<_> =
            self.slots.iter().zip(self.wanted).map(|slot| tile(slot).unwrap_or_default()).collect();
        let chosen = self.allocator.allocate(self.now, estimate, &tiles);
        let burst = (estimate / 2.0) as usize;
        for (index, step) in chosen.into_iter().enumerate() {
            let current = tiles[index].current;
            match self.wanted[index] {
                Some(camera) if step != current => {
                    let change = Change { burst, is_urgent: step > current };
                    self.slots[index].go_to(steps(camera)[step].clone(), change);
                }
                _ => self.slots[index].rejoin(burst),
            }
        }
    }

    fn take_feedback(&mut self) {
        for (_, feedback) in self.back.receive(self.now) {
            match feedback {
                Feedback::Arrivals(reports) => self.pacer.handle_arrivals(self.now, &reports),
                Feedback::Lost(slot, numbers) => self.pacer.handle_lost(slot, &numbers),
                Feedback::KeyframeWanted(slot) => self.slots[slot.0].keyframe_wanted(self.now),
            }
        }
    }

    /// The browser has its turn.
    fn receive(&mut self) {
        let now = self.now;
        let clock = Duration::from_secs(1000) + (now - self.start).mul_f64(1.0 + self.clock_ppm / 1e6);
        for (_, (slot, packet, number)) in self.network.receive(now) {
            self.reports.note(number, clock);
            self.receivers[slot].take(now, &packet);
        }
        for (slot, receiver) in (0..).map(SlotPosition).zip(&mut self.receivers) {
            let missing = receiver.asks_again(now);
            if !missing.is_empty() {
                self.back.send(now, 40, Feedback::Lost(slot, missing));
            }
            if receiver.needs_key_frame(now) {
                self.back.send(now, 40, Feedback::KeyframeWanted(slot));
            }
        }
        if let Some(report) = self.reports.poll(now) {
            self.back.send(now, 100, Feedback::Arrivals(report));
        }
    }
}
