//! Rust ↔ JavaScript values: frames, statuses, events, configurations.

use js_sys::{Array, JSON, JsString, Map, Object, Reflect};
use multistream_protocol::SlotStatus;
use multistream_protocol::server::{IceServer, KeyframeStatus};
use serde::Serialize;
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::prelude::*;
use web_sys::RtcConfiguration;

use crate::core::{Attempt, ClientError, ClientMessage, Event, slot_state_name};

/// The text frame of a message: its fields beside its `type`.
pub(super) fn encode(message: &ClientMessage) -> Result<String, JsValue> {
    let serializer = Serializer::json_compatible();
    let fields = match message {
        ClientMessage::Init(fields) => fields.serialize(&serializer)?,
        ClientMessage::Offer(fields) => fields.serialize(&serializer)?,
        ClientMessage::Switch(fields) => fields.serialize(&serializer)?,
        ClientMessage::Layout(fields) => fields.serialize(&serializer)?,
        ClientMessage::Pause(fields) => fields.serialize(&serializer)?,
        ClientMessage::Resume(fields) => fields.serialize(&serializer)?,
        ClientMessage::Keyframe(fields) => fields.serialize(&serializer)?,
        ClientMessage::Warm(fields) => fields.serialize(&serializer)?,
        ClientMessage::Ice(fields) => fields.serialize(&serializer)?,
        ClientMessage::Close => Object::new().into(),
    };
    set(&fields, "type", message.kind());
    Ok(JSON::stringify(&fields)?.into())
}

/// The app's configuration, with the server's ICE servers before its own.
pub(super) fn peer_config(own: &JsValue, ice_servers: &[IceServer]) -> RtcConfiguration {
    let config = Object::new();
    if let Some(own) = own.dyn_ref::<Object>() {
        Object::assign(&config, own);
    }
    let serializer = Serializer::json_compatible();
    let servers: Array = ice_servers.iter().filter_map(|server| server.serialize(&serializer).ok()).collect();
    if let Ok(own) = Reflect::get(&config, &"iceServers".into()).and_then(JsCast::dyn_into::<Array>) {
        for server in own.iter() {
            servers.push(&server);
        }
    }
    set(&config, "iceServers", servers);
    config.unchecked_into()
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
        if let Some(text) = text {
            set(&value, key, text.as_str());
        }
    }
    for (key, pixels) in [("width", status.width), ("height", status.height)] {
        if let Some(pixels) = pixels {
            set(&value, key, pixels);
        }
    }
    value.into()
}

pub(super) const fn keyframe_status(status: KeyframeStatus) -> &'static str {
    match status {
        KeyframeStatus::Sent => "sent",
        KeyframeStatus::Requested => "requested",
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

/// On a plain object of ours this cannot fail.
fn set(object: &JsValue, key: &str, value: impl Into<JsValue>) {
    let _ = Reflect::set(object, &JsString::from(key), &value.into());
}

#[cfg(test)]
mod tests {
    use multistream_protocol::SlotState;
    use multistream_protocol::client::{SlotRequest, Switch};
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    fn json(value: &JsValue) -> String {
        JSON::stringify(value).map(String::from).unwrap_or_default()
    }

    #[wasm_bindgen_test]
    fn a_message_is_one_flat_object() {
        let slot = SlotRequest { slot: 2, stream: "camera7".to_owned(), quality: None };
        let message = ClientMessage::Switch(Switch { request_id: "5".to_owned(), slot });
        let expected = r#"{"request_id":"5","slot":2,"stream":"camera7","type":"multistream/switch"}"#;
        assert_eq!(encode(&message).ok().as_deref(), Some(expected));
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
}
