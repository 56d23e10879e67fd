//! The limit on the ffmpeg that run at the same time. Each may use all of a core.

use std::collections::HashSet;
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::config::{Config, Source};
use crate::limits::{self, Limit};
use crate::media::{StreamName, StreamNames};

/// The streams that an ffmpeg makes, of which some run.
#[derive(Debug)]
pub(super) struct Transcoders {
    limit: usize,
    streams: HashSet<StreamName>,
    free: Arc<Semaphore>,
}

/// A stream that an ffmpeg makes now, until this is dropped.
#[derive(Debug)]
pub(super) struct Encoding {
    _place: OwnedSemaphorePermit,
}

impl Transcoders {
    pub(super) fn new(config: &Config, names: &StreamNames) -> Self {
        Self::of(config, names, Arc::new(Semaphore::new(config.limits.transcoders)))
    }

    /// Those of another config, with the same limit and the same ones running.
    pub(super) fn with(&self, config: &Config, names: &StreamNames) -> Self {
        Self { limit: self.limit, ..Self::of(config, names, self.free.clone()) }
    }

    fn of(config: &Config, names: &StreamNames, free: Arc<Semaphore>) -> Self {
        let by_ffmpeg = |source: &Source| matches!(source, Source::Ffmpeg(_));
        let streams = config.streams.iter().filter(|stream| stream.sources.iter().any(by_ffmpeg));
        let limit = config.limits.transcoders;
        Self { limit, streams: streams.filter_map(|stream| names.get(&stream.name).cloned()).collect(), free }
    }

    pub(super) fn is_one(&self, name: &StreamName) -> bool {
        self.streams.contains(name)
    }

    /// Counts one that starts. It fails with the limit when that many run already.
    pub(super) fn start(&self) -> Result<Encoding, usize> {
        let place = self.free.clone().try_acquire_owned().map_err(|_| {
            limits::hit(Limit::Transcoders);
            self.limit
        })?;
        Ok(Encoding { _place: place })
    }
}

#[cfg(test)]
mod tests {
    use super::super::names;
    use super::*;

    #[test]
    fn only_so_many_ffmpeg_run() {
        let text = "limits: {transcoders: 1}\nstreams: {a: rtsp://h/1, b: ffmpeg:a#video=h264, c: ffmpeg:a#video=vp8}\n";
        let (config, _) = Config::parse("test.yaml", text, &|_| None).expect("the config is fine");
        let names = names::of(&config);
        let transcoders = Transcoders::new(&config, &names);
        let first = transcoders.start().expect("none runs");
        assert_eq!(transcoders.start().expect_err("one runs"), 1);
        drop(first);
        assert!(transcoders.start().is_ok());
        let is_one = |name: &str| transcoders.is_one(names.get(name).expect("exists"));
        assert_eq!(["a", "b", "c"].map(is_one), [false, true, true]);
    }
}
