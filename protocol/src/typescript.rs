//! The protocol's types as one TypeScript module, the source of truth of `npm/src/generated/protocol.ts`.
//!
//! `tests/typescript.rs` compares the two and rewrites the file on request.

use std::fmt::Write as _;

use ts_rs::{Config, TS};

use crate::api::{About, Consumer, Producer, Stream, StreamState, Variant};
use crate::client::SlotRequest;
use crate::server::{IceServer, KeyframeStatus};
use crate::{ClientMessage, ErrorCode, ServerMessage, SessionEnd, SlotState, SlotStatus};

/// The whole text of the module.
pub fn module() -> String {
    let mut text = String::from("// Generated from protocol/ by `npm run types -w npm`. Do not edit.\n");
    declare::<SlotState>(&mut text);
    declare::<SlotStatus>(&mut text);
    declare::<SlotRequest>(&mut text);
    declare::<KeyframeStatus>(&mut text);
    declare::<IceServer>(&mut text);
    union(
        &mut text,
        "ClientMessage",
        "Everything a client may say, in flat framing.",
        ClientMessage::typings(),
    );
    union(
        &mut text,
        "ServerMessage",
        "Everything the server may say, in flat framing.",
        ServerMessage::typings(),
    );
    declare::<About>(&mut text);
    declare::<StreamState>(&mut text);
    declare::<Producer>(&mut text);
    declare::<Consumer>(&mut text);
    declare::<Variant>(&mut text);
    declare::<Stream>(&mut text);
    text.push_str("\n/** `GET /api/streams`: every stream by its name, in the order of the config. */\n");
    text.push_str("export type Streams = Record<string, Stream>;\n");
    let codes = ErrorCode::ALL.iter().map(|code| code.as_str());
    words(
        &mut text,
        "ServerErrorCode",
        "The stable codes the server answers with; the sentence beside one is for people.",
        codes,
    );
    let ends = SessionEnd::ALL.iter().map(|end| end.as_str());
    words(&mut text, "SessionEnd", "Why the server ended a session.", ends);
    text
}

/// 32-bit integers only, so that every number is a JavaScript number.
pub(crate) fn config() -> Config {
    Config::default()
}

fn declare<T: TS>(text: &mut String) {
    text.push('\n');
    text.push_str(&T::docs().unwrap_or_default());
    let _ = writeln!(text, "export {}", T::decl(&config()));
}

fn union(text: &mut String, name: &str, about: &str, members: Vec<(&str, String)>) {
    let _ = write!(text, "\n/** {about} */\nexport type {name} =");
    for (kind, fields) in members {
        let _ = write!(text, "\n  | ({{ type: \"{kind}\" }} & {fields})");
    }
    text.push_str(";\n");
}

fn words<'a>(text: &mut String, name: &str, about: &str, words: impl Iterator<Item = &'a str>) {
    let _ = write!(text, "\n/** {about} */\nexport type {name} =");
    for word in words {
        let _ = write!(text, "\n  | \"{word}\"");
    }
    text.push_str(";\n");
}
