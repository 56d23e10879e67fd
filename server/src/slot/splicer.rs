//! Frames of one stream after another, made into one RTP stream that a decoder follows without noticing.
//!
//! After a cut the GOP so far leaves as a burst whose timestamps are [`BURST_SPACING`] apart and end at *live*: the decoder
//! runs through it as fast as it can and stands at the present, where the original spacing would leave the GOP's length as
//! lasting latency.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::media::{Frame, Timestamp90k};
use crate::rtp::RtpPacket;

/// Ticks between the frames of a burst: distinct for every receiver, and 5 s of frames still span less than 17 ms.
const BURST_SPACING: u64 = 10;
/// Frames that may wait. More means that the connection does not keep up: then only the newest GOP is worth sending.
const MAX_WAITING: usize = 900;
/// A slot that is further behind than this goes on at the next key frame instead of playing what it missed.
const MAX_BEHIND: usize = 5;

/// A packet that may leave now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Released {
    pub packet: RtpPacket,
    /// It is the last packet of the first key frame after a cut or a refresh: from now on the stream is on the screen.
    pub shows_stream: bool,
}

#[derive(Debug)]
struct Waiting {
    frame: Arc<Frame>,
    payload_type: u8,
    /// Where on the timeline it shall stand: its own timestamp, or the compressed one of a burst.
    place: Timestamp90k,
    /// Number of the stream that it belongs to.
    stream: u64,
}

/// One outgoing RTP stream. Numbers are given as packets leave, so what is dropped before that leaves no hole.
#[derive(Debug)]
pub struct Splicer {
    waiting: VecDeque<Waiting>,
    /// Payloads of the front frame that have left.
    sent_of_front: usize,
    sequence_number: u16,
    /// Added to the timeline (RFC 3550 §5.1: the initial timestamp is random).
    timestamp_offset: u64,
    /// Of the last frame that left, or of the one that is leaving.
    last_timestamp: Option<u64>,
    /// From a cut until nothing waits any more.
    catching_up: bool,
    /// Counts the streams, so that the end of the old one's last frame is not taken for the new one's.
    stream: u64,
    /// No key frame of this stream was sent since the cut or the refresh.
    awaits_picture: bool,
    /// Too much was waiting: nothing is taken until the next key frame.
    skipping: bool,
}

impl Splicer {
    /// A stream that starts at these numbers; they should be random.
    pub fn new(sequence_number: u16, timestamp_offset: u32) -> Self {
        Self {
            waiting: VecDeque::new(),
            sent_of_front: 0,
            sequence_number,
            timestamp_offset: u64::from(timestamp_offset),
            last_timestamp: None,
            catching_up: false,
            stream: 0,
            awaits_picture: false,
            skipping: false,
        }
    }

    /// Continues with another stream: `gop`, oldest first, its last frame live. What waited of the old one is dropped, but
    /// for a frame of which a part has left already.
    pub fn cut(&mut self, gop: &[Arc<Frame>], payload_type: u8) {
        self.stream += 1;
        self.refresh(gop, payload_type);
    }

    /// Continues with the same stream from its key frame.
    pub fn refresh(&mut self, gop: &[Arc<Frame>], payload_type: u8) {
        self.drop_waiting();
        self.skipping = false;
        self.catching_up = true;
        self.awaits_picture = true;
        let Some(live) = gop.last().map(|frame| frame.timestamp) else { return };
        for (index, frame) in gop.iter().enumerate() {
            let before_live = (gop.len() - 1 - index) as u64;
            self.waiting.push_back(Waiting {
                frame: frame.clone(),
                payload_type,
                place: live - before_live * BURST_SPACING,
                stream: self.stream,
            });
        }
    }

    /// Adds the next live frame of the stream that was cut to.
    pub fn push(&mut self, frame: Arc<Frame>, payload_type: u8) {
        if frame.keyframe && self.catching_up && self.waiting.len() > MAX_BEHIND {
            // The present is at hand.
            self.drop_waiting();
        } else if self.waiting.len() >= MAX_WAITING {
            self.drop_waiting();
            self.skipping = true;
        }
        if self.skipping && !frame.keyframe {
            return;
        }
        self.skipping = false;
        let place = frame.timestamp;
        self.waiting.push_back(Waiting { frame, payload_type, place, stream: self.stream });
    }

    /// Ends the stream: nothing more of it is sent but the rest of a frame that is half sent.
    pub fn clear(&mut self) {
        self.drop_waiting();
        self.stream += 1;
        self.awaits_picture = false;
    }

    /// A frame that is half sent is finished: a decoder copes with a missing frame better than with a torn one.
    fn drop_waiting(&mut self) {
        self.waiting.truncate(usize::from(self.sent_of_front > 0));
    }

    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// What waits is a burst, and not a live frame.
    pub fn is_catching_up(&self) -> bool {
        self.catching_up && !self.waiting.is_empty()
    }

    /// The next packet.
    pub fn pop(&mut self) -> Option<Released> {
        let front = self.waiting.front()?;
        if self.sent_of_front == 0 {
            // Strictly forward, whatever the old stream's last timestamp was.
            let wanted = front.place.0 + self.timestamp_offset;
            let earliest = self.last_timestamp.map_or(wanted, |last| last + BURST_SPACING);
            self.last_timestamp = Some(wanted.max(earliest));
        }
        let timestamp = self.last_timestamp.unwrap_or_default() as u32;
        let payload = front.frame.payloads[self.sent_of_front].clone();
        self.sent_of_front += 1;
        let marker = self.sent_of_front == front.frame.payloads.len();
        let packet = RtpPacket {
            payload_type: front.payload_type,
            sequence_number: self.sequence_number,
            timestamp,
            marker,
            // Receivers remember it, so it goes with key frames only; with all their packets, in case some are lost.
            no_playout_delay: front.frame.keyframe,
            // A burst is what measures the path; a steady stream costs no reports.
            report_arrival: self.catching_up,
            payload,
        };
        let shows_stream =
            marker && self.awaits_picture && front.frame.keyframe && front.stream == self.stream;
        self.awaits_picture &= !shows_stream;
        self.sequence_number = self.sequence_number.wrapping_add(1);
        if marker {
            self.waiting.pop_front();
            self.sent_of_front = 0;
            self.catching_up &= !self.waiting.is_empty();
        }
        Some(Released { packet, shows_stream })
    }
}
