//! Remembers when each packet left, until the browser reports its arrival.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::Arrival;
use crate::rtp::ArrivalReport;

/// How long a packet is remembered. A browser reports within a quarter of a second, and a report may be late.
const REMEMBERED_FOR: Duration = Duration::from_secs(3);
/// How many packets are remembered at most: half of the numbers, so that each is one packet's.
const REMEMBERED: usize = 1 << 15;

/// The packets of one connection, by their transport-wide sequence number.
#[derive(Debug, Default)]
pub(super) struct Departures {
    /// The sequence number of the next packet.
    next: u16,
    /// The last packets, in the order of their numbers.
    sent: VecDeque<Departure>,
}

#[derive(Debug, Clone, Copy)]
struct Departure {
    at: Instant,
    bytes: usize,
    probe: Option<u32>,
    fate: Fate,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Unknown,
    Lost,
    /// It was sent again so long after it left, before any report about it.
    Repaired(Duration),
    /// It was lost, and sent again at this time.
    SentAgain(Instant),
    /// Nothing more is to be learnt about it.
    Settled,
}

impl Departures {
    /// Remembers a packet that leaves now, and the probe that it is part of. Returns its transport-wide sequence number.
    pub(super) fn number(&mut self, at: Instant, bytes: usize, probe: Option<u32>) -> u16 {
        let is_old = |sent: &Departure| at.saturating_duration_since(sent.at) > REMEMBERED_FOR;
        while self.sent.front().is_some_and(is_old) || self.sent.len() >= REMEMBERED {
            self.sent.pop_front();
        }
        self.sent.push_back(Departure { at, bytes, probe, fate: Fate::Unknown });
        let number = self.next;
        self.next = number.wrapping_add(1);
        number
    }

    fn get(&mut self, number: u16) -> Option<&mut Departure> {
        // The last packet's number is one before the next.
        let from_end = usize::from(self.next.wrapping_sub(number));
        self.sent.len().checked_sub(from_end).and_then(|place| self.sent.get_mut(place))
    }

    /// Handles that a packet is sent again.
    pub(super) fn handle_repair(&mut self, now: Instant, number: u16) {
        if let Some(departure) = self.get(number) {
            departure.fate = match departure.fate {
                Fate::Unknown => Fate::Repaired(now.saturating_duration_since(departure.at)),
                Fate::Lost | Fate::SentAgain(_) => Fate::SentAgain(now),
                fate => fate,
            };
        }
    }

    /// Adds to each packet of a report when it left and how large it was, in the order of the report. A packet that was reported
    /// lost may be reported once more, when it has arrived after all.
    pub(super) fn resolve(&mut self, reports: &[ArrivalReport]) -> Vec<Arrival> {
        // When the last packet that was not sent again left, and when it arrived.
        let mut usual: Option<(Instant, Duration)> = None;
        let resolved = reports.iter().filter_map(|report| {
            let departure = self.get(report.number)?;
            let Departure { at, bytes, probe, fate } = *departure;
            if let Fate::SentAgain(sent) = fate {
                let arrived = Some(report.arrived?);
                departure.fate = Fate::Settled;
                return Some(Arrival { sent, arrived, bytes, probe: None, was_lost: true, is_repair: true });
            }
            let arrived = match fate {
                Fate::Repaired(after) => report.arrived.filter(|arrived| {
                    let is_repair = |(sent, usually)| is_late(at, *arrived, sent, usually, after / 2);
                    !usual.is_none_or(is_repair)
                }),
                _ => report.arrived,
            };
            departure.fate = match fate {
                Fate::Settled => return None,
                Fate::Lost if arrived.is_none() => return None,
                Fate::Unknown if arrived.is_none() => Fate::Lost,
                _ => Fate::Settled,
            };
            if let Some(arrived) = arrived.filter(|_| fate == Fate::Unknown) {
                usual = Some((at, arrived));
            }
            Some(Arrival { sent: at, arrived, bytes, probe, was_lost: fate == Fate::Lost, is_repair: false })
        });
        resolved.collect()
    }
}

/// Whether a packet took longer than another one by more than this. A report does not tell a packet from the same one sent again,
/// but the latter is late by the time between them.
fn is_late(
    sent: Instant,
    arrived: Duration,
    other_sent: Instant,
    other_arrived: Duration,
    by: Duration,
) -> bool {
    arrived > other_arrived + sent.saturating_duration_since(other_sent) + by
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(number: u16) -> ArrivalReport {
        ArrivalReport { number, arrived: Some(Duration::from_millis(5)) }
    }

    fn lost(number: u16) -> ArrivalReport {
        ArrivalReport { number, arrived: None }
    }

    #[test]
    fn a_report_names_packets_by_number_and_each_counts_once() {
        let now = Instant::now();
        let mut departures = Departures::default();
        assert_eq!(departures.number(now, 100, None), 0);
        assert_eq!(departures.number(now, 200, Some(1)), 1);
        let arrivals = departures.resolve(&[received(0), lost(1), received(2)]);
        let brief: Vec<_> = arrivals.iter().map(|a| (a.bytes, a.probe, a.arrived.is_some())).collect();
        assert_eq!(brief, [(100, None, true), (200, Some(1), false)]);
        assert_eq!(departures.resolve(&[received(0), lost(0), lost(1)]), []);
    }

    #[test]
    fn a_lost_packet_may_arrive_after_all_and_is_told_from_the_same_one_sent_again() {
        let now = Instant::now();
        let mut departures = Departures::default();
        departures.number(now, 100, None);
        departures.number(now, 100, None);
        assert_eq!(departures.resolve(&[lost(0), lost(1)]).len(), 2);
        departures.handle_repair(now, 0);
        let arrivals = departures.resolve(&[received(0), received(1)]);
        assert_eq!(arrivals.iter().map(|a| a.is_repair).collect::<Vec<_>>(), [true, false]);
    }

    #[test]
    fn a_packet_that_was_overtaken_is_told_from_the_same_one_sent_again() {
        let start = Instant::now();
        let ms = Duration::from_millis;
        let mut departures = Departures::default();
        (0..3).for_each(|_| {
            departures.number(start, 100, None);
        });
        for number in [1, 2] {
            departures.handle_repair(start + ms(40), number);
        }
        let report = |number, at| ArrivalReport { number, arrived: Some(ms(at)) };
        let arrivals = departures.resolve(&[report(0, 500), report(1, 510), report(2, 540)]);
        assert_eq!(arrivals.iter().map(|a| a.arrived.is_some()).collect::<Vec<_>>(), [true, true, false]);
    }

    #[test]
    fn numbers_wrap_and_a_late_report_on_a_forgotten_packet_is_ignored() {
        let start = Instant::now();
        let mut departures = Departures::default();
        for _ in 0..=u32::from(u16::MAX) {
            departures.number(start, 1, None);
        }
        assert_eq!(departures.sent.len(), REMEMBERED);
        departures.number(start, 7, None);
        assert_eq!(departures.resolve(&[received(0)])[0].bytes, 7, "the newest of this number");
        assert_eq!(departures.resolve(&[received(1)]), [], "forgotten long ago");
        departures.number(start + REMEMBERED_FOR * 2, 8, None);
        assert_eq!(departures.sent.len(), 1);
        assert_eq!(departures.resolve(&[received(1)]).len(), 1);
        assert_eq!(departures.resolve(&[received(2)]), [], "not sent yet");
    }
}
