//! The list of all checks, in the order in which they run: the quick ones first, and before a check what it needs.

use std::process::Command;

use super::totals::{self, Totals};
use super::{Part, licences, secrets, served};
use crate::{Failure, pages, process};

pub(super) struct Check {
    pub(super) name: &'static str,
    /// The parts that this check belongs to, or that need its result.
    pub(super) parts: &'static [Part],
    pub(super) run: Box<dyn FnOnce() -> Result<Totals, Failure>>,
}

pub(super) fn all() -> Vec<Check> {
    use Part::{E2e, Npm, Rust, Wasm};
    vec![
        yes_or_no("rustfmt", &[Rust], "cargo", &["fmt", "--all", "--check"]),
        Check { name: "licences and sources of crates", parts: &[Rust], run: Box::new(licences::check) },
        // The page is built before anything of Rust, since the server embeds it.
        Check {
            name: "build of the package and the page",
            parts: &[Rust, Npm, E2e],
            run: Box::new(build_pages),
        },
        yes_or_no(
            "clippy",
            &[Rust],
            "cargo",
            &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"],
        ),
        yes_or_no(
            "clippy, wasm",
            &[Wasm],
            "cargo",
            &["clippy", "--package", CLIENT, "--target", WASM, "--", "-D", "warnings"],
        ),
        Check { name: "documentation", parts: &[Rust], run: Box::new(documentation) },
        counted("tests of the workspace", &[Rust], totals::of_cargo, || {
            process::command("cargo", &["test", "--workspace", "--no-fail-fast"])
        }),
        counted("typings of the protocol", &[Rust, Npm], totals::of_cargo, || {
            let test =
                ["--package", "multistream-protocol", "--features", "typescript", "--test", "typescript"];
            process::command("cargo", &[["test"].as_slice(), &test].concat())
        }),
        counted("tests of the client in WebAssembly", &[Wasm], totals::of_cargo, || {
            let mut tests = process::command("cargo", &["test", "--package", CLIENT, "--target", WASM]);
            tests.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER", "wasm-bindgen-test-runner");
            tests
        }),
        yes_or_no("biome", &[Npm], "npm", &["run", "lint"]),
        yes_or_no("types", &[Npm], "npm", &["run", "typecheck"]),
        counted("tests of the package and the page", &[Npm], totals::of_npm, || {
            process::command("npm", &["run", "test"])
        }),
        Check {
            name: "pages inside a release binary",
            parts: &[Rust],
            run: Box::new(|| served::check(&served::UNOPTIMISED)),
        },
        // Built as part of the workspace's tests: built alone it would have other features of its dependencies, which would then
        // be compiled once more, for minutes.
        yes_or_no("build of the server", &[E2e], "cargo", &["test", "--workspace", "--no-run", "--quiet"]),
        counted("tests in the browser", &[E2e], totals::of_playwright, || {
            process::command("npx", &["playwright", "test"])
        }),
        Check {
            name: "no password in what was printed",
            parts: &[Rust, Npm, E2e],
            run: Box::new(secrets::check),
        },
    ]
}

const CLIENT: &str = "multistream-client-wasm";
const WASM: &str = "wasm32-unknown-unknown";

/// A check that counts as one test.
pub(super) fn yes_or_no(
    name: &'static str,
    parts: &'static [Part],
    program: &'static str,
    arguments: &'static [&'static str],
) -> Check {
    let run = move || process::run(&mut process::command(program, arguments)).map(|()| Totals::one_passed());
    Check { name, parts, run: Box::new(run) }
}

/// A runner whose own totals are read from its output.
pub(super) fn counted(
    name: &'static str,
    parts: &'static [Part],
    totals_of: fn(&str) -> Totals,
    command: impl FnOnce() -> Command + 'static,
) -> Check {
    let run = move || {
        let mut sum = Totals::default();
        // Colour codes would get in the way of reading the totals.
        let mut command = command();
        command.env("NO_COLOR", "1").env_remove("FORCE_COLOR");
        let succeeded = process::run_watched(&mut command, |line| {
            sum = sum + totals_of(line);
            secrets::look_at(line);
        })?;
        // A runner that broke before it could count, or that ran nothing, is a failure too.
        let is_silent = sum.failed == 0 && (!succeeded || sum.passed == 0);
        Ok(if is_silent { sum + Totals { failed: 1, ..Totals::default() } } else { sum })
    };
    Check { name, parts, run: Box::new(run) }
}

/// Broken links between doc comments are errors, also those of private items, which readers of the source need.
fn documentation() -> Result<Totals, Failure> {
    let words = ["doc", "--workspace", "--no-deps", "--document-private-items", "--keep-going"];
    let mut command = process::command("cargo", &words);
    process::run(command.env("RUSTDOCFLAGS", "-D warnings")).map(|()| Totals::one_passed())
}

fn build_pages() -> Result<Totals, Failure> {
    pages::build().map(|()| Totals::one_passed())
}
