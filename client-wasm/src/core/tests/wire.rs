//! Every message as it looks on the wire.

use multistream_protocol::{ClientMessage, Framing};
use serde_json::{Value, json};

use super::Rig;
use crate::core::Code;

/// A message as the browser shell sends it.
pub(super) fn json(message: &ClientMessage) -> Value {
    serde_json::from_str(&message.to_text(Framing::Flat)).expect("a message is JSON")
}

#[test]
fn a_later_servers_messages_and_those_of_other_protocols_are_ignored() {
    for frame in [
        json!({ "type": "multistream/later", "slots": [] }),
        json!({ "type": "webrtc/candidate", "value": "" }),
    ] {
        let mut rig = Rig::connected();
        rig.server(&frame);
        assert_eq!(rig.said, [], "{frame}");
    }
}

#[test]
fn the_typings_name_every_code_of_the_client() {
    let typings = concat!(env!("CARGO_MANIFEST_DIR"), "/../npm/src/errors.ts");
    let typings = std::fs::read_to_string(typings).expect("npm/src/errors.ts is there");
    for code in Code::ALL {
        assert!(typings.contains(&format!("| '{}'", code.as_str())), "{} is missing", code.as_str());
    }
}
