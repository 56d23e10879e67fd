//! The streams of the config, by name.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::{mpsc, oneshot};

use crate::config::Config;
use crate::media::StreamNames;

use super::hub::{self, Command, Purpose};
use super::ladder::Ladder;
use super::meter::{Meter, Needs};
use super::transcoders::Transcoders;
use super::{MediaClock, ResolveError, StreamName, StreamSnapshot, Subscription, variants};

/// How many commands may wait for one hub, which handles each within microseconds. When the queue is full, new viewers are
/// refused.
const INBOX: usize = 1024;

/// The registry's side of a hub.
#[derive(Debug)]
struct Hub {
    inbox: mpsc::Sender<Command>,
    meter: Arc<Meter>,
}

/// All streams. It is made once and needs a tokio runtime, on which its hubs run.
#[derive(Debug)]
pub struct Registry {
    names: StreamNames,
    hubs: HashMap<StreamName, Hub>,
    ladder: Arc<Ladder>,
    transcoders: Transcoders,
    clock: MediaClock,
    next_viewer: AtomicU64,
}

impl Registry {
    pub fn new(config: &Config) -> Arc<Self> {
        let names = StreamNames::new(config.streams.iter().map(|stream| stream.name.as_str()));
        let clock = MediaClock::starting_now();
        let mut hubs = HashMap::new();
        let mut inboxes = Vec::new();
        for name in names.iter() {
            let (commands, inbox) = mpsc::channel(INBOX);
            let meter = Arc::new(Meter::new(variants::guess(config, name.as_str())));
            hubs.insert(name.clone(), Hub { inbox: commands, meter: meter.clone() });
            inboxes.push((name.clone(), inbox, meter));
        }
        let ladder = Ladder::new(config, &names);
        let transcoders = Transcoders::new(config, &names);
        let registry =
            Arc::new(Self { names, hubs, ladder, transcoders, clock, next_viewer: AtomicU64::new(0) });
        for ((name, inbox, meter), stream) in inboxes.into_iter().zip(&config.streams) {
            hub::spawn(name, inbox, meter, stream, config, &registry);
        }
        registry
    }

    /// The clock of every [`crate::media::Frame`]'s timestamp.
    pub fn clock(&self) -> MediaClock {
        self.clock
    }

    /// The names, in the order of the config.
    pub fn names(&self) -> impl Iterator<Item = &StreamName> {
        self.names.iter()
    }

    pub fn resolve(&self, stream: &str, quality: Option<&str>) -> Result<StreamName, ResolveError> {
        self.names.resolve(stream, quality)
    }

    /// The qualities of `stream`, `native` first.
    pub fn qualities(&self, stream: &str) -> Vec<String> {
        self.names.qualities(stream)
    }

    /// What the stream needs of a viewer's link.
    pub fn needs(&self, name: &StreamName) -> Needs {
        self.hub(name).meter.get()
    }

    /// All qualities of the camera that `name` is a quality of, `native` first, without those that need not be offered.
    pub fn renditions(&self, name: &StreamName) -> Vec<(String, StreamName)> {
        let mut renditions = self.names.renditions(name);
        renditions.retain(|(_, rendition)| rendition == name || self.is_offered(rendition));
        renditions
    }

    /// False for a variant of the ladder that would be no smaller than its camera's pictures, as far as their size is known.
    pub(super) fn is_offered(&self, name: &StreamName) -> bool {
        let Some(rung) = self.ladder.rung(name) else { return true };
        self.needs(name).is_smaller_than(&self.needs(&rung.camera))
    }

    /// Whether the stream runs or would be started: a variant of the ladder is refused while as many of them as may run do.
    pub fn admits(&self, name: &StreamName) -> bool {
        self.ladder.admits(name)
    }

    /// Whether an ffmpeg makes it.
    pub fn is_transcoded(&self, name: &StreamName) -> bool {
        self.transcoders.is_one(name)
    }

    /// Stops a stream at once that nobody watches any more.
    pub fn let_go(&self, name: &StreamName) {
        // A hub with a full queue stops it after `linger`.
        let _ = self.hub(name).inbox.try_send(Command::LetGo);
    }

    pub(super) fn transcoders(&self) -> &Transcoders {
        &self.transcoders
    }

    pub(super) fn ladder(&self) -> &Arc<Ladder> {
        &self.ladder
    }

    /// Subscribes to the stream, and starts it if it is not running. The first event comes at once if the stream is live or
    /// known to be offline. Up to `room` events wait for the viewer; when they are that many, it misses frames until it has
    /// room and gets a key frame or the GOP.
    ///
    /// `None` if too many commands wait for the hub, or the server stops.
    pub fn subscribe(&self, name: &StreamName, room: usize) -> Option<Subscription> {
        self.join(name, room, Purpose::Watch)
    }

    /// Like [`Self::subscribe`], for a source that makes a variant of this stream.
    pub(super) fn feed(&self, name: &StreamName, room: usize) -> Option<Subscription> {
        self.join(name, room, Purpose::Feed)
    }

    /// Keeps the stream running as long as the returned subscription exists. The subscription receives no events.
    pub fn keep_running(&self, name: &StreamName) -> Option<Subscription> {
        self.join(name, 1, Purpose::Keep)
    }

    fn join(&self, name: &StreamName, room: usize, purpose: Purpose) -> Option<Subscription> {
        let viewer = self.next_viewer.fetch_add(1, Ordering::Relaxed);
        let hub = self.hub(name).inbox.clone();
        let (queue, events) = mpsc::channel(room);
        hub.try_send(Command::Join { viewer, queue, purpose }).ok()?;
        Some(Subscription { viewer, hub, events })
    }

    fn hub(&self, name: &StreamName) -> &Hub {
        self.hubs.get(name).expect("a StreamName is only made of a stream that exists")
    }

    /// All streams, in the order of the config.
    pub async fn snapshot(&self) -> Vec<StreamSnapshot> {
        let mut asked = Vec::with_capacity(self.hubs.len());
        for hub in self.names.iter().filter_map(|name| self.hubs.get(name)) {
            let (reply, answer) = oneshot::channel();
            // A hub that has ended drops the reply, and is left out.
            let _ = hub.inbox.send(Command::Snapshot { reply }).await;
            asked.push(answer);
        }
        let mut snapshots = Vec::with_capacity(asked.len());
        for answer in asked {
            snapshots.extend(answer.await.ok());
        }
        snapshots
    }

    /// Stops all sources, and waits until none of them holds a connection or a child any more.
    pub async fn shutdown(&self) {
        let mut stopping = Vec::with_capacity(self.hubs.len());
        for hub in self.hubs.values() {
            let (done, stopped) = oneshot::channel();
            let _ = hub.inbox.send(Command::Shutdown { done }).await;
            stopping.push(stopped);
        }
        for stopped in stopping {
            // An error also means that the hub has ended.
            let _ = stopped.await;
        }
    }
}
