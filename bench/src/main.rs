//! The benchmark harness: `cargo xtask bench NAME [--out FILE]` builds what is measured and runs this.
//!
//! A benchmark makes its own cameras and starts its own server (`scene`), measures, and ends in a `report`: a table for
//! people and JSON for programs. No figure in it comes from anywhere but that run.

mod accounting;
mod fanout;
mod machine;
mod report;
mod scene;

use std::path::PathBuf;

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
    /// Many native viewers of nine cameras: what one packet costs the server, and where one core is full.
    Fanout(fanout::Options),
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let binaries = Binaries::find(arguments.server)?;
    let report: Report = match arguments.bench {
        Bench::Fanout(options) => fanout::run(&binaries, &options).await?,
    };
    println!("{}", report.table());
    if let Some(file) = arguments.out {
        report.write(&file)?;
    }
    Ok(())
}
