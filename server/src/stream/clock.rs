//! The one clock that all streams place their frames on.

use tokio::time::Instant;

use crate::media::Timestamp90k;

/// Media time of this process: zero when the registry was made.
#[derive(Debug, Clone, Copy)]
pub struct MediaClock {
    start: Instant,
}

impl MediaClock {
    pub(super) fn starting_now() -> Self {
        Self { start: Instant::now() }
    }

    pub fn now(&self) -> Timestamp90k {
        self.at(Instant::now())
    }

    pub fn at(&self, instant: Instant) -> Timestamp90k {
        Timestamp90k::from_duration(instant.saturating_duration_since(self.start))
    }
}
