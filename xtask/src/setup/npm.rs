//! Installs the npm packages of the workspaces `npm`, `www` and `e2e`, wasm-opt (binaryen) included.

use std::time::SystemTime;

use crate::lanes::Step;
use crate::{process, workspace};

pub(super) fn step() -> Step {
    Step {
        name: "npm packages",
        is_done: Box::new(is_current),
        // Not `npm ci`: it wants the lock file to hold the optional binaries of every platform, also those that a registry
        // does not carry. `--no-save` keeps to the versions of the lock file and leaves it alone.
        perform: Box::new(|| process::run(&mut process::command("npm", &["install", "--no-save"]))),
    }
}

/// npm writes its own lock file into `node_modules` when it has installed everything.
fn is_current() -> bool {
    let changed = |path: &str| -> Option<SystemTime> {
        std::fs::metadata(workspace::root().join(path)).ok()?.modified().ok()
    };
    matches!(
        (changed("node_modules/.package-lock.json"), changed("package-lock.json")),
        (Some(installed), Some(wanted)) if installed >= wanted
    )
}
