//! The status of a slot, as the server reports it.

use serde::Serialize;

use crate::json::fields;
use crate::words::words;

words! {
    /// The state of a slot. `Active` means that a key frame was sent, not only that the stream was chosen.
    #[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(rename_all = "lowercase"))]
    pub enum SlotState {
        /// The first key frame of this stream was sent on the slot's track.
        Active = "active",
        /// Starting or switching: no key frame of this stream was sent yet.
        Buffering = "buffering",
        /// The source is down. The server keeps trying and the slot turns `active` by itself.
        Offline = "offline",
        /// The stream cannot be shown until someone changes something; `error` says what, `reason` is its code.
        Error = "error",
        /// Paused by request; the stream has one viewer fewer. With the reason `bandwidth`: the link is too slow to send more than
        /// one picture, which stays on the screen.
        Paused = "paused",
    }
}

/// What a slot shows. Optional fields are left out when they do not apply.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct SlotStatus {
    /// Index of the slot, as in `multistream/init`.
    pub slot: u32,
    /// The resolved stream name, e.g. `camera4-720p`.
    pub stream: String,
    /// The quality as it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub quality: Option<String>,
    /// The quality being sent, once it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub actual_quality: Option<String>,
    pub status: SlotState,
    /// A sentence for people. Never contains a secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub error: Option<String>,
    /// A stable, kebab-case code for programs; see [`ErrorCode`](crate::ErrorCode).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub reason: Option<String>,
    /// Of an `error` that answers a request: the request was refused, and the slot goes on as it was before it.
    #[serde(skip_serializing_if = "core::ops::Not::not")]
    #[cfg_attr(feature = "typescript", ts(as = "Option<bool>", optional))]
    pub kept: bool,
    /// `h264`, `h265`, `vp8`, `vp9` or `av1`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub codec: Option<String>,
    /// Only key frames are sent, because the link is slow: about one in this many milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub picture_every_ms: Option<u32>,
    /// Width of the picture in pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub width: Option<u32>,
    /// Height of the picture in pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub height: Option<u32>,
    /// Width to show the picture in, where its samples are not square.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub display_width: Option<u32>,
    /// Height to show the picture in, where its samples are not square.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub display_height: Option<u32>,
    /// RTP timestamp of the first key frame that was sent of this stream. A browser reports each picture's RTP timestamp, so a
    /// client knows from which picture on it sees this stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub rtp_timestamp: Option<u32>,
}
fields!(SlotStatus {
    slot,
    stream,
    quality,
    actual_quality,
    status,
    error,
    reason,
    kept,
    codec,
    picture_every_ms,
    width,
    height,
    display_width,
    display_height,
    rtp_timestamp
});

impl SlotStatus {
    /// A status with only the fields that every status has.
    pub fn new(slot: u32, stream: impl Into<String>, status: SlotState) -> Self {
        Self {
            slot,
            stream: stream.into(),
            quality: None,
            actual_quality: None,
            status,
            error: None,
            reason: None,
            kept: false,
            codec: None,
            picture_every_ms: None,
            width: None,
            height: None,
            display_width: None,
            display_height: None,
            rtp_timestamp: None,
        }
    }
}
