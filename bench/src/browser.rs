//! Runs a script of `bench/browser` in Chromium and passes on its output line by line.

use std::path::Path;
use std::process::Stdio;

use anyhow::Context;
use serde::Serialize;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

/// Runs `script` with `job`. Each of its events, an object with the field `event`, is passed to `handle` as it comes, with the
/// process id of node, whose descendants are the browser's processes. Returns Chromium's version.
pub(crate) async fn run(
    script: &str,
    job: &impl Serialize,
    mut handle: impl FnMut(u32, Value) -> anyhow::Result<()>,
) -> anyhow::Result<String> {
    let main = Path::new(env!("CARGO_MANIFEST_DIR")).join("browser/main.mjs");
    let mut node = Command::new("node")
        .arg(main)
        .arg(script)
        .arg(serde_json::to_string(job)?)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .context("cannot start node (20 or later)")?;
    let pid = node.id().context("node ended at once")?;
    let mut lines = BufReader::new(node.stdout.take().context("node has a standard output")?).lines();
    let mut version = String::new();
    while let Some(line) = lines.next_line().await? {
        let event: Value = serde_json::from_str(&line).with_context(|| format!("node said: {line}"))?;
        if event["event"] == "browser" {
            event["version"].as_str().unwrap_or_default().clone_into(&mut version);
        } else {
            handle(pid, event)?;
        }
    }
    let status = node.wait().await?;
    anyhow::ensure!(status.success(), "the browser's part of the benchmark failed ({status})");
    Ok(version)
}
