//! The delay before a source that failed is tried again.

use std::time::Duration;

/// The delays are 1 s five times, 5 s five times, 10 s ten times, then 60 s, each with a random variation of a fifth, so that
/// cameras behind a switch that was rebooted are not all tried at the same moment.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    /// The failures since the last key frame.
    failures: u32,
}

/// The shortest delay after a permanent failure, since a camera may lock the account after a few wrong passwords.
const PERMANENT: Duration = Duration::from_secs(10);

impl Backoff {
    /// The delay after another failure. `permanent` means that the source cannot work as it is configured; `jitter` is a random
    /// number between 0 and 1.
    pub(super) fn after_failure(&mut self, permanent: bool, jitter: f64) -> Duration {
        let wait = Duration::from_secs(match self.failures {
            0..=4 => 1,
            5..=9 => 5,
            10..=19 => 10,
            _ => 60,
        });
        self.failures = self.failures.saturating_add(1);
        let wait = if permanent { wait.max(PERMANENT) } else { wait };
        wait.mul_f64(0.8 + 0.4 * jitter.clamp(0.0, 1.0))
    }

    /// Starts over after a key frame, which shows that the source works.
    pub(super) fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_from_one_second_to_a_minute() {
        let mut backoff = Backoff::default();
        let waits: Vec<u64> =
            (0..22).map(|_| backoff.after_failure(false, 0.5).as_secs_f64().round() as u64).collect();
        assert_eq!(waits, [1, 1, 1, 1, 1, 5, 5, 5, 5, 5, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 60, 60]);
    }

    #[test]
    fn a_key_frame_starts_over() {
        let mut backoff = Backoff::default();
        for _ in 0..30 {
            backoff.after_failure(false, 0.5);
        }
        backoff.reset();
        assert!(backoff.after_failure(false, 1.0) <= Duration::from_millis(1200));
    }

    #[test]
    fn a_camera_that_refuses_the_password_is_not_asked_every_second() {
        assert!(Backoff::default().after_failure(true, 0.0) >= Duration::from_secs(8));
    }
}
