//! Rust ↔ JavaScript values: slots, statuses, events, configurations.

use js_sys::{Array, JsString, Map, Object, Reflect};
use multistream_protocol::SlotStatus;
use multistream_protocol::client::SlotRequest;
use multistream_protocol::server::{IceServer, KeyframeStatus};
use wasm_bindgen::prelude::*;
use web_sys::RtcConfiguration;

use crate::core::{Attempt, ClientError, Event, slot_state_name};

/// What is wrong with a value, as the end of a sentence.
type Result<T> = std::result::Result<T, String>;

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
}

/// The app's configuration, with the server's ICE servers before its own.
pub(super) fn peer_config(own: &JsValue, ice_servers: &[IceServer]) -> RtcConfiguration {
    let config = Object::new();
    if let Some(own) = own.dyn_ref::<Object>() {
        Object::assign(&config, own);
    }
    let servers: Array = ice_servers.iter().map(ice_server).collect();
    if let Ok(own) = Reflect::get(&config, &"iceServers".into()).and_then(JsCast::dyn_into::<Array>) {
        for server in own.iter() {
            servers.push(&server);
        }
    }
    set(&config, "iceServers", servers);
    config.unchecked_into()
}

fn ice_server(IceServer { urls, username, credential }: &IceServer) -> Object {
    let value = Object::new();
    set(&value, "urls", urls.iter().map(JsValue::from).collect::<Array>());
    set_some(&value, "username", username.as_ref());
    set_some(&value, "credential", credential.as_ref());
    value
}

/// As the typings say: camelCase, absent fields left out.
pub(super) fn slot_status(status: &SlotStatus) -> JsValue {
    let value = Object::new();
    set(&value, "slot", status.slot);
    set(&value, "stream", status.stream.as_str());
    set(&value, "status", slot_state_name(status.status));
    let texts = [
        ("quality", &status.quality),
        ("actualQuality", &status.actual_quality),
        ("error", &status.error),
        ("reason", &status.reason),
        ("codec", &status.codec),
    ];
    for (key, text) in texts {
        set_some(&value, key, text.as_ref());
    }
    let numbers =
        [("width", status.width), ("height", status.height), ("rtpTimestamp", status.rtp_timestamp)];
    for (key, number) in numbers {
        set_some(&value, key, number);
    }
    if status.kept {
        set(&value, "kept", true);
    }
    value.into()
}

pub(super) const fn keyframe_status(status: KeyframeStatus) -> &'static str {
    match status {
        KeyframeStatus::Sent => "sent",
        KeyframeStatus::Unsupported => "unsupported",
    }
}

/// An event as the typings say. The closures give what only the driver knows.
pub(super) fn event(
    event: &Event,
    error: impl Fn(&ClientError) -> JsValue,
    track: impl Fn(Attempt, u32) -> JsValue,
    tracks: impl Fn(Attempt) -> Map,
) -> JsValue {
    let value = Object::new();
    let kind = match event {
        Event::State(state) => {
            set(&value, "state", state.as_str());
            "state"
        }
        Event::Status(status) => {
            set(&value, "slot", status.slot);
            set(&value, "status", slot_status(status));
            "status"
        }
        Event::Track { attempt, slot } => {
            set(&value, "slot", *slot);
            set(&value, "track", track(*attempt, *slot));
            "track"
        }
        Event::Reconnecting { retry, delay, reason } => {
            set(&value, "retry", *retry);
            set(&value, "delayMs", delay.as_millis() as u32);
            set(&value, "reason", reason.as_str());
            "reconnecting"
        }
        Event::Reconnected(attempt) => {
            set(&value, "tracks", tracks(*attempt));
            "reconnected"
        }
        Event::Disconnected { reason } => {
            set(&value, "reason", reason.as_str());
            "disconnected"
        }
        Event::Error(cause) => {
            set(&value, "error", error(cause));
            "error"
        }
    };
    set(&value, "type", kind);
    value.into()
}

/// What a thrown value says.
pub(super) fn describe(thrown: &JsValue) -> String {
    let message = Reflect::get(thrown, &"message".into()).ok().and_then(|message| message.as_string());
    message
        .or_else(|| thrown.as_string())
        .unwrap_or_else(|| thrown.unchecked_ref::<Object>().to_string().into())
}

/// An absent field is left out.
fn set_some(object: &JsValue, key: &str, value: Option<impl Into<JsValue>>) {
    if let Some(value) = value {
        set(object, key, value);
    }
}

/// On a plain object of ours this cannot fail.
fn set(object: &JsValue, key: &str, value: impl Into<JsValue>) {
    let _ = Reflect::set(object, &JsString::from(key), &value.into());
}

#[cfg(test)]
mod tests {
    use multistream_protocol::SlotState;
    use wasm_bindgen_test::wasm_bindgen_test;

    use js_sys::JSON;

    use super::*;

    fn json(value: &JsValue) -> String {
        JSON::stringify(value).map(String::from).unwrap_or_default()
    }

    #[wasm_bindgen_test]
    fn a_status_is_camel_case_and_leaves_absent_fields_out() {
        let mut status = SlotStatus::new(1, "camera7-720p", SlotState::Active);
        status.actual_quality = Some("720p".to_owned());
        let expected = r#"{"slot":1,"stream":"camera7-720p","status":"active","actualQuality":"720p"}"#;
        assert_eq!(json(&slot_status(&status)), expected);
    }

    #[wasm_bindgen_test]
    fn the_servers_ice_servers_come_before_the_apps_and_the_rest_is_kept() {
        let own = JSON::parse(r#"{"iceTransportPolicy":"relay","iceServers":[{"urls":"stun:own"}]}"#).ok();
        let own = own.unwrap_or_default();
        let server = IceServer { urls: vec!["turn:theirs".to_owned()], username: None, credential: None };
        let expected =
            r#"{"iceTransportPolicy":"relay","iceServers":[{"urls":["turn:theirs"]},{"urls":"stun:own"}]}"#;
        assert_eq!(json(&peer_config(&own, &[server])), expected);
        assert_eq!(json(&peer_config(&JsValue::UNDEFINED, &[])), r#"{"iceServers":[]}"#);
        assert_eq!(json(&own), r#"{"iceTransportPolicy":"relay","iceServers":[{"urls":"stun:own"}]}"#);
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
