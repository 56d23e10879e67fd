//! Counts a viewer's RTP packets for each slot, and waits for the counts to grow.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rtc::rtp::header::Header;

use crate::ViewerError;
use crate::control::PATIENCE;

/// The counts of one slot.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SlotCounts {
    pub packets: u64,
    pub bytes: u64,
    /// Pictures, by their marker bits.
    pub frames: u64,
    /// Sequence numbers that never came.
    pub lost: u64,
    /// Timestamps that went back.
    pub backwards: u64,
    pub payload_type: u8,
    last_sequence: Option<u16>,
    last_timestamp: Option<u32>,
    last_frame_at: Option<Instant>,
    longest_gap: Duration,
}

impl SlotCounts {
    fn count(&mut self, now: Instant, header: &Header, bytes: usize) {
        self.packets += 1;
        self.bytes += bytes as u64;
        self.frames += u64::from(header.marker);
        if header.marker {
            let gap = self.last_frame_at.replace(now).map_or(Duration::ZERO, |last| now - last);
            self.longest_gap = self.longest_gap.max(gap);
        }
        self.payload_type = header.payload_type;
        let ahead = self.last_sequence.map_or(1, |last| header.sequence_number.wrapping_sub(last));
        // A number more than half the number space ahead is one from behind: a repair, which takes back a loss that was
        // counted (RFC 3550, appendix A.1, compares in the same way).
        if ahead >= 1 << 15 {
            self.lost = self.lost.saturating_sub(1);
            return;
        }
        self.lost += u64::from(ahead.saturating_sub(1));
        let back = self.last_timestamp.is_some_and(|last| header.timestamp.wrapping_sub(last) >= 1 << 31);
        self.backwards += u64::from(back);
        self.last_sequence = Some(header.sequence_number);
        self.last_timestamp = Some(header.timestamp);
    }

    /// The longest time without a picture since `start`, the time since the last one included.
    fn longest_gap(&self, start: Instant, now: Instant) -> Duration {
        let silent_since = self.last_frame_at.unwrap_or(start).max(start);
        self.longest_gap.max(now.saturating_duration_since(silent_since))
    }
}

/// The counts of all slots of a viewer, shared between the task that receives and the test.
#[derive(Debug, Clone, Default)]
pub struct Tally(Arc<Mutex<BTreeMap<u32, SlotCounts>>>);

impl Tally {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<u32, SlotCounts>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a packet that arrived just now on `slot`, with `bytes` of payload.
    pub fn count(&self, slot: u32, header: &Header, bytes: usize) {
        self.lock().entry(slot).or_default().count(Instant::now(), header, bytes);
    }

    /// What arrived so far, by slot index.
    pub fn counts(&self) -> BTreeMap<u32, SlotCounts> {
        self.lock().clone()
    }

    /// Waits until each of `slots` slots has got `frames` more pictures than now.
    pub async fn until_frames(&self, slots: usize, frames: u64) -> Result<(), ViewerError> {
        let before = self.counts();
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            let counts = self.counts();
            let got = |(slot, counts): (&u32, &SlotCounts)| {
                counts.frames >= before.get(slot).map_or(0, |before| before.frames) + frames
            };
            if counts.len() == slots && counts.iter().all(got) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Err(ViewerError::Silence { expected: "pictures on every slot", last: format!("{:?}", self.counts()) })
    }

    /// The longest time without a picture on each slot, from now on and for `time`.
    pub async fn longest_gaps(&self, time: Duration) -> BTreeMap<u32, Duration> {
        let start = Instant::now();
        for counts in self.lock().values_mut() {
            counts.longest_gap = Duration::ZERO;
        }
        tokio::time::sleep(time).await;
        let now = Instant::now();
        self.lock().iter().map(|(slot, counts)| (*slot, counts.longest_gap(start, now))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Duration = Duration::from_millis(33);

    /// Counts packets of one picture each, 33 ms apart.
    fn counted(packets: &[(u16, u32)]) -> SlotCounts {
        let start = Instant::now();
        let mut counts = SlotCounts::default();
        for (number, (sequence_number, timestamp)) in (0..).zip(packets) {
            let header = Header {
                sequence_number: *sequence_number,
                timestamp: *timestamp,
                marker: true,
                ..Header::default()
            };
            counts.count(start + FRAME * number, &header, 100);
        }
        counts
    }

    #[test]
    fn a_gap_in_the_numbers_is_a_loss_until_a_repair_fills_it() {
        assert_eq!(counted(&[(65534, 0), (65535, 1), (1, 3)]).lost, 1);
        assert_eq!(counted(&[(65534, 0), (65535, 1), (1, 3), (0, 2)]).lost, 0);
    }

    #[test]
    fn a_timestamp_that_goes_back_is_counted_and_one_that_wraps_is_not() {
        assert_eq!(counted(&[(1, 9000), (2, 6000)]).backwards, 1);
        assert_eq!(counted(&[(1, u32::MAX), (2, 3000)]).backwards, 0);
    }

    #[test]
    fn the_longest_gap_includes_the_time_since_the_last_picture() {
        let start = Instant::now();
        let mut counts = SlotCounts::default();
        for number in 0..3 {
            let header = Header { marker: true, sequence_number: number, ..Header::default() };
            counts.count(start + FRAME * u32::from(number), &header, 100);
        }
        assert_eq!(counts.longest_gap(start, start + FRAME * 2), FRAME);
        assert_eq!(counts.longest_gap(start, start + FRAME * 12), FRAME * 10);
    }
}
