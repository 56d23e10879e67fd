//! The GOP that a viewer can be given as live, which it is only as long as the source goes on.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::media::{Frame, GopCache, GopLimits, Timestamp90k};

use super::{Gop, StreamError};

/// A source is silent when nothing has come for this long, or for longer than several of its pictures take.
const SILENT_AFTER: Duration = Duration::from_secs(1);
/// How many of its own intervals a slow source may take for its next picture.
const INTERVALS: u32 = 3;
/// Over how many pictures the interval is taken.
const MEASURED: usize = 9;
/// A new viewer is told of a silence that is this long. A shorter one may be over at once, and the viewer only waits.
const TOLD_AFTER: Duration = Duration::from_secs(3);

/// The GOP cache of a stream, which gives nothing while the source is silent.
///
/// The pictures of a source that has stopped look as if it moved when they are sent once more: they leave as a burst, and the
/// browser shows it. So they are given again only when the next picture has come, which continues them.
#[derive(Debug)]
pub(super) struct FreshGop {
    cache: GopCache,
    last: Option<(Instant, Timestamp90k)>,
    /// From one picture to the next, of the last pictures. Where arrival and timestamps differ it is the longer time: a slow source
    /// may begin with a burst, and timestamps may stand still.
    intervals: VecDeque<Duration>,
}

impl FreshGop {
    pub(super) fn new(limits: GopLimits) -> Self {
        Self { cache: GopCache::new(limits), last: None, intervals: VecDeque::new() }
    }

    /// As [`GopCache::push`].
    pub(super) fn push(&mut self, frame: Arc<Frame>, now: Instant) -> bool {
        if let Some((at, timestamp)) = self.last.replace((now, frame.timestamp)) {
            let interval = now.saturating_duration_since(at).max(frame.timestamp.since(timestamp));
            self.intervals.push_back(interval);
            if self.intervals.len() > MEASURED {
                self.intervals.pop_front();
            }
        }
        self.cache.push(frame)
    }

    /// Forgets everything: the source begins anew.
    pub(super) fn clear(&mut self) {
        self.cache.clear();
        self.last = None;
        self.intervals.clear();
    }

    /// The GOP so far; `None` if there is none, or if it is not live any more.
    pub(super) fn gop(&mut self, now: Instant) -> Option<Gop> {
        if self.is_silent(now) { None } else { self.cache.gop() }
    }

    /// Whether a GOP is kept back until the next picture.
    pub(super) fn is_held_back(&mut self, now: Instant) -> bool {
        self.is_silent(now) && self.cache.gop().is_some()
    }

    /// What a viewer that comes now is told of the silence.
    pub(super) fn silence(&self, now: Instant) -> Option<StreamError> {
        let age = self.age(now).filter(|age| *age >= TOLD_AFTER && self.is_silent(now))?;
        let message =
            format!("the source has sent no picture for {} s; still waiting for the next", age.as_secs());
        Some(StreamError { permanent: false, message })
    }

    fn is_silent(&self, now: Instant) -> bool {
        // Before the second picture it may be a slow source. One that has stopped fails after its own timeout.
        let Some(interval) = self.interval() else { return false };
        self.age(now).is_some_and(|age| age > SILENT_AFTER.max(interval * INTERVALS))
    }

    fn age(&self, now: Instant) -> Option<Duration> {
        self.last.map(|(at, _)| now.saturating_duration_since(at))
    }

    /// The middle one of the last intervals, so that an interruption does not count as the source's own pace.
    fn interval(&self) -> Option<Duration> {
        let mut sorted: Vec<_> = self.intervals.iter().copied().collect();
        sorted.sort_unstable();
        sorted.get(sorted.len().saturating_sub(1) / 2).copied()
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::media::Codec;

    const LIMITS: GopLimits = GopLimits { max_bytes: 1 << 20, max_duration: Duration::from_mins(1) };

    struct Source {
        gop: FreshGop,
        now: Instant,
        timestamp: Duration,
    }

    impl Source {
        fn new() -> Self {
            Self { gop: FreshGop::new(LIMITS), now: Instant::now(), timestamp: Duration::ZERO }
        }

        /// A picture, so long after the one before by arrival and by timestamp.
        fn sends(&mut self, after: Duration, ticks: Duration) {
            self.now += after;
            self.timestamp += ticks;
            let frame = Frame {
                codec: Codec::H264,
                timestamp: Timestamp90k::from_duration(self.timestamp),
                keyframe: true,
                dimensions: None,
                display: None,
                payloads: Box::new([Bytes::from_static(b"x")]),
            };
            self.gop.push(Arc::new(frame), self.now);
        }

        fn sends_pictures(&mut self, count: usize, every: Duration) {
            (0..count).for_each(|_| self.sends(every, every));
        }

        fn is_shown(&mut self, after: Duration) -> bool {
            let now = self.now + after;
            let gop = self.gop.gop(now).is_some();
            assert_ne!(gop, self.gop.is_held_back(now));
            gop
        }
    }

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn the_gop_of_a_silent_source_is_given_again_when_the_next_picture_has_come() {
        let mut source = Source::new();
        source.sends_pictures(50, ms(40));
        assert!(source.is_shown(ms(1000)));
        assert!(!source.is_shown(ms(1001)));
        source.sends(ms(5000), ms(5000));
        assert!(source.is_shown(ms(0)));
        assert!(!source.is_shown(ms(1001)), "the interruption is not its pace");
    }

    #[test]
    fn a_slow_source_is_not_silent_between_two_of_its_pictures() {
        let mut source = Source::new();
        source.sends_pictures(1, ms(0));
        assert!(source.is_shown(ms(9000)), "nothing is known of its pace yet");
        source.sends_pictures(3, ms(4000));
        assert!(source.is_shown(ms(12_000)));
        assert!(!source.is_shown(ms(12_001)));
    }

    #[test]
    fn a_slow_source_that_begins_with_a_burst_is_known_by_its_timestamps() {
        let mut source = Source::new();
        (0..20).for_each(|_| source.sends(ms(1), ms(2000)));
        assert!(source.is_shown(ms(5900)));
    }

    #[test]
    fn a_slow_source_whose_timestamps_stand_still_is_known_by_their_arrival() {
        let mut source = Source::new();
        (0..20).for_each(|_| source.sends(ms(2000), ms(0)));
        assert!(source.is_shown(ms(5900)));
    }

    #[test]
    fn a_viewer_is_told_of_a_silence_that_is_not_over_at_once() {
        let mut source = Source::new();
        source.sends_pictures(50, ms(40));
        assert_eq!(source.gop.silence(source.now + ms(2900)), None);
        let told = source.gop.silence(source.now + ms(4200)).expect("it is silent");
        assert!(told.message.contains("no picture for 4 s") && !told.permanent, "{}", told.message);
        source.sends_pictures(20, ms(4000));
        assert_eq!(source.gop.silence(source.now + ms(4200)), None, "it is slow");
    }

    #[test]
    fn a_source_that_begins_anew_is_not_judged_by_the_pace_of_the_one_before() {
        let mut source = Source::new();
        source.sends_pictures(20, ms(4000));
        source.gop.clear();
        source.sends_pictures(20, ms(40));
        assert!(!source.is_shown(ms(1100)));
    }
}
