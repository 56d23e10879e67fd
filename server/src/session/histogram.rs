//! A histogram of durations, in Prometheus's sense.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Upper bounds in milliseconds, fine for the times that a switch should take, and coarse above.
const BOUNDS_MS: [u64; 14] = [1, 2, 5, 10, 20, 30, 50, 75, 100, 200, 300, 1000, 3000, 10_000];

/// Counts durations. Any number of tasks may record.
#[derive(Debug, Default)]
pub struct Histogram {
    /// The last one counts the durations above all bounds.
    buckets: [AtomicU64; BOUNDS_MS.len() + 1],
    sum_us: AtomicU64,
}

impl Histogram {
    pub fn record(&self, duration: Duration) {
        let bucket = BOUNDS_MS.iter().position(|bound| duration <= Duration::from_millis(*bound));
        self.buckets[bucket.unwrap_or(BOUNDS_MS.len())].fetch_add(1, Ordering::Relaxed);
        self.sum_us.fetch_add(duration.as_micros() as u64, Ordering::Relaxed);
    }

    /// Each upper bound in seconds with the number of durations up to it; the last bound is infinite.
    pub fn cumulative(&self) -> Vec<(f64, u64)> {
        let bounds = BOUNDS_MS.iter().map(|ms| *ms as f64 / 1000.0).chain([f64::INFINITY]);
        let mut total = 0;
        bounds
            .zip(&self.buckets)
            .map(|(bound, bucket)| {
                total += bucket.load(Ordering::Relaxed);
                (bound, total)
            })
            .collect()
    }

    pub fn sum(&self) -> Duration {
        Duration::from_micros(self.sum_us.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_counts_in_its_bucket_and_all_higher_ones() {
        let histogram = Histogram::default();
        for ms in [0, 10, 11, 60_000] {
            histogram.record(Duration::from_millis(ms));
        }
        let counts = histogram.cumulative();
        let up_to = |bound: f64| counts.iter().find(|(known, _)| *known >= bound).map(|(_, count)| *count);
        assert_eq!(
            (up_to(0.001), up_to(0.01), up_to(0.02), up_to(10.0)),
            (Some(1), Some(2), Some(3), Some(3))
        );
        assert_eq!(counts.last().map(|(_, count)| *count), Some(4));
        assert_eq!(histogram.sum(), Duration::from_millis(60_021));
    }
}
