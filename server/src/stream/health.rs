//! Measures a stream: frame rate, bit rate, length of the GOP, and totals.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::media::{Codec, Dimensions, Frame, Timestamp90k};

/// The time over which frame rate and bit rate are averaged.
const WINDOW: Duration = Duration::from_secs(5);
/// Before the first GOP is complete, its rate counts from here on: a key frame alone says little.
const ENOUGH_OF_A_GOP: Duration = Duration::from_secs(1);

#[derive(Debug, Default)]
pub(super) struct Health {
    /// The arrivals and sizes of the last seconds' frames.
    recent: VecDeque<(Instant, usize)>,
    /// The timestamp of the last key frame, and the number of frames from there on.
    gop_started: Option<(Timestamp90k, u32)>,
    /// The time since then on the camera's clock.
    gop_lasted: Duration,
    pub(super) codec: Option<Codec>,
    pub(super) dimensions: Option<Dimensions>,
    pub(super) display: Option<Dimensions>,
    /// The frames and the duration of the last complete GOP.
    pub(super) gop: Option<(u32, Duration)>,
    /// The size and the duration of the last complete GOPs, which are about [`WINDOW`] long together.
    whole_gops: VecDeque<(u64, Duration)>,
    /// The bytes of the GOP that is coming.
    gop_bytes: u64,
    /// The size of the last key frame.
    pub(super) key_frame_bytes: usize,
    pub(super) last_frame: Option<Instant>,
    pub(super) frames: u64,
    pub(super) key_frames: u64,
    pub(super) bytes: u64,
}

impl Health {
    pub(super) fn count(&mut self, frame: &Frame, now: Instant) {
        let len = frame.len_bytes();
        self.frames += 1;
        self.bytes += len as u64;
        self.last_frame = Some(now);
        self.recent.push_back((now, len));
        while self.recent.front().is_some_and(|(at, _)| now.duration_since(*at) > WINDOW) {
            self.recent.pop_front();
        }
        self.codec = Some(frame.codec);
        if frame.keyframe {
            self.key_frames += 1;
            self.key_frame_bytes = len;
            self.dimensions = frame.dimensions.or(self.dimensions);
            self.display = if frame.dimensions.is_some() { frame.display } else { self.display };
            if let Some((start, frames)) = self.gop_started {
                let lasted = frame.timestamp.since(start);
                self.gop = Some((frames, lasted));
                self.whole_gops.push_back((self.gop_bytes, lasted));
                while self.whole_gops.len() > 1 && self.whole_time() > WINDOW {
                    self.whole_gops.pop_front();
                }
            }
            self.gop_started = Some((frame.timestamp, 1));
            self.gop_bytes = 0;
            self.gop_lasted = Duration::ZERO;
        } else if let Some((start, frames)) = &mut self.gop_started {
            *frames += 1;
            self.gop_lasted = frame.timestamp.since(*start);
        }
        self.gop_bytes += len as u64;
    }

    fn whole_time(&self) -> Duration {
        self.whole_gops.iter().map(|(_, lasted)| *lasted).sum()
    }

    /// Forgets what was measured of the last run when the source is started anew, since its pictures may differ. The totals
    /// remain.
    pub(super) fn restart(&mut self) {
        self.recent.clear();
        self.gop_started = None;
        self.gop = None;
        self.whole_gops.clear();
        self.dimensions = None;
        self.display = None;
    }

    /// The bits per second that a viewer of the stream needs; `None` before that is known. Whole GOPs are counted on the camera's
    /// clock, where there are some of the last seconds: a part of a GOP has too many key frames or too few, and frames arrive in
    /// heaps when the machine is busy, or a camera sends what it has kept.
    pub(super) fn needs(&self, now: Instant) -> Option<u64> {
        let whole = self.whole_time();
        let (bytes, time) = if whole.is_zero() {
            (self.gop_bytes, Some(self.gop_lasted).filter(|lasted| *lasted >= ENOUGH_OF_A_GOP)?)
        } else if whole > WINDOW {
            return Some(self.rates(now).1);
        } else {
            (self.whole_gops.iter().map(|(bytes, _)| bytes).sum(), whole)
        };
        Some((bytes as f64 * 8.0 / time.as_secs_f64()) as u64)
    }

    /// Frames and bits per second in the last [`WINDOW`].
    pub(super) fn rates(&self, now: Instant) -> (f64, u64) {
        let recent = || self.recent.iter().skip_while(|(at, _)| now.duration_since(*at) > WINDOW);
        let (Some((first, first_len)), Some((last, _))) = (recent().next(), self.recent.back()) else {
            return (0.0, 0);
        };
        let span = last.duration_since(*first).as_secs_f64();
        if span <= 0.0 {
            return (0.0, 0);
        }
        let count = recent().count() - 1;
        let bytes: usize = recent().map(|(_, len)| len).sum::<usize>() - first_len;
        (count as f64 / span, (bytes as f64 * 8.0 / span) as u64)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn frame(number: u64, keyframe: bool) -> Frame {
        Frame {
            codec: Codec::H264,
            timestamp: Timestamp90k(number * 3600),
            keyframe,
            dimensions: None,
            display: None,
            payloads: Box::new([Bytes::from_static(&[0; 1000])]),
        }
    }

    #[test]
    fn rates_and_gop_length_are_those_of_the_sent_frames() {
        let (mut health, start) = (Health::default(), Instant::now());
        let at = |number: u64| start + Duration::from_millis(40 * number);
        for number in 0..300 {
            health.count(&frame(number, number % 50 == 0), at(number));
        }
        let (fps, bitrate) = health.rates(at(299));
        assert!((fps - 25.0).abs() < 0.1, "{fps}");
        assert!(bitrate.abs_diff(200_000) < 1000, "{bitrate}");
        assert_eq!(health.gop, Some((50, Duration::from_secs(2))));
        assert_eq!((health.frames, health.key_frames, health.bytes), (300, 6, 300_000));
    }

    #[test]
    fn rates_of_a_stream_that_has_stopped_are_zero() {
        let (mut health, start) = (Health::default(), Instant::now());
        health.count(&frame(0, true), start);
        health.count(&frame(1, false), start + Duration::from_millis(40));
        assert_eq!(health.rates(start + Duration::from_secs(6)), (0.0, 0));
    }

    #[test]
    fn what_a_stream_needs_is_counted_in_whole_gops_on_the_cameras_clock() {
        let start = Instant::now();
        let mut health = Health::default();
        // A key frame each second, ten times as large as the others, at 25 fps; the machine is busy, and hands frames over in heaps.
        let (small, large) = (1000, 10_000);
        let second = (24 * small + large) * 8;
        for number in 0..130_u64 {
            let keyframe = number.is_multiple_of(25);
            let mut frame = frame(number, keyframe);
            frame.payloads = Box::new([Bytes::from(vec![0; if keyframe { large } else { small }])]);
            let at = start + Duration::from_millis(number / 10 * 400);
            health.count(&frame, at);
            if number > 25 {
                assert_eq!(health.needs(at), Some(second as u64), "after frame {number}");
            }
        }
    }

    #[test]
    fn frames_that_arrive_at_once_after_a_start_are_no_rate() {
        let mut health = Health::default();
        let now = Instant::now();
        for number in 0..25 {
            health.count(&frame(number, number == 0), now + Duration::from_micros(number));
            assert_eq!(health.needs(now + Duration::from_micros(number)), None, "after frame {number}");
        }
        // A second of the camera's, however late it is.
        health.count(&frame(25, false), now + Duration::from_secs(1));
        assert_eq!(health.needs(now + Duration::from_secs(1)), Some(26 * 1000 * 8));
    }
}
