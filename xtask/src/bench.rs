//! `cargo xtask bench`: builds what is measured, in release, and runs the harness.

use crate::{Failure, pages, process, setup};

pub(crate) fn run(passed_on: &[String]) -> Result<(), Failure> {
    setup::run(setup::Purpose::Test)?;
    pages::build()?;
    let build = ["build", "--release", "--package", "multistream-server", "--package", "multistream-bench"];
    process::run(&mut process::command("cargo", &build))?;
    let mut harness =
        process::command("cargo", &["run", "--release", "--quiet", "--package", "multistream-bench", "--"]);
    process::run(harness.args(passed_on))
}
