//! Rust ↔ JavaScript values: frames, statuses, events, configurations.

use alloc::string::String;

use js_sys::{Array, JSON, JsString, Map, Object, Reflect};
use multistream_protocol::SlotStatus;
use multistream_protocol::client::{
    Ice, Init, Keyframe, Layout, Offer, Pause, Resume, SlotRequest, Switch, Warm,
};
use multistream_protocol::server::{IceServer, KeyframeStatus};
use wasm_bindgen::prelude::*;
use web_sys::RtcConfiguration;

use crate::core::{Attempt, ClientError, ClientMessage, Event, slot_state_name};

/// The text frame of a message: its fields beside its `type`. Written field by field, as frames are read (`frame.rs`);
/// the tests hold it against serde.
pub(super) fn encode(message: &ClientMessage) -> Result<String, JsValue> {
    let frame = Object::new();
    match message {
        ClientMessage::Init(Init { request_id, slots, resume }) => {
            set(&frame, "request_id", request_id);
            set(&frame, "slots", slot_requests(slots));
            set_some(&frame, "resume", resume.as_ref());
        }
        ClientMessage::Offer(Offer { request_id, sdp }) => {
            set(&frame, "request_id", request_id);
            set(&frame, "sdp", sdp);
        }
        ClientMessage::Switch(Switch { request_id, slot }) => {
            set(&frame, "request_id", request_id);
            set_slot_request(&frame, slot);
        }
        ClientMessage::Layout(Layout { request_id, slots }) => {
            set(&frame, "request_id", request_id);
            set(&frame, "slots", slot_requests(slots));
        }
        ClientMessage::Pause(Pause { request_id, slot })
        | ClientMessage::Keyframe(Keyframe { request_id, slot }) => {
            set(&frame, "request_id", request_id);
            set(&frame, "slot", *slot);
        }
        ClientMessage::Resume(Resume { request_id, slot, stream, quality }) => {
            set(&frame, "request_id", request_id);
            set(&frame, "slot", *slot);
            set_some(&frame, "stream", stream.as_ref());
            set_some(&frame, "quality", quality.as_ref());
        }
        ClientMessage::Warm(Warm { request_id, stream, quality, ttl_s }) => {
            set(&frame, "request_id", request_id);
            set(&frame, "stream", stream);
            set_some(&frame, "quality", quality.as_ref());
            set_some(&frame, "ttl_s", *ttl_s);
        }
        ClientMessage::Ice(Ice { candidate, sdp_mid, sdp_m_line_index }) => {
            set(&frame, "candidate", candidate);
            set_some(&frame, "sdpMid", sdp_mid.as_ref());
            set_some(&frame, "sdpMLineIndex", *sdp_m_line_index);
        }
        ClientMessage::Close => {}
    }
    set(&frame, "type", message.kind());
    Ok(JSON::stringify(&frame)?.into())
}

fn slot_requests(slots: &[SlotRequest]) -> Array {
    let request = |slot| {
        let value = Object::new();
        set_slot_request(&value, slot);
        value
    };
    slots.iter().map(request).collect()
}

fn set_slot_request(value: &Object, SlotRequest { slot, stream, quality }: &SlotRequest) {
    set(value, "slot", *slot);
    set(value, "stream", stream);
    set_some(value, "quality", quality.as_ref());
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
    use multistream_protocol::client;
    use serde::Serialize;
    use serde_json::{Value, json};
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
    fn every_message_of_the_client_is_written_as_the_server_reads_it() {
        fn assert_written(message: &ClientMessage, fields: impl Serialize) {
            let mut expected = serde_json::to_value(fields).expect("plain data");
            expected["type"] = message.kind().into();
            let written: Value = serde_json::from_str(&encode(message).expect("plain data")).expect("JSON");
            assert_eq!(written, expected);
        }
        // Once with every optional field and once without.
        for some in [true, false] {
            let text = |text: &str| some.then(|| text.to_owned());
            let id = || "5".to_owned();
            let slots = || vec![SlotRequest { slot: 2, stream: "camera7".to_owned(), quality: text("720p") }];
            let init = Init { request_id: id(), slots: slots(), resume: text("token") };
            assert_written(&ClientMessage::Init(init.clone()), init);
            let offer = Offer { request_id: id(), sdp: "v=0".to_owned() };
            assert_written(&ClientMessage::Offer(offer.clone()), offer);
            let switch = Switch { request_id: id(), slot: slots().remove(0) };
            assert_written(&ClientMessage::Switch(switch.clone()), switch);
            let layout = Layout { request_id: id(), slots: slots() };
            assert_written(&ClientMessage::Layout(layout.clone()), layout);
            let pause = Pause { request_id: id(), slot: 3 };
            assert_written(&ClientMessage::Pause(pause.clone()), pause);
            let resume = Resume { request_id: id(), slot: 3, stream: text("a"), quality: text("b") };
            assert_written(&ClientMessage::Resume(resume.clone()), resume);
            let keyframe = Keyframe { request_id: id(), slot: -1 };
            assert_written(&ClientMessage::Keyframe(keyframe.clone()), keyframe);
            let (stream, ttl_s) = ("a".to_owned(), some.then_some(9));
            let warm = Warm { request_id: id(), stream, quality: text("b"), ttl_s };
            assert_written(&ClientMessage::Warm(warm.clone()), warm);
            let (sdp_mid, sdp_m_line_index) = (text("0"), some.then_some(1));
            let ice = Ice { candidate: "c".to_owned(), sdp_mid, sdp_m_line_index };
            assert_written(&ClientMessage::Ice(ice.clone()), ice);
        }
        assert_written(&ClientMessage::Close, json!({}));
        assert_eq!(client::TYPES.len(), 10, "a new message belongs into this test");
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
