//! Every message as it looks on the wire.

use multistream_protocol::client::{self, SlotRequest};
use multistream_protocol::server;
use serde_json::{Value, json};

use crate::core::{ClientMessage, Code, ServerMessage};

/// What the shell makes of a message: its fields beside its `type`.
pub(super) fn json(message: &ClientMessage) -> Value {
    let fields = match message {
        ClientMessage::Init(fields) => serde_json::to_value(fields),
        ClientMessage::Offer(fields) => serde_json::to_value(fields),
        ClientMessage::Switch(fields) => serde_json::to_value(fields),
        ClientMessage::Layout(fields) => serde_json::to_value(fields),
        ClientMessage::Pause(fields) => serde_json::to_value(fields),
        ClientMessage::Resume(fields) => serde_json::to_value(fields),
        ClientMessage::Keyframe(fields) => serde_json::to_value(fields),
        ClientMessage::Warm(fields) => serde_json::to_value(fields),
        ClientMessage::Ice(fields) => serde_json::to_value(fields),
        ClientMessage::Close => Ok(json!({})),
    };
    let mut value = fields.expect("plain data");
    value["type"] = message.kind().into();
    value
}

/// What the shell makes of a frame. Its own tests hold it against these same types.
pub(super) fn decode(kind: &str, fields: Value) -> serde_json::Result<Option<ServerMessage>> {
    Ok(Some(match kind {
        server::READY => ServerMessage::Ready(serde_json::from_value(fields)?),
        server::ANSWER => ServerMessage::Answer(serde_json::from_value(fields)?),
        server::STATUS => ServerMessage::Status(serde_json::from_value(fields)?),
        server::KEYFRAME => ServerMessage::Keyframe(serde_json::from_value(fields)?),
        server::WARM => ServerMessage::Warm(serde_json::from_value(fields)?),
        server::ICE => ServerMessage::Ice(serde_json::from_value(fields)?),
        server::DISCONNECTED => ServerMessage::Disconnected(serde_json::from_value(fields)?),
        server::ERROR => ServerMessage::Error(serde_json::from_value(fields)?),
        _ => return Ok(None),
    }))
}

#[test]
fn a_switch_has_all_its_fields_beside_its_type() {
    let slot = SlotRequest { slot: 3, stream: "camera7".to_owned(), quality: Some("1080p".to_owned()) };
    let message = ClientMessage::Switch(client::Switch { request_id: "9".to_owned(), slot });
    let expected = json!({
        "type": "multistream/switch", "request_id": "9", "slot": 3, "stream": "camera7", "quality": "1080p"
    });
    assert_eq!(json(&message), expected);
}

#[test]
fn the_typings_name_every_code_of_the_client() {
    let typings = concat!(env!("CARGO_MANIFEST_DIR"), "/../npm/src/errors.ts");
    let typings = std::fs::read_to_string(typings).expect("npm/src/errors.ts is there");
    for code in Code::ALL {
        assert!(typings.contains(&format!("| '{}'", code.as_str())), "{} is missing", code.as_str());
    }
}
