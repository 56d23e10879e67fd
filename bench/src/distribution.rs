//! The percentiles of many samples.

use serde::Serialize;

/// Milliseconds, rounded to a tenth, which is the resolution of a browser's clock.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Distribution {
    pub(crate) n: usize,
    pub(crate) p50: f64,
    pub(crate) p95: f64,
    pub(crate) max: f64,
}

impl Distribution {
    /// `None` without samples: a figure that was not measured is not 0.
    pub(crate) fn of(samples: &[f64]) -> Option<Self> {
        let mut sorted: Vec<f64> = samples.iter().map(|ms| (ms * 10.0).round() / 10.0).collect();
        sorted.sort_by(f64::total_cmp);
        // Nearest rank: each figure is a sample that was seen, never one between two.
        let percentile = |percent: usize| {
            let rank = (percent * sorted.len()).div_ceil(100);
            sorted.get(rank.saturating_sub(1)).copied()
        };
        Some(Self { n: sorted.len(), p50: percentile(50)?, p95: percentile(95)?, max: percentile(100)? })
    }
}

impl std::fmt::Display for Distribution {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.0} / {:.0} / {:.0}", self.p50, self.p95, self.max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_samples_that_were_seen() {
        let samples: Vec<f64> = (1..=40).rev().map(f64::from).collect();
        let expected = Distribution { n: 40, p50: 20.0, p95: 38.0, max: 40.0 };
        assert_eq!(Distribution::of(&samples), Some(expected));
    }

    #[test]
    fn one_sample_is_its_own_distribution() {
        assert_eq!(Distribution::of(&[7.04]), Some(Distribution { n: 1, p50: 7.0, p95: 7.0, max: 7.0 }));
    }

    #[test]
    fn no_samples_are_no_figure() {
        assert_eq!(Distribution::of(&[]), None);
    }
}
