//! The rate at which the bursts of one connection may leave, learnt from when their packets arrived.
//!
//! A burst is also a probe: when it is sent faster than the path can carry it, its packets arrive at the path's own rate. Live
//! frames are not held back by this rate, so it settles at what the path carries *beside* them. It does not estimate the whole
//! path, and says nothing about streams that exceed the path even without bursts.

use std::time::{Duration, Instant};

/// 30 packets of 1200 bytes in a millisecond, in bytes per second: nothing leaves faster.
const FASTEST: f64 = 36e6;
/// Half a megabit per second. The rate never falls below it, since a slower burst is not worth sending, and since bursts at
/// this rate still have enough packets to measure the path and raise the rate again.
const SLOWEST: f64 = 64e3;
/// Until the first measurement of the path, this many bytes may leave at full speed, which is enough for the key frames of a
/// wall…
const UNMEASURED_BYTES: usize = 256 * 1024;
/// … and the rest at 20 Mbit/s. The first report comes after 100 ms; what leaves by then must fit into the path's queue.
const UNMEASURED_RATE: f64 = 20e6 / 8.0;
/// A burst of fewer packets measures the browser's scheduling rather than the path…
const FEWEST_PACKETS: usize = 8;
/// … and a burst of fewer than this fills no queue, so that it arrives in time says little: see [`Pace::handle_few`].
const FEWEST_TO_RAISE: usize = 30;
/// Packets that left further apart than this count as two bursts.
const APART: Duration = Duration::from_millis(50);
/// A longer queueing delay or a higher loss than this reduces the rate: the pictures of the other slots are then visibly late.
/// A shorter delay may be due to the browser's own scheduling.
const LONG_QUEUE_US: i64 = 50_000;
const HIGH_LOSS: f64 = 0.1;
/// With a shorter queueing delay and a lower loss than this a burst has arrived in time, and may raise the rate.
const SHORT_QUEUE_US: i64 = 20_000;
const LOW_LOSS: f64 = 0.02;
/// The factor from the measured rate to the new, lower one, so that the queue drains…
const BACK_OFF: f64 = 0.75;
/// … and the smaller factor for a very long queue, so that it drains soon.
const VERY_LONG_QUEUE_US: i64 = 150_000;
const BACK_OFF_FAR: f64 = 0.5;
/// The factors by which the rate is raised: below the rate at which the path was last full, and above it.
const RAISE: f64 = 2.0;
const RAISE_PAST: f64 = 1.15;
/// For this long the rate at which the path was last full is taken for its limit. Later that may no longer hold: the viewer's
/// machine may have been busy then, or the path carried other traffic. A burst that arrives in time then raises the rate by the
/// factor below, whatever was measured before.
const FULL_FOR: Duration = Duration::from_millis(1500);
const RAISE_AGAIN: f64 = 1.5;
/// Above the rate at which the path was last full, the new rate is at most this many times the measured one, since the next
/// report is 100 ms away.
const AHEAD: f64 = 1.25;
/// The shortest one-way delay is that of the last one to two of these periods: routes change, and clocks drift by less than 0.1
/// ‰, which is 0.4 ms in that time.
const DELAY_MEMORY: Duration = Duration::from_secs(2);

/// The arrival or loss of one packet of a burst.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    pub sent: Instant,
    /// On the receiver's clock; `None` if the packet was lost.
    pub arrived: Option<Duration>,
    pub bytes: usize,
}

/// The rate of bursts on one connection. Sans-IO: arrivals of packets go in, a rate comes out.
#[derive(Debug)]
pub struct Pace {
    bytes_per_second: f64,
    /// How many bytes may still leave at full speed before the path is measured.
    unmeasured: usize,
    /// The rate that was measured when the path was last full. It is forgotten when the path carries twice as much.
    full_at: Option<f64>,
    /// When the rate was last reduced. Packets sent before that do not measure the new rate.
    backed_off: Instant,
    /// Bytes that arrived in time since the rate last changed or a queue was seen.
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

    /// The rate at which bursts may leave now, in bytes per second.
    pub fn get(&self) -> f64 {
        if self.unmeasured > 0 { FASTEST } else { self.bytes_per_second }
    }

    pub fn handle_sent(&mut self, bytes: usize) {
        self.unmeasured = self.unmeasured.saturating_sub(bytes);
    }

    /// Handles the receiver's report on some packets, in the order in which they were sent.
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
            // Only packets that arrive further apart than they left show the path's rate rather than the sender's.
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

    /// Handles a burst of fewer than [`FEWEST_TO_RAISE`] packets. That it arrives in time shows only that the path carries the
    /// present rate. At a low rate, though, few packets suffice to fill a queue: at twice the path's rate, as many as leave in
    /// [`SHORT_QUEUE_US`]. When that many bytes have arrived in time, also in several small bursts, the rate is raised, at most
    /// to [`UNMEASURED_RATE`].
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

    /// Whether the rate was not reduced in the last [`FULL_FOR`].
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

/// The shortest recent one-way delay. The clocks of sender and receiver differ, so only differences of delays are meaningful.
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

    /// Records the delay of a packet. Returns by how many microseconds it exceeds the shortest one, which is the time that the
    /// packet spent in queues.
    fn note(&mut self, sent: Instant, arrived: Duration) -> i64 {
        let age = sent.saturating_duration_since(self.since);
        if age > DELAY_MEMORY {
            // Without packets for a long time the last minimum is old, and the clocks have drifted since.
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

    /// Sends `packets` at the rate from `start` on through a bottleneck with a queue. Returns the longest time in the queue.
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
    fn a_few_packets_do_not_change_the_rate() {
        let now = Instant::now();
        let mut rate = Pace::new(now);
        let late = |ms| Arrival { sent: now, arrived: Some(Duration::from_millis(ms)), bytes: PACKET };
        rate.handle_arrivals(now, &[late(0), late(300), late(600)]);
        assert!((rate.get() - FASTEST).abs() < 1.0);
    }
}
