//! Converts a source's timestamps to the server's media timeline.

use super::Timestamp90k;

/// Gives each frame of one stream a timestamp on the media timeline, which all streams share (its *place*). Frames keep the
/// spacing of the source's timestamps, so that jitter of the network is not reproduced, and follow the server's clock, so that
/// all streams agree and none drifts.
///
/// The place of a frame is its source timestamp plus an offset. The offset is such that the frames with the shortest delay are
/// placed at their arrival, and those that the network delayed longer (late ones) before it. Three things change the offset:
/// - A frame that would be placed after its arrival reduces it at once, as with a burst of old frames at the start, a fast
///   source clock, or a jump forward.
/// - When every frame of the last two seconds was late, the source's clock is slow or the source has paused: the offset grows by
///   the least lateness, gradually if that is small, otherwise in one step.
/// - A timestamp that does not advance is a jump or a restart of the source: the offset is set anew at the arrival.
///
/// Sources are expected to send frames in display order (no B-frames); those of others are placed in order, but not smoothly.
/// Source timestamps are taken modulo 2³², so RTP timestamps can be used as they are.
#[derive(Debug, Default)]
pub struct Timeline {
    source: Option<Source>,
    last: Option<Timestamp90k>,
}

#[derive(Debug)]
struct Source {
    /// The source timestamp of the last frame.
    last: u32,
    /// The place of the last frame.
    place: i64,
    /// By how much the offset has yet to grow, gradually.
    slew: i64,
    window: Window,
}

/// The least lateness of any frame in a period that ends at `ends`.
#[derive(Debug)]
struct Window {
    ends: i64,
    least: i64,
}

const MILLISECOND: i64 = Timestamp90k::HZ as i64 / 1000;
const WINDOW: i64 = 2000 * MILLISECOND;
/// Less lateness than this is not corrected, since arrivals are not more exact.
const TOLERANCE: i64 = 5 * MILLISECOND;
/// More lateness than this is not drift, but a pause of the source.
const STEP: i64 = 250 * MILLISECOND;
/// While the offset grows gradually, the distance of two frames is changed by one part in this many.
const SLEW_PART: i64 = 50;

impl Timeline {
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts anew when the source is restarted, whose timestamps are then unrelated to those before.
    pub fn restart(&mut self) {
        self.source = None;
    }

    /// The place of a frame that arrives now, always after that of the frame before.
    pub fn place(&mut self, timestamp: Timestamp90k, arrival: Timestamp90k) -> Timestamp90k {
        let (timestamp, arrival) = (timestamp.rtp(), arrival.0 as i64);
        let advanced = self.source.as_ref().map_or(0, |source| timestamp.wrapping_sub(source.last) as i32);
        let place = match &mut self.source {
            Some(source) if advanced > 0 => source.advance(timestamp, i64::from(advanced), arrival),
            source => source.insert(Source::anchored(timestamp, arrival)).place,
        };
        let place = Timestamp90k(place.max(0) as u64);
        let place = self.last.map_or(place, |last| place.max(last + 1));
        self.last = Some(place);
        place
    }
}

impl Source {
    fn anchored(timestamp: u32, arrival: i64) -> Self {
        Self { last: timestamp, place: arrival, slew: 0, window: Window::starting(arrival) }
    }

    fn advance(&mut self, timestamp: u32, advanced: i64, arrival: i64) -> i64 {
        let slew = self.slew.min(advanced / SLEW_PART);
        self.slew -= slew;
        self.last = timestamp;
        self.place += advanced + slew;
        if self.place > arrival {
            self.place = arrival;
            self.slew = 0;
            self.window = Window::starting(arrival);
        } else if self.slew > 0 {
            self.window = Window::starting(arrival);
        } else {
            self.follow_lateness(arrival);
        }
        self.place
    }

    fn follow_lateness(&mut self, arrival: i64) {
        self.window.least = self.window.least.min(arrival - self.place);
        if arrival < self.window.ends {
            return;
        }
        let late = self.window.least;
        if late > STEP {
            self.place += late;
        } else if late > TOLERANCE {
            self.slew = late;
        }
        self.window = Window::starting(arrival);
    }
}

impl Window {
    fn starting(now: i64) -> Self {
        Self { ends: now + WINDOW, least: i64::MAX }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FRAME: u64 = 3000;
    const SECOND: u64 = Timestamp90k::HZ;

    /// Feeds `(source timestamp, arrival)` pairs and returns the places.
    fn place_all(frames: impl IntoIterator<Item = (u64, u64)>) -> Vec<u64> {
        let mut timeline = Timeline::new();
        let place = |(source, arrival)| timeline.place(Timestamp90k(source), Timestamp90k(arrival)).0;
        frames.into_iter().map(place).collect()
    }

    fn distances(places: &[u64]) -> Vec<u64> {
        places.windows(2).map(|pair| pair[1] - pair[0]).collect()
    }

    #[test]
    fn the_first_frame_is_placed_at_its_arrival() {
        assert_eq!(place_all([(77_777, 5000)]), [5000]);
    }

    #[test]
    fn jitter_of_the_network_does_not_change_the_spacing() {
        let late = [0, 900, 0, 2500, 4000, 1500, 0, 300];
        let places = place_all((0..8).map(|n| (n * FRAME, SECOND + n * FRAME + late[n as usize])));
        assert!(distances(&places).iter().all(|distance| *distance == FRAME), "{places:?}");
    }

    #[test]
    fn a_burst_of_old_frames_ends_at_its_arrival() {
        let burst = (0..60).map(|n| (n * FRAME, SECOND));
        let live = (60..90).map(|n| (n * FRAME, SECOND + (n - 59) * FRAME));
        let places = place_all(burst.chain(live));
        assert!(places[59] < SECOND + 60);
        assert!(distances(&places[60..]).iter().all(|distance| *distance == FRAME));
    }

    #[test]
    fn rtp_timestamps_may_wrap() {
        let start = u64::from(u32::MAX) - 2 * FRAME;
        let wrapped = |n| u64::from((start + n * FRAME) as u32);
        let places = place_all((0..6).map(|n| (wrapped(n), SECOND + n * FRAME)));
        assert!(distances(&places).iter().all(|distance| *distance == FRAME), "{places:?}");
    }

    #[test]
    fn a_jump_of_the_source_timestamps_does_not_change_the_spacing() {
        for jump in [-3_600_000_000i64, -90_000, 90_000, 3_600_000_000] {
            let source =
                |n: u64| (10_000_000_000 + (n * FRAME) as i64 + if n < 10 { 0 } else { jump }) as u64;
            let places = place_all((0..20).map(|n| (source(n), SECOND + n * FRAME)));
            assert!(distances(&places).iter().all(|distance| *distance == FRAME), "{jump}: {places:?}");
        }
    }

    #[test]
    fn the_frames_of_a_restarted_source_are_placed_after_the_gap() {
        let mut timeline = Timeline::new();
        timeline.place(Timestamp90k(500_000), Timestamp90k(SECOND));
        timeline.restart();
        let place = timeline.place(Timestamp90k(501_000), Timestamp90k(8 * SECOND));
        assert_eq!(place, Timestamp90k(8 * SECOND));
    }

    #[test]
    fn frames_delayed_by_the_network_keep_their_spacing() {
        let held = |n: u64| if (10..40).contains(&n) { 40 } else { n };
        let places = place_all((0..60).map(|n| (n * FRAME, SECOND + held(n) * FRAME)));
        assert!(distances(&places).iter().all(|distance| *distance == FRAME), "{places:?}");
    }

    #[test]
    fn after_a_pause_of_the_source_its_frames_are_live_again_within_seconds() {
        let pause = |n: u64| if n < 30 { 0 } else { 3 * SECOND };
        let arrivals: Vec<u64> = (0..150).map(|n| SECOND + n * FRAME + pause(n)).collect();
        let places = place_all((0..150).map(|n| (n * FRAME, arrivals[n as usize])));
        assert_eq!(places[149], arrivals[149]);
    }

    #[test]
    fn a_clock_that_runs_half_a_percent_wrong_is_followed_without_a_visible_step() {
        for skewed in [FRAME - 15, FRAME + 15] {
            let arrivals = (0..30_000).map(|n| SECOND + n * FRAME);
            let places = place_all((0..30_000).map(|n| n * skewed).zip(arrivals.clone()));
            for (place, arrival) in places.iter().zip(arrivals) {
                assert!(arrival.abs_diff(*place) < SECOND / 20, "{place} is far from {arrival}");
            }
            assert!(
                distances(&places)
                    .iter()
                    .all(|distance| distance.abs_diff(FRAME) <= FRAME / SLEW_PART as u64 + 15)
            );
        }
    }

    proptest! {
        #[test]
        fn time_only_goes_forward_and_never_into_the_future(
            frames in proptest::collection::vec((any::<u64>(), 0u64..500_000, proptest::bool::weighted(0.7)), 1..200)
        ) {
            let mut timeline = Timeline::new();
            let (mut source, mut arrival, mut last) = (0u64, SECOND, 0);
            for (number, (jump, elapsed, steady)) in frames.into_iter().enumerate() {
                source = if steady { source.wrapping_add(elapsed) } else { jump };
                arrival += elapsed;
                let place = timeline.place(Timestamp90k(source), Timestamp90k(arrival)).0;
                prop_assert!(place > last);
                // Frames that arrive together are placed one tick apart.
                prop_assert!(place <= arrival + number as u64);
                last = place;
            }
        }
    }
}
