//! The GOP cache: every frame since the last key frame, so that a new viewer gets a picture at once.

use std::sync::Arc;
use std::time::Duration;

use super::Frame;

/// The most frames of a GOP that is kept. A browser's frame buffer takes 800, and to decode more than these would take seconds: a
/// new key frame is then the quicker way.
const MAX_FRAMES: usize = 600;

/// The limits of one stream's cache.
#[derive(Debug, Clone, Copy)]
pub struct GopLimits {
    /// The most memory that the frames may take.
    pub max_bytes: usize,
    /// A GOP that lasts longer is worth a warning. It is kept all the same: without it a new viewer would wait longer still.
    pub max_duration: Duration,
}

/// The frames since the last key frame, all of them or none.
///
/// A frame depends on all frames since the key frame, so no frame can be left out of a GOP that exceeds the limits. The cache
/// then drops the whole GOP and stays empty until the next key frame. A new viewer of such a stream waits for that key frame,
/// as it would without a cache.
#[derive(Debug)]
pub struct GopCache {
    limits: GopLimits,
    /// Empty, or begins with a key frame.
    frames: Vec<Arc<Frame>>,
    bytes: usize,
    /// Whether there was a GOP that lasts longer than it should.
    warned: bool,
    /// The result of the last [`Self::gop`], which is returned again until the next frame comes.
    shared: Option<Arc<[Arc<Frame>]>>,
}

impl GopCache {
    pub fn new(limits: GopLimits) -> Self {
        Self { limits, frames: Vec::new(), bytes: 0, warned: false, shared: None }
    }

    /// Adds a frame. Returns whether the GOP has become longer than it should be, the first time that one does.
    pub fn push(&mut self, frame: Arc<Frame>) -> bool {
        self.shared = None;
        if frame.keyframe {
            self.clear();
        } else if self.frames.is_empty() {
            return false;
        }
        self.bytes += frame.held_bytes();
        self.frames.push(frame);
        let warns = !self.warned && self.duration() > self.limits.max_duration;
        self.warned |= warns;
        if self.bytes > self.limits.max_bytes || self.frames.len() > MAX_FRAMES {
            self.clear();
        }
        warns
    }

    /// Empties the cache. Call it when frames are lost, since those that follow do not continue the cached ones.
    pub fn clear(&mut self) {
        self.frames.clear();
        self.bytes = 0;
        self.shared = None;
    }

    /// The GOP so far; `None` if the cache is empty.
    pub fn gop(&mut self) -> Option<Arc<[Arc<Frame>]>> {
        if self.shared.is_none() && !self.frames.is_empty() {
            self.shared = Some(self.frames.as_slice().into());
        }
        self.shared.clone()
    }

    fn duration(&self) -> Duration {
        match (self.frames.first(), self.frames.last()) {
            (Some(first), Some(last)) => last.timestamp.since(first.timestamp),
            _ => Duration::ZERO,
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;

    use super::*;
    use crate::media::{Codec, Timestamp90k};

    const FRAME: u64 = 3000;

    fn frame(number: u64, keyframe: bool, len: usize) -> Arc<Frame> {
        Arc::new(Frame {
            codec: Codec::H264,
            timestamp: Timestamp90k(number * FRAME),
            keyframe,
            dimensions: None,
            display: None,
            payloads: Box::new([Bytes::from(vec![0; len])]),
        })
    }

    /// A cache for `max_bytes` of pictures, with the memory for managing `frames` frames added.
    fn cache_of(frames: usize, max_bytes: usize, seconds: u64) -> GopCache {
        let max_bytes = frames * frame(0, false, 0).held_bytes() + max_bytes;
        GopCache::new(GopLimits { max_bytes, max_duration: Duration::from_secs(seconds) })
    }

    fn cache(max_bytes: usize, seconds: u64) -> GopCache {
        cache_of(50, max_bytes, seconds)
    }

    #[test]
    fn there_is_no_gop_before_the_first_key_frame() {
        let mut cache = cache(1000, 10);
        cache.push(frame(0, false, 10));
        assert!(cache.gop().is_none());
    }

    #[test]
    fn a_key_frame_starts_a_new_gop() {
        let mut cache = cache(1000, 10);
        for (number, keyframe) in [true, false, false, true, false].into_iter().enumerate() {
            cache.push(frame(number as u64, keyframe, 10));
        }
        let gop = cache.gop().expect("a GOP");
        assert_eq!(gop.iter().map(|frame| frame.timestamp.0 / FRAME).collect::<Vec<_>>(), [3, 4]);
    }

    #[test]
    fn a_gop_with_too_many_bytes_is_given_up_until_the_next_key_frame() {
        let mut cache = cache_of(3, 25, 10);
        cache.push(frame(0, true, 10));
        cache.push(frame(1, false, 10));
        assert!(cache.gop().is_some());
        cache.push(frame(2, false, 10));
        assert!(cache.gop().is_none());
        cache.push(frame(3, false, 1));
        assert!(cache.gop().is_none());
        cache.push(frame(4, true, 10));
        assert!(cache.gop().is_some());
    }

    #[test]
    fn many_small_packets_count_with_the_memory_for_managing_them() {
        let mut cache = GopCache::new(GopLimits { max_bytes: 4000, max_duration: Duration::from_secs(10) });
        let packets = |count| {
            Arc::new(Frame {
                payloads: vec![Bytes::from_static(b"x"); count].into(),
                ..Arc::into_inner(frame(0, true, 1)).expect("the only one")
            })
        };
        cache.push(packets(50));
        assert!(cache.gop().is_some());
        cache.push(packets(500));
        assert!(cache.gop().is_none());
    }

    #[test]
    fn a_gop_that_lasts_long_is_kept_and_told_once() {
        let mut cache = cache(1000, 1);
        let told = [0, 30, 31, 32, 5000].map(|number| cache.push(frame(number, number == 0, 1)));
        assert_eq!(told, [false, false, true, false, false]);
        assert_eq!(cache.gop().expect("it is small").len(), 5);
        assert!(!cache.push(frame(5001, true, 1)) && !cache.push(frame(5040, false, 1)));
    }

    #[test]
    fn a_gop_of_more_frames_than_a_browser_takes_at_once_is_given_up() {
        let mut cache = cache_of(2 * MAX_FRAMES, 10_000, 1);
        for number in 0..MAX_FRAMES {
            cache.push(frame(number as u64, number == 0, 1));
        }
        assert!(cache.gop().is_some());
        cache.push(frame(MAX_FRAMES as u64, false, 1));
        assert!(cache.gop().is_none());
    }

    #[test]
    fn viewers_that_come_between_two_frames_share_one_list() {
        let mut cache = cache(1000, 10);
        cache.push(frame(0, true, 10));
        let (first, second) = (cache.gop().expect("a GOP"), cache.gop().expect("a GOP"));
        assert!(Arc::ptr_eq(&first, &second));
    }

    proptest! {
        #[test]
        fn a_gop_starts_with_a_key_frame_is_complete_and_within_the_limits(
            frames in proptest::collection::vec((proptest::bool::weighted(0.15), 1usize..40), 0..120)
        ) {
            let mut cache = cache_of(10, 200, 1);
            let limit = cache.limits.max_bytes;
            for (number, (keyframe, len)) in frames.into_iter().enumerate() {
                cache.push(frame(number as u64, keyframe, len));
                let Some(gop) = cache.gop() else { continue };
                prop_assert!(gop[0].keyframe);
                prop_assert!(gop[1..].iter().all(|frame| !frame.keyframe));
                prop_assert_eq!(gop.last().expect("never empty").timestamp, Timestamp90k(number as u64 * FRAME));
                prop_assert!(gop.windows(2).all(|pair| pair[1].timestamp == pair[0].timestamp + FRAME));
                prop_assert!(gop.iter().map(|frame| frame.held_bytes()).sum::<usize>() <= limit);
            }
        }
    }
}
