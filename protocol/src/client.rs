//! Messages from the client to the server.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

pub const INIT: &str = "multistream/init";
pub const OFFER: &str = "multistream/offer";
pub const SWITCH: &str = "multistream/switch";
pub const LAYOUT: &str = "multistream/layout";
pub const PAUSE: &str = "multistream/pause";
pub const RESUME: &str = "multistream/resume";
pub const KEYFRAME: &str = "multistream/keyframe";
pub const WARM: &str = "multistream/warm";
pub const ICE: &str = "multistream/ice";
pub const CLOSE: &str = "multistream/close";

/// Every `type` a client may send.
pub const TYPES: &[&str] = &[INIT, OFFER, SWITCH, LAYOUT, PAUSE, RESUME, KEYFRAME, WARM, ICE, CLOSE];

/// What a slot shall show: an element of `slots` in `init` and `layout`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotRequest {
    /// Index of the slot, ≥ 0. Signed, so that a negative one can be refused by name.
    pub slot: i32,
    pub stream: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quality: Option<String>,
}

/// `multistream/init`: opens a session with these slots.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Init {
    #[serde(default)]
    pub request_id: String,
    #[serde(default)]
    pub slots: Vec<SlotRequest>,
    /// The token of an earlier `ready`: takes that session over, if it still lives, and `slots` are ignored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume: Option<String>,
}

/// `multistream/offer`: one video m-line per slot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    #[serde(default)]
    pub request_id: String,
    pub sdp: String,
}

/// `multistream/switch`: show another stream in one slot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Switch {
    #[serde(default)]
    pub request_id: String,
    #[serde(flatten)]
    pub slot: SlotRequest,
}

/// `multistream/layout`: many switches as one; the last one for a slot wins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layout {
    #[serde(default)]
    pub request_id: String,
    pub slots: Vec<SlotRequest>,
}

/// `multistream/pause`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    #[serde(default)]
    pub request_id: String,
    pub slot: i32,
}

/// `multistream/resume`: shows the slot's stream again, or another one if it is named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resume {
    #[serde(default)]
    pub request_id: String,
    pub slot: i32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quality: Option<String>,
}

/// `multistream/keyframe`: send a key frame now. Slot −1 means all slots.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keyframe {
    #[serde(default)]
    pub request_id: String,
    pub slot: i32,
}

/// `multistream/warm`: start a stream that may be shown soon, so that showing it takes no time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warm {
    #[serde(default)]
    pub request_id: String,
    pub stream: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quality: Option<String>,
    /// How long to keep it running, in seconds; the server has a limit and a default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl_s: Option<u32>,
}

/// `multistream/ice`: a candidate of the browser (RFC 8839); an empty one ends them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ice {
    #[serde(default)]
    pub candidate: String,
    #[serde(default, rename = "sdpMid", skip_serializing_if = "Option::is_none")]
    pub sdp_mid: Option<String>,
    #[serde(default, rename = "sdpMLineIndex", skip_serializing_if = "Option::is_none")]
    pub sdp_m_line_index: Option<u16>,
}
