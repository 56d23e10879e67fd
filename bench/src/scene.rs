//! Starts what a benchmark measures: live RTSP cameras, and a server that pulls them.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use multistream_testkit::{Cameras, CamerasOptions, EmulatedPath, Server};

/// The binaries that were built for the benchmark.
#[derive(Debug)]
pub(crate) struct Binaries {
    pub(crate) server: PathBuf,
}

impl Binaries {
    /// `server`, or the one that cargo put beside this program.
    pub(crate) fn find(server: Option<PathBuf>) -> anyhow::Result<Self> {
        let beside = std::env::current_exe()?.with_file_name("multistream");
        let server = server.unwrap_or(beside);
        anyhow::ensure!(
            server.exists(),
            "there is no server at {}; `cargo xtask bench` builds it, or name one with --server",
            server.display()
        );
        Ok(Self { server })
    }
}

/// Starts cameras, which several servers may use in turn.
pub(crate) fn cameras(options: &CamerasOptions) -> anyhow::Result<Cameras> {
    Cameras::start(options).context("the RTSP test cameras did not start (`cargo xtask setup` installs them)")
}

/// A name and an address for each of `count` cameras: `camera1`, and so on, with `suffix`.
pub(crate) fn streams(cameras: &Cameras, count: u8, suffix: &str) -> Vec<(String, String)> {
    (1..=count).map(|camera| (format!("camera{camera}{suffix}"), cameras.url(camera))).collect()
}

/// Starts a server with these streams; `more` continues the section `streams:` of its config. The streams stay live even when
/// no tile shows them, so that a switch does not include the start of a source.
pub(crate) fn server(
    binaries: &Binaries,
    streams: &[(String, String)],
    more: &str,
) -> anyhow::Result<Server> {
    Ok(Server::start(&binaries.server, &config(streams, more)?)?)
}

/// Starts a server with these streams, whose viewers reach it by `path` only.
pub(crate) fn server_behind(
    binaries: &Binaries,
    streams: &[(String, String)],
    path: &EmulatedPath,
) -> anyhow::Result<Server> {
    Ok(Server::start_behind(&binaries.server, &config(streams, "")?, path)?)
}

/// Starts a go2rtc with the same streams.
pub(crate) fn go2rtc(binary: &Path, streams: &[(String, String)]) -> anyhow::Result<Server> {
    Ok(Server::start_go2rtc(binary, &config(streams, "")?)?)
}

/// The config, in the YAML that both servers read.
fn config(streams: &[(String, String)], more: &str) -> anyhow::Result<String> {
    let mut config = String::from("streams:\n");
    for (name, source) in streams {
        writeln!(config, "  {name}: {source}")?;
    }
    config += more;
    config += "preload:\n";
    for (name, _) in streams {
        writeln!(config, "  {name}: video")?;
    }
    Ok(config)
}
