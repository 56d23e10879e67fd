//! Frames of the server, and slots of the app: JavaScript values → the protocol's types.
//!
//! Read field by field. The general way (serde on JavaScript values) costs 20 KB of download, most of it for
//! printing numbers in errors that nobody reads; the tests hold this one against serde.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use js_sys::{Array, JSON, Object, Reflect};
use multistream_protocol::client::SlotRequest;
use multistream_protocol::server::{
    self, Answer, Disconnected, Error, Ice, IceServer, Keyframe, KeyframeStatus, Ready, Status, Warm,
};
use multistream_protocol::{SlotState, SlotStatus};
use wasm_bindgen::{JsCast, JsValue};

use crate::core::ServerMessage;

/// What is wrong with a value, as the end of a sentence.
type Result<T> = core::result::Result<T, String>;

/// The `type` of a frame and its message; `None` for a type that is not ours (a later server's, or go2rtc's own).
pub(super) fn decode(text: &str) -> Result<(String, Option<ServerMessage>)> {
    let value = JSON::parse(text).map_err(|_| "it is not JSON".to_owned())?;
    let frame = Fields(&value);
    let kind = frame.text("type")?;
    let message = message(&kind, &frame).map_err(|error| format!("in `{kind}`, {error}"))?;
    Ok((kind, message))
}

/// The app's slots.
pub(super) fn slot_requests(value: &JsValue) -> Result<Vec<SlotRequest>> {
    let slots = value.dyn_ref::<Array>().ok_or("it is no array")?;
    let request = |value: JsValue| {
        let slot = Fields(&value);
        Ok(SlotRequest {
            slot: integer(slot.get("slot").as_ref()).ok_or("`slot` is no integer")?,
            stream: slot.text("stream")?,
            quality: slot.optional_text("quality"),
        })
    };
    slots.iter().map(request).collect()
}

/// A number that is an `i32`; −0 is one.
pub(super) fn integer(value: Option<&JsValue>) -> Option<i32> {
    let number = value?.as_f64()?;
    let integer = number as i32;
    f64::from(integer).total_cmp(&(number + 0.0)).is_eq().then_some(integer)
}

fn message(kind: &str, frame: &Fields<'_>) -> Result<Option<ServerMessage>> {
    let request_id = frame.optional_text("request_id");
    Ok(Some(match kind {
        server::READY => ServerMessage::Ready(Ready {
            request_id: request_id.unwrap_or_default(),
            slots: frame.index("slots")?,
            ice_servers: frame.list("ice_servers", ice_server)?,
            resume: frame.optional_text("resume"),
            resumed: frame.get("resumed").is_some_and(|resumed| resumed.is_truthy()),
        }),
        server::ANSWER => ServerMessage::Answer(Answer {
            request_id: request_id.unwrap_or_default(),
            sdp: frame.text("sdp")?,
            slots: frame.list("slots", slot_status)?,
            mids: frame.mids()?,
        }),
        server::STATUS => ServerMessage::Status(Status {
            slot: frame.index("slot")?,
            status: slot_status(&Fields(&frame.get("status").ok_or("`status` is missing")?))?,
            request_id,
        }),
        server::KEYFRAME => ServerMessage::Keyframe(Keyframe {
            request_id: request_id.unwrap_or_default(),
            slot: frame.index("slot")?,
            status: match frame.text("status")?.as_str() {
                "sent" => KeyframeStatus::Sent,
                "requested" => KeyframeStatus::Requested,
                "unsupported" => KeyframeStatus::Unsupported,
                other => return Err(format!("`status` is `{other}`")),
            },
        }),
        server::WARM => ServerMessage::Warm(Warm {
            request_id: request_id.unwrap_or_default(),
            stream: frame.text("stream")?,
            ttl_s: frame.optional_index("ttl_s").unwrap_or_default(),
        }),
        server::ICE => ServerMessage::Ice(Ice {
            candidate: frame.text("candidate")?,
            value: frame.optional_text("value").unwrap_or_default(),
            sdp_mid: frame.optional_text("sdpMid"),
            sdp_m_line_index: frame
                .optional_index("sdpMLineIndex")
                .and_then(|index| u16::try_from(index).ok()),
        }),
        server::DISCONNECTED => ServerMessage::Disconnected(Disconnected { reason: frame.text("reason")? }),
        server::ERROR => {
            ServerMessage::Error(Error { request_id, code: frame.text("code")?, error: frame.text("error")? })
        }
        _ => return Ok(None),
    }))
}

fn ice_server(server: &Fields<'_>) -> Result<IceServer> {
    let urls =
        server.get("urls").and_then(|urls| urls.dyn_into::<Array>().ok()).ok_or("`urls` is no array")?;
    Ok(IceServer {
        urls: urls.iter().filter_map(|url| url.as_string()).collect(),
        username: server.optional_text("username"),
        credential: server.optional_text("credential"),
    })
}

fn slot_status(status: &Fields<'_>) -> Result<SlotStatus> {
    let state = status.text("status")?;
    Ok(SlotStatus {
        slot: status.index("slot")?,
        stream: status.text("stream")?,
        quality: status.optional_text("quality"),
        actual_quality: status.optional_text("actual_quality"),
        status: match state.as_str() {
            "pending" => SlotState::Pending,
            "active" => SlotState::Active,
            "buffering" => SlotState::Buffering,
            "offline" => SlotState::Offline,
            "error" => SlotState::Error,
            "paused" => SlotState::Paused,
            "inactive" => SlotState::Inactive,
            _ => return Err(format!("the slot's `status` is `{state}`")),
        },
        error: status.optional_text("error"),
        reason: status.optional_text("reason"),
        codec: status.optional_text("codec"),
        width: status.optional_index("width"),
        height: status.optional_index("height"),
        rtp_timestamp: status.optional_index("rtp_timestamp"),
    })
}

/// The fields of a JavaScript value, whatever it is.
struct Fields<'a>(&'a JsValue);

impl Fields<'_> {
    /// `undefined` and `null` are absent.
    fn get(&self, key: &str) -> Option<JsValue> {
        let value = Reflect::get(self.0, &JsValue::from_str(key)).ok()?;
        (!value.is_undefined() && !value.is_null()).then_some(value)
    }

    fn optional_text(&self, key: &str) -> Option<String> {
        self.get(key)?.as_string()
    }

    fn text(&self, key: &str) -> Result<String> {
        self.optional_text(key).ok_or_else(|| format!("`{key}` is missing or no text"))
    }

    fn optional_index(&self, key: &str) -> Option<u32> {
        integer(self.get(key).as_ref()).and_then(|index| u32::try_from(index).ok())
    }

    fn index(&self, key: &str) -> Result<u32> {
        self.optional_index(key).ok_or_else(|| format!("`{key}` is missing or no index"))
    }

    /// An absent list is an empty one.
    fn list<T>(&self, key: &str, element: fn(&Fields<'_>) -> Result<T>) -> Result<Vec<T>> {
        let Some(value) = self.get(key) else { return Ok(Vec::new()) };
        let list = value.dyn_ref::<Array>().ok_or_else(|| format!("`{key}` is no array"))?;
        list.iter().map(|value| element(&Fields(&value))).collect()
    }

    /// The keys of an object are strings; these are slot indices.
    fn mids(&self) -> Result<BTreeMap<u32, String>> {
        let value =
            self.get("mids").and_then(|mids| mids.dyn_into::<Object>().ok()).ok_or("`mids` is no object")?;
        let mut mids = BTreeMap::new();
        for key in Object::keys(&value).iter() {
            let key = key.as_string().unwrap_or_default();
            let slot = key.parse().map_err(|_| format!("`{key}` is not a slot index"))?;
            mids.insert(slot, Fields(&value).text(&key)?);
        }
        Ok(mids)
    }
}

#[cfg(test)]
mod tests {
    use serde::Serialize;
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    /// What the server would send.
    fn frame(kind: &str, fields: impl Serialize) -> String {
        let mut frame = serde_json::to_value(fields).expect("plain data");
        frame["type"] = kind.into();
        frame.to_string()
    }

    fn full_status() -> SlotStatus {
        SlotStatus {
            quality: Some("720p".to_owned()),
            actual_quality: Some("native".to_owned()),
            error: Some("No.".to_owned()),
            reason: Some("source-offline".to_owned()),
            codec: Some("h264".to_owned()),
            width: Some(1280),
            height: Some(720),
            ..SlotStatus::new(3, "camera7", SlotState::Offline)
        }
    }

    #[wasm_bindgen_test]
    fn every_message_of_the_server_is_read_as_it_was_written() {
        let id = "5".to_owned();
        let ice_servers = vec![IceServer {
            urls: vec!["turn:a".to_owned(), "turn:b".to_owned()],
            username: Some("user".to_owned()),
            credential: Some("pass".to_owned()),
        }];
        let ready = Ready {
            request_id: id.clone(),
            slots: 2,
            ice_servers,
            resume: Some("t".to_owned()),
            resumed: true,
        };
        let mids = [(0, "a".to_owned()), (11, "b".to_owned())].into();
        let answer =
            Answer { request_id: id.clone(), sdp: "v=0".to_owned(), slots: vec![full_status()], mids };
        let status = Status { slot: 3, status: full_status(), request_id: Some(id.clone()) };
        let keyframe = Keyframe { request_id: id.clone(), slot: 1, status: KeyframeStatus::Requested };
        let warm = Warm { request_id: id.clone(), stream: "camera7".to_owned(), ttl_s: 15 };
        let ice = Ice {
            candidate: "c".to_owned(),
            value: "c".to_owned(),
            sdp_mid: Some("0".to_owned()),
            sdp_m_line_index: Some(7),
        };
        let disconnected = Disconnected { reason: "server_shutdown".to_owned() };
        let error = Error { request_id: Some(id), code: "internal".to_owned(), error: "No.".to_owned() };
        let messages = [
            (frame(server::READY, &ready), ServerMessage::Ready(ready)),
            (frame(server::ANSWER, &answer), ServerMessage::Answer(answer)),
            (frame(server::STATUS, &status), ServerMessage::Status(status)),
            (frame(server::KEYFRAME, &keyframe), ServerMessage::Keyframe(keyframe)),
            (frame(server::WARM, &warm), ServerMessage::Warm(warm)),
            (frame(server::ICE, &ice), ServerMessage::Ice(ice)),
            (frame(server::DISCONNECTED, &disconnected), ServerMessage::Disconnected(disconnected)),
            (frame(server::ERROR, &error), ServerMessage::Error(error)),
        ];
        assert_eq!(messages.len(), server::TYPES.len());
        for (text, message) in messages {
            let kind = message_kind(&text);
            assert_eq!(decode(&text), Ok((kind, Some(message))));
        }
    }

    fn message_kind(text: &str) -> String {
        let value: serde_json::Value = serde_json::from_str(text).expect("our own frame");
        value["type"].as_str().unwrap_or_default().to_owned()
    }

    #[wasm_bindgen_test]
    fn every_state_of_a_slot_is_read() {
        use SlotState::{Active, Buffering, Error, Inactive, Offline, Paused, Pending};
        for state in [Pending, Active, Buffering, Offline, Error, Paused, Inactive] {
            let status = Status { slot: 0, status: SlotStatus::new(0, "a", state), request_id: None };
            let read = decode(&frame(server::STATUS, &status));
            assert_eq!(read, Ok((server::STATUS.to_owned(), Some(ServerMessage::Status(status)))));
        }
    }

    #[wasm_bindgen_test]
    fn fields_and_types_of_a_later_server_are_ignored() {
        let ready = r#"{"type":"multistream/ready","slots":4,"colour":"blue"}"#;
        assert!(matches!(decode(ready), Ok((_, Some(ServerMessage::Ready(ready)))) if ready.slots == 4));
        for other in
            [r#"{"type":"multistream/later","slots":[]}"#, r#"{"type":"webrtc/candidate","value":""}"#]
        {
            assert!(matches!(decode(other), Ok((_, None))), "{other}");
        }
    }

    #[wasm_bindgen_test]
    fn garbage_is_described_and_never_panics() {
        for garbage in ["", "[1,2", "null", "7", r#""text""#, "[]", "{}", r#"{"type":7}"#] {
            assert!(decode(garbage).is_err(), "{garbage}");
        }
        for (text, word) in [
            (r#"{"type":"multistream/ready"}"#, "`slots`"),
            (r#"{"type":"multistream/ready","slots":-1}"#, "`slots`"),
            (r#"{"type":"multistream/ready","slots":1.5}"#, "`slots`"),
            (r#"{"type":"multistream/ready","slots":1,"ice_servers":7}"#, "`ice_servers`"),
            (r#"{"type":"multistream/answer","sdp":"","mids":{"left":"0"}}"#, "`left`"),
            (r#"{"type":"multistream/status","slot":0}"#, "`status`"),
            (
                r#"{"type":"multistream/status","slot":0,"status":{"slot":0,"stream":"a","status":"asleep"}}"#,
                "`asleep`",
            ),
        ] {
            assert!(decode(text).is_err_and(|error| error.contains(word)), "{text}");
        }
    }

    #[wasm_bindgen_test]
    fn the_apps_slots_are_read_or_refused_by_name() {
        let slots = JSON::parse(r#"[{"slot":0,"stream":"a"},{"slot":1,"stream":"b","quality":"720p"}]"#);
        let slots = slot_requests(&slots.unwrap_or_default()).unwrap_or_default();
        assert_eq!((slots[0].quality.as_deref(), slots[1].quality.as_deref()), (None, Some("720p")));
        for (text, word) in [
            ("7", "array"),
            (r#"[{"stream":"a"}]"#, "`slot`"),
            (r#"[{"slot":0.5,"stream":"a"}]"#, "`slot`"),
            (r#"[{"slot":0}]"#, "`stream`"),
            ("[null]", "`slot`"),
        ] {
            let value = JSON::parse(text).unwrap_or_default();
            assert!(slot_requests(&value).is_err_and(|error| error.contains(word)), "{text}");
        }
    }
}
