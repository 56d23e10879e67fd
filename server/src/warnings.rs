//! Warnings about a setup that keeps clients out. A client that is kept out tries again and again, so each warning is given once a
//! minute, with what it is about: an origin, a name, an address.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A warning is repeated at most this often.
const EVERY: Duration = Duration::from_mins(1);
/// How many things each warning may be about within that time. Strangers choose some of them, and must not fill the log.
const MOST_OF_A_CAUSE: usize = 16;
/// How much is kept of what a warning is about.
const LONGEST: usize = 200;

/// Why clients are kept out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Cause {
    /// The media of a session never connected.
    NeverConnected,
    /// A page is of an origin that is not allowed.
    Origin,
    /// The name by which the server was asked for is not one of its own.
    Name,
    /// A request for a WebSocket comes without what makes it one.
    NoUpgrade,
}

/// The warnings of the last minute.
#[derive(Debug, Default)]
struct Given(HashMap<(Cause, String), Instant>);

impl Given {
    /// Whether this warning is due. It counts as given then.
    fn is_due(&mut self, cause: Cause, about: &str, now: Instant) -> bool {
        self.0.retain(|_, at| now.saturating_duration_since(*at) < EVERY);
        let key = (cause, about.chars().take(LONGEST).collect());
        let is_new = !self.0.contains_key(&key)
            && self.0.keys().filter(|(known, _)| *known == cause).count() < MOST_OF_A_CAUSE;
        if is_new {
            self.0.insert(key, now);
        }
        is_new
    }
}

/// Whether a warning is due: it was not given within the last minute.
pub(crate) fn is_due(cause: Cause, about: &str) -> bool {
    static GIVEN: LazyLock<Mutex<Given>> = LazyLock::new(Mutex::default);
    GIVEN.lock().unwrap_or_else(PoisonError::into_inner).is_due(cause, about, Instant::now())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_is_given_once_a_minute_for_each_thing_that_it_is_about() {
        let (mut given, now) = (Given::default(), Instant::now());
        assert!(given.is_due(Cause::Origin, "https://a.example", now));
        assert!(!given.is_due(Cause::Origin, "https://a.example", now + EVERY / 2));
        assert!(given.is_due(Cause::Origin, "https://b.example", now + EVERY / 2));
        assert!(given.is_due(Cause::Name, "https://a.example", now + EVERY / 2));
        assert!(given.is_due(Cause::Origin, "https://a.example", now + EVERY));
    }

    #[test]
    fn strangers_fill_neither_the_log_nor_the_memory_and_hide_no_other_warning() {
        let (mut given, now) = (Given::default(), Instant::now());
        let long = "x".repeat(100_000);
        let count = (0..1000).filter(|n| given.is_due(Cause::Origin, &format!("{n}{long}"), now)).count();
        assert_eq!(count, MOST_OF_A_CAUSE);
        assert!(given.0.keys().all(|(_, about)| about.len() == LONGEST));
        assert!(given.is_due(Cause::NeverConnected, "192.0.2.7", now));
    }
}
