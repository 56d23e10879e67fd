//! A receiver of one slot on virtual time, which decodes as a browser does: it asks again for what is missing, jumps to a key frame
//! where that helps, and asks for one where it does not.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use crate::rtp::RtpPacket;

const ASK_AGAIN_AFTER: Duration = Duration::from_millis(50);
const MOST_ASKED: u8 = 10;
/// A browser that gets packets and no picture for this long asks for a key frame, and again after as long.
const PATIENCE: Duration = Duration::from_millis(300);
/// More missing packets than this are given up.
const MOST_MISSING: usize = 500;

/// A frame as the test cameras label it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Picture {
    pub(super) camera: u8,
    pub(super) number: u8,
}

#[derive(Debug)]
struct Arriving {
    picture: Picture,
    is_key: bool,
    packets: usize,
    arrived: BTreeSet<u16>,
}

#[derive(Debug, Default)]
pub(super) struct Receiver {
    newest: Option<u16>,
    /// The missing sequence numbers: when each was asked for last, and how often.
    missing: BTreeMap<u16, (Option<Instant>, u8)>,
    /// By timestamp, which goes on where 32 bits end.
    frames: BTreeMap<i64, Arriving>,
    latest: i64,
    decoded: Option<(i64, Picture)>,
    decoded_at: Option<Instant>,
    packet_at: Option<Instant>,
    asked_at: Option<Instant>,
}

impl Receiver {
    pub(super) fn take(&mut self, now: Instant, packet: &RtpPacket) {
        self.note_number(packet.sequence_number);
        let [camera, is_key, number, _, packets, ..] = packet.payload[..] else { return };
        self.packet_at = Some(now);
        self.latest += i64::from(packet.timestamp.wrapping_sub(self.latest as u32).cast_signed());
        let frame = self.frames.entry(self.latest).or_insert_with(|| Arriving {
            picture: Picture { camera, number },
            is_key: is_key == 1,
            packets: packets.into(),
            arrived: BTreeSet::new(),
        });
        frame.arrived.insert(packet.sequence_number);
        self.decode(now);
    }

    fn note_number(&mut self, number: u16) {
        let ahead = self.newest.map_or(1, |newest| number.wrapping_sub(newest).cast_signed());
        if ahead <= 0 {
            self.missing.remove(&number);
            return;
        }
        self.newest = Some(number);
        for before in 1..ahead {
            self.missing.insert(number.wrapping_sub(before as u16), (None, 0));
        }
        if self.missing.len() > MOST_MISSING {
            self.missing.clear();
        }
    }

    fn decode(&mut self, now: Instant) {
        loop {
            let after = self.decoded.map_or(i64::MIN, |(at, _)| at + 1);
            let shown = self.decoded.map(|(_, picture)| picture);
            let next = self.frames.range(after..).find(|(_, frame)| {
                let follows = shown.is_some_and(|shown| {
                    shown.camera == frame.picture.camera
                        && shown.number.wrapping_add(1) == frame.picture.number
                });
                frame.arrived.len() == frame.packets && (frame.is_key || follows)
            });
            let Some((&at, frame)) = next else { return };
            self.decoded = Some((at, frame.picture));
            self.decoded_at = Some(now);
            self.frames = self.frames.split_off(&at);
        }
    }

    /// The last picture, and when it was decoded.
    pub(super) fn shows(&self) -> Option<(Picture, Instant)> {
        self.decoded.map(|(_, picture)| picture).zip(self.decoded_at)
    }

    /// The packets to ask for now (NACK).
    pub(super) fn asks_again(&mut self, now: Instant) -> Vec<u16> {
        self.missing.retain(|_, (_, asked)| *asked < MOST_ASKED);
        let due = |at: &Option<Instant>| at.is_none_or(|at| now - at >= ASK_AGAIN_AFTER);
        let due = self.missing.iter_mut().filter(|(_, (at, _))| due(at));
        due.map(|(number, (at, asked))| {
            *at = Some(now);
            *asked += 1;
            *number
        })
        .collect()
    }

    /// Whether to ask for a key frame now (PLI).
    pub(super) fn needs_key_frame(&mut self, now: Instant) -> bool {
        let is_within = |at: Option<Instant>| at.is_some_and(|at| now - at < PATIENCE);
        let needs = is_within(self.packet_at) && !is_within(self.decoded_at) && !is_within(self.asked_at);
        if needs {
            self.asked_at = Some(now);
        }
        needs
    }
}
