//! `cargo xtask test`: runs every check of every part, and prints the totals in one last line.

mod checks;
mod licences;
mod quick;
mod release;
mod secrets;
mod served;
mod totals;

use std::process::ExitCode;
use std::time::Instant;

use crate::setup;
use checks::Check;
use totals::Totals;

/// The checks to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    All,
    Only(Part),
    /// What a contributor runs after each change.
    Quick,
    /// What a release needs on top of [`Scope::All`].
    Release,
}

/// A part that can be tested alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Rust,
    Wasm,
    Npm,
    E2e,
}

impl Part {
    const ALL: [(Self, &str); 4] =
        [(Self::Rust, "rust"), (Self::Wasm, "wasm"), (Self::Npm, "npm"), (Self::E2e, "e2e")];

    pub(crate) fn named(name: &str) -> Result<Self, String> {
        let names = Self::ALL.map(|(_, known)| known).join(", ");
        Self::ALL
            .iter()
            .find_map(|(part, known)| (*known == name).then_some(*part))
            .ok_or_else(|| format!("there is no part '{name}': choose one of {names}"))
    }
}

/// Runs all checks even if one fails, so that one run shows every failure.
pub(crate) fn run(scope: Scope, with_setup: bool) -> ExitCode {
    if with_setup
        && scope != Scope::Quick
        && let Err(error) = setup::run(setup::Purpose::Test)
    {
        eprintln!("xtask: {error}");
        println!("{}", Totals { failed: 1, ..Totals::default() });
        return ExitCode::FAILURE;
    }
    let checks = match scope {
        Scope::All => checks::all(),
        Scope::Only(part) => checks::all().into_iter().filter(|check| check.parts.contains(&part)).collect(),
        Scope::Quick => quick::all(),
        Scope::Release => release::all(),
    };
    let results: Vec<_> = checks.into_iter().map(perform).collect();

    println!("\n──── summary");
    for (name, totals, seconds) in &results {
        println!("{name:<44} {totals}  ({seconds} s)");
    }
    let totals = results.iter().fold(Totals::default(), |sum, (_, totals, _)| sum + *totals);
    println!("{totals}");
    if totals.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn perform(check: Check) -> (&'static str, Totals, u64) {
    println!("\n──── {}", check.name);
    let started = Instant::now();
    let totals = (check.run)().unwrap_or_else(|error| {
        eprintln!("xtask: {}: {error}", check.name);
        Totals { failed: 1, ..Totals::default() }
    });
    (check.name, totals, started.elapsed().as_secs())
}
