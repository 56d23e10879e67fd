//! Set-up, demo, tests and benchmarks of the workspace: `cargo xtask`.

mod arguments;
mod bench;
mod demo;
mod lanes;
mod pages;
mod process;
mod setup;
mod test;
mod workspace;

use std::process::ExitCode;

use arguments::Task;

/// A failure, as one sentence for the person at the terminal.
type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let task = match arguments::parse(std::env::args().skip(1)) {
        Ok(task) => task,
        Err(complaint) => {
            eprintln!("xtask: {complaint}\n\n{}", arguments::USAGE);
            return ExitCode::from(2);
        }
    };
    if let Err(error) = process::end_children_on_interrupt() {
        eprintln!("xtask: cannot handle Ctrl-C: {error}");
        return ExitCode::FAILURE;
    }
    let result = match task {
        Task::Help => {
            println!("{}", arguments::USAGE);
            Ok(())
        }
        Task::Setup => setup::run(setup::Purpose::Test),
        Task::Demo(options) => demo::run(&options),
        Task::Test { scope, setup } => return test::run(scope, setup),
        Task::Bench(passed_on) => bench::run(&passed_on),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}
