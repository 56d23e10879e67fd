//! Messages from the client to the server.

use serde::{Deserialize, Serialize};
#[cfg(feature = "typescript")]
use ts_rs::TS;

crate::message::messages! {
    /// Every message of a client. An unknown type of this protocol is refused.
    pub enum ClientMessage, unknown: refused {
        Init = "multistream/init" (request_id),
        Offer = "multistream/offer" (request_id),
        Switch = "multistream/switch" (request_id),
        Layout = "multistream/layout" (request_id),
        Pause = "multistream/pause" (request_id),
        Resume = "multistream/resume" (request_id),
        Keyframe = "multistream/keyframe" (request_id),
        Warm = "multistream/warm" (request_id),
        Ice = "multistream/ice",
        Close = "multistream/close",
    }
}

/// What a slot shall show: an element of `slots` in `init` and `layout`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct SlotRequest {
    /// Index of the slot, ≥ 0. The type is signed, so that the server can refuse a negative index with an error that names it.
    pub slot: i32,
    pub stream: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub quality: Option<String>,
}

/// `multistream/init`: opens a session with these slots.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct Init {
    #[serde(default)]
    pub request_id: String,
    #[serde(default)]
    pub slots: Vec<SlotRequest>,
    /// The token of an earlier `ready`: resumes that session, if it still exists, and `slots` are ignored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub resume: Option<String>,
}

/// `multistream/offer`: one video m-line per slot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct Offer {
    #[serde(default)]
    pub request_id: String,
    pub sdp: String,
}

/// `multistream/switch`: show another stream in one slot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct Switch {
    #[serde(default)]
    pub request_id: String,
    pub slot: i32,
    pub stream: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub quality: Option<String>,
}

impl Switch {
    pub fn new(request_id: impl Into<String>, SlotRequest { slot, stream, quality }: SlotRequest) -> Self {
        Self { request_id: request_id.into(), slot, stream, quality }
    }

    pub fn into_slot_request(self) -> SlotRequest {
        SlotRequest { slot: self.slot, stream: self.stream, quality: self.quality }
    }
}

/// `multistream/layout`: switches several slots with one request; the last entry for a slot wins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct Layout {
    #[serde(default)]
    pub request_id: String,
    pub slots: Vec<SlotRequest>,
    /// All slots change at the same moment, once a key frame of every stream is there, or none does.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    #[cfg_attr(feature = "typescript", ts(as = "Option<bool>", optional))]
    pub atomic: bool,
}

/// `multistream/pause`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct Pause {
    #[serde(default)]
    pub request_id: String,
    pub slot: i32,
}

/// `multistream/resume`: shows the slot's stream again, or another one if it is named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct Resume {
    #[serde(default)]
    pub request_id: String,
    pub slot: i32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub stream: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub quality: Option<String>,
}

/// `multistream/keyframe`: send a key frame now. Slot −1 means all slots.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct Keyframe {
    #[serde(default)]
    pub request_id: String,
    pub slot: i32,
}

/// `multistream/warm`: start a stream that may be shown soon, so that showing it takes no time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct Warm {
    #[serde(default)]
    pub request_id: String,
    pub stream: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub quality: Option<String>,
    /// How long to keep it running, in seconds; the server has a limit and a default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub ttl_s: Option<u32>,
}

/// `multistream/ice`: an ICE candidate (RFC 8839), in either direction; an empty one ends them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "IceFields")]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct Ice {
    pub candidate: String,
    #[serde(rename = "sdpMid", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub sdp_mid: Option<String>,
    #[serde(rename = "sdpMLineIndex", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub sdp_m_line_index: Option<u16>,
}

/// A candidate as it may be written: its text in `candidate`, or bare in `value` as go2rtc's clients write it.
#[derive(Deserialize)]
struct IceFields {
    candidate: Option<String>,
    value: Option<String>,
    #[serde(rename = "sdpMid")]
    sdp_mid: Option<String>,
    #[serde(rename = "sdpMLineIndex")]
    sdp_m_line_index: Option<u16>,
}

impl From<IceFields> for Ice {
    fn from(IceFields { candidate, value, sdp_mid, sdp_m_line_index }: IceFields) -> Self {
        Self { candidate: candidate.or(value).unwrap_or_default(), sdp_mid, sdp_m_line_index }
    }
}

/// `multistream/close`: ends the session; the socket can open another one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct Close {}
