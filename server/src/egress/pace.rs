//! How fast the bursts of one connection may leave, learnt from when their packets arrived.
//!
//! A burst is a probe as well: sent faster than the path carries, its packets arrive at the path's own pace. Live frames
//! are not held back by this rate, so what it settles at is what the path carries *beside* them. It is no estimate of the
//! whole path, and says nothing about streams that are too large for it even without bursts.

use std::time::{Duration, Instant};

/// 30 packets of 1200 bytes in a millisecond, in bytes per second: nothing leaves faster.
const FASTEST: f64 = 36e6;
/// Half a megabit per second: slower than this a burst is not worth sending, but the rate must be able to recover.
const SLOWEST: f64 = 64e3;
/// Until the path was measured: this much leaves at once, which holds the key frames of a wall…
const UNMEASURED_BYTES: usize = 256 * 1024;
/// … and the rest at 20 Mbit/s. The first report comes after 100 ms; what leaves by then must fit into the path's queue.
const UNMEASURED_RATE: f64 = 20e6 / 8.0;
/// Fewer packets say more about the browser's scheduling than about the path…
const FEWEST_PACKETS: usize = 8;
/// … and fewer than this at once do not fill a queue, so that they arrive in time says little: see [`Pace::handle_few`].
const FEWEST_TO_RAISE: usize = 30;
/// Packets further apart than this are not one burst.
const APART: Duration = Duration::from_millis(50);
/// Above this the pictures of the other slots come visibly late; below it may be the browser's own scheduling.
const LONG_QUEUE_US: i64 = 50_000;
const SHORT_QUEUE_US: i64 = 20_000;
const HIGH_LOSS: f64 = 0.1;
const LOW_LOSS: f64 = 0.02;
/// Below the measured pace, so that the queue drains…
const BACK_OFF: f64 = 0.75;
/// … and a long one soon.
const VERY_LONG_QUEUE_US: i64 = 150_000;
const BACK_OFF_FAR: f64 = 0.5;
/// Up to the pace at which the path was once full, and past it.
const RAISE: f64 = 2.0;
const RAISE_PAST: f64 = 1.15;
/// A path that was full for the last time this long ago may not be the same any more: the viewer's machine was busy then, or
/// other traffic was on the path. What arrives in time raises the pace then by this, whatever was measured before.
const FULL_FOR: Duration = Duration::from_millis(1500);
const RAISE_AGAIN: f64 = 1.5;
/// But never this far above the pace that was seen: the next report is 100 ms away.
const AHEAD: f64 = 1.25;
/// The shortest delay is looked for over one to two of these: routes change, and clocks drift by less than 0.1 ‰, which is
/// 0.4 ms by then.
const DELAY_MEMORY: Duration = Duration::from_secs(2);

/// What became of one packet of a burst.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    pub sent: Instant,
    /// On the receiver's clock; none if the packet was lost.
    pub arrived: Option<Duration>,
    pub bytes: usize,
}

/// Sans-IO: arrivals in, a rate out.
#[derive(Debug)]
pub struct Pace {
    bytes_per_second: f64,
    /// What may still leave at full speed because nothing is known yet.
    unmeasured: usize,
    /// The pace at which the path was full of late. Forgotten when it turns out to carry twice that.
    full_at: Option<f64>,
    /// Packets sent before say nothing about the rate since.
    backed_off: Instant,
    /// Bytes that arrived in time since the pace last changed or a queue was seen.
    in_time: usize,
    delays: ShortestDelay,
}

impl Pace {
    pub fn new(now: Instant) -> Self {
        Self {
            bytes_per_second: UNMEASURED_RATE,
            unmeasured: UNMEASURED_BYTES,
            full_at: None,
            backed_off: now,
            in_time: 0,
            delays: ShortestDelay::new(now),
        }
    }

    /// In bytes per second.
    pub fn get(&self) -> f64 {
        if self.unmeasured > 0 { FASTEST } else { self.bytes_per_second }
    }

    pub fn handle_sent(&mut self, bytes: usize) {
        self.unmeasured = self.unmeasured.saturating_sub(bytes);
    }

    /// Takes a report of the receiver, in the order in which the packets were sent.
    pub fn handle_arrivals(&mut self, now: Instant, arrivals: &[Arrival]) {
        for burst in arrivals.chunk_by(|a, b| b.sent.saturating_duration_since(a.sent) <= APART) {
            self.handle_burst(now, burst);
        }
    }

    fn handle_burst(&mut self, now: Instant, burst: &[Arrival]) {
        let received: Vec<(i64, Duration, &Arrival)> = burst
            .iter()
            .filter_map(|packet| {
                let arrived = packet.arrived?;
                Some((self.delays.note(packet.sent, arrived), arrived, packet))
            })
            .collect();
        let loss = (burst.len() - received.len()) as f64 / burst.len() as f64;
        let in_time = loss < LOW_LOSS && received.last().is_some_and(|(queue, _, _)| *queue < SHORT_QUEUE_US);
        if burst.len() < FEWEST_TO_RAISE {
            self.handle_few(now, in_time, burst);
        }
        if burst.len() < FEWEST_PACKETS {
            return;
        }
        let (Some((_, first_at, first)), Some((queue, last_at, last))) = (received.first(), received.last())
        else {
            self.back_off(now, self.bytes_per_second * BACK_OFF_FAR);
            return;
        };
        let span = last_at.saturating_sub(*first_at);
        let bytes: usize = received[1..].iter().map(|(_, _, packet)| packet.bytes).sum();
        let pace = bytes as f64 / span.as_secs_f64().max(1e-4);
        if *queue > LONG_QUEUE_US || loss > HIGH_LOSS {
            if first.sent < self.backed_off {
                return;
            }
            // Only packets that arrive further apart than they left show the path's pace rather than ours.
            let spread = span > last.sent.saturating_duration_since(first.sent);
            let carried = if spread { pace } else { self.bytes_per_second };
            self.full_at = Some(carried);
            let by = if *queue > VERY_LONG_QUEUE_US { BACK_OFF_FAR } else { BACK_OFF };
            self.back_off(now, carried * by);
        } else if in_time && burst.len() >= FEWEST_TO_RAISE {
            self.in_time = 0;
            self.raise(now, pace);
        }
    }

    /// Takes a few packets, whose arrival in time says only that they fit the path at the pace of now. A slow pace needs few
    /// packets to fill a queue: at a pace twice that of the path, as many as leave in [`SHORT_QUEUE_US`]. So many of them
    /// raise it, also those of many small bursts together, yet never past the pace at which an unmeasured path is tried.
    fn handle_few(&mut self, now: Instant, in_time: bool, packets: &[Arrival]) {
        if !in_time {
            self.in_time = 0;
            return;
        }
        self.in_time += packets.iter().map(|packet| packet.bytes).sum::<usize>();
        let enough = self.bytes_per_second * SHORT_QUEUE_US as f64 / 1e6;
        if self.bytes_per_second >= UNMEASURED_RATE || (self.in_time as f64) < enough {
            return;
        }
        let raised = match self.full_at {
            Some(full_at) if !self.is_calm(now) => (self.bytes_per_second * RAISE).min(full_at),
            _ => self.bytes_per_second * RAISE_AGAIN,
        };
        if raised > self.bytes_per_second {
            self.in_time = 0;
            self.set(raised.min(UNMEASURED_RATE));
        }
    }

    /// The path was not full of late.
    fn is_calm(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.backed_off) > FULL_FOR
    }

    fn back_off(&mut self, now: Instant, bytes_per_second: f64) {
        self.unmeasured = 0;
        self.backed_off = now;
        self.in_time = 0;
        self.set(bytes_per_second);
    }

    fn raise(&mut self, now: Instant, pace: f64) {
        self.unmeasured = 0;
        match self.full_at {
            Some(_) if self.is_calm(now) => self.set(self.bytes_per_second * RAISE_AGAIN),
            Some(full_at) if self.bytes_per_second < full_at => {
                self.set((self.bytes_per_second * RAISE).min(full_at));
            }
            Some(full_at) => {
                let raised = (self.bytes_per_second * RAISE_PAST).min(pace * AHEAD);
                self.set(raised.max(self.bytes_per_second));
                self.full_at = self.full_at.filter(|_| self.bytes_per_second < 2.0 * full_at);
            }
            None => self.set((self.bytes_per_second * RAISE).max(pace)),
        }
    }

    fn set(&mut self, bytes_per_second: f64) {
        self.bytes_per_second = bytes_per_second.clamp(SLOWEST, FASTEST);
    }
}

/// The shortest one-way delay of late. Sender and receiver have different clocks, so only differences mean something.
#[derive(Debug)]
struct ShortestDelay {
    epoch: Instant,
    since: Instant,
    current: Option<i64>,
    previous: Option<i64>,
}

impl ShortestDelay {
    fn new(now: Instant) -> Self {
        Self { epoch: now, since: now, current: None, previous: None }
    }

    /// How much longer than the shortest this packet took, in microseconds.
    fn note(&mut self, sent: Instant, arrived: Duration) -> i64 {
        let age = sent.saturating_duration_since(self.since);
        if age > DELAY_MEMORY {
            // What was noted before a silence is as old as the silence, and clocks have drifted since.
            self.previous = self.current.take().filter(|_| age <= 2 * DELAY_MEMORY);
            self.since = sent;
        }
        let sent = sent.saturating_duration_since(self.epoch).as_micros() as i64;
        let delay = arrived.as_micros() as i64 - sent;
        let current = self.current.map_or(delay, |shortest| shortest.min(delay));
        self.current = Some(current);
        delay - self.previous.map_or(current, |previous| previous.min(current))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACKET: usize = 1200;

    /// A bottleneck with a queue, and what it does to `packets` that leave at the rate's own pace from `start` on.
    /// Returns the longest time a packet waited.
    fn burst(rate: &mut Pace, start: Instant, packets: usize, path_bytes_per_s: f64) -> Duration {
        let report = |rate: &mut Pace, arrivals: &mut Vec<Arrival>| {
            let Some(last) = arrivals.last() else { return };
            rate.handle_arrivals(last.sent + Duration::from_millis(100), arrivals);
            arrivals.clear();
        };
        let (mut left, mut free, mut longest) = (0.0_f64, 0.0_f64, 0.0_f64);
        let (mut arrivals, mut reported) = (Vec::new(), 0.0);
        for _ in 0..packets {
            left += PACKET as f64 / rate.get();
            rate.handle_sent(PACKET);
            free = free.max(left) + PACKET as f64 / path_bytes_per_s;
            longest = longest.max(free - left);
            arrivals.push(Arrival {
                sent: start + Duration::from_secs_f64(left),
                arrived: Some(Duration::from_secs_f64(1000.0 + free) + (start - rate.delays.epoch)),
                bytes: PACKET,
            });
            if free - reported > 0.1 {
                report(rate, &mut arrivals);
                reported = free;
            }
        }
        report(rate, &mut arrivals);
        Duration::from_secs_f64(longest)
    }

    #[test]
    fn a_path_that_is_fast_enough_gets_the_full_rate_after_its_first_burst() {
        let now = Instant::now();
        let mut rate = Pace::new(now);
        burst(&mut rate, now, 100, 1e9);
        assert!(rate.get() > 0.9 * FASTEST, "{}", rate.get());
    }

    #[test]
    fn a_slow_path_is_known_after_its_first_burst_and_hardly_queues_in_the_next() {
        let path = 1e6;
        let now = Instant::now();
        let mut rate = Pace::new(now);
        burst(&mut rate, now, 500, path);
        assert!(rate.get() < 1.5 * path, "{}", rate.get());
        let waited = burst(&mut rate, now + Duration::from_secs(5), 2000, path);
        assert!(waited < Duration::from_millis(250), "{waited:?}");
    }

    #[test]
    fn a_path_that_got_faster_is_used_again() {
        let now = Instant::now();
        let mut rate = Pace::new(now);
        burst(&mut rate, now, 500, 1e6);
        for turn in 1..20 {
            burst(&mut rate, now + Duration::from_secs(5 * turn), 300, 1e9);
        }
        assert!(rate.get() > 0.9 * FASTEST, "{}", rate.get());
    }

    #[test]
    fn a_burst_of_which_nothing_arrives_halves_the_rate_but_never_stops_it() {
        let now = Instant::now();
        let mut rate = Pace::new(now);
        let lost = [Arrival { sent: now, arrived: None, bytes: PACKET }; 20];
        rate.handle_arrivals(now, &lost);
        assert!((rate.get() - UNMEASURED_RATE / 2.0).abs() < 1.0);
        for _ in 0..100 {
            rate.handle_arrivals(now, &lost);
        }
        assert!((rate.get() - SLOWEST).abs() < 1.0);
    }

    #[test]
    fn a_few_packets_say_nothing() {
        let now = Instant::now();
        let mut rate = Pace::new(now);
        let late = |ms| Arrival { sent: now, arrived: Some(Duration::from_millis(ms)), bytes: PACKET };
        rate.handle_arrivals(now, &[late(0), late(300), late(600)]);
        assert!((rate.get() - FASTEST).abs() < 1.0);
    }
}
