//! Keeps the packets that left on one slot recently, to send them again when they get lost (NACK, RFC 4585 §6.2.1).

use std::collections::{BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use super::Departing;

/// How long packets are kept. A browser repeats its NACK every round trip, and stops waiting for a picture after about this
/// time.
const REMEMBERED_FOR: Duration = Duration::from_secs(1);
/// The most packets that are kept, more than the burst of a large GOP has, so that all of its packets can be sent again.
const REMEMBERED: usize = 4096;

/// The packets of one slot that may be sent again, unchanged to the last byte: with AES-GCM, two packets with the same sequence
/// number and different headers would reveal the authentication key (RFC 7714 §8.1).
#[derive(Debug, Default)]
pub(super) struct Repairs {
    /// The packets in the order in which they left; their sequence numbers have no gap.
    sent: VecDeque<(Instant, Departing)>,
    /// The sequence numbers that the browser reported missing and that were not sent again yet.
    wanted: BTreeSet<u16>,
}

impl Repairs {
    /// Remembers a packet that leaves now.
    pub(super) fn note(&mut self, now: Instant, departing: Departing) {
        self.forget_old(now);
        if self.sent.len() >= REMEMBERED {
            self.sent.pop_front();
        }
        self.sent.push_back((now, departing));
    }

    /// Also where nothing new leaves: on a slow link repairs may be all that does, and those of the past would leave no room for the
    /// present.
    fn forget_old(&mut self, now: Instant) {
        let is_old = |(at, _): &(Instant, Departing)| now.saturating_duration_since(*at) > REMEMBERED_FOR;
        while self.sent.front().is_some_and(is_old) {
            self.sent.pop_front();
        }
    }

    /// Handles a browser's NACK for one packet. A packet that already waits to be sent again is not added twice.
    pub(super) fn request(&mut self, sequence_number: u16) {
        if self.find(sequence_number).is_some() {
            self.wanted.insert(sequence_number);
        }
    }

    /// A key frame with this timestamp has left from which the browser can go on. What left before would only delay the new
    /// picture on a slow link, and would not be shown.
    pub(super) fn forget_before(&mut self, timestamp: u32) {
        while self.sent.front().is_some_and(|(_, sent)| sent.packet.timestamp != timestamp) {
            self.sent.pop_front();
        }
        let wanted = std::mem::take(&mut self.wanted);
        self.wanted = wanted.into_iter().filter(|number| self.find(*number).is_some()).collect();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.wanted.is_empty()
    }

    /// The next packet to send again.
    pub(super) fn pop(&mut self, now: Instant) -> Option<Departing> {
        self.forget_old(now);
        loop {
            let wanted = self.wanted.pop_first()?;
            if let Some(departing) = self.find(wanted) {
                return Some(departing.clone());
            }
        }
    }

    fn find(&self, sequence_number: u16) -> Option<&Departing> {
        let (_, oldest) = self.sent.front()?;
        let (_, departing) =
            self.sent.get(usize::from(sequence_number.wrapping_sub(oldest.packet.sequence_number)))?;
        Some(departing)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::rtp::RtpPacket;

    fn packet(sequence_number: u16) -> Departing {
        let packet = RtpPacket {
            payload_type: 96,
            sequence_number,
            timestamp: u32::from(sequence_number),
            marker: false,
            no_playout_delay: false,
            payload: Bytes::from_static(b"x"),
        };
        Departing { packet, transport_number: 0 }
    }

    fn popped(repairs: &mut Repairs, now: Instant) -> Vec<u16> {
        std::iter::from_fn(|| repairs.pop(now)).map(|departing| departing.packet.sequence_number).collect()
    }

    #[test]
    fn a_packet_is_sent_again_once_per_request_also_across_the_wrap() {
        let now = Instant::now();
        let mut repairs = Repairs::default();
        for number in [65_534, 65_535, 0, 1] {
            repairs.note(now, packet(number));
        }
        for number in [0, 65_535, 0] {
            repairs.request(number);
        }
        assert_eq!(popped(&mut repairs, now), [0, 65_535]);
        repairs.request(0);
        assert_eq!(popped(&mut repairs, now), [0], "it was lost once more");
    }

    #[test]
    fn what_left_before_a_new_key_frame_is_not_sent_again() {
        let now = Instant::now();
        let mut repairs = Repairs::default();
        (0..4).for_each(|number| repairs.note(now, packet(number)));
        repairs.request(1);
        repairs.forget_before(2);
        assert!(repairs.is_empty());
        for number in [1, 2, 3] {
            repairs.request(number);
        }
        assert_eq!(popped(&mut repairs, now), [2, 3]);
    }

    #[test]
    fn packets_never_sent_or_no_longer_kept_are_not_sent_again() {
        let start = Instant::now();
        let mut repairs = Repairs::default();
        repairs.note(start, packet(7));
        repairs.request(8);
        repairs.request(6);
        repairs.note(start + Duration::from_secs(2), packet(8));
        repairs.request(7);
        assert!(popped(&mut repairs, start).is_empty());
        repairs.request(8);
        assert!(
            popped(&mut repairs, start + Duration::from_secs(4)).is_empty(),
            "nothing new has left since"
        );
    }

    #[test]
    fn memory_is_bounded() {
        let now = Instant::now();
        let mut repairs = Repairs::default();
        (0..10_000).for_each(|number| repairs.note(now, packet(number)));
        assert_eq!(repairs.sent.len(), REMEMBERED);
        (0..10_000).for_each(|number| repairs.request(number));
        assert_eq!(repairs.wanted.len(), REMEMBERED);
    }
}
