//! Messages from the server to the client.

use serde::Serialize;
#[cfg(feature = "typescript")]
use ts_rs::TS;

pub use crate::client::Ice;
pub use crate::error::Error;
use crate::json::fields;
pub use crate::mids::Mids;
use crate::words::words;
use crate::{SessionEnd, SlotStatus};

crate::message::messages! {
    /// Every message of the server. An unknown type comes from a later version of the server and is ignored.
    pub enum ServerMessage, unknown: ignored {
        Ready = "multistream/ready" (request_id),
        Answer = "multistream/answer" (request_id),
        Status = "multistream/status" (request_id),
        Keyframe = "multistream/keyframe" (request_id),
        Warm = "multistream/warm" (request_id),
        Token = "multistream/token" (request_id),
        Ice = "multistream/ice",
        Disconnected = "multistream/disconnected",
        Error = "multistream/error" (request_id),
    }
}

/// An `RTCIceServer` (W3C WebRTC §4.2.4), from the server's config.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct IceServer {
    pub urls: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub credential: Option<String>,
}
fields!(IceServer { urls, username, credential });

/// `multistream/ready`: the session is open; send the offer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct Ready {
    pub request_id: String,
    /// How many slots the session has.
    pub slots: u32,
    pub ice_servers: Vec<IceServer>,
    /// The token that resumes this session, with its media untouched, when an `init` on a new WebSocket contains it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub resume: Option<String>,
    /// The session was resumed: it has its connection already, so no offer follows.
    #[serde(skip_serializing_if = "core::ops::Not::not")]
    #[cfg_attr(feature = "typescript", ts(as = "Option<bool>", optional))]
    pub resumed: bool,
}
fields!(Ready { request_id = default, slots, ice_servers = default, resume, resumed });

/// `multistream/answer`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct Answer {
    pub request_id: String,
    pub sdp: String,
    /// One per requested slot, in order of slot index.
    pub slots: Vec<SlotStatus>,
    /// Slot index (as a JSON object key) → mid of the m-line that carries it (RFC 8843 §15).
    #[cfg_attr(feature = "typescript", ts(as = "std::collections::BTreeMap<u32, String>"))]
    pub mids: Mids,
}
fields!(Answer { request_id = default, sdp, slots, mids });

/// `multistream/status`: a slot changed, or the answer to `switch`, `layout`, `pause` or `resume`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct Status {
    pub slot: u32,
    pub status: SlotStatus,
    /// The id of the request that this answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub request_id: Option<String>,
}
fields!(Status { slot, status, request_id });

words! {
    /// The outcome of a `multistream/keyframe` request.
    #[cfg_attr(feature = "typescript", derive(TS), ts(rename_all = "lowercase"))]
    pub enum KeyframeStatus {
        /// A key frame was sent from the GOP cache.
        Sent = "sent",
        /// The cache holds no key frame now, and a source cannot be asked for one.
        Unsupported = "unsupported",
    }
}

/// `multistream/keyframe`: one per slot that was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct Keyframe {
    pub request_id: String,
    pub slot: u32,
    pub status: KeyframeStatus,
}
fields!(Keyframe { request_id = default, slot, status });

/// `multistream/warm`: the stream is being kept running.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct Warm {
    pub request_id: String,
    /// The resolved name.
    pub stream: String,
    /// How many seconds it is kept running, from now.
    pub ttl_s: u32,
}
fields!(Warm { request_id = default, stream, ttl_s });

/// `multistream/token`: the session goes on with the new token.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct Token {
    pub request_id: String,
    /// For how many seconds from now it is valid; without it, for ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub valid_s: Option<u32>,
}
fields!(Token { request_id = default, valid_s });

/// `multistream/disconnected`: the session is over.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct Disconnected {
    /// See [`SessionEnd`]; a string, for a later server may know more reasons.
    pub reason: String,
}
fields!(Disconnected { reason });

impl From<SessionEnd> for Disconnected {
    fn from(end: SessionEnd) -> Self {
        Self { reason: end.to_string() }
    }
}
