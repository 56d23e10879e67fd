//! The protocol's types as one TypeScript module, the source of truth of `npm/src/generated/protocol.ts`.
//!
//! `tests/typescript.rs` compares the two and rewrites the file on request.

use std::fmt::Write as _;

use ts_rs::{Config, TS};

use crate::server::KeyframeStatus;
use crate::{ErrorCode, SlotState, SlotStatus};

/// The whole text of the module.
pub fn module() -> String {
    let mut text = String::from("// Generated from protocol/ by `npm run types -w npm`. Do not edit.\n");
    declare::<SlotState>(&mut text);
    declare::<SlotStatus>(&mut text);
    declare::<KeyframeStatus>(&mut text);
    declare_codes(&mut text);
    text
}

fn declare<T: TS>(text: &mut String) {
    // 32-bit integers only, so that every number is a JavaScript number.
    let config = Config::default();
    text.push('\n');
    text.push_str(&T::docs().unwrap_or_default());
    let _ = writeln!(text, "export {}", T::decl(&config));
}

fn declare_codes(text: &mut String) {
    text.push_str(
        "\n/** The stable codes the server answers with; the sentence beside one is for people. */\n",
    );
    text.push_str("export type ServerErrorCode =");
    for code in ErrorCode::ALL {
        let _ = write!(text, "\n  | \"{code}\"");
    }
    text.push_str(";\n");
}
