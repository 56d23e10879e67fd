//! The ffmpeg that a session keeps running: those that its slots show, and those that they showed a moment ago, which run on for
//! `linger`. One viewer who goes through twenty variants would have twenty of them.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::limits::{self, Limit};
use crate::stream::{Registry, StreamName};

#[derive(Debug, Default)]
pub(super) struct Transcoders {
    /// Those that no slot shows any more, with the time when they were left, the earliest first.
    left: VecDeque<(StreamName, Instant)>,
}

impl Transcoders {
    /// Handles that a slot shows this stream no more. `shown`: what the slots show. If there are more than `limit` then, those that
    /// were left first stop at once, unless somebody else watches them.
    pub(super) fn handle_left(
        &mut self,
        (now, linger): (Instant, Duration),
        registry: &Registry,
        name: StreamName,
        shown: &[StreamName],
        limit: usize,
    ) {
        if !registry.is_transcoded(&name) {
            return;
        }
        self.left.retain(|(left, at)| {
            *left != name && !shown.contains(left) && now.saturating_duration_since(*at) < linger
        });
        if !shown.contains(&name) {
            self.left.push_back((name, now));
        }
        let running = shown.iter().filter(|name| registry.is_transcoded(name)).count();
        while running + self.left.len() > limit
            && let Some((first, _)) = self.left.pop_front()
        {
            limits::hit(Limit::TranscodersPerSession);
            registry.let_go(&first);
        }
    }
}
