//! Timestamps of the media timeline.

use std::ops::{Add, Sub};
use std::time::Duration;

/// A point on the media timeline, in ticks of 90 kHz (the RTP clock of every video codec, RFC 3551 §5).
///
/// All streams share the timeline, so two frames that were captured at the same time have nearly the same timestamp, whichever
/// cameras they come from. 64 bits never wrap; the 32 bits in RTP are the lower half.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp90k(pub u64);

impl Timestamp90k {
    pub const HZ: u64 = 90_000;

    /// The 32 bits for an RTP header.
    pub const fn rtp(self) -> u32 {
        self.0 as u32
    }

    pub fn from_duration(since_start: Duration) -> Self {
        Self((since_start.as_micros() * 9 / 100) as u64)
    }

    /// How long after `earlier` this is; zero if it is not after it.
    pub fn since(self, earlier: Timestamp90k) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0) * 100 / 9)
    }
}

impl Add<u64> for Timestamp90k {
    type Output = Self;
    fn add(self, ticks: u64) -> Self {
        Self(self.0 + ticks)
    }
}

impl Sub<u64> for Timestamp90k {
    type Output = Self;
    fn sub(self, ticks: u64) -> Self {
        Self(self.0.saturating_sub(ticks))
    }
}
