//! Joins the frames of successive streams into one continuous RTP stream, so that the decoder does not notice a switch.
//!
//! After a cut the GOP so far is sent as a burst whose timestamps are [`BURST_SPACING`] apart and end at the live frame's own.
//! The decoder decodes it as fast as it can and is then live; with the original spacing, the length of the GOP would remain as
//! latency.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;

use crate::media::{Frame, Timestamp90k};
use crate::rtp::RtpPacket;

/// The ticks of 90 kHz between two frames of a burst: enough for every receiver to tell the timestamps apart, and 150 frames (5
/// s at 30 fps) span less than 17 ms.
const BURST_SPACING: u64 = 10;
/// The limit of waiting frames. With more of them the connection is too slow, and only the newest GOP is worth sending.
const MAX_WAITING: usize = 900;
/// A slot with more frames to catch up than this continues at the next key frame and skips what it missed.
const MAX_BEHIND: usize = 5;
/// The most packets of a half-sent frame that still leave when the slot changes to another stream.
const LITTLE_LEFT: usize = 20;

/// A packet that may leave now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Released {
    pub packet: RtpPacket,
    /// Whether it is the last packet of the first key frame after a cut or a refresh. Once the browser has it, it can show the
    /// stream.
    pub shows_stream: bool,
}

#[derive(Debug)]
struct Waiting {
    frame: Arc<Frame>,
    payload_type: u8,
    /// The timestamp to send it with, before `timestamp_offset` is added: the frame's own, or the compressed one of a burst.
    place: Timestamp90k,
    /// The value of [`Splicer::stream`] when the frame was queued.
    stream: u64,
}

/// One outgoing RTP stream. Sequence numbers are assigned as packets leave, so frames that are dropped before leave no gap.
#[derive(Debug)]
pub struct Splicer {
    waiting: VecDeque<Waiting>,
    /// How many payloads of the front frame have left.
    sent_of_front: usize,
    sequence_number: u16,
    /// Added to every timestamp (RFC 3550 §5.1: the initial timestamp is random).
    timestamp_offset: u64,
    /// The timestamp of the last frame that left, or of the one that is leaving.
    last_timestamp: Option<u64>,
    /// The payload type of the last packet that left.
    last_payload_type: Option<u8>,
    /// Whether a burst is being sent: from a cut until no frame waits.
    catching_up: bool,
    /// Counts the streams so far. By it the rest of an old stream's key frame is not taken for the new stream's key frame.
    stream: u64,
    /// Whether no complete key frame was sent yet since the last cut or refresh.
    awaits_picture: bool,
    /// Whether frames are dropped until the next key frame, because too many waited.
    skipping: bool,
    /// The packets that were given up since [`Self::take_dropped`].
    dropped: u64,
}

impl Splicer {
    /// An outgoing RTP stream whose first packet has this sequence number, and whose timestamps have this offset. Both should
    /// be random (RFC 3550 §5.1).
    pub fn new(sequence_number: u16, timestamp_offset: u32) -> Self {
        Self {
            waiting: VecDeque::new(),
            sent_of_front: 0,
            sequence_number,
            timestamp_offset: u64::from(timestamp_offset),
            last_timestamp: None,
            last_payload_type: None,
            catching_up: false,
            stream: 0,
            awaits_picture: false,
            skipping: false,
            dropped: 0,
        }
    }

    /// Continues with another stream: `gop` is its frames since the last key frame, oldest first; the last one is live. Waiting
    /// frames of the old stream are dropped, except one of which a part has left and little is left. The rest of a large key frame
    /// would keep the new stream from a slow link for seconds; the receiver drops what it has of it.
    pub fn cut(&mut self, gop: &[Arc<Frame>], payload_type: u8) {
        self.stream += 1;
        let left = self.waiting.front().map_or(0, |front| front.frame.payloads.len() - self.sent_of_front);
        if self.sent_of_front > 0 && left > LITTLE_LEFT {
            self.waiting.pop_front();
            self.sent_of_front = 0;
        }
        self.refresh(gop, payload_type);
    }

    /// Sends the GOP of the same stream again, from its key frame on. Waiting frames are dropped as in [`Self::cut`].
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

    /// Queues the next live frame of the stream that was last cut to.
    pub fn push(&mut self, frame: Arc<Frame>, payload_type: u8) {
        if frame.keyframe && self.catching_up && self.waiting.len() > MAX_BEHIND {
            // Continue at this key frame, which is live.
            self.give_up_waiting();
        } else if self.waiting.len() >= MAX_WAITING {
            self.give_up_waiting();
            self.skipping = true;
        }
        if self.skipping && !frame.keyframe {
            self.dropped += frame.payloads.len() as u64;
            return;
        }
        self.skipping = false;
        let place = frame.timestamp;
        self.waiting.push_back(Waiting { frame, payload_type, place, stream: self.stream });
    }

    /// Ends the stream; only the rest of a frame of which a part has left is still sent.
    pub fn clear(&mut self) {
        self.drop_waiting();
        self.stream += 1;
        self.awaits_picture = false;
    }

    /// Drops the waiting frames, except one of which a part has left: a decoder handles a missing frame better than an
    /// incomplete one.
    fn drop_waiting(&mut self) {
        self.waiting.truncate(usize::from(self.sent_of_front > 0));
    }

    /// Like [`Self::drop_waiting`], where the path carries less than the stream needs.
    fn give_up_waiting(&mut self) {
        let begun = usize::from(self.sent_of_front > 0);
        let packets = |waiting: &Waiting| waiting.frame.payloads.len() as u64;
        self.dropped += self.waiting.iter().skip(begun).map(packets).sum::<u64>();
        self.drop_waiting();
    }

    /// How many packets were given up since this was called last, as the path carries less than the stream needs.
    pub fn take_dropped(&mut self) -> u64 {
        std::mem::take(&mut self.dropped)
    }

    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Drops the waiting frames that are no key frames, except one of which a part has left, and the frames up to the next key
    /// frame, which would depend on them.
    pub fn drop_deltas(&mut self) {
        let mut begun = self.sent_of_front > 0;
        self.waiting.retain(|waiting| std::mem::take(&mut begun) || waiting.frame.keyframe);
        self.catching_up &= !self.waiting.is_empty();
    }

    /// Whether the waiting frames are a burst rather than live frames.
    pub fn is_catching_up(&self) -> bool {
        self.catching_up && !self.waiting.is_empty()
    }

    /// The next packet.
    pub fn pop(&mut self) -> Option<Released> {
        let front = self.waiting.front()?;
        if self.sent_of_front == 0 {
            // Timestamps only increase, whatever the old stream's last one was.
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
            // A receiver remembers the limit, so key frames suffice. Every packet of one carries it, in case some are lost.
            no_playout_delay: front.frame.keyframe,
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
        self.last_payload_type = Some(packet.payload_type);
        Some(Released { packet, shows_stream })
    }

    /// A packet without payload, if one may be sent now: between two frames, of which one has left already.
    pub fn pop_padding(&mut self) -> Option<RtpPacket> {
        let timestamp = self.last_timestamp.filter(|_| self.sent_of_front == 0)? as u32;
        let packet = RtpPacket {
            payload_type: self.last_payload_type?,
            sequence_number: self.sequence_number,
            timestamp,
            marker: false,
            no_playout_delay: false,
            payload: Bytes::new(),
        };
        self.sequence_number = self.sequence_number.wrapping_add(1);
        Some(packet)
    }
}
