//! `cargo xtask test --release-checks`: what a release needs on top of the whole suite. It uses the network.

use serde_json::Value;

use super::Part;
use super::checks::Check;
use super::served;
use super::totals::Totals;
use crate::{Failure, pages, process, setup, workspace};

/// The version to install when the machine has none; any other version is used as it is.
const DENY: &str = "0.20.2";
const SEMVER_CHECKS: &str = "0.51.0";
const SERVER_CRATE: &str = "multistream-server";

pub(super) fn all() -> Vec<Check> {
    const PARTS: &[Part] = &[];
    vec![
        Check {
            name: "build of the package and the page",
            parts: PARTS,
            run: Box::new(|| pages::build().map(|()| Totals::one_passed())),
        },
        Check {
            name: "pages inside the release binary",
            parts: PARTS,
            run: Box::new(|| served::check(&served::RELEASE)),
        },
        Check { name: "the oldest Rust that is stated", parts: PARTS, run: Box::new(oldest_rust) },
        Check { name: "advisories and bans (cargo deny)", parts: PARTS, run: Box::new(deny) },
        Check { name: "API of the crates (cargo semver-checks)", parts: PARTS, run: Box::new(semver) },
    ]
}

/// Everything that a user builds compiles with the `rust-version` of Cargo.toml.
fn oldest_rust() -> Result<Totals, Failure> {
    let packages = packages()?;
    let version = packages
        .iter()
        .find(|package| package["name"] == SERVER_CRATE)
        .and_then(|package| package["rust_version"].as_str())
        .ok_or("Cargo.toml states no rust-version")?;
    let installed = process::output_of("rustup", &["run", version, "rustc", "--version"]).is_some();
    if !installed {
        let install = ["toolchain", "install", version, "--profile", "minimal", "--no-self-update"];
        process::run(&mut process::command("rustup", &install)).map_err(|error| {
            format!(
                "Cargo.toml states Rust {version}, and that toolchain cannot be had ({error}): nothing was tried with it"
            )
        })?;
    }
    let words = ["run", version, "cargo", "check", "--workspace", "--locked"];
    let mut check = process::command("rustup", &words);
    // In a target folder of its own: two compilers would each discard what the other has built.
    process::run(check.env("CARGO_TARGET_DIR", workspace::target().join("oldest-rust"))).map_err(
        |error| format!("the workspace does not build with Rust {version}, which it states: {error}"),
    )?;
    Ok(Totals::one_passed())
}

/// Licences and sources are part of the whole suite (`licences.rs`), which needs no network.
fn deny() -> Result<Totals, Failure> {
    setup::ensure_tool("cargo-deny", "deny", DENY)?;
    process::run(&mut process::command("cargo", &["deny", "check", "advisories", "bans"]))?;
    Ok(Totals::one_passed())
}

/// Applies to crates that others may depend on, against the last release's tag: there is no registry to compare with. The
/// npm package's typings and the protocol are compared by tests of the whole suite.
fn semver() -> Result<Totals, Failure> {
    let packages = packages()?;
    let public: Vec<&str> = packages.iter().filter(|package| is_public(package)).filter_map(name).collect();
    if public.is_empty() {
        println!("does not apply: every crate has `publish = false`");
        return Ok(skipped());
    }
    let Some(tag) = process::output_of("git", &["describe", "--tags", "--abbrev=0", "--match=v[0-9]*"])
    else {
        println!(
            "does not apply yet to {}: no release has a tag (v1.2.3) to compare with",
            public.join(", ")
        );
        return Ok(skipped());
    };
    println!("compared with {}: {}", tag.trim(), public.join(", "));
    setup::ensure_tool("cargo-semver-checks", "semver-checks", SEMVER_CHECKS)?;
    let mut command = process::command("cargo", &["semver-checks", "--baseline-rev", tag.trim()]);
    command.args(public.iter().flat_map(|name| ["--package", *name]));
    process::run(&mut command)?;
    Ok(Totals::one_passed())
}

fn skipped() -> Totals {
    Totals { skipped: 1, ..Totals::default() }
}

fn packages() -> Result<Vec<Value>, Failure> {
    let text = process::output_of("cargo", &["metadata", "--format-version=1", "--no-deps", "--locked"])
        .ok_or("`cargo metadata --locked` failed: is Cargo.lock up to date?")?;
    let metadata: Value = serde_json::from_str(&text)?;
    Ok(metadata["packages"].as_array().cloned().unwrap_or_default())
}

/// `publish = false` is an empty list in the metadata, its absence is null.
fn is_public(package: &Value) -> bool {
    package["publish"].as_array().is_none_or(|registries| !registries.is_empty())
}

fn name(package: &Value) -> Option<&str> {
    package["name"].as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_that_is_not_published_has_no_api_to_keep() {
        let package = |publish: Value| serde_json::json!({"name": "x", "publish": publish});
        assert!(!is_public(&package(serde_json::json!([]))));
        assert!(is_public(&package(serde_json::json!(["crates-io"]))));
        assert!(is_public(&package(Value::Null)));
    }
}
