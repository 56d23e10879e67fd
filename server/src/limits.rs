//! The limits that clients meet: counted for `/metrics`, and told in the log.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tracing::warn;

/// A limit is logged at most this often.
const LOG_EVERY: Duration = Duration::from_mins(1);

macro_rules! limits {
    ($($(#[$comment:meta])* $limit:ident = $name:literal, $key:literal;)+) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Limit {
            $($(#[$comment])* $limit,)+
        }

        impl Limit {
            pub const ALL: &[Self] = &[$(Self::$limit),+];

            /// The label in `/metrics`.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$limit => $name),+ }
            }

            /// The key of the config that sets it, or where it is told.
            const fn key(self) -> &'static str {
                match self { $(Self::$limit => $key),+ }
            }
        }
    };
}

limits! {
    Connections = "connections", "limits.connections";
    ConnectionsPerAddress = "connections_per_address", "limits.connections_per_address";
    MediaConnections = "media_connections", "limits.media_connections";
    Sessions = "sessions", "multistream.max_sessions";
    SessionsPerAddress = "sessions_per_address", "limits.sessions_per_address";
    /// Messages of one client within a second, and their bytes.
    MessageRate = "message_rate", "docs/protocol.md";
    MessageSize = "message_size", "docs/protocol.md";
    /// Messages that wait for a client that does not read.
    Unread = "unread_messages", "docs/protocol.md";
    Offer = "offer", "multistream.max_slots";
    Ladder = "ladder", "multistream.max_ladder";
    Transcoders = "transcoders", "limits.transcoders";
    TranscodersPerSession = "transcoders_per_session", "limits.transcoders_per_session";
}

static COUNTS: [AtomicU64; Limit::ALL.len()] = [const { AtomicU64::new(0) }; Limit::ALL.len()];
static LOGGED: Mutex<[Option<Instant>; Limit::ALL.len()]> = Mutex::new([None; Limit::ALL.len()]);

/// Counts that a client has met this limit.
pub(crate) fn hit(limit: Limit) {
    let count = COUNTS[limit as usize].fetch_add(1, Ordering::Relaxed) + 1;
    let mut logged = LOGGED.lock().unwrap_or_else(PoisonError::into_inner);
    let last = &mut logged[limit as usize];
    if last.is_none_or(|at| at.elapsed() >= LOG_EVERY) {
        *last = Some(Instant::now());
        drop(logged);
        warn!(limit = limit.name(), count, "a client was refused by a limit: see {}", limit.key());
    }
}

/// How often each limit was met since the start.
pub fn hits() -> impl Iterator<Item = (Limit, u64)> {
    Limit::ALL.iter().map(|limit| (*limit, COUNTS[*limit as usize].load(Ordering::Relaxed)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_hit_is_counted_under_its_name() {
        let of = |limit| hits().find(|(known, _)| *known == limit).map(|(_, count)| count);
        let before = of(Limit::Offer);
        hit(Limit::Offer);
        assert!(of(Limit::Offer) > before);
        let mut names: Vec<&str> = Limit::ALL.iter().map(|limit| limit.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Limit::ALL.len());
    }
}
