//! The streams of the config, by name.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::{mpsc, oneshot};

use crate::config::{Config, StreamConfig};
use crate::media::StreamNames;

use super::command::{Command, Purpose};
use super::hub;
use super::ladder::Ladder;
use super::meter::{Meter, Needs};
use super::stand_ins::StandIns;
use super::transcoders::Transcoders;
use super::{MediaClock, ResolveError, StreamName, StreamSnapshot, Subscription, names, variants};

/// How many commands may wait for one hub, which handles each within microseconds. When the queue is full, new viewers are
/// refused.
const INBOX: usize = 1024;

/// The registry's side of a hub.
#[derive(Debug, Clone)]
struct Hub {
    inbox: mpsc::Sender<Command>,
    meter: Arc<Meter>,
}

/// The streams of one config.
#[derive(Debug)]
struct Table {
    config: Arc<Config>,
    names: StreamNames,
    hubs: HashMap<StreamName, Hub>,
    stand_ins: StandIns,
    ladder: Arc<Ladder>,
    transcoders: Arc<Transcoders>,
}

/// All streams. It needs a tokio runtime, on which its hubs run.
#[derive(Debug)]
pub struct Registry {
    /// Replaced as a whole when the config changes.
    table: RwLock<Arc<Table>>,
    clock: MediaClock,
    next_viewer: AtomicU64,
}

/// What a change of the config has changed, by the names of streams.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Changes {
    pub added: Vec<String>,
    pub changed: Vec<String>,
    pub removed: Vec<String>,
}

impl Registry {
    pub fn new(config: &Config) -> Arc<Self> {
        let names = names::of(config);
        let empty = Table {
            ladder: Ladder::new(config, &names),
            transcoders: Arc::new(Transcoders::new(config, &names)),
            config: Arc::new(Config { streams: Vec::new(), ..config.clone() }),
            names: StreamNames::new([]),
            hubs: HashMap::new(),
            stand_ins: StandIns::default(),
        };
        let registry = Arc::new(Self {
            table: RwLock::new(Arc::new(empty)),
            clock: MediaClock::starting_now(),
            next_viewer: AtomicU64::new(0),
        });
        registry.change(config);
        registry
    }

    /// Makes the streams those of this config. Those that are the same in both go on undisturbed, with their viewers; a stream that
    /// has changed starts anew, and its viewers join it again. Viewers of one that is removed are told so.
    pub fn change(self: &Arc<Self>, config: &Config) -> Changes {
        let before = self.table();
        let names = names::of(config);
        let mut changes = Changes::default();
        let (mut hubs, mut new) = (HashMap::new(), Vec::new());
        let stand_ins = StandIns::of(config, &names);
        let configured = names.iter().zip(&config.streams).map(|(name, stream)| (name, stream, true));
        let hidden = stand_ins.streams().map(|(name, stream)| (name, stream, false));
        for (name, stream, is_named) in configured.chain(hidden) {
            let is_kept = if is_named {
                is_same(&before.config, config, stream)
            } else {
                before.stand_ins.has(stream) && before.config.ffmpeg == config.ffmpeg
            };
            match before.hubs.get(name) {
                Some(hub) if is_kept => {
                    hubs.insert(name.clone(), hub.clone());
                    continue;
                }
                Some(_) if is_named => changes.changed.push(stream.name.clone()),
                None if is_named => changes.added.push(stream.name.clone()),
                Some(_) | None => {}
            }
            let (commands, inbox) = mpsc::channel(INBOX);
            let meter = Arc::new(Meter::new(variants::guess(config, name.as_str())));
            hubs.insert(name.clone(), Hub { inbox: commands, meter: meter.clone() });
            new.push((name.clone(), inbox, meter, stream.clone()));
        }
        let table = Table {
            ladder: before.ladder.with(config, &names),
            transcoders: Arc::new(before.transcoders.with(config, &names)),
            config: Arc::new(config.clone()),
            names,
            hubs,
            stand_ins,
        };
        *self.table.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(table);
        let now = self.table();
        for (name, hub) in &before.hubs {
            if now.hubs.get(name).is_some_and(|kept| kept.inbox.same_channel(&hub.inbox)) {
                continue;
            }
            if !now.hubs.contains_key(name) && !before.stand_ins.is_one(name) {
                changes.removed.push(name.to_string());
            }
            // Its viewers see that it has ended, and look for it in the new table. A hub whose queue is full ends with its last sender.
            let _ = hub.inbox.try_send(Command::Shutdown { done: oneshot::channel().0 });
        }
        for (name, inbox, meter, stream) in new {
            hub::spawn(name, inbox, meter, &stream, config, self);
        }
        changes.removed.sort_unstable();
        changes
    }

    fn table(&self) -> Arc<Table> {
        self.table.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The config of the streams that there are now.
    pub fn config(&self) -> Arc<Config> {
        self.table().config.clone()
    }

    /// The clock of every [`crate::media::Frame`]'s timestamp.
    pub fn clock(&self) -> MediaClock {
        self.clock
    }

    /// The number of streams.
    pub fn count(&self) -> usize {
        self.table().names.iter().count()
    }

    /// Whether the stream exists still.
    pub fn has(&self, name: &StreamName) -> bool {
        self.table().hubs.contains_key(name)
    }

    pub fn resolve(&self, stream: &str, quality: Option<&str>) -> Result<StreamName, ResolveError> {
        self.table().names.resolve(stream, quality)
    }

    /// The camera that a stream is a quality of; its own name where it is none.
    pub fn camera_of(&self, name: &StreamName) -> String {
        self.table().names.camera_of(name).to_owned()
    }

    /// The qualities of `stream`, `native` first.
    pub fn qualities(&self, stream: &str) -> Vec<String> {
        self.table().names.qualities(stream)
    }

    /// What the stream needs of a viewer's link.
    pub fn needs(&self, name: &StreamName) -> Needs {
        let table = self.table();
        table.hubs.get(name).map_or_else(|| Needs::guess(None, false), |hub| hub.meter.get())
    }

    /// All qualities of the camera that `name` is a quality of, `native` first, without those that need not be offered.
    pub fn renditions(&self, name: &StreamName) -> Vec<(String, StreamName)> {
        let mut renditions = self.table().names.renditions(name);
        renditions.retain(|(_, rendition)| rendition == name || self.is_offered(rendition));
        renditions
    }

    /// False for a variant of the ladder that would be no smaller than its camera's pictures, as far as their size is known.
    pub(super) fn is_offered(&self, name: &StreamName) -> bool {
        let table = self.table();
        let Some(rung) = table.ladder.rung(name) else { return true };
        self.needs(name).is_smaller_than(&self.needs(&rung.camera))
    }

    /// Whether the stream runs or would be started: a variant of the ladder is refused while as many of them as may run do.
    pub fn admits(&self, name: &StreamName) -> bool {
        self.table().ladder.admits(name)
    }

    /// What stands in for a stream whose codec a browser does not show: the same pictures as H.264.
    pub fn stand_in(&self, name: &StreamName) -> Option<StreamName> {
        self.table().stand_ins.get(name).cloned()
    }

    /// Whether an ffmpeg makes it.
    pub fn is_transcoded(&self, name: &StreamName) -> bool {
        let table = self.table();
        table.transcoders.is_one(name) || table.stand_ins.is_one(name)
    }

    /// Stops a stream at once that nobody watches any more.
    pub fn let_go(&self, name: &StreamName) {
        if let Some(hub) = self.table().hubs.get(name) {
            // A hub with a full queue stops it after `linger`.
            let _ = hub.inbox.try_send(Command::LetGo);
        }
    }

    pub(super) fn transcoders(&self) -> Arc<Transcoders> {
        self.table().transcoders.clone()
    }

    pub(super) fn ladder(&self) -> Arc<Ladder> {
        self.table().ladder.clone()
    }

    /// Subscribes to the stream, and starts it if it is not running. The first event comes at once if the stream is live or
    /// known to be offline. Up to `room` events wait for the viewer; when they are that many, it misses frames until it has
    /// room and gets a key frame or the GOP.
    ///
    /// `None` if too many commands wait for the hub, the stream was removed, or the server stops.
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
        let hub = self.table().hubs.get(name)?.inbox.clone();
        let (queue, events) = mpsc::channel(room);
        hub.try_send(Command::Join { viewer, queue, purpose }).ok()?;
        Some(Subscription { viewer, hub, events })
    }

    /// All streams, in the order of the config.
    pub async fn snapshot(&self) -> Vec<StreamSnapshot> {
        let table = self.table();
        let mut asked = Vec::with_capacity(table.hubs.len());
        for hub in table.names.iter().filter_map(|name| table.hubs.get(name)) {
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
        let table = self.table();
        let mut stopping = Vec::with_capacity(table.hubs.len());
        for hub in table.hubs.values() {
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

/// Whether a stream of `new` is the same in `old`, with all that it is made with.
fn is_same(old: &Config, new: &Config, stream: &StreamConfig) -> bool {
    let preloaded = |config: &Config| config.preload.contains(&stream.name);
    old.streams.contains(stream) && old.ffmpeg == new.ffmpeg && preloaded(old) == preloaded(new)
}
