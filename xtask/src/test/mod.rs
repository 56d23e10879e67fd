//! `cargo xtask test`: every check of every part, and one last line that adds them up.

mod checks;
mod licences;
mod totals;

use std::process::ExitCode;
use std::time::Instant;

use crate::setup;
use checks::Check;
use totals::Totals;

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

/// Runs all checks even when one fails: one run shows everything there is to mend.
pub(crate) fn run(only: Option<Part>, with_setup: bool) -> ExitCode {
    if with_setup && let Err(error) = setup::run(setup::Purpose::Test) {
        eprintln!("xtask: {error}");
        println!("{}", Totals { failed: 1, ..Totals::default() });
        return ExitCode::FAILURE;
    }
    let checks =
        checks::all().into_iter().filter(|check| only.is_none_or(|part| check.parts.contains(&part)));
    let results: Vec<_> = checks.map(perform).collect();

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
