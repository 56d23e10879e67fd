//! Several slots behind a network on virtual time: the real slots and the real pacer send, and the receiver reports arrivals
//! and asks for lost packets as Chromium does.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use multistream_testkit::{Network, NetworkConditions};

use super::reports::Reports;
use crate::egress::{Departing, Pacer};
use crate::media::{Codec, Frame, Timestamp90k};
use crate::rtp::{ArrivalReport, SlotPosition};
use crate::slot::Slot;
use crate::slot::tests::{Camera, FRAME_TICKS, drain, showing, tag};

pub(super) const MS: Duration = Duration::from_millis(1);
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(50);
const FRAME_EVERY_MS: u32 = 33;
const PAYLOAD: Bytes = Bytes::from_static(&[1; 1200]);

enum Feedback {
    Arrivals(Vec<ArrivalReport>),
    Lost(SlotPosition, Vec<u16>),
}

/// The receiver's state of one slot's stream.
#[derive(Default)]
pub(super) struct Received {
    /// The missing sequence numbers, each with the time of its last request.
    missing: BTreeMap<u16, Option<Instant>>,
    newest: Option<u16>,
    /// When the last packet of a key frame arrived.
    pub(super) key_frame_at: Option<Instant>,
    pub(super) packets: usize,
    /// Of how many packets the last key frame consists.
    key_packets: usize,
    /// The first and last number of a key frame of which packets are missing.
    key_frame: Option<(u16, u16)>,
}

pub(super) struct Wall {
    start: Instant,
    pub(super) now: Instant,
    pacer: Pacer,
    pub(super) slots: Vec<Slot>,
    pub(super) network: Network<(SlotPosition, Departing)>,
    back: Network<Feedback>,
    pub(super) received: Vec<Received>,
    /// How much faster the receiver's clock runs than the server's.
    pub(super) clock_ppm: f64,
    /// How often the receiver's process runs; packets count as arrived when it does.
    pub(super) busy: Option<Duration>,
    reports: Reports,
    frames: u64,
    frame_in_ms: u32,
    /// The number of packets of a live frame, by slot.
    pub(super) live_packets: usize,
}

fn frame(keyframe: bool, timestamp: u64, packets: usize) -> Arc<Frame> {
    Arc::new(Frame {
        codec: Codec::H264,
        timestamp: Timestamp90k(timestamp),
        keyframe,
        dimensions: None,
        display: None,
        payloads: vec![PAYLOAD; packets].into(),
    })
}

impl Wall {
    pub(super) fn new(slots: usize, conditions: NetworkConditions, seed: u64) -> Self {
        let mut now = Instant::now();
        let slots: Vec<Slot> = (0..slots)
            .map(|id| {
                let (mut slot, at) = showing(&mut Camera::new(id as u8, Codec::H264, 50), 1);
                drain(&mut slot);
                now = at;
                slot
            })
            .collect();
        Self {
            start: now,
            now,
            pacer: Pacer::new(now, slots.len()),
            received: slots.iter().map(|_| Received::default()).collect(),
            slots,
            network: Network::new(now, conditions, seed),
            back: Network::new(now, NetworkConditions::default(), seed),
            clock_ppm: 0.0,
            busy: None,
            reports: Reports::new(now),
            frames: 1000,
            frame_in_ms: 0,
            live_packets: 1,
        }
    }

    /// Cuts a slot to a GOP: a key frame, and delta frames of one packet each.
    pub(super) fn cut(&mut self, slot: usize, key_packets: usize, delta_frames: u64) {
        let first = self.frames - delta_frames.min(self.frames);
        let gop: Vec<_> = (first..=self.frames)
            .map(|number| {
                let key = number == first;
                frame(key, 1_000_000 + number * FRAME_TICKS, if key { key_packets } else { 1 })
            })
            .collect();
        self.received[slot].key_frame_at = None;
        self.received[slot].key_packets = key_packets;
        self.slots[slot].handle_gop(self.now, tag(0), &gop);
    }

    /// Cuts a slot as [`Self::cut`] does, and runs for `ms`. Returns when its key frame had arrived, if it has.
    pub(super) fn switch(
        &mut self,
        slot: usize,
        key_packets: usize,
        delta_frames: u64,
        ms: u32,
    ) -> Option<Duration> {
        let at = self.now;
        self.cut(slot, key_packets, delta_frames);
        self.run(ms);
        self.received[slot].key_frame_at.map(|arrived| arrived - at)
    }

    /// Passes this time without sending anything.
    pub(super) fn idle(&mut self, how_long: Duration) {
        self.run(500);
        self.now += how_long;
        self.reports.skip_to(self.now);
    }

    /// Passes this many milliseconds, with live frames on all slots.
    pub(super) fn run(&mut self, ms: u32) {
        for _ in 0..ms {
            self.now += MS;
            if self.frame_in_ms == 0 {
                self.frame_in_ms = FRAME_EVERY_MS;
                self.frames += 1;
                let live = frame(false, 1_000_000 + self.frames * FRAME_TICKS, self.live_packets);
                self.slots.iter_mut().for_each(|slot| slot.handle_frame(self.now, tag(0), live.clone()));
            }
            self.frame_in_ms -= 1;
            self.take_feedback();
            let (network, now) = (&mut self.network, self.now);
            self.pacer.release(now, &mut self.slots, |slot, departing| {
                network.send(now, departing.packet.wire_bytes(), (slot, departing));
            });
            for slot in &mut self.slots {
                while slot.poll_action().is_some() {}
            }
            self.receive();
        }
    }

    fn take_feedback(&mut self) {
        for (_, feedback) in self.back.receive(self.now) {
            match feedback {
                Feedback::Arrivals(reports) => self.pacer.handle_arrivals(self.now, &reports),
                Feedback::Lost(slot, numbers) => self.pacer.handle_lost(slot, &numbers),
            }
        }
    }

    /// The time on the receiver's clock, whose zero differs from the server's.
    fn receiver_clock(&self, at: Instant) -> Duration {
        let mut since = at - self.start;
        if let Some(every) = self.busy {
            since = every * (since.as_nanos().div_ceil(every.as_nanos()) as u32);
        }
        Duration::from_secs(1000) + since.mul_f64(1.0 + self.clock_ppm / 1e6)
    }

    fn receive(&mut self) {
        for (at, (slot, departing)) in self.network.receive(self.now) {
            let arrived = self.receiver_clock(at);
            self.reports.note(departing.transport_number, arrived);
            self.received[slot.0].take(at, &departing);
        }
        for (slot, received) in (0..).map(SlotPosition).zip(&mut self.received) {
            let numbers = received.requests(self.now);
            if !numbers.is_empty() {
                self.back.send(self.now, 20, Feedback::Lost(slot, numbers));
            }
        }
        if let Some(report) = self.reports.poll(self.now) {
            self.back.send(self.now, 100, Feedback::Arrivals(report));
        }
    }

    pub(super) fn missing(&self) -> usize {
        self.received.iter().map(|received| received.missing.len()).sum()
    }

    pub(super) fn estimate(&self) -> f64 {
        self.pacer.estimate()
    }
}

impl Received {
    fn take(&mut self, at: Instant, departing: &Departing) {
        let packet = &departing.packet;
        let number = packet.sequence_number;
        self.packets += 1;
        let ahead = self.newest.map_or(1, |newest| number.wrapping_sub(newest).cast_signed());
        if ahead > 0 {
            for before in 1..ahead {
                self.missing.insert(number.wrapping_sub(before as u16), None);
            }
            self.newest = Some(number);
        } else {
            self.missing.remove(&number);
        }
        if packet.no_playout_delay && packet.marker {
            self.key_frame_at.get_or_insert(at);
            self.key_frame = Some((number.wrapping_sub(self.key_packets as u16 - 1), number));
        }
        // With a whole key frame, what is missing before is no longer of use.
        let is_before = |number: u16, first: u16| number.wrapping_sub(first).cast_signed() < 0;
        if let Some((first, last)) = self.key_frame
            && !self.missing.keys().any(|number| !is_before(*number, first) && !is_before(last, *number))
        {
            self.missing.retain(|number, _| !is_before(*number, first));
            self.key_frame = None;
        }
    }

    fn requests(&mut self, now: Instant) -> Vec<u16> {
        let due = |asked: &Option<Instant>| asked.is_none_or(|at| now - at >= ASK_AGAIN_AFTER);
        let requests = self.missing.iter_mut().filter(|(_, asked)| due(asked)).map(|(number, asked)| {
            *asked = Some(now);
            *number
        });
        requests.collect()
    }
}
