//! One stream's task: it owns the stream's state and does what the commands say.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use crate::config::{Config, Source, StreamConfig};
use crate::source;

use super::{
    ProducerSnapshot, Registry, StreamError, StreamEvent, StreamName, StreamSnapshot, StreamState,
    ViewerQueue,
};

#[derive(Debug)]
pub(super) enum Command {
    Join { viewer: u64, queue: ViewerQueue },
    Leave { viewer: u64 },
    Refresh { viewer: u64 },
    Snapshot { reply: oneshot::Sender<StreamSnapshot> },
    Shutdown { done: oneshot::Sender<()> },
}

pub(super) fn spawn(
    name: StreamName,
    inbox: mpsc::UnboundedReceiver<Command>,
    stream: &StreamConfig,
    _config: &Config,
    _registry: &Arc<Registry>,
) {
    let hub = Hub { name, sources: stream.sources.clone(), viewers: BTreeMap::new() };
    tokio::spawn(hub.run(inbox));
}

struct Hub {
    name: StreamName,
    sources: Vec<Source>,
    viewers: BTreeMap<u64, ViewerQueue>,
}

impl Hub {
    async fn run(mut self, mut inbox: mpsc::UnboundedReceiver<Command>) {
        while let Some(command) = inbox.recv().await {
            match command {
                Command::Join { viewer, queue } => {
                    self.tell_offline(&queue);
                    self.viewers.insert(viewer, queue);
                }
                Command::Leave { viewer } => {
                    self.viewers.remove(&viewer);
                }
                Command::Refresh { viewer } => {
                    if let Some(queue) = self.viewers.get(&viewer) {
                        self.tell_offline(queue);
                    }
                }
                Command::Snapshot { reply } => {
                    let _ = reply.send(self.snapshot());
                }
                Command::Shutdown { done } => {
                    let _ = done.send(());
                    return;
                }
            }
        }
    }

    fn tell_offline(&self, queue: &ViewerQueue) {
        let message = format!("stream \"{}\" has no working source", self.name);
        let _ = queue
            .events
            .try_send((queue.tag, StreamEvent::Offline(StreamError { permanent: true, message })));
    }

    fn snapshot(&self) -> StreamSnapshot {
        let producers = self.sources.iter().map(source::describe);
        StreamSnapshot {
            name: self.name.clone(),
            state: StreamState::Idle,
            producers: producers.map(|source| ProducerSnapshot { source, active: false }).collect(),
            viewers: self.viewers.len(),
            codec: None,
            dimensions: None,
            fps: 0.0,
            bitrate_bps: 0,
            gop_frames: None,
            gop_duration: None,
            last_frame_age: None,
            error: None,
            frames: 0,
            key_frames: 0,
            bytes: 0,
            restarts: 0,
            frames_skipped: 0,
        }
    }
}
