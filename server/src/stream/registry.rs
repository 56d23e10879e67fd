//! The streams of the config, by name.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::{mpsc, oneshot};

use crate::config::Config;

use super::hub::{self, Command};
use super::name::Names;
use super::{MediaClock, ResolveError, StreamName, StreamSnapshot, Subscription, ViewerQueue};

/// All streams. Made once; needs a tokio runtime, which its hubs run on.
#[derive(Debug)]
pub struct Registry {
    names: Names,
    hubs: HashMap<StreamName, mpsc::UnboundedSender<Command>>,
    clock: MediaClock,
    next_viewer: AtomicU64,
}

impl Registry {
    pub fn new(config: &Config) -> Arc<Self> {
        let names = Names::new(config.streams.iter().map(|stream| stream.name.as_str()));
        let clock = MediaClock::starting_now();
        let mut hubs = HashMap::new();
        let mut inboxes = Vec::new();
        for name in names.iter() {
            // Unbounded, so that joining and leaving need no await; how many commands there are is bounded by the
            // sessions, which limit how often a viewer may ask.
            let (hub, inbox) = mpsc::unbounded_channel();
            hubs.insert(name.clone(), hub);
            inboxes.push((name.clone(), inbox));
        }
        let registry = Arc::new(Self { names, hubs, clock, next_viewer: AtomicU64::new(0) });
        for ((name, inbox), stream) in inboxes.into_iter().zip(&config.streams) {
            hub::spawn(name, inbox, stream, config, &registry);
        }
        registry
    }

    /// The clock of every [`crate::media::Frame`]'s timestamp.
    pub fn clock(&self) -> MediaClock {
        self.clock
    }

    /// In the order of the config.
    pub fn names(&self) -> impl Iterator<Item = &StreamName> {
        self.names.iter()
    }

    pub fn resolve(&self, stream: &str, quality: Option<&str>) -> Result<StreamName, ResolveError> {
        self.names.resolve(stream, quality)
    }

    /// What can be asked of `stream`, `native` first.
    pub fn qualities(&self, stream: &str) -> Vec<String> {
        self.names.qualities(stream)
    }

    /// Starts the stream if it is not running. The first event comes at once if the stream is live or known to be down.
    pub fn subscribe(&self, name: &StreamName, queue: ViewerQueue) -> Subscription {
        self.join(name, queue, true)
    }

    /// For a source that reads another stream: it takes part in that stream's life, but does not press it.
    pub(super) fn look_in(&self, name: &StreamName, queue: ViewerQueue) -> Subscription {
        self.join(name, queue, false)
    }

    fn join(&self, name: &StreamName, queue: ViewerQueue, hurry: bool) -> Subscription {
        let viewer = self.next_viewer.fetch_add(1, Ordering::Relaxed);
        let hub = self.hubs.get(name).expect("a StreamName is only made of a stream that exists").clone();
        // A hub that is gone has ended with the server.
        let _ = hub.send(Command::Join { viewer, queue, hurry });
        Subscription { viewer, hub }
    }

    /// All streams, in the order of the config.
    pub async fn snapshot(&self) -> Vec<StreamSnapshot> {
        let asked: Vec<_> = self
            .names
            .iter()
            .filter_map(|name| {
                let (reply, answer) = oneshot::channel();
                self.hubs.get(name)?.send(Command::Snapshot { reply }).ok()?;
                Some(answer)
            })
            .collect();
        let mut snapshots = Vec::with_capacity(asked.len());
        for answer in asked {
            snapshots.extend(answer.await.ok());
        }
        snapshots
    }

    /// Stops all sources, and waits until none of them holds a connection or a child any more.
    pub async fn shutdown(&self) {
        let stopping: Vec<_> = self
            .hubs
            .values()
            .filter_map(|hub| {
                let (done, stopped) = oneshot::channel();
                hub.send(Command::Shutdown { done }).ok()?;
                Some(stopped)
            })
            .collect();
        for stopped in stopping {
            // An error says the same: the hub has ended.
            let _ = stopped.await;
        }
    }
}
