//! What was learned of the sources of a stream. It is remembered for an hour: a camera's settings may have been changed since.

use std::time::{Duration, Instant};

pub(super) const FOR: Duration = Duration::from_hours(1);

/// By the index of the source.
#[derive(Debug)]
pub(super) struct Remembered<T>(Vec<Option<(T, Instant)>>);

impl<T> Remembered<T> {
    /// Nothing yet, of so many sources.
    pub(super) fn new(sources: usize) -> Self {
        Self((0..sources).map(|_| None).collect())
    }

    /// What is remembered of a source, whether its time is over or not: it is what the source runs with.
    pub(super) fn get(&self, index: usize) -> Option<&T> {
        self.0.get(index)?.as_ref().map(|(learned, _)| learned)
    }

    /// The same for a source that is about to start: what is too old is forgotten.
    pub(super) fn at_start(&mut self, index: usize, now: Instant) -> Option<&T> {
        self.0.get_mut(index)?.take_if(|(_, since)| now.saturating_duration_since(*since) > FOR);
        self.get(index)
    }

    pub(super) fn set(&mut self, index: usize, learned: T, now: Instant) {
        if let Some(place) = self.0.get_mut(index) {
            *place = Some((learned, now));
        }
    }

    pub(super) fn take(&mut self, index: usize) -> Option<T> {
        self.0.get_mut(index)?.take().map(|(learned, _)| learned)
    }
}
