//! How long the path's queue is, from the one-way delays of packets.
//!
//! The clocks of sender and receiver differ, so only differences of delays are meaningful: the queue is by how much the delay
//! exceeds the shortest recent one.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The shortest delay is that of the last one to two of these periods: routes change, and clocks drift by up to 0.1 ‰, which is
/// 1 ms in that time. A queue that others fill for longer counts as part of the path, or a TCP flow would leave nothing.
const SHORTEST_OF: Duration = Duration::from_secs(5);
/// Jitter only adds to the delay. So the present delay is the shortest of those in this time, and of this many groups at least.
const PRESENT: Duration = Duration::from_millis(80);
const FEWEST: usize = 4;

/// The length of the path's queue.
#[derive(Debug)]
pub(super) struct Queue {
    epoch: Instant,
    since: Instant,
    current: Option<i64>,
    previous: Option<i64>,
    /// When the last groups of packets left, and their delays in microseconds.
    present: VecDeque<(Instant, i64)>,
}

impl Queue {
    pub(super) fn new(now: Instant) -> Self {
        Self { epoch: now, since: now, current: None, previous: None, present: VecDeque::new() }
    }

    /// Takes the last packet of a group; its arrival is in microseconds on the receiver's clock.
    pub(super) fn note(&mut self, sent: Instant, arrived: i64) {
        let age = sent.saturating_duration_since(self.since);
        if age > SHORTEST_OF {
            // Without packets for a long time the last minimum is old, and the clocks have drifted since.
            self.previous = self.current.take().filter(|_| age <= 2 * SHORTEST_OF);
            self.since = sent;
        }
        let delay = self.delay(sent, arrived);
        self.current = Some(self.current.map_or(delay, |shortest| shortest.min(delay)));
        self.present.push_back((sent, delay));
        while self.present.len() > FEWEST
            && self.present.front().is_some_and(|(at, _)| sent.saturating_duration_since(*at) > PRESENT)
        {
            self.present.pop_front();
        }
    }

    /// How long a packet waits at present, in microseconds.
    pub(super) fn get(&self) -> i64 {
        let present = self.present.iter().map(|(_, delay)| *delay).min();
        present.zip(self.shortest()).map_or(0, |(present, shortest)| present - shortest)
    }

    /// How long this packet waited, in microseconds; 0 while nothing is known of the path.
    pub(super) fn waited(&self, sent: Instant, arrived: i64) -> i64 {
        self.shortest().map_or(0, |shortest| self.delay(sent, arrived) - shortest)
    }

    fn shortest(&self) -> Option<i64> {
        self.current.into_iter().chain(self.previous).min()
    }

    fn delay(&self, sent: Instant, arrived: i64) -> i64 {
        arrived - sent.saturating_duration_since(self.epoch).as_micros() as i64
    }
}
