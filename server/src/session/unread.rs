//! The queue of texts that wait for a client to read them, bounded in number and in bytes.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

/// How many texts may wait for a client that reads slowly, and how many bytes. The largest text, the answer to an offer with 25
/// m-lines, has some 60 kB.
const TEXTS: usize = 256;
const BYTES: usize = 512 * 1024;

/// The sender of texts for one socket. A clone is the same queue.
#[derive(Debug, Clone)]
pub struct Unread {
    texts: mpsc::Sender<Waiting>,
    room: Arc<Semaphore>,
}

/// A text that waits, and its share of the room until this is dropped.
#[derive(Debug)]
pub struct Waiting {
    pub text: String,
    _room: OwnedSemaphorePermit,
}

/// Too much waits already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Full;

/// A queue, and the end from which the socket takes the texts.
pub fn unread() -> (Unread, mpsc::Receiver<Waiting>) {
    let (texts, queue) = mpsc::channel(TEXTS);
    (Unread { texts, room: Arc::new(Semaphore::new(BYTES)) }, queue)
}

impl Unread {
    /// Queues a text without waiting. It does nothing if the socket is gone.
    pub(super) fn try_send(&self, text: String) -> Result<(), Full> {
        let room = self.room.clone().try_acquire_many_owned(share(&text)).map_err(|_| Full)?;
        match self.texts.try_send(Waiting { text, _room: room }) {
            Err(mpsc::error::TrySendError::Full(_)) => Err(Full),
            Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => Ok(()),
        }
    }

    /// Queues a text, and waits for room: whoever causes texts faster than it reads them is slowed down.
    pub async fn send(&self, text: String) {
        let Ok(room) = self.room.clone().acquire_many_owned(share(&text)).await else { return };
        let _ = self.texts.send(Waiting { text, _room: room }).await;
    }

    pub(super) fn is_same_as(&self, other: &Self) -> bool {
        self.texts.same_channel(&other.texts)
    }

    /// Waits until the socket is gone.
    pub(super) async fn closed(&self) {
        self.texts.closed().await;
    }
}

/// A text's share of the room. One that is larger than all of it takes all of it.
fn share(text: &str) -> u32 {
    text.len().min(BYTES) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_bounded_in_number_and_in_bytes_until_they_are_read() {
        let (unread, mut queue) = unread();
        assert!((0..TEXTS).all(|_| unread.try_send(String::new()).is_ok()));
        assert_eq!(unread.try_send(String::new()), Err(Full));
        while queue.try_recv().is_ok() {}
        assert_eq!(unread.try_send("x".repeat(2 * BYTES)), Ok(()), "one always fits");
        assert_eq!(unread.try_send("x".to_owned()), Err(Full));
        drop(queue.try_recv());
        assert_eq!(unread.try_send("x".to_owned()), Ok(()));
    }
}
