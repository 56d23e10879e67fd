//! Whether the path's queue grows, from how far apart packets left and arrived.
//!
//! Packets that left within a few milliseconds form a group. When the time between the arrivals of two groups is longer than
//! the time between their departures, a queue has grown in between. A line is fitted to the sum of these differences, and its
//! slope is judged by the library's [`OveruseDetector`], whose threshold adapts to the path's jitter
//! (draft-ietf-rmcat-gcc-02 §5).

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use rtc::interceptor::{OveruseDetector, Usage};

use super::queue::Queue;

/// Packets that left within this time form a group (draft-ietf-rmcat-gcc-02 §5.2).
const GROUP: Duration = Duration::from_millis(5);
/// Packets that arrive within this time of each other, although they left further apart, were held up together: by a radio
/// link, or by a receiver that was busy. Only the last of them shows the delay of the path, so they count as one group…
const HELD_UP_US: i64 = 5_000;
/// … for at most this long.
const LONGEST_GROUP_US: i64 = 100_000;
/// After a longer silence the measurement starts anew: the clocks have drifted.
const SILENCE: Duration = Duration::from_secs(2);
/// The number of groups that the line is fitted to.
const WINDOW: usize = 20;
/// The share of the old value in the smoothed delay.
const SMOOTHING: f64 = 0.9;
/// By how much the slope is multiplied before it is compared to the detector's threshold, and by at most how many groups.
const GAIN: f64 = 4.0;
const MOST_GROUPS: u32 = 60;
/// A larger difference between two groups is counted as this many milliseconds: it triggers the detector in any case, and would
/// otherwise distort the line for long.
const LARGEST_MS: f64 = 60.0;

#[derive(Debug, Clone, Copy)]
struct Group {
    first_sent: Instant,
    last_sent: Instant,
    first_arrived: i64,
    last_arrived: i64,
}

impl Group {
    fn new(sent: Instant, arrived: i64) -> Self {
        Self { first_sent: sent, last_sent: sent, first_arrived: arrived, last_arrived: arrived }
    }

    fn takes(&self, sent: Instant, arrived: i64) -> bool {
        if sent.saturating_duration_since(self.first_sent) <= GROUP {
            return true;
        }
        let apart = arrived - self.last_arrived;
        let left_apart = sent.saturating_duration_since(self.last_sent).as_micros() as i64;
        apart < left_apart && apart <= HELD_UP_US && arrived - self.first_arrived < LONGEST_GROUP_US
    }
}

/// The trend of the queueing delay.
#[derive(Debug)]
pub(super) struct Trend {
    group: Option<Group>,
    previous: Option<Group>,
    groups: u32,
    /// The sum of the differences so far, and the smoothed one, in milliseconds.
    delay: f64,
    smoothed: f64,
    /// The time of arrival and the smoothed delay of the last groups, in milliseconds.
    window: VecDeque<(f64, f64)>,
    detector: OveruseDetector,
    queue: Queue,
}

impl Trend {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            group: None,
            previous: None,
            groups: 0,
            delay: 0.0,
            smoothed: 0.0,
            window: VecDeque::with_capacity(WINDOW),
            detector: OveruseDetector::new(),
            queue: Queue::new(now),
        }
    }

    /// Takes the next packet, in the order of departure; its arrival is in microseconds on the receiver's clock. Returns what
    /// the path's queue does, when a group is complete.
    pub(super) fn note(&mut self, sent: Instant, arrived: i64) -> Option<Usage> {
        let Some(group) = &mut self.group else {
            self.group = Some(Group::new(sent, arrived));
            return None;
        };
        if sent < group.first_sent {
            return None;
        }
        if group.takes(sent, arrived) {
            group.last_sent = group.last_sent.max(sent);
            group.last_arrived = group.last_arrived.max(arrived);
            return None;
        }
        let complete = *group;
        self.queue.note(complete.last_sent, complete.last_arrived);
        self.group = Some(Group::new(sent, arrived));
        if sent.saturating_duration_since(complete.last_sent) > SILENCE {
            self.previous = None;
            self.groups = 0;
            self.window.clear();
            return None;
        }
        let usage = self.previous.map(|previous| self.judge(&previous, &complete));
        self.previous = Some(complete);
        usage
    }

    /// How long this packet waited in the path's queue, in microseconds.
    pub(super) fn waited(&self, sent: Instant, arrived: i64) -> i64 {
        self.queue.waited(sent, arrived)
    }

    /// How long the path's queue is, in microseconds.
    pub(super) fn queue(&self) -> i64 {
        self.queue.get()
    }

    fn judge(&mut self, previous: &Group, group: &Group) -> Usage {
        let left_apart = group.last_sent.saturating_duration_since(previous.last_sent).as_secs_f64() * 1e3;
        let difference = (group.last_arrived - previous.last_arrived) as f64 / 1e3 - left_apart;
        self.delay += difference.clamp(-LARGEST_MS, LARGEST_MS);
        self.smoothed = SMOOTHING * self.smoothed + (1.0 - SMOOTHING) * self.delay;
        if self.window.len() == WINDOW {
            self.window.pop_front();
        }
        self.window.push_back((group.last_arrived as f64 / 1e3, self.smoothed));
        self.groups = (self.groups + 1).min(MOST_GROUPS);
        let trend = if self.window.len() == WINDOW { slope(&self.window) } else { 0.0 };
        self.detector.update(group.last_sent, trend * f64::from(self.groups) * GAIN)
    }
}

/// The slope of the line with the least squared distances to these points.
fn slope(points: &VecDeque<(f64, f64)>) -> f64 {
    let n = points.len() as f64;
    let (x_sum, y_sum) = points.iter().fold((0.0, 0.0), |(xs, ys), (x, y)| (xs + x, ys + y));
    let (x_mean, y_mean) = (x_sum / n, y_sum / n);
    let (rise, run) = points.iter().fold((0.0, 0.0), |(rise, run), (x, y)| {
        (rise + (x - x_mean) * (y - y_mean), run + (x - x_mean) * (x - x_mean))
    });
    if run > 0.0 { rise / run } else { 0.0 }
}
