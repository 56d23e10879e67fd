//! Slows down whoever guesses tokens and passwords: each wrong guess of an address is answered later than the one before.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// So many wrong guesses are answered at once: people mistype.
const FREE: u32 = 3;
/// The delay of the next one; it doubles with each, …
const FIRST_DELAY: Duration = Duration::from_millis(250);
/// … up to this.
const LONGEST_DELAY: Duration = Duration::from_secs(8);
/// An address without a wrong guess for this long starts anew.
const FORGOTTEN_AFTER: Duration = Duration::from_mins(10);
/// How many addresses are remembered. When there are more, the one that guessed longest ago is forgotten.
const ADDRESSES: usize = 4096;

/// The wrong guesses of each address.
#[derive(Debug, Default)]
pub(crate) struct Failures(Mutex<HashMap<IpAddr, (u32, Instant)>>);

impl Failures {
    /// Counts a wrong guess. Returns how long to wait with the answer.
    pub(crate) fn count(&self, from: IpAddr, now: Instant) -> Duration {
        let mut failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() >= ADDRESSES && !failures.contains_key(&from) {
            failures.retain(|_, (_, at)| now.saturating_duration_since(*at) < FORGOTTEN_AFTER);
            let earliest = failures.iter().min_by_key(|(_, (_, at))| *at).map(|(address, _)| *address);
            if failures.len() >= ADDRESSES
                && let Some(earliest) = earliest
            {
                failures.remove(&earliest);
            }
        }
        let (count, at) = failures.entry(from).or_insert((0, now));
        if now.saturating_duration_since(*at) >= FORGOTTEN_AFTER {
            *count = 0;
        }
        *count += 1;
        *at = now;
        match count.checked_sub(FREE + 1) {
            None => Duration::ZERO,
            Some(more) => FIRST_DELAY.saturating_mul(1 << more.min(16)).min(LONGEST_DELAY),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_guesses_are_answered_later_and_later_and_only_those_of_one_address() {
        let (failures, now) = (Failures::default(), Instant::now());
        let of = |last: u8, now| failures.count([192, 0, 2, last].into(), now).as_millis();
        let delays: Vec<u128> = (0..10).map(|_| of(1, now)).collect();
        assert_eq!(delays, [0, 0, 0, 250, 500, 1000, 2000, 4000, 8000, 8000]);
        assert_eq!(of(2, now), 0);
        assert_eq!(of(1, now + FORGOTTEN_AFTER), 0);
    }

    #[test]
    fn many_addresses_take_bounded_memory() {
        let (failures, now) = (Failures::default(), Instant::now());
        for number in 0..2 * ADDRESSES as u32 {
            failures.count(IpAddr::from(number.to_be_bytes()), now + Duration::from_millis(number.into()));
        }
        assert_eq!(failures.0.lock().expect("not poisoned").len(), ADDRESSES);
    }
}
