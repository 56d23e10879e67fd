//! Installs what a machine lacks. Every step is announced, and skipped when its result is there.

mod apt;
mod npm;
mod tools;
mod viewers;
mod wasm;

use crate::lanes::{self, Lane};
use crate::{Failure, process};

pub(crate) use tools::ensure as ensure_tool;

/// What the machine is set up for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Demo,
    Test,
}

pub(crate) fn run(purpose: Purpose) -> Result<(), Failure> {
    lanes::run(lanes(purpose)?)
}

/// The set-up as lanes, to be run in parallel with other work. Steps that may ask for a password are performed right here, one
/// at a time at the terminal.
pub(crate) fn lanes(purpose: Purpose) -> Result<Vec<Lane>, Failure> {
    let (system, target) = (apt::step(purpose), wasm::target());
    let mut packages = vec![npm::step()];
    let mut tools = vec![wasm::pack(), wasm::bindgen()];
    if is_root() {
        packages.insert(0, system);
        tools.insert(0, target);
    } else {
        system.run()?;
        target.run()?;
    }
    if purpose == Purpose::Test {
        // After the system's packages, which bring Python.
        packages.push(viewers::step());
    }
    Ok(vec![Lane { label: "packages", steps: packages }, Lane { label: "tools", steps: tools }])
}

fn is_root() -> bool {
    process::output_of("id", &["-u"]).is_some_and(|id| id.trim() == "0")
}
