//! Licences and origins of all crates we depend on, offline: what `cargo deny check licenses sources` looks at.
//!
//! Advisories need a database from the network, so they are checked only by `cargo xtask test --release-checks`.

use serde_json::Value;

use super::totals::Totals;
use crate::{Failure, process};

/// Licences under which a crate may be part of a binary that is `MIT OR Apache-2.0`, without a duty to publish source.
const ACCEPTED: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

pub(super) fn check() -> Result<Totals, Failure> {
    let metadata = process::output_of("cargo", &["metadata", "--format-version=1", "--locked"])
        .ok_or("`cargo metadata --locked` failed: is Cargo.lock up to date?")?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    let packages = metadata["packages"].as_array().ok_or("`cargo metadata` named no packages")?;
    let complaints: Vec<String> = packages.iter().filter_map(complaint).collect();
    if complaints.is_empty() {
        println!("{} crates: all licences and sources are accepted", packages.len());
        return Ok(Totals::one_passed());
    }
    Err(complaints.join("\n").into())
}

/// Why a package may not be used, if so.
fn complaint(package: &Value) -> Option<String> {
    let name = format!("{} {}", package["name"].as_str()?, package["version"].as_str()?);
    // Our own crates have no source.
    if let Some(source) = package["source"].as_str()
        && !source.starts_with("registry+")
    {
        return Some(format!("{name} comes from {source}: only crates of a registry stay available"));
    }
    match package["license"].as_str() {
        None => Some(format!("{name} names no licence")),
        Some(licence) if !is_accepted(licence) => {
            Some(format!("{name} is under {licence}, which is not accepted"))
        }
        Some(_) => None,
    }
}

/// An SPDX expression: one side of an `OR` suffices, both of an `AND` must do; `/` is an old way to write `OR`.
fn is_accepted(expression: &str) -> bool {
    let text = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut rest = words.as_slice();
    any_of(&mut rest) == Some(true) && rest.is_empty()
}

fn any_of(words: &mut &[&str]) -> Option<bool> {
    let mut accepted = all_of(words)?;
    while let ["OR", rest @ ..] = *words {
        *words = rest;
        accepted |= all_of(words)?;
    }
    Some(accepted)
}

fn all_of(words: &mut &[&str]) -> Option<bool> {
    let mut accepted = one(words)?;
    while let ["AND", rest @ ..] = *words {
        *words = rest;
        accepted &= one(words)?;
    }
    Some(accepted)
}

fn one(words: &mut &[&str]) -> Option<bool> {
    match *words {
        ["(", rest @ ..] => {
            *words = rest;
            let accepted = any_of(words)?;
            *words = words.strip_prefix(&[")"])?;
            Some(accepted)
        }
        [licence, "WITH", exception, rest @ ..] => {
            *words = rest;
            Some(ACCEPTED.contains(&format!("{licence} WITH {exception}").as_str()))
        }
        [licence, rest @ ..] => {
            *words = rest;
            Some(ACCEPTED.contains(licence))
        }
        [] => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_accepted_alternative_suffices() {
        assert!(is_accepted("MIT"));
        assert!(is_accepted("GPL-3.0 OR MIT"));
        assert!(is_accepted("MIT/Apache-2.0"));
        assert!(!is_accepted("GPL-3.0"));
    }

    #[test]
    fn every_part_of_a_conjunction_must_be_accepted() {
        assert!(is_accepted("(MIT OR Apache-2.0) AND Unicode-3.0"));
        assert!(!is_accepted("(MIT OR Apache-2.0) AND GPL-3.0"));
        assert!(is_accepted("Apache-2.0 AND ISC OR GPL-3.0"));
    }

    #[test]
    fn an_exception_is_part_of_its_licence() {
        assert!(is_accepted("Apache-2.0 WITH LLVM-exception OR GPL-2.0"));
        assert!(!is_accepted("GPL-2.0 WITH Classpath-exception-2.0"));
    }

    #[test]
    fn a_broken_expression_is_not_accepted() {
        for broken in ["", "(MIT", "MIT OR", "MIT Apache-2.0"] {
            assert!(!is_accepted(broken), "{broken}");
        }
    }

    #[test]
    fn a_crate_from_git_is_refused() {
        let package = serde_json::json!({"name": "x", "version": "1.0.0", "license": "MIT", "source": "git+https://example.com"});
        assert!(complaint(&package).is_some_and(|text| text.contains("git+")));
    }
}
