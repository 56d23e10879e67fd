//! Joins packets of H.264 and H.265 to pictures, whose bounds are found in the NAL units ([`Bounds`]).
//!
//! To wait for the next picture would cost the time between two. So a hint that the picture is whole, such as the marker bit, is
//! believed until one was wrong: the picture then goes on after it. Such a picture is handed out once more, whole and with the mark
//! of a discontinuity, and that kind of hint is not believed any more.

use bytes::Bytes;
use rtc::rtp::Packet;

use super::h26x::{Part, Payloads, Unit};
use super::{Damaged, MAX_UNIT, Picture};
use crate::bitstream::access_unit::{Bounds, ENOUGH_OF_A_SLICE, Place};
use crate::bitstream::nal::NalCodec;

/// What hints that a picture is whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hint {
    /// The marker bit of the last packet.
    Marker,
    /// The next packet has another timestamp.
    Timestamp,
    /// No packet has come for a while.
    Silence,
}

/// The picture that is coming.
#[derive(Debug)]
pub(super) struct Pictures {
    codec: NalCodec,
    bounds: Bounds,
    payloads: Payloads,
    unit: Unit,
    /// Where the NAL units after the last slice begin, which may belong to the next picture.
    tail: Option<usize>,
    state: State,
    /// Whether the present NAL unit is dropped.
    skips: bool,
    /// Whether something was lost since the last picture that was handed out.
    lost: bool,
    /// The timestamp of the last packet.
    timestamp: Option<u32>,
    /// The timestamp of the picture's first slice.
    picture: u32,
    wrong: Vec<Hint>,
}

#[derive(Debug)]
enum State {
    Begun,
    /// It was handed out on this hint.
    HandedOut(Bytes, Hint),
    /// A part of it is missing, or none has come yet: slices are dropped until a picture begins.
    Damaged,
}

impl Pictures {
    pub(super) fn new(codec: NalCodec) -> Self {
        Self {
            codec,
            bounds: Bounds::new(codec),
            payloads: Payloads::new(codec),
            unit: Unit::new(codec),
            tail: None,
            state: State::Damaged,
            skips: false,
            lost: false,
            timestamp: None,
            picture: 0,
            wrong: Vec::new(),
        }
    }

    /// Notes parameter sets that were sent out of band.
    pub(super) fn note(&mut self, sets: &[Bytes]) {
        for set in sets {
            self.bounds.place(set);
        }
    }

    /// Packets are missing before the next one.
    pub(super) fn lose(&mut self) {
        self.lost = true;
        self.state = State::Damaged;
        self.unit = Unit::new(self.codec);
        self.tail = None;
        self.payloads = Payloads::new(self.codec);
        self.bounds.forget_picture();
        self.timestamp = None;
    }

    pub(super) fn push(&mut self, packet: &Packet, done: &mut impl Extend<Picture>) {
        let timestamp = packet.header.timestamp;
        if self.timestamp.is_some_and(|last| last != timestamp) && !self.payloads.in_fragment {
            done.extend(self.hint(Hint::Timestamp));
        }
        self.timestamp = Some(timestamp);
        let mut result = self.payload(&packet.payload, timestamp, done);
        if result.is_err() && self.payloads.in_fragment {
            // A NAL unit without its end. The next one may be whole.
            self.lose();
            result = self.payload(&packet.payload, timestamp, done);
        }
        if result.is_err() || self.unit.len() > MAX_UNIT {
            self.lose();
        }
        if packet.header.marker {
            done.extend(self.hint(Hint::Marker));
        }
    }

    /// Whether [`Self::flush`] would hand out a picture.
    pub(super) fn waits(&self) -> bool {
        matches!(self.state, State::Begun)
            && !self.payloads.in_fragment
            && !self.wrong.contains(&Hint::Silence)
    }

    /// Hands out the picture, as nothing has come for a while.
    pub(super) fn flush(&mut self) -> Option<Picture> {
        self.hint(Hint::Silence)
    }

    fn payload(
        &mut self,
        payload: &[u8],
        timestamp: u32,
        done: &mut impl Extend<Picture>,
    ) -> Result<(), Damaged> {
        let mut payloads = std::mem::replace(&mut self.payloads, Payloads::new(self.codec));
        let result = payloads.push(payload, |part| {
            match part {
                Part::Whole(nal) => done.extend(self.begin(nal, timestamp)),
                Part::First(header, body) => {
                    let mut start = header[..self.codec.header_len()].to_vec();
                    start.extend_from_slice(&body[..body.len().min(ENOUGH_OF_A_SLICE)]);
                    done.extend(self.begin(&start, timestamp));
                }
                Part::Next(_) => {}
            }
            if self.skips { Ok(()) } else { self.unit.push(part) }
        });
        self.payloads = payloads;
        result
    }

    /// A NAL unit begins. Returns the picture that ends before it.
    fn begin(&mut self, nal: &[u8], timestamp: u32) -> Option<Picture> {
        let mut done = None;
        self.skips = false;
        match self.bounds.place(nal) {
            Place::Begins { first } => {
                done = self.hand_out();
                self.picture = timestamp;
                if first || !self.is_damaged() {
                    self.state = State::Begun;
                }
                self.continues();
            }
            Place::Continues => {
                if let State::HandedOut(data, hint) = &self.state {
                    self.wrong.push(*hint);
                    self.unit.put_first(data);
                    self.lost = true;
                    self.state = State::Begun;
                }
                self.continues();
            }
            Place::Before => self.tail = self.tail.or(Some(self.unit.len())),
            // What comes after a picture that was handed out, such as filler, is of no use any more.
            Place::Within => self.skips = !matches!(self.state, State::Begun),
        }
        done
    }

    /// A slice of the present picture begins.
    fn continues(&mut self) {
        self.tail = None;
        self.skips = self.is_damaged();
        if self.skips {
            self.unit = Unit::new(self.codec);
        }
    }

    fn is_damaged(&self) -> bool {
        matches!(self.state, State::Damaged)
    }

    /// The picture may be whole. A hint in the middle of a NAL unit is wrong.
    fn hint(&mut self, hint: Hint) -> Option<Picture> {
        if !matches!(self.state, State::Begun) || self.wrong.contains(&hint) {
            return None;
        }
        if self.payloads.in_fragment {
            self.wrong.push(hint);
            return None;
        }
        let picture = self.hand_out()?;
        self.state = State::HandedOut(picture.data.clone(), hint);
        Some(picture)
    }

    /// The picture so far, if it is not handed out already.
    fn hand_out(&mut self) -> Option<Picture> {
        if !matches!(self.state, State::Begun) {
            return None;
        }
        let len = self.tail.unwrap_or(self.unit.len());
        self.tail = self.tail.map(|_| 0);
        let data = self.unit.take(len).freeze();
        Some(Picture { rtp_timestamp: self.picture, discontinuity: std::mem::take(&mut self.lost), data })
    }
}
