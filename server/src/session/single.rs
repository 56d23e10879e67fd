//! A session for a viewer of one stream who speaks another protocol than `multistream/*`: go2rtc's messages, or WHEP. It is a session
//! like any other, with one slot, that is opened and has its offer answered in one call.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use multistream_protocol::server::{Error, IceServer};
use multistream_protocol::{ErrorCode, Framing, ServerMessage, client};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::attachment::{Outbox, SessionHandle};
use super::resolve::{code_of, find};
use super::sessions::Sessions;
use super::unread::{Waiting, unread};
use crate::access::Grant;
use crate::stream::StreamName;

/// A session answers an offer within milliseconds, unless it has panicked.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// How long to wait for the end of a session that was told to end.
const END_WITHIN: Duration = Duration::from_secs(2);

/// Where a viewer is, and what it may see.
#[derive(Debug, Clone)]
pub struct Viewer {
    pub grant: Grant,
    /// The address that it comes from, or its proxy's.
    pub from: IpAddr,
    /// The address of this machine to which it is connected.
    pub reached: Option<IpAddr>,
}

/// A session of one slot whose offer was answered. It ends when [`Self::keep`] does or is dropped.
#[derive(Debug)]
pub struct Single {
    handle: SessionHandle,
    messages: mpsc::Receiver<Waiting>,
    /// The answer to the offer. It has all candidates.
    pub answer: String,
    pub ice_servers: Vec<IceServer>,
}

impl Sessions {
    /// The stream of this name, if the viewer may see it. To others it does not exist.
    pub fn find(&self, grant: &Grant, stream: &str) -> Result<StreamName, Error> {
        find(self.registry(), grant, stream, None)
            .map_err(|error| Error::new(code_of(&error), error.to_string()))
    }

    /// Shows a stream to a viewer who has made this offer.
    pub async fn watch(&self, viewer: Viewer, stream: &str, sdp: String) -> Result<Single, Error> {
        self.find(&viewer.grant, stream)?;
        let (frames, messages) = unread();
        let outbox = Outbox::new(Framing::Flat, frames, Arc::default(), viewer.grant)
            .for_client(viewer.from, viewer.reached);
        let slot = client::SlotRequest { slot: 0, stream: stream.to_owned(), quality: None };
        let init = client::Init { slots: vec![slot], ..client::Init::default() };
        let handle = self.init(init, outbox).await?;
        handle.say(client::Offer { sdp, ..client::Offer::default() }.into()).await;
        let mut single = Single { handle, messages, answer: String::new(), ice_servers: Vec::new() };
        match timeout(ANSWER_WITHIN, single.read_answer()).await {
            Ok(Ok(())) => Ok(single),
            Ok(Err(refusal)) => {
                single.handle.close().await;
                Err(refusal)
            }
            Err(_) => Err(not_answered()),
        }
    }
}

impl Single {
    /// Reads up to the answer.
    async fn read_answer(&mut self) -> Result<(), Error> {
        loop {
            match self.next().await {
                Some(ServerMessage::Ready(ready)) => self.ice_servers = ready.ice_servers,
                Some(ServerMessage::Answer(answer)) => {
                    self.answer = answer.sdp;
                    return Ok(());
                }
                Some(ServerMessage::Error(refusal)) => return Err(refusal),
                Some(ServerMessage::Disconnected(_)) | None => return Err(not_answered()),
                Some(_) => {}
            }
        }
    }

    /// The session's next message; `None` when it is over.
    async fn next(&mut self) -> Option<ServerMessage> {
        loop {
            let waiting = tokio::select! {
                biased;
                waiting = self.messages.recv() => waiting?,
                () = self.handle.over() => return None,
            };
            // It was written a moment ago, and can be read.
            if let Ok(Some((message, _))) = ServerMessage::from_text(&waiting.text) {
                return Some(message);
            }
        }
    }

    /// Keeps the session until it is over by itself, as when the viewer closes the connection or is gone, or until `end`.
    pub async fn keep(mut self, end: impl Future<Output = ()>) {
        let over = async {
            while self.next().await.is_some_and(|message| !matches!(message, ServerMessage::Disconnected(_)))
            {
            }
        };
        tokio::select! {
            () = over => return,
            () = end => {}
        }
        let Self { handle, mut messages, .. } = self;
        handle.close().await;
        // The queue is closed by the session as the last that it does.
        let _ = timeout(END_WITHIN, async { while messages.recv().await.is_some() {} }).await;
    }
}

fn not_answered() -> Error {
    Error::new(ErrorCode::NoSession, "the server is stopping, or this session has ended at once: try again")
}
