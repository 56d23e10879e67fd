//! The command line.

mod check;
mod cli;
mod config_file;
mod logging;
mod reload;

fn main() -> std::process::ExitCode {
    cli::run()
}
