//! `docs/protocol.md` names everything that can travel.

use multistream_protocol::{ErrorCode, client, server};

const PAGE: &str = include_str!("../../docs/protocol.md");

#[test]
fn every_message_type_is_documented() {
    // The server's candidates are all in its answer; the type exists for servers that trickle.
    for kind in client::TYPES.iter().chain(server::TYPES) {
        assert!(PAGE.contains(&format!("`{kind}`")), "{kind} is not in docs/protocol.md");
    }
}

#[test]
fn every_error_code_is_documented() {
    for code in ErrorCode::ALL {
        assert!(PAGE.contains(&format!("| `{code}` |")), "{code} is not in docs/protocol.md");
    }
}
