//! Runs the parser that the environment variable `PARSER` names under libFuzzer.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use multistream::fuzzing::{TARGETS, Target};

static PARSER: LazyLock<&Target> = LazyLock::new(|| {
    let names = || TARGETS.iter().map(|target| target.name).collect::<Vec<_>>().join(", ");
    let wanted = std::env::var("PARSER").unwrap_or_default();
    TARGETS
        .iter()
        .find(|target| target.name == wanted)
        .unwrap_or_else(|| panic!("set PARSER to one of {}", names()))
});

fuzz_target!(|bytes: &[u8]| (PARSER.run)(bytes));
