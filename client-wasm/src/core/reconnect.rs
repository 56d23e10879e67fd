//! The reconnect policy of an app that has none of its own.

use std::time::Duration;

/// The first delays are short, for a server that restarts; the later ones are seven seconds, for one that stays unreachable.
const DELAYS_MS: [u32; 5] = [0, 300, 1200, 2700, 4800];
const LAST_DELAY_MS: u32 = 7000;
/// Spreads the attempts of many clients that lost the same server at once.
const MAX_JITTER_MS: u32 = 1000;

/// The delay before attempt `retry` (from 0). `random` is uniform in 0…1; the first attempt has no jitter.
pub fn default_delay(retry: u32, random: f32) -> Duration {
    let delay_ms = DELAYS_MS.get(retry as usize).copied().unwrap_or(LAST_DELAY_MS);
    let jitter_ms = if retry == 0 { 0 } else { (random.clamp(0.0, 1.0) * MAX_JITTER_MS as f32) as u32 };
    Duration::from_millis(u64::from(delay_ms + jitter_ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delays_grow_to_seven_seconds_and_stay_there() {
        let delays: Vec<u128> = (0..8).map(|retry| default_delay(retry, 0.0).as_millis()).collect();
        assert_eq!(delays, [0, 300, 1200, 2700, 4800, 7000, 7000, 7000]);
    }

    #[test]
    fn jitter_is_at_most_a_second_and_never_on_the_first_try() {
        assert_eq!(default_delay(0, 1.0).as_millis(), 0);
        assert_eq!(default_delay(1, 1.0).as_millis(), 1300);
        assert_eq!(default_delay(9, 7.0).as_millis(), 8000);
        assert_eq!(default_delay(9, f32::NAN).as_millis(), 7000);
    }
}
