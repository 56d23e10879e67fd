//! Installs tools with `cargo install`, built without optimisation, since each runs for seconds only.

use crate::{Failure, process, workspace};

/// Installs a subcommand of cargo if the machine has none of any version.
pub(crate) fn ensure(package: &str, subcommand: &str, version: &str) -> Result<(), Failure> {
    if process::output_of("cargo", &[subcommand, "--version"]).is_some() {
        return Ok(());
    }
    install(package, version).map_err(|error| {
        format!("{package} is missing and could not be installed (cargo install {package}): {error}").into()
    })
}

pub(super) fn has_version(program: &str, version: &str) -> bool {
    process::output_of(program, &["--version"])
        .is_some_and(|text| text.split_whitespace().any(|word| word == version))
}

/// Without optimisation, and with one target folder for all tools, whose dependencies overlap: on two cores this takes a
/// third of the time of two plain `cargo install`.
///
/// Not `--locked`: the lock file of wasm-bindgen-cli names crates that today's compilers refuse.
pub(super) fn install(package: &str, version: &str) -> Result<(), Failure> {
    process::say(&format!("{package} {version} is built from source: a minute or two on two cores"));
    let mut command =
        process::command("cargo", &["install", package, "--version", version, "--force", "--debug"]);
    command
        .env("CARGO_TARGET_DIR", workspace::target().join("tools"))
        .env("CARGO_PROFILE_DEV_DEBUG", "false")
        .env("CARGO_PROFILE_DEV_OPT_LEVEL", "0");
    process::run(&mut command)
}
