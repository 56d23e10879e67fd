//! The estimate of what the path carries for all packets of one connection. Sans-IO: reports on arrivals go in, a rate comes
//! out.
//!
//! It falls when the path's queue grows or much is lost, to a share of what arrives. It rises slowly by itself, and at once after
//! a probe that arrived in time (`probe.rs`).

use std::time::{Duration, Instant};

use rtc::interceptor::Usage;

use super::Arrival;
use super::arrival::ReceiverClock;
use super::probe::{Prober, Shown};
use super::received::{Loss, ReceivedRate};
use super::trend::Trend;

/// 30 packets of 1200 bytes in a millisecond, in bytes per second.
pub(super) const FASTEST: f64 = 36e6;
/// 0.1 Mbit/s.
const SLOWEST: f64 = 12.5e3;
/// Before the first measurement: 20 Mbit/s. Above that, the estimate rises with what is sent, but no padding is sent for it.
const INITIAL: f64 = 20e6 / 8.0;
/// A queue that grows but is shorter than this, in microseconds, is what a frame leaves behind.
const LONG_QUEUE_US: i64 = 25_000;
/// When a long queue grows, the estimate falls to this share of what arrives.
const BACK_OFF: f64 = 0.85;
/// When the queue is then shorter than this, it has drained, and this share of what arrived at the full queue is used.
const SHORT_QUEUE_US: i64 = 10_000;
const DRAINED: f64 = 0.92;
/// Two decreases are at least a round trip and this far apart.
const DECREASE_APART: Duration = Duration::from_millis(200);
/// A lower loss without a queue is taken for that of a radio link, which sending less would not change.
const HIGH_LOSS: f64 = 0.1;
/// By what factor the estimate rises in a second…
const RISE: f64 = 1.08;
/// … and by how many bytes in a round trip, and by what factor in a second at most, near the rate at which the queue last grew.
const RISE_NEAR_BYTES: f64 = 1800.0;
const RISE_NEAR: f64 = 1.04;
/// That rate is forgotten when the estimate is this many times as high.
const PAST_CEILING: f64 = 1.3;
/// The estimate rises only to this multiple of what arrives: more was not tried.
const AHEAD: f64 = 1.5;
/// Between two reports it rises as for this time at most.
const LONGEST_RISE: Duration = Duration::from_millis(200);
/// A browser that receives packets reports more often than this.
const HEARD: Duration = Duration::from_secs(1);

/// What the path is believed to carry.
#[derive(Debug)]
pub struct Estimate {
    bytes_per_second: f64,
    most: f64,
    is_measured: bool,
    /// What arrived when the queue last grew.
    ceiling: Option<f64>,
    clock: ReceiverClock,
    trend: Trend,
    received: ReceivedRate,
    loss: Loss,
    prober: Prober,
    round_trip: Duration,
    decreased_at: Option<Instant>,
    reported_at: Option<Instant>,
}

impl Estimate {
    /// `most`: what it never exceeds, in bytes per second.
    pub fn new(now: Instant, most: f64) -> Self {
        let most = most.clamp(SLOWEST, FASTEST);
        Self {
            bytes_per_second: INITIAL.min(most),
            most,
            is_measured: false,
            ceiling: None,
            clock: ReceiverClock::default(),
            trend: Trend::new(now),
            received: ReceivedRate::default(),
            loss: Loss::default(),
            prober: Prober::new(now, most),
            round_trip: DECREASE_APART,
            decreased_at: None,
            reported_at: None,
        }
    }

    /// In bytes per second.
    pub fn get(&self) -> f64 {
        self.bytes_per_second
    }

    /// Whether something of the path was measured. Before that the estimate is only assumed.
    pub fn is_measured(&self) -> bool {
        self.is_measured
    }

    /// The rate of the probe that is to be sent now, if one is: while it is, packets leave at this rate.
    pub fn probe_rate(&mut self, now: Instant, burst_waits: bool) -> Option<f64> {
        if self.prober.may_start(now) && (burst_waits || self.may_pad(now)) {
            self.prober.start_above(now, self.bytes_per_second, burst_waits);
        }
        self.prober.rate()
    }

    /// Whether padding is to be sent now, if nothing else is waiting.
    pub fn wants_padding(&self, now: Instant) -> bool {
        self.prober.rate().is_some() && self.may_pad(now)
    }

    /// Whether padding may be sent. Without reports it would tell nothing.
    fn may_pad(&self, now: Instant) -> bool {
        self.bytes_per_second < INITIAL.min(self.most)
            && self.reported_at.is_some_and(|at| now.saturating_duration_since(at) < HEARD)
    }

    /// Handles a packet that leaves now. Returns the number of the probe that it is part of.
    pub fn handle_sent(&mut self, bytes: usize) -> Option<u32> {
        self.prober.handle_sent(bytes)
    }

    /// Handles that there is nothing more to send now, not even padding.
    pub fn handle_nothing_waits(&mut self) {
        if self.prober.rate().is_some() {
            self.prober.finish();
        }
    }

    /// Handles the receiver's report on some packets, in the order in which they left.
    pub fn handle_arrivals(&mut self, now: Instant, arrivals: &[Arrival]) {
        let (mut packets, mut lost) = (0, 0);
        let mut usage = None;
        for arrival in arrivals {
            let arrived = arrival.arrived.map(|arrived| self.clock.unwrap(arrived));
            if arrival.is_repair {
                // It took its share of the path, too.
                if let Some(arrived) = arrived {
                    self.received.note(arrived, arrival.bytes, self.trend.waited(arrival.sent, arrived));
                }
                continue;
            }
            // What was lost before the last decrease is what that was for.
            if self.decreased_at.is_none_or(|at| arrival.sent >= at) {
                packets += i64::from(!arrival.was_lost);
                lost += i64::from(arrived.is_none()) - i64::from(arrival.was_lost && arrived.is_some());
            }
            self.prober.handle_arrival(arrived, arrival);
            if let Some(arrived) = arrived {
                if !arrival.was_lost {
                    self.round_trip = now.saturating_duration_since(arrival.sent);
                }
                self.received.note(arrived, arrival.bytes, self.trend.waited(arrival.sent, arrived));
                let noted = self.trend.note(arrival.sent, arrived);
                usage = if usage == Some(Usage::Over) { usage } else { noted.or(usage) };
            }
        }
        self.loss.note(now, packets, lost);
        // Without reports nothing is known of the path, so the time without them does not count.
        let since =
            self.reported_at.map_or(Duration::ZERO, |at| now.saturating_duration_since(at)).min(LONGEST_RISE);
        self.reported_at = Some(now);
        let share = self.loss.share();
        let is_long = self.trend.queue() > LONG_QUEUE_US;
        if is_long && (usage == Some(Usage::Over) || share > HIGH_LOSS) {
            if let Some(carried) = self.received.carried() {
                self.back_off(now, BACK_OFF * carried, carried);
            }
        } else if share > HIGH_LOSS {
            let to = self.bytes_per_second * (1.0 - share / 2.0);
            self.back_off(now, to, self.received.carried().unwrap_or(to));
        } else if matches!(usage, Some(Usage::Normal | Usage::Over)) {
            self.rise(since);
        }
        if let Some(Shown { carried, replaces }) = self.prober.poll(now) {
            self.is_measured = true;
            if replaces || carried > self.bytes_per_second {
                self.set(carried);
            }
        }
    }

    /// Reduces the estimate, unless that was done a moment ago. `carried`: what the path carries.
    fn back_off(&mut self, now: Instant, to: f64, carried: f64) {
        let apart = self.round_trip.clamp(DECREASE_APART, Duration::from_secs(1));
        if self.decreased_at.is_some_and(|at| now.saturating_duration_since(at) < apart)
            || to >= self.bytes_per_second
        {
            return;
        }
        self.ceiling = Some(carried);
        self.decreased_at = Some(now);
        self.is_measured = true;
        self.loss.clear();
        self.prober.handle_decrease(now, to);
        self.set(to);
    }

    fn rise(&mut self, since: Duration) {
        let current = self.bytes_per_second;
        self.ceiling = self.ceiling.filter(|ceiling| current <= PAST_CEILING * ceiling);
        let since = since.as_secs_f64();
        let risen = match self.ceiling {
            Some(ceiling) if current < DRAINED * ceiling && self.trend.queue() < SHORT_QUEUE_US => {
                self.set(DRAINED * ceiling);
                return;
            }
            Some(ceiling) if current > BACK_OFF * ceiling => {
                let round_trip = self.round_trip.as_secs_f64().max(0.1);
                (current + RISE_NEAR_BYTES * since / round_trip).min(current * RISE_NEAR.powf(since))
            }
            _ => current * RISE.powf(since),
        };
        self.set(risen.min(AHEAD * self.received.get()).max(current));
    }

    fn set(&mut self, bytes_per_second: f64) {
        self.bytes_per_second = bytes_per_second.clamp(SLOWEST, self.most);
    }
}
