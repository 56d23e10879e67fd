//! How much arrives at the receiver, and how much of what was sent is lost.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The time over which the rate is measured, in microseconds of the receiver's clock. A longer one would lag behind a path that
/// has become slower; a shorter one would swing with the frames of the cameras.
const WINDOW_US: i64 = 500_000;
/// The time over which the path's own rate is measured, beside [`WINDOW_US`].
const RECENT_US: i64 = 200_000;
/// The path has become slower when it has carried less than this share of the rate lately; less than that are bursts of others.
const SLOWER: f64 = 0.85;
/// A shorter time holds too few packets.
const SHORTEST_US: i64 = 60_000;
/// What arrived longer ago is forgotten.
const REMEMBERED_US: i64 = 1_000_000;
/// Bytes that arrive within this time share one entry.
const STEP_US: i64 = 5_000;

#[derive(Debug)]
struct Entry {
    arrived: i64,
    bytes: usize,
    /// For how long the path has been busy before, since the previous entry; `None` if it was idle in between.
    busy: Option<i64>,
}

/// The rate at which packets arrive, measured on the receiver's clock. On the sender's, reports that were late would look like
/// a higher rate.
#[derive(Debug, Default)]
pub(super) struct ReceivedRate {
    entries: VecDeque<Entry>,
}

impl ReceivedRate {
    /// Takes a packet that arrived after it had `waited` in the path's queue, in microseconds.
    pub(super) fn note(&mut self, arrived: i64, bytes: usize, waited: i64) {
        match self.entries.back_mut() {
            // A packet that was overtaken counts at the time of the one that overtook it.
            Some(last) if arrived - last.arrived < STEP_US => last.bytes += bytes,
            last => {
                let apart = last.map(|last| arrived - last.arrived);
                // A packet that waited for less time than has passed since the one before came to a path that was idle.
                let busy = apart.filter(|apart| waited >= *apart);
                self.entries.push_back(Entry { arrived, bytes, busy });
            }
        }
        let newest = self.newest();
        while self.entries.front().is_some_and(|oldest| newest - oldest.arrived >= REMEMBERED_US) {
            self.entries.pop_front();
        }
    }

    /// In bytes per second.
    pub(super) fn get(&self) -> f64 {
        let newest = self.newest();
        let last = self.entries.iter().rev().take_while(|entry| newest - entry.arrived < WINDOW_US);
        last.map(|entry| entry.bytes).sum::<usize>() as f64 / (WINDOW_US as f64 / 1e6)
    }

    fn newest(&self) -> i64 {
        self.entries.back().map_or(0, |entry| entry.arrived)
    }

    /// The path's own rate, in bytes per second: that at which packets arrive while its queue is not empty. `None` if it was not
    /// busy for long enough. When the path has become slower, the last packets show that first.
    pub(super) fn carried(&self) -> Option<f64> {
        let over = |window: i64| {
            let (mut bytes, mut busy) = (0, 0);
            for entry in self.entries.iter().rev() {
                let Some(before) = entry.busy else { continue };
                bytes += entry.bytes;
                busy += before;
                if busy >= window {
                    break;
                }
            }
            (busy >= SHORTEST_US).then(|| bytes as f64 / (busy as f64 / 1e6))
        };
        let (recent, longer) = (over(RECENT_US)?, over(WINDOW_US)?);
        Some(if recent < SLOWER * longer { recent } else { longer })
    }
}

/// The time over which loss is measured.
const LOSS_WINDOW: Duration = Duration::from_secs(1);
/// With fewer packets than this the share of lost ones says nothing.
const FEWEST: i64 = 20;

/// The share of packets that were lost.
#[derive(Debug, Default)]
pub(super) struct Loss {
    /// For each report when it came, and how many packets it was about and how many of them were lost. A report that corrects
    /// an earlier one may have a negative number of lost packets.
    reports: VecDeque<(Instant, i64, i64)>,
}

impl Loss {
    pub(super) fn note(&mut self, now: Instant, packets: i64, lost: i64) {
        self.reports.push_back((now, packets, lost));
        while self.reports.front().is_some_and(|(at, _, _)| now.saturating_duration_since(*at) > LOSS_WINDOW)
        {
            self.reports.pop_front();
        }
    }

    /// From 0 to 1; 0 while there are too few packets to tell.
    pub(super) fn share(&self) -> f64 {
        let (packets, lost) = self.reports.iter().fold((0, 0), |(p, l), report| (p + report.1, l + report.2));
        if packets < FEWEST { 0.0 } else { (lost as f64 / packets as f64).clamp(0.0, 1.0) }
    }

    /// Forgets what was reported so far, since the rate has been reduced for it.
    pub(super) fn clear(&mut self) {
        self.reports.clear();
    }
}
