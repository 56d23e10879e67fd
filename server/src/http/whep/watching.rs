//! The sessions that were opened by WHEP, by the last part of their addresses. Their number is bounded by that of all sessions.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::session::Single;

/// A session that can be asked for by its address.
#[derive(Debug)]
struct Watched {
    stream: String,
    etag: String,
    /// The user fragment of the offer (RFC 8839 §5.4). Another one in a request is that of a restart.
    ufrag: String,
    end: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

/// What a request for a session is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) etag: String,
    pub(super) ufrag: String,
}

/// All of them. A clone is the same.
#[derive(Debug, Clone, Default)]
pub(in crate::http) struct Watching(Arc<Mutex<HashMap<String, Watched>>>);

impl Watching {
    /// Keeps a session under an address of its own until it ends. Returns the address's last part, and the tag of its ICE session.
    pub(super) fn keep(&self, single: Single, stream: String, ufrag: String) -> (String, String) {
        let (id, etag) = (random(), format!("\"{}\"", random()));
        let (end, ended) = oneshot::channel();
        // Held until the session is among the others, since it may be over at once.
        let mut watched = self.lock();
        let task = tokio::spawn({
            let (all, id) = (self.clone(), id.clone());
            async move {
                single.keep(async { drop(ended.await) }).await;
                all.lock().remove(&id);
            }
        });
        watched.insert(id.clone(), Watched { stream, etag: etag.clone(), ufrag, end, task });
        (id, etag)
    }

    /// The session of this stream with this id.
    pub(super) fn get(&self, stream: &str, id: &str) -> Option<Known> {
        let watched = self.lock();
        let found = watched.get(id).filter(|watched| watched.stream == stream)?;
        Some(Known { etag: found.etag.clone(), ufrag: found.ufrag.clone() })
    }

    /// Ends a session, and waits until it has freed what it holds. Returns whether there was one.
    pub(super) async fn end(&self, stream: &str, id: &str) -> bool {
        let ended = {
            let mut watched = self.lock();
            if watched.get(id).is_none_or(|watched| watched.stream != stream) {
                return false;
            }
            watched.remove(id)
        };
        if let Some(Watched { end, task, .. }) = ended {
            let _ = end.send(());
            let _ = task.await;
        }
        true
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Watched>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// 128 random bits, which cannot be guessed.
fn random() -> String {
    format!("{:032x}", rand::random::<u128>())
}
