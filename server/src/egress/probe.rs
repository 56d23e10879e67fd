//! Probes: short runs of packets that leave faster than the estimate, to see whether the path carries more.

use std::time::{Duration, Instant};

use super::Arrival;

/// How long a probe is sent…
const LENGTH: Duration = Duration::from_millis(20);
/// … and of how many packets it consists at least.
const FEWEST: usize = 13;
/// A link that is policed by a token bucket lets the first packets of a probe through at full speed, however slow it is. So many of
/// them do not count: 8400 bytes of media, which is more than a bucket of 8 KB holds, but 1850 where they are padding.
const FREE: usize = 7;
/// A probe has succeeded if it arrives at this share of the rate at which it left.
const ARRIVED: f64 = 0.9;
/// If it has not, it arrived at what the path carries, of which this share is used.
const USED: f64 = 0.95;
/// How much faster than the estimate a probe is, and how much faster the next one is when it succeeded.
const FIRST: f64 = 2.0;
const NEXT: f64 = 3.0;
/// The time between a probe that failed, or a decrease, and the next probe…
const PAUSE: Duration = Duration::from_millis(1500);
/// … which is shorter where the estimate is below this rate, 1 Mbit/s: more probes are needed from there, and each is small.
const SHORT_PAUSE: Duration = Duration::from_secs(1);
const SLOW: f64 = 125e3;
/// Below this rate, 0.2 Mbit/s, hardly anything is shown, which is what an outage leaves behind: the next probe comes soon.
const SHORTEST_PAUSE: Duration = Duration::from_millis(400);
const NEXT_TO_NOTHING: f64 = 25e3;
/// A report may be lost: after this time a probe is judged by what is known of it.
const PATIENCE: Duration = Duration::from_millis(1500);

/// The first burst is a probe itself: this many bytes leave as fast as possible, enough for the key frames of a wall…
const FIRST_BURST: f64 = 256.0 * 1024.0;
/// … and after this many packets it is judged, before the rest of the burst has filled the path's queue.
const EARLY: usize = 40;

/// What a probe has shown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Shown {
    /// In bytes per second.
    pub(super) carried: f64,
    /// Whether it is the first measurement of a path that turned out to be slower than the probe: then what was assumed before
    /// does not hold.
    pub(super) replaces: bool,
}

/// A probe that is being sent, or whose arrival is awaited.
#[derive(Debug)]
struct Probe {
    number: u32,
    rate: f64,
    bytes_left: f64,
    started: Instant,
    /// Whether it is the first burst.
    is_first: bool,
    /// Packets that left, those whose fate was reported, and those that arrived.
    sent: usize,
    reported: usize,
    received: usize,
    received_bytes: usize,
    /// The first and the last packet that arrived, of those that count.
    first: Option<Arrived>,
    last: Option<Arrived>,
}

#[derive(Debug, Clone, Copy)]
struct Arrived {
    sent: Instant,
    at: i64,
    bytes: usize,
}

impl Probe {
    fn is_sent(&self) -> bool {
        self.bytes_left <= 0.0 && self.sent >= FEWEST
    }

    fn note(&mut self, at: Option<i64>, arrival: &Arrival) {
        self.reported += usize::from(!arrival.was_lost);
        let Some(at) = at else { return };
        self.received += 1;
        if self.received <= FREE {
            return;
        }
        self.received_bytes += arrival.bytes;
        let arrived = Arrived { sent: arrival.sent, at, bytes: arrival.bytes };
        self.first.get_or_insert(arrived);
        if self.last.is_none_or(|last| last.at <= at) {
            self.last = Some(arrived);
        }
    }

    fn is_known(&self, now: Instant) -> bool {
        let is_reported = self.is_sent() && self.reported >= self.sent;
        let is_early = self.is_first && self.reported >= EARLY;
        is_reported || is_early || now.saturating_duration_since(self.started) > PATIENCE
    }

    /// What the path carries according to this probe, in bytes per second, and whether it may carry more.
    fn shown(&self) -> Option<(f64, bool)> {
        let (first, last) = self.first.zip(self.last).filter(|_| self.received >= FEWEST)?;
        let left_in = last.sent.saturating_duration_since(first.sent).as_secs_f64().max(1e-3);
        let arrived_in = ((last.at - first.at) as f64 / 1e6).max(1e-3);
        let left = (self.received_bytes - last.bytes) as f64 / left_in;
        let arrived = (self.received_bytes - first.bytes) as f64 / arrived_in;
        let is_whole = self.received as f64 >= ARRIVED * self.reported as f64;
        let succeeded = is_whole && arrived >= ARRIVED * left;
        Some((if succeeded { left.min(arrived) } else { USED * arrived.min(left) }, succeeded))
    }
}

/// Decides when to probe, and judges the probes.
#[derive(Debug)]
pub(super) struct Prober {
    probe: Option<Probe>,
    number: u32,
    /// Whether the first burst has begun.
    had_burst: bool,
    next_at: Instant,
    /// No probe is faster than this many bytes per second.
    fastest: f64,
}

impl Prober {
    pub(super) fn new(now: Instant, fastest: f64) -> Self {
        Self { probe: None, number: 0, had_burst: false, next_at: now, fastest }
    }

    /// The rate of the probe that is to be sent now.
    pub(super) fn rate(&self) -> Option<f64> {
        self.probe.as_ref().filter(|probe| !probe.is_sent()).map(|probe| probe.rate)
    }

    /// Whether a probe may begin.
    pub(super) fn may_start(&self, now: Instant) -> bool {
        self.probe.is_none() && now >= self.next_at
    }

    /// Starts a probe, given the estimate, or the first one when a burst waits.
    pub(super) fn start_above(&mut self, now: Instant, estimate: f64, burst_waits: bool) {
        let is_first = burst_waits && !self.had_burst;
        self.had_burst |= is_first;
        self.start(now, if is_first { self.fastest } else { FIRST * estimate }, is_first);
    }

    fn start(&mut self, now: Instant, rate: f64, is_first: bool) {
        let rate = rate.min(self.fastest);
        self.number = self.number.wrapping_add(1);
        self.probe = Some(Probe {
            number: self.number,
            rate,
            bytes_left: if is_first { FIRST_BURST } else { rate * LENGTH.as_secs_f64() },
            started: now,
            is_first,
            sent: 0,
            reported: 0,
            received: 0,
            received_bytes: 0,
            first: None,
            last: None,
        });
    }

    /// Handles a packet that leaves now. Returns the number of the probe that it is part of.
    pub(super) fn handle_sent(&mut self, bytes: usize) -> Option<u32> {
        let probe = self.probe.as_mut().filter(|probe| !probe.is_sent())?;
        probe.bytes_left -= bytes as f64;
        probe.sent += 1;
        Some(probe.number)
    }

    /// Ends the sending of a probe for which no more packets are there.
    pub(super) fn finish(&mut self) {
        self.probe = self.probe.take().filter(|probe| probe.sent >= FEWEST);
        if let Some(probe) = &mut self.probe {
            probe.bytes_left = 0.0;
        }
    }

    /// Handles a report on a packet of a probe.
    pub(super) fn handle_arrival(&mut self, arrived: Option<i64>, arrival: &Arrival) {
        if let Some(probe) = &mut self.probe
            && arrival.probe == Some(probe.number)
        {
            probe.note(arrived, arrival);
        }
    }

    /// What the probe has shown: once, when enough of it was reported. If it succeeded, a faster one begins at once.
    pub(super) fn poll(&mut self, now: Instant) -> Option<Shown> {
        let probe = self.probe.take_if(|probe| probe.is_known(now))?;
        self.pause(now, probe.rate / FIRST);
        let (carried, succeeded) = probe.shown()?;
        if succeeded && probe.rate < self.fastest {
            self.start(now, NEXT * carried, false);
        }
        Some(Shown { carried, replaces: probe.is_first && !succeeded })
    }

    /// Handles a decrease of the estimate to this: a probe that is under way has been refuted.
    pub(super) fn handle_decrease(&mut self, now: Instant, estimate: f64) {
        self.probe = None;
        self.pause(now, estimate);
    }

    fn pause(&mut self, now: Instant, estimate: f64) {
        let pause = match estimate {
            ..NEXT_TO_NOTHING => SHORTEST_PAUSE,
            ..SLOW => SHORT_PAUSE,
            _ => PAUSE,
        };
        self.next_at = now + pause;
    }
}
