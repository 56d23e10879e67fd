//! Values between Rust and JavaScript, by `serde-wasm-bindgen`: slots and settings come in, statuses and events go out.

use std::time::Duration;

use js_sys::{Array, Map, Object, Reflect};
use multistream_protocol::client::SlotRequest;
use multistream_protocol::server::IceServer;
use multistream_protocol::{SlotState, SlotStatus};
use serde::{Deserialize, Serialize};
use serde_wasm_bindgen::{Serializer, preserve};
use wasm_bindgen::prelude::*;
use web_sys::RtcConfiguration;

use crate::core::{Attempt, Client, ClientError, Event, Received, Show, Stall, Wish};

/// A slot as the typings say, with the quality that the app asked for where the façade chose another.
#[derive(Deserialize)]
struct SlotConfig {
    slot: i32,
    stream: String,
    quality: Option<String>,
    asked: Option<String>,
}

/// The app's slots, or what is wrong with them as the end of a sentence.
pub(crate) fn shows(value: &JsValue) -> Result<Vec<Show>, String> {
    let slots: Vec<JsValue> =
        value.dyn_ref::<Array>().map(|slots| slots.iter().collect()).ok_or("it is no array")?;
    let show = |(index, slot): (usize, JsValue)| {
        serde_wasm_bindgen::from_value(slot)
            .map(|SlotConfig { slot, stream, quality, asked }| Show {
                told: SlotRequest { slot, stream, quality },
                asked,
            })
            .map_err(|error| format!("number {index}: {}", describe(&error.into())))
    };
    slots.into_iter().enumerate().map(show).collect()
}

/// A number that is an `i32`; −0 is one.
pub(crate) fn integer(number: f64) -> Option<i32> {
    let integer = number as i32;
    f64::from(integer).total_cmp(&(number + 0.0)).is_eq().then_some(integer)
}

/// Any value of ours. Maps become objects, and what is absent is left out.
pub(crate) fn to_js(value: &impl Serialize) -> JsValue {
    // Structs of texts, numbers and JavaScript's own values: nothing in them can fail.
    value.serialize(&Serializer::json_compatible()).unwrap_or_default()
}

/// The app's configuration, with the server's ICE servers before its own. All m-lines share one transport from the start, unless the
/// app wants it otherwise: browsers otherwise gather candidates for each of them, and make as many allocations at a TURN server.
pub(super) fn peer_config(own: &JsValue, ice_servers: &[IceServer]) -> RtcConfiguration {
    let config = Object::new();
    // On a plain object of ours this cannot fail.
    let _ = Reflect::set(&config, &JsValue::from_str("bundlePolicy"), &JsValue::from_str("max-bundle"));
    if let Some(own) = own.dyn_ref::<Object>() {
        Object::assign(&config, own);
    }
    let servers: Array = ice_servers.iter().map(to_js).collect();
    let key = JsValue::from_str("iceServers");
    if let Ok(own) = Reflect::get(&config, &key).and_then(JsCast::dyn_into::<Array>) {
        for server in own.iter() {
            servers.push(&server);
        }
    }
    let _ = Reflect::set(&config, &key, &servers);
    config.unchecked_into()
}

/// A wish as the façade reads it; what is absent is `undefined`.
#[derive(Serialize)]
struct WishFields<'a> {
    stream: &'a str,
    quality: Option<&'a str>,
    asked: Option<&'a str>,
    paused: bool,
    reason: Option<&'a str>,
}

pub(super) fn wish(wish: &Wish) -> JsValue {
    let fields = WishFields {
        stream: &wish.show.told.stream,
        quality: wish.show.told.quality.as_deref(),
        asked: wish.show.asked.as_deref(),
        paused: wish.paused,
        reason: wish.reason.as_deref(),
    };
    fields.serialize(&Serializer::new()).unwrap_or_default()
}

/// A status as the typings say: camelCase, absent fields left out.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StatusFields<'a> {
    slot: u32,
    camera: &'a str,
    stream: &'a str,
    status: SlotState,
    #[serde(skip_serializing_if = "Option::is_none")]
    quality: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    actual_quality: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    codec: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    picture_every_ms: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    width: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    height: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    display_width: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    display_height: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rtp_timestamp: Option<u32>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    kept: bool,
}

impl<'a> StatusFields<'a> {
    fn of(client: &'a Client, status: &'a SlotStatus) -> Self {
        // Without `..`: a field of the protocol that is not passed on does not compile.
        let SlotStatus {
            slot,
            stream,
            quality,
            actual_quality,
            status: state,
            error,
            reason,
            kept,
            codec,
            picture_every_ms,
            width,
            height,
            display_width,
            display_height,
            rtp_timestamp,
        } = status;
        Self {
            slot: *slot,
            camera: client.camera(status),
            stream,
            status: *state,
            quality: quality.as_deref(),
            actual_quality: actual_quality.as_deref(),
            error: error.as_deref(),
            reason: reason.as_deref(),
            codec: codec.as_deref(),
            picture_every_ms: *picture_every_ms,
            width: *width,
            height: *height,
            display_width: *display_width,
            display_height: *display_height,
            rtp_timestamp: *rtp_timestamp,
            kept: *kept,
        }
    }
}

pub(super) fn slot_status(client: &Client, status: &SlotStatus) -> JsValue {
    to_js(&StatusFields::of(client, status))
}

pub(super) fn slot_statuses(client: &Client, statuses: &[SlotStatus]) -> JsValue {
    to_js(&statuses.iter().map(|status| StatusFields::of(client, status)).collect::<Vec<_>>())
}

/// An event as the typings say.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
enum EventFields<'a> {
    State {
        state: &'static str,
    },
    Status {
        slot: u32,
        status: StatusFields<'a>,
    },
    Stalled {
        slot: u32,
        cause: Option<&'static str>,
    },
    Track {
        slot: u32,
        #[serde(with = "preserve")]
        track: JsValue,
    },
    Reconnecting {
        retry: u32,
        delay_ms: u32,
        reason: &'a str,
        #[serde(with = "preserve")]
        error: JsValue,
    },
    Reconnected {
        #[serde(with = "preserve")]
        tracks: JsValue,
    },
    Disconnected {
        reason: &'a str,
    },
    Error {
        #[serde(with = "preserve")]
        error: JsValue,
    },
}

/// An event for the app. The closures give what only the driver knows.
pub(super) fn event(
    client: &Client,
    event: &Event,
    error: impl Fn(&ClientError) -> JsValue,
    track: impl Fn(Attempt, u32) -> JsValue,
    tracks: impl Fn(Attempt) -> Map,
) -> JsValue {
    to_js(&match event {
        Event::State(state) => EventFields::State { state: state.as_str() },
        Event::Status(status) => {
            EventFields::Status { slot: status.slot, status: StatusFields::of(client, status) }
        }
        Event::Stalled { slot, stalled } => {
            EventFields::Stalled { slot: *slot, cause: stalled.map(Stall::as_str) }
        }
        Event::Track { attempt, slot } => EventFields::Track { slot: *slot, track: track(*attempt, *slot) },
        Event::Reconnecting { retry, delay, error: cause } => EventFields::Reconnecting {
            retry: *retry,
            delay_ms: delay.as_millis() as u32,
            reason: &cause.message,
            error: error(cause),
        },
        Event::Reconnected(attempt) => EventFields::Reconnected { tracks: tracks(*attempt).into() },
        Event::Disconnected { reason } => EventFields::Disconnected { reason },
        Event::Error(cause) => EventFields::Error { error: error(cause) },
    })
}

/// What the façade has read of a peer: the packets of the connection, the age of the last one in milliseconds, then the slot,
/// packets and decoded pictures of each slot.
pub(crate) fn received(numbers: &[f64]) -> Received {
    let (head, slots) = numbers.split_at(numbers.len().min(2));
    Received {
        packets: head.first().copied().unwrap_or_default(),
        age: Duration::from_millis(head.get(1).copied().unwrap_or_default() as u64),
        slots: slots.chunks_exact(3).map(|slot| (slot[0] as u32, slot[1], slot[2])).collect(),
    }
}

/// What a thrown value says.
pub(super) fn describe(thrown: &JsValue) -> String {
    let message = Reflect::get(thrown, &"message".into()).ok().and_then(|message| message.as_string());
    message
        .or_else(|| thrown.as_string())
        .unwrap_or_else(|| thrown.unchecked_ref::<Object>().to_string().into())
}

#[cfg(test)]
mod tests {
    use multistream_protocol::SlotState;
    use wasm_bindgen_test::wasm_bindgen_test;

    use js_sys::JSON;

    use super::*;
    use crate::core::Options;

    fn json(value: &JsValue) -> String {
        JSON::stringify(value).map(String::from).unwrap_or_default()
    }

    #[wasm_bindgen_test]
    fn a_status_is_camel_case_and_leaves_absent_fields_out() {
        let mut status = SlotStatus::new(1, "camera7-720p", SlotState::Active);
        status.actual_quality = Some("720p".to_owned());
        let expected = r#"{"slot":1,"camera":"camera7-720p","stream":"camera7-720p","status":"active","actualQuality":"720p"}"#;
        assert_eq!(json(&slot_status(&Client::new(Options::default()), &status)), expected);
    }

    #[wasm_bindgen_test]
    fn the_servers_ice_servers_come_before_the_apps_and_the_rest_is_kept() {
        let own = JSON::parse(r#"{"bundlePolicy":"balanced","iceServers":[{"urls":"stun:own"}]}"#).ok();
        let own = own.unwrap_or_default();
        let server = IceServer { urls: vec!["turn:theirs".to_owned()], username: None, credential: None };
        let expected =
            r#"{"bundlePolicy":"balanced","iceServers":[{"urls":["turn:theirs"]},{"urls":"stun:own"}]}"#;
        assert_eq!(json(&peer_config(&own, &[server])), expected);
        let unsaid = r#"{"bundlePolicy":"max-bundle","iceServers":[]}"#;
        assert_eq!(json(&peer_config(&JsValue::UNDEFINED, &[])), unsaid);
        assert_eq!(json(&own), r#"{"bundlePolicy":"balanced","iceServers":[{"urls":"stun:own"}]}"#);
    }

    #[wasm_bindgen_test]
    fn the_apps_slots_are_read_or_refused_by_name() {
        let slots = JSON::parse(r#"[{"slot":0,"stream":"a"},{"slot":1,"stream":"b","quality":"720p"}]"#);
        let slots = shows(&slots.unwrap_or_default()).unwrap_or_default();
        let quality = |at: usize| slots[at].told.quality.as_deref();
        assert_eq!((quality(0), quality(1)), (None, Some("720p")));
        for (text, word) in [
            ("7", "array"),
            (r#"[{"stream":"a"}]"#, "`slot`"),
            (r#"[{"slot":0.5,"stream":"a"}]"#, "number 0: invalid type: floating point `0.5`"),
            (r#"[{"slot":0}]"#, "`stream`"),
            (r#"[{"slot":0,"stream":"a"},null]"#, "number 1"),
        ] {
            let value = JSON::parse(text).unwrap_or_default();
            let error = shows(&value).expect_err(text);
            assert!(error.contains(word), "{text}: {error}");
        }
    }
}
