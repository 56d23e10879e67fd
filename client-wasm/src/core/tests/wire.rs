//! Every message as it looks on the wire.

use multistream_protocol::client::{self, SlotRequest};
use multistream_protocol::server;
use serde_json::{Value, json};

use crate::core::{ClientMessage, Code, ServerMessage, decode};

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
        ClientMessage::Ice(fields) => serde_json::to_value(fields),
        ClientMessage::Close => Ok(json!({})),
    };
    let mut value = fields.expect("plain data");
    value["type"] = message.kind().into();
    value
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
fn every_type_of_the_server_is_understood() {
    let frames = [
        json!({ "type": server::READY, "slots": 1 }),
        json!({ "type": server::ANSWER, "sdp": "", "slots": [], "mids": { "0": "0" } }),
        json!({ "type": server::STATUS, "slot": 0, "status": { "slot": 0, "stream": "a", "status": "active" } }),
        json!({ "type": server::KEYFRAME, "slot": 0, "status": "sent" }),
        json!({ "type": server::ICE, "candidate": "", "value": "" }),
        json!({ "type": server::DISCONNECTED, "reason": "server_shutdown" }),
        json!({ "type": server::ERROR, "code": "internal", "error": "no" }),
    ];
    assert_eq!(frames.len(), server::TYPES.len());
    for frame in frames {
        let kind = frame["type"].as_str().unwrap().to_owned();
        assert!(decode(&kind, frame).unwrap().is_some(), "{kind}");
    }
}

#[test]
fn fields_of_a_later_server_are_ignored_and_so_are_its_types() {
    let ready = json!({ "slots": 4, "colour": "blue" });
    assert!(
        matches!(decode(server::READY, ready), Ok(Some(ServerMessage::Ready(ready))) if ready.slots == 4)
    );
    assert_eq!(decode("multistream/later", json!({ "slots": 4 })).unwrap(), None);
    assert_eq!(decode("webrtc/candidate", json!({})).unwrap(), None);
}

#[test]
fn the_typings_name_every_code_of_the_client() {
    let typings = concat!(env!("CARGO_MANIFEST_DIR"), "/../npm/src/errors.ts");
    let typings = std::fs::read_to_string(typings).expect("npm/src/errors.ts is there");
    for code in Code::ALL {
        assert!(typings.contains(&format!("| '{}'", code.as_str())), "{} is missing", code.as_str());
    }
}
