//! The command line.

mod cli;
mod config_file;
mod logging;

fn main() -> std::process::ExitCode {
    cli::run()
}
