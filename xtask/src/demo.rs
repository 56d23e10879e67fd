//! `cargo xtask demo`: set-up, build, and the server's own `demo`.

use crate::arguments::DemoOptions;
use crate::{Failure, pages, process, setup, workspace};

pub(crate) fn run(options: &DemoOptions) -> Result<(), Failure> {
    if options.setup {
        setup::run(setup::Purpose::Demo)?;
    }
    pages::build()?;
    println!("server: building (release)");
    let build = ["build", "--release", "--package", "multistream-server"];
    process::run(&mut process::command("cargo", &build))?;

    let mut server =
        process::command(&workspace::target().join("release/multistream").to_string_lossy(), &["demo"]);
    if let Some(port) = options.port {
        server.arg(format!("--port={port}"));
    }
    if let Some(host) = &options.host {
        server.arg(format!("--host={host}"));
    }
    process::run(&mut server)
}
