//! What is known of a packet whose fate a receiver has reported.

use std::time::{Duration, Instant};

/// The arrival or loss of one numbered packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    pub sent: Instant,
    /// On the receiver's clock; `None` if the packet was lost.
    pub arrived: Option<Duration>,
    pub bytes: usize,
    /// The probe that the packet was part of.
    pub probe: Option<u32>,
    /// Whether an earlier report said that the packet was lost.
    pub was_lost: bool,
    /// Whether it is the packet that was sent again, which says nothing about the first one.
    pub is_repair: bool,
}

/// The receiver's clock without its wrap: the reference time of a report counts units of 64 ms in 24 bits
/// (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1), which is 12.4 days.
#[derive(Debug, Default)]
pub(super) struct ReceiverClock {
    /// The last time, unwrapped, in microseconds.
    last: Option<i64>,
}

const WRAP_US: i64 = (1 << 24) * 64_000;

impl ReceiverClock {
    /// The time with the wraps so far, in microseconds. It is the one that is nearest to the last.
    pub(super) fn unwrap(&mut self, arrived: Duration) -> i64 {
        let time = arrived.as_micros() as i64;
        let unwrapped = self.last.map_or(time, |last| {
            let ahead = (time - last).rem_euclid(WRAP_US);
            last + if ahead >= WRAP_US / 2 { ahead - WRAP_US } else { ahead }
        });
        self.last = Some(unwrapped);
        unwrapped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_goes_on_over_the_wrap_and_back_again() {
        let mut clock = ReceiverClock::default();
        let times = [WRAP_US - 2, 3, WRAP_US - 1, 5];
        let unwrapped = times.map(|time| clock.unwrap(Duration::from_micros(time as u64)) - WRAP_US);
        assert_eq!(unwrapped, [-2, 3, -1, 5]);
    }
}
