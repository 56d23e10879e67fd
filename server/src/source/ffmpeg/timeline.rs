//! Timestamps through ffmpeg: the media timeline of the input → Matroska's milliseconds → RTP's 90 kHz from a random start →
//! the timeline again.
//!
//! ffmpeg passes timestamps through, so the first output picture is the first input picture, and the distance of each later one
//! identifies its input picture, whose exact timestamp it gets. A variant is thus on its camera's timeline to the tick; the
//! time that transcoding takes makes pictures late, but does not shift their timestamps.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::media::Timestamp90k;

use super::matroska::Milliseconds;

const TICKS_PER_MS: u64 = Timestamp90k::HZ / 1000;

/// How many input pictures are remembered, which is how many ffmpeg may hold at once: several GOPs.
const REMEMBERED: usize = 1024;

/// Remembers the time that was written for each input picture.
#[derive(Debug, Default)]
struct Timeline {
    start: Option<Timestamp90k>,
    written: VecDeque<(Milliseconds, Timestamp90k)>,
}

impl Timeline {
    /// The time to write for an input picture. Of pictures within one millisecond, as in a burst, the later one is moved, so
    /// that they stay distinct.
    fn enter(&mut self, timestamp: Timestamp90k) -> Milliseconds {
        let start = *self.start.get_or_insert(timestamp);
        let mut ms = (timestamp - start.0).0.saturating_add(TICKS_PER_MS / 2) / TICKS_PER_MS;
        while self.written.iter().rev().take(REMEMBERED / 8).any(|(taken, _)| *taken == ms) {
            ms += 1;
        }
        if self.written.len() == REMEMBERED {
            self.written.pop_front();
        }
        self.written.push_back((ms, timestamp));
        ms
    }

    /// The timestamp of the picture that came out this long after the first.
    fn leave(&self, ticks_since_first: u64) -> Timestamp90k {
        let ms = ticks_since_first.saturating_add(TICKS_PER_MS / 2) / TICKS_PER_MS;
        let known = self.written.iter().rev().find(|(written, _)| *written == ms);
        // The picture was not in the input, but made by a rate filter.
        known.map_or_else(|| self.start.unwrap_or_default() + ticks_since_first, |(_, timestamp)| *timestamp)
    }
}

/// A [`Timeline`] shared by the input and the output of one run.
#[derive(Debug, Default)]
pub(super) struct SharedTimeline(Mutex<Timeline>);

impl SharedTimeline {
    pub(super) fn enter(&self, timestamp: Timestamp90k) -> Milliseconds {
        self.lock().enter(timestamp)
    }

    pub(super) fn leave(&self, ticks_since_first: u64) -> Timestamp90k {
        self.lock().leave(ticks_since_first)
    }

    fn lock(&self) -> MutexGuard<'_, Timeline> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Unwraps RTP's 32-bit timestamps to ticks since the first packet, also with B frames.
#[derive(Debug, Default)]
pub(super) struct Unwrapped {
    last: Option<(u32, i64)>,
}

impl Unwrapped {
    pub(super) fn ticks_since_first(&mut self, rtp: u32) -> u64 {
        let ticks = match self.last {
            None => 0,
            Some((last_rtp, last_ticks)) => last_ticks + i64::from(rtp.wrapping_sub(last_rtp) as i32),
        };
        self.last = Some((rtp, ticks));
        u64::try_from(ticks).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_output_picture_has_the_exact_timestamp_of_its_input_picture() {
        let mut timeline = Timeline::default();
        let inputs = [1_000_000, 1_003_003, 1_006_007, 1_009_011].map(Timestamp90k);
        let written: Vec<_> = inputs.iter().map(|t| timeline.enter(*t)).collect();
        assert_eq!(written, [0, 33, 67, 100]);
        for (ms, timestamp) in written.iter().zip(inputs) {
            assert_eq!(timeline.leave(ms * 90), timestamp);
        }
    }

    #[test]
    fn pictures_of_one_millisecond_stay_distinct() {
        let mut timeline = Timeline::default();
        for (i, ticks) in [0, 10, 20, 30].into_iter().enumerate() {
            assert_eq!(timeline.enter(Timestamp90k(ticks)), i as u64);
        }
        assert_eq!(timeline.leave(2 * 90), Timestamp90k(20));
    }

    #[test]
    fn a_b_frame_comes_after_the_picture_it_precedes() {
        let mut timeline = Timeline::default();
        let order: Vec<_> =
            [0, 9000, 3000, 6000].into_iter().map(|t| timeline.enter(Timestamp90k(t))).collect();
        assert_eq!(order, [0, 100, 33, 67]);
    }

    #[test]
    fn a_picture_made_by_a_rate_filter_is_placed_between_its_neighbours() {
        let mut timeline = Timeline::default();
        timeline.enter(Timestamp90k(50_000));
        assert_eq!(timeline.leave(1500), Timestamp90k(51_500));
    }

    proptest! {
        #[test]
        fn thirty_two_bits_wrap_without_a_jump(first: u32, steps in prop::collection::vec(0u32..1 << 30, 1..50)) {
            let mut unwrapped = Unwrapped::default();
            prop_assert_eq!(unwrapped.ticks_since_first(first), 0);
            let (mut rtp, mut expected) = (first, 0);
            for step in steps {
                rtp = rtp.wrapping_add(step);
                expected += u64::from(step);
                prop_assert_eq!(unwrapped.ticks_since_first(rtp), expected);
            }
        }
    }
}
