//! `cargo xtask test --quick`: the checks that find most mistakes in the shortest time, without browser, cameras or pages.

use std::fs;

use super::Part;
use super::checks::{Check, counted, yes_or_no};
use super::totals;
use crate::{process, workspace};

/// The path that a test imports from when it needs the built package.
const BUILT: &str = "../dist/";

pub(super) fn all() -> Vec<Check> {
    const PARTS: &[Part] = &[];
    vec![
        yes_or_no("rustfmt", PARTS, "cargo", &["fmt", "--all", "--check"]),
        yes_or_no("biome", PARTS, "npm", &["run", "--silent", "lint"]),
        yes_or_no("types", PARTS, "npm", &["run", "--silent", "typecheck"]),
        counted("unit tests of the package", PARTS, totals::of_npm, || {
            let mut tests = process::command("npx", &["vitest", "run"]);
            tests.args(tests_of_sources()).current_dir(workspace::root().join("npm"));
            tests
        }),
        counted("unit tests of the crates", PARTS, totals::of_cargo, || {
            process::command("cargo", &["test", "--workspace", "--lib", "--no-fail-fast", "--quiet"])
        }),
    ]
}

/// The tests in `npm/test` that import sources, not the built package.
fn tests_of_sources() -> Vec<String> {
    let entries = fs::read_dir(workspace::root().join("npm/test")).into_iter().flatten().flatten();
    let tests = entries.filter_map(|entry| entry.file_name().into_string().ok());
    tests
        .filter(|name| name.ends_with(".test.ts"))
        .map(|name| format!("test/{name}"))
        .filter(|path| {
            let text = fs::read_to_string(workspace::root().join("npm").join(path));
            text.is_ok_and(|text| !text.contains(BUILT))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_of_the_built_package_are_left_out() {
        let tests = tests_of_sources();
        assert!(tests.contains(&"test/savings.test.ts".to_owned()), "{tests:?}");
        assert!(!tests.contains(&"test/client.test.ts".to_owned()), "{tests:?}");
    }
}
