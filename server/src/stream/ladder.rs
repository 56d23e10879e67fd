//! The limit on the variants of `multistream.ladder` that run at the same time. Each is an ffmpeg that uses a part of a core, and
//! nobody has counted them when writing the config.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::config::{Config, StreamConfig};
use crate::limits::{self, Limit};
use crate::media::{StreamName, StreamNames};

/// The variants of the ladder, of which some run.
#[derive(Debug)]
pub(super) struct Ladder {
    limit: usize,
    rungs: HashMap<StreamName, Rung>,
    /// Shared with the ladders of earlier configs, whose variants may run still.
    running: Arc<Mutex<HashSet<StreamName>>>,
}

#[derive(Debug)]
pub(super) struct Rung {
    pub(super) camera: StreamName,
}

/// A variant that runs, until this is dropped.
#[derive(Debug)]
pub(super) struct Running {
    ladder: Arc<Ladder>,
    name: StreamName,
}

impl Ladder {
    pub(super) fn new(config: &Config, names: &StreamNames) -> Arc<Self> {
        Self::of(config, names, Arc::default())
    }

    /// That of another config, which counts the same variants as running.
    pub(super) fn with(&self, config: &Config, names: &StreamNames) -> Arc<Self> {
        Self::of(config, names, self.running.clone())
    }

    fn of(config: &Config, names: &StreamNames, running: Arc<Mutex<HashSet<StreamName>>>) -> Arc<Self> {
        let rung = |stream: &StreamConfig| {
            let (camera, _) = stream.ladder_rung()?;
            let rung = Rung { camera: names.get(camera)?.clone() };
            Some((names.get(&stream.name)?.clone(), rung))
        };
        let rungs = config.streams.iter().filter_map(rung).collect();
        Arc::new(Self { limit: config.multistream.ladder_limit(), rungs, running })
    }

    /// `None` for a stream that is not of the ladder.
    pub(super) fn rung(&self, name: &StreamName) -> Option<&Rung> {
        self.rungs.get(name)
    }

    /// Counts the variant as running. It fails with the limit when that many run already.
    pub(super) fn start(self: &Arc<Self>, name: &StreamName) -> Result<Running, usize> {
        let mut running = self.running();
        if running.len() >= self.limit {
            limits::hit(Limit::Ladder);
            return Err(self.limit);
        }
        running.insert(name.clone());
        Ok(Running { ladder: Arc::clone(self), name: name.clone() })
    }

    /// Whether the stream runs or would be started. Streams that are not of the ladder always are.
    pub(super) fn admits(&self, name: &StreamName) -> bool {
        if self.rung(name).is_none() {
            return true;
        }
        let running = self.running();
        running.len() < self.limit || running.contains(name)
    }

    fn running(&self) -> MutexGuard<'_, HashSet<StreamName>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.ladder.running().remove(&self.name);
    }
}

#[cfg(test)]
mod tests {
    use super::super::names;
    use super::*;

    #[test]
    fn only_variants_of_the_ladder_that_do_not_run_are_refused_at_the_limit() {
        let text = "multistream: {ladder: 360p, max_ladder: 1}\nstreams: {a: rtsp://h/1, b: rtsp://h/2}\n";
        let (config, _) = Config::parse("test.yaml", text, &|_| None).expect("the config is fine");
        let names = names::of(&config);
        let of = |name: &str| names.get(name).expect("exists");
        let ladder = Ladder::new(&config, &names);
        let admitted = || ["a", "a-360p", "b-360p"].map(|name| ladder.admits(of(name)));
        assert_eq!(admitted(), [true, true, true]);
        let running = ladder.start(of("a-360p")).expect("none runs");
        assert_eq!(admitted(), [true, true, false]);
        assert_eq!(ladder.start(of("b-360p")).expect_err("one runs"), 1);
        drop(running);
        assert_eq!(admitted(), [true, true, true]);
    }
}
