//! The compiler's WebAssembly target and the tools that make a package of its output.

use super::tools::{has_version, install};
use crate::lanes::Step;
use crate::{Failure, process, workspace};

const TARGET_SCRIPT: &str = "scripts/setup-wasm-target.sh";
const WASM_PACK: &str = "0.15.1";

pub(super) fn target() -> Step {
    Step {
        name: "wasm32-unknown-unknown",
        is_done: Box::new(|| process::output_of(TARGET_SCRIPT, &["--check"]).is_some()),
        perform: Box::new(|| process::run_at_the_terminal(&mut process::command(TARGET_SCRIPT, &[]))),
    }
}

pub(super) fn pack() -> Step {
    Step {
        name: "wasm-pack",
        is_done: Box::new(|| has_version("wasm-pack", WASM_PACK)),
        perform: Box::new(|| install("wasm-pack", WASM_PACK)),
    }
}

pub(super) fn bindgen() -> Step {
    Step {
        name: "wasm-bindgen-cli",
        is_done: Box::new(|| bindgen_version().is_ok_and(|version| has_version("wasm-bindgen", &version))),
        perform: Box::new(|| install("wasm-bindgen-cli", &bindgen_version()?)),
    }
}

/// The library and the tool must be of exactly the same version, so the lock file decides.
fn bindgen_version() -> Result<String, Failure> {
    let lock = std::fs::read_to_string(workspace::root().join("Cargo.lock"))
        .map_err(|error| format!("cannot read Cargo.lock: {error}"))?;
    locked_version(&lock, "wasm-bindgen").ok_or_else(|| "Cargo.lock does not name wasm-bindgen".into())
}

fn locked_version(lock: &str, package: &str) -> Option<String> {
    let name = format!("name = \"{package}\"");
    let version = lock.lines().skip_while(|line| *line != name).nth(1)?;
    Some(version.strip_prefix("version = \"")?.strip_suffix('"')?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_file_gives_the_version_of_exactly_that_package() {
        let lock = "[[package]]\nname = \"wasm-bindgen-futures\"\nversion = \"0.4.1\"\n\n\
                    [[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.130\"\n";
        assert_eq!(locked_version(lock, "wasm-bindgen").as_deref(), Some("0.2.130"));
        assert_eq!(locked_version(lock, "wasm"), None);
    }

    #[test]
    fn this_workspace_locks_wasm_bindgen() {
        assert!(bindgen_version().is_ok());
    }
}
