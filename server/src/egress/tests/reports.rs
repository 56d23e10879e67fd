//! What a receiver reports of arrivals, as Chromium does (transport-wide congestion control).

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use crate::rtp::ArrivalReport;

/// The time between two reports.
const EVERY: Duration = Duration::from_millis(100);

#[derive(Debug)]
pub(super) struct Reports {
    /// When the packets came that were not reported yet, on the receiver's clock.
    arrivals: BTreeMap<u16, Duration>,
    reported_before: u16,
    reported_at: Instant,
}

impl Reports {
    pub(super) fn new(now: Instant) -> Self {
        Self { arrivals: BTreeMap::new(), reported_before: 0, reported_at: now }
    }

    pub(super) fn note(&mut self, number: u16, arrived: Duration) {
        self.arrivals.entry(number).or_insert(arrived);
    }

    /// Nothing was to be reported up to now.
    pub(super) fn skip_to(&mut self, now: Instant) {
        self.reported_at = now;
    }

    /// The report that is due: on all numbers from the first unreported or late one to the last received one.
    pub(super) fn poll(&mut self, now: Instant) -> Option<Vec<ArrivalReport>> {
        if now < self.reported_at + EVERY {
            return None;
        }
        self.reported_at = now;
        let since = |number: &u16| number.wrapping_sub(self.reported_before).cast_signed();
        let numbers: BTreeSet<i16> = self.arrivals.keys().map(since).collect();
        let (first, last) = (numbers.first().copied()?, numbers.last().copied()?);
        let reports = (first.min(0)..=last).filter_map(|offset| {
            let number = self.reported_before.wrapping_add_signed(offset);
            let arrived = self.arrivals.get(&number).copied();
            // A number before the end of the last report that is not a late one was reported.
            (offset >= 0 || arrived.is_some()).then_some(ArrivalReport { number, arrived })
        });
        let reports = reports.collect();
        self.reported_before = self.reported_before.wrapping_add_signed(last.max(-1) + 1);
        self.arrivals.clear();
        Some(reports)
    }
}
