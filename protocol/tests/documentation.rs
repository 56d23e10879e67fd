//! Tests that `docs/protocol.md` names every message type, error code and reason for a session's end.

use multistream_protocol::{ClientMessage, ErrorCode, ServerMessage, SessionEnd};

const PAGE: &str = include_str!("../../docs/protocol.md");

#[test]
fn every_message_type_is_documented() {
    for kind in ClientMessage::TYPES.iter().chain(ServerMessage::TYPES) {
        assert!(PAGE.contains(&format!("`{kind}`")), "{kind} is not in docs/protocol.md");
    }
}

#[test]
fn every_error_code_is_documented_and_no_other() {
    let rows = PAGE.split("## Error codes").nth(1).expect("the page has the table of error codes");
    let documented: Vec<_> =
        rows.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    let known: Vec<_> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(documented, known);
}

#[test]
fn every_reason_for_a_sessions_end_is_documented() {
    for end in SessionEnd::ALL {
        assert!(PAGE.contains(&format!("`{end}`")), "{end} is not in docs/protocol.md");
    }
}
