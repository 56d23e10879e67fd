//! Builds the npm package and the page, which the server embeds, when one of their inputs has changed.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::Failure;
use crate::{process, workspace};

/// The inputs of the package and the page.
const INPUTS: &[&str] = &[
    "Cargo.lock",
    "client-wasm",
    "protocol",
    "npm",
    "www",
    "package-lock.json",
    "package.json",
    "tsconfig.base.json",
];
/// The outputs of a build, inside the folders above.
const OUTPUTS: &[&str] = &["dist", "pkg", "node_modules", "target"];
const PAGE: &str = "www/dist/index.html";

/// Builds the npm package and the page, unless they are newer than all their inputs.
pub(crate) fn build() -> Result<(), Failure> {
    if is_current() {
        process::say("pages: up to date");
        return Ok(());
    }
    process::say("pages: building the client and the page");
    process::run(&mut process::command("npm", &["run", "build"]))?;
    mark_built()
}

/// Records a build that was not made by [`build`].
pub(crate) fn mark_built() -> Result<(), Failure> {
    let stamp = stamp();
    if let Some(folder) = stamp.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(&stamp, "").map_err(|error| format!("cannot write {}: {error}", stamp.display()).into())
}

fn is_current() -> bool {
    let root = workspace::root();
    let Ok(built) = fs::metadata(stamp()).and_then(|stamp| stamp.modified()) else { return false };
    root.join(PAGE).exists() && INPUTS.iter().all(|input| newest(&root.join(input)) <= built)
}

fn stamp() -> PathBuf {
    workspace::target().join("xtask/pages-built")
}

/// The time of the latest change at or below `path`.
fn newest(path: &Path) -> SystemTime {
    let own = fs::metadata(path).and_then(|data| data.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
    let Ok(entries) = fs::read_dir(path) else { return own };
    entries
        .flatten()
        .filter(|entry| !OUTPUTS.iter().any(|output| entry.file_name() == *output))
        .map(|entry| newest(&entry.path()))
        // Only files count, since a folder's own time changes when an output is made in it.
        .fold(SystemTime::UNIX_EPOCH, SystemTime::max)
}
