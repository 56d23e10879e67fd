//! Makes the Python environment of the viewers in `server/tests/viewers`: a venv below cargo's target folder.

use std::path::PathBuf;

use crate::lanes::Step;
use crate::{Failure, process, workspace};

/// The system's Python, whose `venv` apt installs.
const PYTHON: &str = "/usr/bin/python3";
const REQUIREMENTS: &str = "server/tests/viewers/requirements.txt";

pub(super) fn step() -> Step {
    Step { name: "Python viewers", is_done: Box::new(is_current), perform: Box::new(make) }
}

fn venv() -> PathBuf {
    workspace::target().join("viewers")
}

/// The requirements that were installed last, written when that had succeeded.
fn installed() -> PathBuf {
    venv().join("installed.txt")
}

fn is_current() -> bool {
    let wanted = std::fs::read_to_string(workspace::root().join(REQUIREMENTS));
    matches!((wanted, std::fs::read_to_string(installed())), (Ok(wanted), Ok(installed)) if wanted == installed)
}

fn make() -> Result<(), Failure> {
    let venv = venv();
    // GStreamer's bindings are a package of the system.
    let options = ["-m", "venv", "--clear", "--system-site-packages"];
    process::run(process::command(PYTHON, &options).arg(&venv))?;
    let python = venv.join("bin/python").to_string_lossy().into_owned();
    let options = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"];
    process::run(process::command(&python, &options).arg(REQUIREMENTS))?;
    std::fs::copy(workspace::root().join(REQUIREMENTS), installed())?;
    Ok(())
}
