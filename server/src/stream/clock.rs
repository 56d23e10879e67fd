//! The clock of the media timeline, which all streams share.

use tokio::time::Instant;

use crate::media::Timestamp90k;

/// The media time of this process, which was zero when the registry was made.
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
