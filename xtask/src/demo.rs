//! `cargo xtask demo`: set-up, build, and the server's own `demo`.
//!
//! The server is built with the dev profile, which optimises what every packet passes. That is fast enough for six cameras,
//! takes a part of a release build's time, and reads the pages from the disk, so that neither build waits for the other.

use std::process::Command;
use std::time::Instant;

use crate::arguments::DemoOptions;
use crate::lanes::{self, Lane, Step};
use crate::{Failure, pages, process, setup, workspace};

pub(crate) fn run(options: &DemoOptions) -> Result<(), Failure> {
    let started = Instant::now();
    let mut lanes = if options.setup { setup::lanes(setup::Purpose::Demo)? } else { Vec::new() };
    lanes.push(Lane { label: "server", steps: vec![Step::always("build of the server", build_server)] });
    lanes::run(lanes)?;
    // The footage needs ffmpeg and the server, the pages need the tools.
    lanes::run(vec![
        Lane { label: "pages", steps: vec![Step::always("client and page", pages::build)] },
        Lane { label: "footage", steps: vec![Step::always("pictures of the six cameras", render_footage)] },
    ])?;
    println!("demo: ready after {} s", started.elapsed().as_secs());

    let mut server = server();
    if let Some(port) = options.port {
        server.arg(format!("--port={port}"));
    }
    if let Some(host) = &options.host {
        server.arg(format!("--host={host}"));
    }
    process::run(&mut server)
}

fn build_server() -> Result<(), Failure> {
    process::run(&mut process::command("cargo", &["build", "--package", "multistream-server"]))
}

fn render_footage() -> Result<(), Failure> {
    process::run(server().arg("--render-only"))
}

fn server() -> Command {
    process::command(&workspace::target().join("debug/multistream").to_string_lossy(), &["demo"])
}
