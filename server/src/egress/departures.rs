//! Remembers when each numbered packet left, until the browser reports its arrival.

use std::time::Instant;

use super::Arrival;
use crate::rtp::ArrivalReport;

/// How many packets are remembered. A browser reports within a quarter of a second; at 30 packets a millisecond about this many
/// have left by then.
const REMEMBERED: usize = 8192;

/// The packets of bursts on one connection, by their transport-wide sequence number.
#[derive(Debug, Default)]
pub(super) struct Departures {
    /// The sequence number of the next packet.
    next: u16,
    /// The last [`REMEMBERED`] packets, each at the index of its number modulo [`REMEMBERED`]. Empty until the first burst.
    sent: Vec<Option<Departure>>,
}

#[derive(Debug, Clone, Copy)]
struct Departure {
    number: u16,
    at: Instant,
    bytes: usize,
}

impl Departures {
    /// Remembers a packet that leaves now. Returns its transport-wide sequence number.
    pub(super) fn number(&mut self, at: Instant, bytes: usize) -> u16 {
        let number = self.next;
        self.next = number.wrapping_add(1);
        let place = usize::from(number) % REMEMBERED;
        if place >= self.sent.len() {
            self.sent.resize(place + 1, None);
        }
        self.sent[place] = Some(Departure { number, at, bytes });
        number
    }

    /// Adds to each packet of a report when it left and how large it was, in the order of the report. A packet is returned for
    /// the first report about it only.
    pub(super) fn resolve(&mut self, reports: &[ArrivalReport]) -> Vec<Arrival> {
        let resolved = reports.iter().filter_map(|report| {
            let place = usize::from(report.number) % REMEMBERED;
            let departure = self.sent.get_mut(place)?.take_if(|sent| sent.number == report.number)?;
            Some(Arrival { sent: departure.at, arrived: report.arrived, bytes: departure.bytes })
        });
        resolved.collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn received(number: u16) -> ArrivalReport {
        ArrivalReport { number, arrived: Some(Duration::from_millis(5)) }
    }

    #[test]
    fn a_report_names_packets_by_number_and_each_counts_once() {
        let now = Instant::now();
        let mut departures = Departures::default();
        assert_eq!(departures.number(now, 100), 0);
        assert_eq!(departures.number(now, 200), 1);
        let lost = ArrivalReport { number: 1, arrived: None };
        let arrivals = departures.resolve(&[received(0), lost, received(2)]);
        let brief: Vec<_> = arrivals.iter().map(|a| (a.bytes, a.arrived.is_some())).collect();
        assert_eq!(brief, [(100, true), (200, false)]);
        assert_eq!(departures.resolve(&[received(0)]), []);
    }

    #[test]
    fn numbers_wrap_and_a_late_report_on_a_forgotten_packet_is_ignored() {
        let now = Instant::now();
        let mut departures = Departures::default();
        for _ in 0..=u32::from(u16::MAX) {
            departures.number(now, 1);
        }
        departures.number(now, 7);
        assert_eq!(departures.resolve(&[received(0)]).len(), 1, "the newest of this number");
        assert_eq!(departures.resolve(&[received(1)]), [], "overwritten long ago");
    }
}
