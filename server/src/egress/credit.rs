//! How many bytes may leave at a rate, and how fast bytes have left.

use std::time::{Duration, Instant};

/// How long unused credit is usually kept, since timers are late by a millisecond or two.
const KEPT: Duration = Duration::from_millis(4);
/// What is charged to several credits may exceed one of them. This limits the debt to what may leave in this time.
const LONGEST_DEBT: Duration = Duration::from_millis(50);

/// How many bytes may leave now. It grows with time, and the last packet may make it negative.
#[derive(Debug)]
pub(super) struct Credit {
    bytes: f64,
    bytes_per_second: f64,
    kept: Duration,
    refilled_at: Instant,
}

impl Credit {
    pub(super) fn new(now: Instant) -> Self {
        Self::kept_for(now, KEPT)
    }

    /// A credit of which as much may be saved up as may leave in this time.
    pub(super) fn kept_for(now: Instant, kept: Duration) -> Self {
        // The first refill reduces it to its maximum.
        Self { bytes: f64::INFINITY, bytes_per_second: 1.0, kept, refilled_at: now }
    }

    /// Adds what may leave at this rate since the last call.
    pub(super) fn refill(&mut self, now: Instant, bytes_per_second: f64) {
        let since = now.saturating_duration_since(self.refilled_at).as_secs_f64();
        let most = bytes_per_second * self.kept.as_secs_f64();
        let least = -bytes_per_second * LONGEST_DEBT.as_secs_f64();
        self.bytes = (self.bytes + since * bytes_per_second).clamp(least, most);
        self.bytes_per_second = bytes_per_second;
        self.refilled_at = now;
    }

    pub(super) fn charge(&mut self, bytes: usize) {
        self.bytes -= bytes as f64;
    }

    /// How long to wait until a packet may leave; `None` if one may leave now.
    pub(super) fn wait(&self) -> Option<Duration> {
        (self.bytes <= 0.0).then(|| Duration::from_secs_f64(-self.bytes / self.bytes_per_second))
    }
}

/// The time over which a rate is measured: several frames of a camera.
const MEASURED_OVER: Duration = Duration::from_millis(300);

/// The rate at which bytes have left recently.
#[derive(Debug)]
pub(super) struct Meter {
    bytes: f64,
    counted_at: Instant,
}

impl Meter {
    pub(super) fn new(now: Instant) -> Self {
        Self { bytes: 0.0, counted_at: now }
    }

    /// Older bytes count less.
    fn weight(&self, now: Instant) -> f64 {
        let age = now.saturating_duration_since(self.counted_at);
        (-age.as_secs_f64() / MEASURED_OVER.as_secs_f64()).exp()
    }

    pub(super) fn count(&mut self, now: Instant, bytes: usize) {
        self.bytes = self.bytes * self.weight(now) + bytes as f64;
        self.counted_at = now;
    }

    /// In bytes per second.
    pub(super) fn get(&self, now: Instant) -> f64 {
        self.bytes * self.weight(now) / MEASURED_OVER.as_secs_f64()
    }
}
