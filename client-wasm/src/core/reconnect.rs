//! The reconnect policy of an app that has none of its own.

use std::time::Duration;

/// For some seconds the delays are short, for a server that restarts and a network that is away for a moment; then they grow to
/// seven seconds, for what stays unreachable.
const QUICK_DELAY_MS: u32 = 300;
const QUICK_RETRIES: u32 = 12;
const DELAYS_MS: [u32; 3] = [1200, 2700, 4800];
const LAST_DELAY_MS: u32 = 7000;
/// Spreads the attempts of many clients that lost the same server at once.
const QUICK_JITTER_MS: u32 = 200;
const MAX_JITTER_MS: u32 = 1000;
/// How long a quick attempt waits for its WebSocket to open, and how long every fourth one does, for a network that is slow.
const SOCKET_PATIENCE: Duration = Duration::from_millis(700);
const LONG_SOCKET_PATIENCE: Duration = Duration::from_secs(3);

/// The delay before attempt `retry` (from 0). `random` is uniform in 0…1; the first attempt has no jitter.
pub fn default_delay(retry: u32, random: f32) -> Duration {
    let (delay_ms, max_jitter_ms) = match retry {
        0 => (0, 0),
        1..=QUICK_RETRIES => (QUICK_DELAY_MS, QUICK_JITTER_MS),
        _ => {
            let later = DELAYS_MS.get((retry - QUICK_RETRIES - 1) as usize);
            (later.copied().unwrap_or(LAST_DELAY_MS), MAX_JITTER_MS)
        }
    };
    let jitter_ms = (random.clamp(0.0, 1.0) * max_jitter_ms as f32) as u32;
    Duration::from_millis(u64::from(delay_ms + jitter_ms))
}

/// How long attempt `retry` (from 0) waits for its WebSocket to open; `None` for as long as a handshake may take. A lost SYN is
/// sent again after one, three and seven seconds, so a new socket finds a network that is back sooner.
pub(super) fn socket_patience(retry: u32) -> Option<Duration> {
    match retry {
        QUICK_RETRIES.. => None,
        _ if retry % 4 == 3 => Some(LONG_SOCKET_PATIENCE),
        _ => Some(SOCKET_PATIENCE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delays_are_short_at_first_then_grow_to_seven_seconds_and_stay_there() {
        let delay = |retry| default_delay(retry, 0.0).as_millis();
        assert_eq!(delay(0), 0);
        assert!((1..=12).all(|retry| delay(retry) == 300));
        let later: Vec<u128> = (13..19).map(delay).collect();
        assert_eq!(later, [1200, 2700, 4800, 7000, 7000, 7000]);
    }

    #[test]
    fn a_slow_network_gets_time_to_open_a_socket_now_and_then() {
        let patience = |retry| socket_patience(retry).map(|patience| patience.as_millis());
        assert_eq!([0, 2, 3, 4, 12].map(patience), [Some(700), Some(700), Some(3000), Some(700), None]);
    }

    #[test]
    fn jitter_is_at_most_a_second_and_never_on_the_first_try() {
        assert_eq!(default_delay(0, 1.0).as_millis(), 0);
        assert_eq!(default_delay(1, 1.0).as_millis(), 500);
        assert_eq!(default_delay(20, 7.0).as_millis(), 8000);
        assert_eq!(default_delay(20, f32::NAN).as_millis(), 7000);
    }
}
