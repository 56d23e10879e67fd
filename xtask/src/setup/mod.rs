//! Installs what a fresh machine lacks. Every step is announced, skipped when its result is there, and says what it does.

mod apt;
mod npm;
mod wasm;

use std::time::Instant;

use crate::Failure;

/// What the machine is to be made ready for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Demo,
    Test,
}

struct Step {
    name: &'static str,
    is_done: Box<dyn Fn() -> bool>,
    perform: Box<dyn Fn() -> Result<(), Failure>>,
}

pub(crate) fn run(purpose: Purpose) -> Result<(), Failure> {
    let steps = [apt::step(purpose), wasm::target(), wasm::pack(), wasm::bindgen(), npm::step()];
    let count = steps.len();
    for (number, step) in steps.iter().enumerate() {
        let title = format!("set-up {}/{count}: {}", number + 1, step.name);
        if (step.is_done)() {
            println!("{title}: present");
            continue;
        }
        println!("{title}: installing");
        let started = Instant::now();
        (step.perform)().map_err(|error| format!("{title}: {error}"))?;
        println!("{title}: done in {} s", started.elapsed().as_secs());
    }
    Ok(())
}
