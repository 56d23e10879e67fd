//! Joins RTP packets to access units.
//!
//! Packets must come in order. A picture with a missing packet is dropped, and the next complete one is marked with a
//! discontinuity.

mod av1;
mod bounded;
mod h26x;
mod marked;
mod vpx;

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};
use rtc::rtp::Packet;

use self::bounded::Pictures;
use self::marked::Marked;
use crate::bitstream::nal::NalCodec;
use crate::bitstream::{Codec, annex_b};

/// The largest access unit; a longer one is dropped.
const MAX_UNIT: usize = 32 << 20;

/// A picture with the timestamp of its packets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    pub rtp_timestamp: u32,
    /// Whether a packet or a picture before it was lost.
    pub discontinuity: bool,
    pub data: Bytes,
}

/// Joins the packets of one stream.
#[derive(Debug)]
pub struct Depacketizer {
    /// Parameter sets that were sent out of band and are put before the first picture.
    parameter_sets: Vec<Bytes>,
    next_sequence: Option<u16>,
    joined: Joined,
    done: VecDeque<Picture>,
}

/// A payload is invalid, or does not follow the one before it.
#[derive(Debug, Clone, Copy)]
struct Damaged;

/// The picture that is coming.
#[derive(Debug)]
enum Joined {
    Bounded(Pictures),
    Marked(Marked),
}

impl Depacketizer {
    pub fn new(codec: Codec, parameter_sets: Vec<Bytes>) -> Self {
        let joined = match codec.nal() {
            Some(codec) => {
                let mut pictures = Pictures::new(codec);
                pictures.note(&parameter_sets);
                Joined::Bounded(pictures)
            }
            None => Joined::Marked(Marked::new(codec)),
        };
        Self { parameter_sets, next_sequence: None, joined, done: VecDeque::new() }
    }

    /// Handles the next packet. Call [`Self::pop`] afterwards until it returns `None`.
    pub fn push(&mut self, packet: &Packet) {
        let number = packet.header.sequence_number;
        let is_gap = self.next_sequence.is_some_and(|expected| expected != number);
        self.next_sequence = Some(number.wrapping_add(1));
        match &mut self.joined {
            Joined::Bounded(pictures) => {
                if is_gap {
                    pictures.lose();
                }
                pictures.push(packet, &mut self.done);
            }
            Joined::Marked(marked) => {
                if is_gap {
                    marked.lose();
                }
                marked.push(packet, &mut self.done);
            }
        }
    }

    pub fn pop(&mut self) -> Option<Picture> {
        let mut picture = self.done.pop_front()?;
        if !self.parameter_sets.is_empty() {
            let sets = annex_b::join(&std::mem::take(&mut self.parameter_sets));
            picture.data = [sets, picture.data].concat().into();
        }
        Some(picture)
    }

    /// Whether the last packets may be a whole picture that [`Self::flush`] would hand out. Call that when no packet has come for
    /// a while.
    pub fn waits(&self) -> bool {
        matches!(&self.joined, Joined::Bounded(pictures) if pictures.waits())
    }

    /// Hands out the picture whose end was not marked. Call [`Self::pop`] afterwards.
    pub fn flush(&mut self) {
        if let Joined::Bounded(pictures) = &mut self.joined {
            self.done.extend(pictures.flush());
        }
    }
}

/// Joins all payloads of an access unit, in order. `None` if one is missing or invalid.
pub fn join(codec: Codec, payloads: &[Bytes]) -> Option<Bytes> {
    let data = match codec {
        Codec::H264 => h26x::join(NalCodec::H264, payloads.iter().map(|payload| &**payload)),
        Codec::H265 => h26x::join(NalCodec::H265, payloads.iter().map(|payload| &**payload)),
        Codec::Vp8 | Codec::Vp9 | Codec::Av1 => marked::join(codec, payloads),
    };
    data.ok().map(BytesMut::freeze)
}

#[cfg(test)]
mod tests;
