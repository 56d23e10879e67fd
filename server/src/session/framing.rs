//! JSON text frames ↔ messages, in both framings: flat, and go2rtc's `{"type", "value"}` envelope.

use multistream_protocol::{ErrorCode, client, server};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::Request;

/// Namespace of this protocol; other types on the same socket are not its business.
const NAMESPACE: &str = "multistream/";

/// How a client frames its messages; it is answered likewise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Framing {
    /// Every field beside `type`.
    #[default]
    Flat,
    /// Every field inside `value`.
    Enveloped,
}

/// Why a message is not served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub code: ErrorCode,
    pub message: String,
    pub request_id: Option<String>,
}

impl Refusal {
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), request_id: None }
    }

    #[must_use]
    pub fn answering(mut self, request_id: &str) -> Self {
        self.request_id = (!request_id.is_empty()).then(|| request_id.to_owned());
        self
    }
}

/// What a text frame is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parsed {
    Request(Request, Framing),
    /// A message of another namespace.
    Foreign,
}

/// Reads a text frame.
pub fn parse(text: &str) -> Result<Parsed, Refusal> {
    let bad = |message: String| Refusal::new(ErrorCode::BadMessage, message);
    let value: Value =
        serde_json::from_str(text).map_err(|error| bad(format!("the message is not JSON: {error}")))?;
    let Value::Object(mut message) = value else {
        return Err(bad("the message is not a JSON object".to_owned()));
    };
    let Some(Value::String(kind)) = message.remove("type") else {
        return Err(bad("the message has no `type`; it must be a string".to_owned()));
    };
    if !kind.starts_with(NAMESPACE) {
        return Ok(Parsed::Foreign);
    }
    let (framing, fields) = match message.remove("value") {
        Some(Value::Object(fields)) => (Framing::Enveloped, fields),
        // The bare candidate string, in either framing.
        Some(Value::String(candidate)) if kind == client::ICE => {
            message.insert("candidate".to_owned(), Value::String(candidate));
            (Framing::Enveloped, message)
        }
        _ => (Framing::Flat, message),
    };
    let request = request(&kind, fields)?;
    Ok(Parsed::Request(request, framing))
}

fn request(kind: &str, fields: Map<String, Value>) -> Result<Request, Refusal> {
    fn read<T: DeserializeOwned>(kind: &str, fields: Map<String, Value>) -> Result<T, Refusal> {
        let request_id = fields.get("request_id").and_then(Value::as_str).unwrap_or_default().to_owned();
        serde_json::from_value(Value::Object(fields)).map_err(|error| {
            Refusal::new(ErrorCode::BadMessage, format!("`{kind}`: {error}")).answering(&request_id)
        })
    }
    Ok(match kind {
        client::INIT => Request::Init(read(kind, fields)?),
        client::OFFER => Request::Offer(read(kind, fields)?),
        client::SWITCH => Request::Switch(read(kind, fields)?),
        client::LAYOUT => Request::Layout(read(kind, fields)?),
        client::PAUSE => Request::Pause(read(kind, fields)?),
        client::RESUME => Request::Resume(read(kind, fields)?),
        client::KEYFRAME => Request::Keyframe(read(kind, fields)?),
        client::WARM => Request::Warm(read(kind, fields)?),
        client::ICE => Request::Ice(read(kind, fields)?),
        client::CLOSE => Request::Close,
        _ => {
            let known = client::TYPES.join(", ");
            let message = format!("unknown type `{kind}`; this server knows {known}");
            let request_id = fields.get("request_id").and_then(Value::as_str).unwrap_or_default();
            return Err(Refusal::new(ErrorCode::UnknownType, message).answering(request_id));
        }
    })
}

impl Framing {
    /// A message as a text frame.
    pub fn frame<T: Serialize>(self, kind: &str, message: &T) -> String {
        let fields = serde_json::to_value(message).unwrap_or_default();
        match (self, fields) {
            (Framing::Flat, Value::Object(mut fields)) => {
                fields.insert("type".to_owned(), Value::String(kind.to_owned()));
                Value::Object(fields).to_string()
            }
            (_, fields) => json!({ "type": kind, "value": fields }).to_string(),
        }
    }

    pub fn refusal(self, refusal: &Refusal) -> String {
        let error = server::Error {
            request_id: refusal.request_id.clone(),
            code: refusal.code.to_string(),
            error: refusal.message.clone(),
        };
        self.frame(server::ERROR, &error)
    }
}

#[cfg(test)]
mod tests {
    use multistream_protocol::client::{Ice, Pause, SlotRequest, Switch};
    use proptest::prelude::*;

    use super::*;

    fn switch() -> Request {
        Request::Switch(Switch {
            request_id: "7".to_owned(),
            slot: SlotRequest { slot: 1, stream: "camera2".to_owned(), quality: Some("720p".to_owned()) },
        })
    }

    #[test]
    fn both_framings_mean_the_same() {
        let flat =
            r#"{"type":"multistream/switch","request_id":"7","slot":1,"stream":"camera2","quality":"720p"}"#;
        let enveloped = r#"{"type":"multistream/switch","value":{"request_id":"7","slot":1,"stream":"camera2","quality":"720p"}}"#;
        assert_eq!(parse(flat), Ok(Parsed::Request(switch(), Framing::Flat)));
        assert_eq!(parse(enveloped), Ok(Parsed::Request(switch(), Framing::Enveloped)));
    }

    #[test]
    fn a_candidate_may_be_the_bare_value() {
        let ice =
            Request::Ice(Ice { candidate: "candidate:1".to_owned(), sdp_mid: None, sdp_m_line_index: None });
        for text in [
            r#"{"type":"multistream/ice","value":"candidate:1"}"#,
            r#"{"type":"multistream/ice","candidate":"candidate:1"}"#,
            r#"{"type":"multistream/ice","value":{"candidate":"candidate:1"}}"#,
        ] {
            assert!(matches!(parse(text), Ok(Parsed::Request(parsed, _)) if parsed == ice), "{text}");
        }
    }

    #[test]
    fn unknown_fields_are_ignored() {
        let text = r#"{"type":"multistream/pause","slot":0,"request_id":"1","colour":"red"}"#;
        let pause = Request::Pause(Pause { request_id: "1".to_owned(), slot: 0 });
        assert_eq!(parse(text), Ok(Parsed::Request(pause, Framing::Flat)));
    }

    #[test]
    fn a_missing_field_is_named_in_the_answer_to_its_request() {
        let refusal =
            parse(r#"{"type":"multistream/switch","request_id":"7","slot":1}"#).expect_err("no stream");
        assert_eq!(refusal.code, ErrorCode::BadMessage);
        assert_eq!(refusal.request_id.as_deref(), Some("7"));
        assert!(refusal.message.contains("stream"), "{}", refusal.message);
    }

    #[test]
    fn other_namespaces_are_left_alone_and_unknown_types_of_ours_are_not() {
        assert_eq!(parse(r#"{"type":"webrtc/offer","value":"v=0"}"#), Ok(Parsed::Foreign));
        let refusal = parse(r#"{"type":"multistream/dance"}"#).expect_err("unknown");
        assert_eq!(refusal.code, ErrorCode::UnknownType);
    }

    #[test]
    fn answers_come_in_the_framing_of_the_question() {
        let message = server::Disconnected { reason: "server_shutdown".to_owned() };
        assert_eq!(
            Framing::Flat.frame(server::DISCONNECTED, &message),
            r#"{"reason":"server_shutdown","type":"multistream/disconnected"}"#
        );
        assert_eq!(
            Framing::Enveloped.frame(server::DISCONNECTED, &message),
            r#"{"type":"multistream/disconnected","value":{"reason":"server_shutdown"}}"#
        );
    }

    proptest! {
        #[test]
        fn any_text_is_answered_without_a_panic(text in ".{0,200}") {
            let _ = parse(&text);
        }

        #[test]
        fn any_fields_are_answered_without_a_panic(kind in 0..client::TYPES.len(), slot in any::<i64>(), text in ".{0,20}") {
            let _ = parse(&json!({"type": client::TYPES[kind], "slot": slot, "stream": text, "slots": [text]}).to_string());
        }
    }
}
