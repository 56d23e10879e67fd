//! Messages from the server to the client.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use crate::SlotStatus;

pub const READY: &str = "multistream/ready";
pub const ANSWER: &str = "multistream/answer";
pub const STATUS: &str = "multistream/status";
pub const KEYFRAME: &str = "multistream/keyframe";
pub const WARM: &str = "multistream/warm";
pub const ICE: &str = "multistream/ice";
pub const DISCONNECTED: &str = "multistream/disconnected";
pub const ERROR: &str = "multistream/error";

/// Every `type` the server may send.
pub const TYPES: &[&str] = &[READY, ANSWER, STATUS, KEYFRAME, WARM, ICE, DISCONNECTED, ERROR];

/// An `RTCIceServer` (W3C WebRTC §4.2.4), from the server's config.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IceServer {
    pub urls: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
}

/// `multistream/ready`: the session is open; send the offer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ready {
    #[serde(default)]
    pub request_id: String,
    /// How many slots the session has.
    pub slots: u32,
    #[serde(default)]
    pub ice_servers: Vec<IceServer>,
    /// Give it in `init` on a new WebSocket to take this session over with its media untouched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume: Option<String>,
    /// The session was taken over: it has its connection already, so no offer follows.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub resumed: bool,
}

/// `multistream/answer`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    #[serde(default)]
    pub request_id: String,
    pub sdp: String,
    /// One per requested slot, in order of slot index.
    pub slots: Vec<SlotStatus>,
    /// Slot index (as a JSON object key) → mid of the m-line that carries it (RFC 8843 §15).
    #[serde(deserialize_with = "slot_keys")]
    pub mids: BTreeMap<u32, String>,
}

/// The keys of a JSON object are strings. `serde_json` turns them into numbers by itself, a JavaScript object does not.
fn slot_keys<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<u32, String>, D::Error> {
    BTreeMap::<String, String>::deserialize(deserializer)?
        .into_iter()
        .map(|(slot, mid)| match slot.parse() {
            Ok(slot) => Ok((slot, mid)),
            Err(_) => Err(D::Error::custom(format_args!("`{slot}` is not a slot index"))),
        })
        .collect()
}

/// `multistream/status`: a slot changed, or the answer to `switch`, `layout`, `pause` or `resume`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    pub slot: u32,
    pub status: SlotStatus,
    /// Of the request that this answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

/// What came of a `multistream/keyframe`. Never a claim that is not true.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "lowercase")]
pub enum KeyframeStatus {
    /// One was sent from the cache.
    Sent,
    /// The source was asked for one.
    Requested,
    /// Neither the cache nor the source can give one now.
    Unsupported,
}

/// `multistream/keyframe`: one per slot that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keyframe {
    #[serde(default)]
    pub request_id: String,
    pub slot: u32,
    pub status: KeyframeStatus,
}

/// `multistream/warm`: the stream is being kept running.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warm {
    #[serde(default)]
    pub request_id: String,
    /// The resolved name.
    pub stream: String,
    /// For so many seconds from now.
    pub ttl_s: u32,
}

/// `multistream/ice`: a candidate of the server, twice for clients of either framing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ice {
    pub candidate: String,
    pub value: String,
    #[serde(default, rename = "sdpMid", skip_serializing_if = "Option::is_none")]
    pub sdp_mid: Option<String>,
    #[serde(default, rename = "sdpMLineIndex", skip_serializing_if = "Option::is_none")]
    pub sdp_m_line_index: Option<u16>,
}

/// `multistream/disconnected`: the session is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disconnected {
    /// `connection_lost`, `server_shutdown`, …
    pub reason: String,
}

/// `multistream/error`: a request that could not be served. The session goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Error {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// See [`ErrorCode`](crate::ErrorCode).
    pub code: String,
    /// A sentence for people. Never contains a secret.
    pub error: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_of_mids_are_slot_indices() {
        let answer: Answer =
            serde_json::from_str(r#"{"sdp":"v=0","slots":[],"mids":{"0":"a","12":"b"}}"#).unwrap();
        assert_eq!(answer.mids, BTreeMap::from([(0, "a".to_owned()), (12, "b".to_owned())]));
        assert!(serde_json::to_string(&answer).unwrap().contains(r#""mids":{"0":"a","12":"b"}"#));
    }

    #[test]
    fn a_key_of_mids_that_is_no_index_is_named() {
        let error =
            serde_json::from_str::<Answer>(r#"{"sdp":"v=0","slots":[],"mids":{"left":"0"}}"#).unwrap_err();
        assert!(error.to_string().contains("`left` is not a slot index"), "{error}");
    }
}
