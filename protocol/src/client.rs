//! Messages from the client to the server.

use serde::Serialize;
#[cfg(feature = "typescript")]
use ts_rs::TS;

use crate::json::{AN_OBJECT, Fault, Field, Fields, Json, fields};

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
        Priority = "multistream/priority" (request_id),
        Token = "multistream/token" (request_id),
        Undecodable = "multistream/undecodable" (request_id),
        Ice = "multistream/ice",
        Close = "multistream/close",
    }
}

/// What a slot shall show: an element of `slots` in `init` and `layout`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct SlotRequest {
    /// Index of the slot, ≥ 0. The type is signed, so that the server can refuse a negative index with an error that names it.
    pub slot: i32,
    pub stream: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub quality: Option<String>,
}
fields!(SlotRequest { slot, stream, quality });

/// `multistream/init`: opens a session with these slots.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct Init {
    pub request_id: String,
    pub slots: Vec<SlotRequest>,
    /// The token of an earlier `ready`: resumes that session, if it still exists, and `slots` are ignored.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub resume: Option<String>,
}
fields!(Init { request_id = default, slots = default, resume });

/// `multistream/offer`: one video m-line per slot.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct Offer {
    pub request_id: String,
    pub sdp: String,
}
fields!(Offer { request_id = default, sdp });

/// `multistream/switch`: show another stream in one slot.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct Switch {
    pub request_id: String,
    pub slot: i32,
    pub stream: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub quality: Option<String>,
}
fields!(Switch { request_id = default, slot, stream, quality });

impl Switch {
    pub fn new(request_id: impl Into<String>, SlotRequest { slot, stream, quality }: SlotRequest) -> Self {
        Self { request_id: request_id.into(), slot, stream, quality }
    }

    pub fn into_slot_request(self) -> SlotRequest {
        SlotRequest { slot: self.slot, stream: self.stream, quality: self.quality }
    }
}

/// `multistream/layout`: switches several slots with one request; the last entry for a slot wins.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct Layout {
    pub request_id: String,
    pub slots: Vec<SlotRequest>,
    /// All slots change at the same moment, once a key frame of every stream is there, or none does.
    #[serde(skip_serializing_if = "core::ops::Not::not")]
    #[cfg_attr(feature = "typescript", ts(as = "Option<bool>", optional))]
    pub atomic: bool,
}
fields!(Layout { request_id = default, slots, atomic });

/// `multistream/pause`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct Pause {
    pub request_id: String,
    pub slot: i32,
}
fields!(Pause { request_id = default, slot });

/// `multistream/resume`: shows the slot's stream again, or another one if it is named.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct Resume {
    pub request_id: String,
    pub slot: i32,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub stream: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub quality: Option<String>,
}
fields!(Resume { request_id = default, slot, stream, quality });

/// `multistream/keyframe`: send a key frame now. Slot −1 means all slots.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct Keyframe {
    pub request_id: String,
    pub slot: i32,
}
fields!(Keyframe { request_id = default, slot });

/// `multistream/warm`: start a stream that may be shown soon, so that showing it takes no time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct Warm {
    pub request_id: String,
    pub stream: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub quality: Option<String>,
    /// How long to keep it running, in seconds; the server has a limit and a default.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub ttl_s: Option<u32>,
}
fields!(Warm { request_id = default, stream, quality, ttl_s });

/// `multistream/priority`: how important a slot is to the viewer. It is not answered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct Priority {
    pub request_id: String,
    pub slot: i32,
    /// On a slow link a slot with a higher number is lowered later. Slots start at 0.
    pub priority: i32,
}
fields!(Priority { request_id = default, slot, priority });

/// `multistream/token`: goes on with this token in place of the one before, which expires.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct Token {
    pub request_id: String,
    pub token: String,
}
fields!(Token { request_id = default, token });

/// `multistream/undecodable`: packets of this slot's picture come, and the browser makes no picture of them although it has offered
/// the codec. The server shows something else in its place, and remembers that for the session. It is not answered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct Undecodable {
    pub request_id: String,
    pub slot: i32,
}
fields!(Undecodable { request_id = default, slot });

/// `multistream/ice`: an ICE candidate (RFC 8839), in either direction; an empty one ends them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
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

impl Field for Ice {
    fn read(&mut self, value: Json) -> Result<(), Fault> {
        let mut fields = Fields::of(value)?;
        let (mut candidate, mut bare) = (None::<String>, None::<String>);
        fields.read("candidate", &mut candidate);
        // As go2rtc's clients write it: nothing beside the text of the candidate.
        fields.read("value", &mut bare);
        self.candidate = candidate.or(bare).unwrap_or_default();
        fields.read("sdpMid", &mut self.sdp_mid);
        fields.read("sdpMLineIndex", &mut self.sdp_m_line_index);
        fields.finish()
    }

    fn expected(&self) -> &'static str {
        AN_OBJECT
    }
}

/// `multistream/close`: ends the session; the socket can open another one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct Close {}
fields!(Close {});
