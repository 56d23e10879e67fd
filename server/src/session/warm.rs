//! The streams that a session keeps running because they may be shown soon, such as a camera under the pointer or the next one
//! of a tour.

use std::time::{Duration, Instant};

use crate::stream::{Registry, StreamName, Subscription};

/// How many streams one session may keep running at once. Each may be an ffmpeg that uses a good part of a core.
const MAX_STREAMS: usize = 4;
const DEFAULT_TTL_S: u32 = 15;
const MAX_TTL_S: u32 = 120;

#[derive(Debug)]
struct Warm {
    name: StreamName,
    until: Instant,
    /// Keeps the stream running.
    _subscription: Subscription,
}

#[derive(Debug, Default)]
pub(super) struct WarmStreams(Vec<Warm>);

impl WarmStreams {
    /// Keeps a stream running for `ttl_s` seconds from now, at most [`MAX_TTL_S`]. Returns the seconds that it was granted, or
    /// a sentence that says which limit was reached.
    pub(super) fn keep(
        &mut self,
        now: Instant,
        registry: &Registry,
        name: StreamName,
        ttl_s: Option<u32>,
    ) -> Result<u32, String> {
        let ttl_s = ttl_s.unwrap_or(DEFAULT_TTL_S).clamp(1, MAX_TTL_S);
        let until = now + Duration::from_secs(ttl_s.into());
        if let Some(warm) = self.0.iter_mut().find(|warm| warm.name == name) {
            warm.until = warm.until.max(until);
            return Ok(ttl_s);
        }
        if self.0.len() >= MAX_STREAMS {
            return Err(format!(
                "a session may keep {MAX_STREAMS} streams warm at once; wait until one has expired"
            ));
        }
        let subscription = registry
            .keep_running(&name)
            .ok_or_else(|| format!("too many viewers come to \"{name}\" at once; try again"))?;
        self.0.push(Warm { name, until, _subscription: subscription });
        Ok(ttl_s)
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.0.iter().map(|warm| warm.until).min()
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        self.0.retain(|warm| warm.until > now);
    }
}
