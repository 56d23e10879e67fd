//! The benchmark harness: `cargo xtask bench NAME [--out FILE]` builds what is measured and runs this.
//!
//! A benchmark makes its own cameras and starts its own server (`scene`), measures, and ends in a `report`: a table for
//! people and JSON for programs. No figure in it comes from anywhere but that run.

mod accounting;
mod browser;
mod busy;
mod connect;
mod distribution;
mod fanout;
mod header_viewer;
mod iframes;
mod machine;
mod pictures;
mod report;
mod scene;
mod soak;
mod soak_browser;
mod squeeze;
mod switch;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use report::Report;
use scene::Binaries;

#[derive(Debug, Parser)]
#[command(name = "cargo xtask bench")]
struct Arguments {
    #[command(subcommand)]
    bench: Bench,
    /// Writes the figures as JSON to this file.
    #[arg(long, global = true)]
    out: Option<PathBuf>,
    /// The server to measure, instead of the one built beside this program.
    #[arg(long, global = true)]
    server: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Bench {
    /// One of six tiles, or all of them, to cameras that are live.
    Switch(switch::Options),
    /// One of six tiles to a variant that is not running.
    Cold(switch::Options),
    /// From `connect()`, and from a page's address, to the first picture of each tile.
    Connect(connect::Options),
    /// Six iframes with a connection each, against one connection.
    Iframes(iframes::Options),
    /// One of six tiles before, while and after the machine is busy.
    Busy(busy::Options),
    /// Six tiles behind a path that becomes narrow and wide again.
    Squeeze(squeeze::Options),
    /// Many native viewers of nine cameras: what one packet costs the server, and where one core is full.
    Fanout(fanout::Options),
    /// Many viewers that come, switch and go, and cameras that die: whether the server is the same afterwards.
    Soak(soak::Options),
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let binaries = Binaries::find(arguments.server)?;
    let mut faults = Vec::new();
    let report: Report = match arguments.bench {
        Bench::Switch(options) => switch::run_warm(&binaries, &options).await?,
        Bench::Cold(options) => switch::run_cold(&binaries, &options).await?,
        Bench::Connect(options) => connect::run(&binaries, &options).await?,
        Bench::Iframes(options) => iframes::run(&binaries, &options).await?,
        Bench::Busy(options) => busy::run(&binaries, &options).await?,
        Bench::Squeeze(options) => squeeze::run(&binaries, &options).await?,
        Bench::Fanout(options) => fanout::run(&binaries, &options).await?,
        Bench::Soak(options) => {
            let (report, not_flat) = if options.browser {
                soak_browser::run(&binaries, &options).await?
            } else {
                soak::run(&binaries, &options).await?
            };
            faults = not_flat;
            report
        }
    };
    println!("{}", report.table());
    if let Some(file) = arguments.out {
        report.write(&file)?;
    }
    anyhow::ensure!(faults.is_empty(), "not flat: {}", faults.join(", "));
    Ok(())
}
