//! Runs work in parallel: each lane performs its steps one after another on a thread of its own, with its own label on its
//! output.
//!
//! This pays on two cores too, since a lane that downloads leaves them to one that compiles.

use std::sync::mpsc;
use std::time::Instant;

use crate::{Failure, process};

/// Something that a machine may need, and the way to provide it.
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) is_done: Box<dyn Fn() -> bool + Send>,
    pub(crate) perform: Box<dyn Fn() -> Result<(), Failure> + Send>,
}

impl Step {
    /// A step that is always performed, and itself skips what is done already.
    pub(crate) fn always(
        name: &'static str,
        perform: impl Fn() -> Result<(), Failure> + Send + 'static,
    ) -> Self {
        Self { name, is_done: Box::new(|| false), perform: Box::new(perform) }
    }

    /// Performs the step unless it is done, and prints its start and its duration.
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let name = self.name;
        if (self.is_done)() {
            process::say(&format!("{name}: present"));
            return Ok(());
        }
        process::say(&format!("{name}: begins"));
        let started = Instant::now();
        (self.perform)().map_err(|error| format!("{name}: {error}"))?;
        process::say(&format!("{name}: done in {} s", started.elapsed().as_secs()));
        Ok(())
    }
}

pub(crate) struct Lane {
    pub(crate) label: &'static str,
    pub(crate) steps: Vec<Step>,
}

/// Returns when all lanes have finished, or after the first failure. In that case all children have been ended, and the caller
/// must end the process.
pub(crate) fn run(lanes: Vec<Lane>) -> Result<(), Failure> {
    let (done, results) = mpsc::channel();
    let count = lanes.len();
    for lane in lanes {
        let done = done.clone();
        std::thread::spawn(move || {
            process::label_this_thread(lane.label);
            // As text, since a `Failure` cannot be sent to another thread.
            let result = lane.steps.iter().try_for_each(Step::run).map_err(|error| error.to_string());
            done.send(result).ok();
        });
    }
    // This sender is dropped, so that the channel closes if a lane panics.
    drop(done);
    for _ in 0..count {
        let result = results.recv().unwrap_or_else(|_| Err("a lane of the set-up panicked".to_owned()));
        if let Err(error) = result {
            process::end_children();
            return Err(error.into());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    fn lane(label: &'static str, perform: impl Fn() -> Result<(), Failure> + Send + 'static) -> Lane {
        Lane { label, steps: vec![Step::always("work", perform)] }
    }

    #[test]
    fn lanes_run_at_the_same_time() {
        let (give, take) = mpsc::sync_channel(0);
        let giver = lane("a", move || give.send(()).map_err(Into::into));
        let taker = lane("b", move || take.recv().map_err(Into::into));
        // The channel is a rendezvous: if the lanes ran one after the other, the first would wait for ever.
        run(vec![giver, taker]).expect("both lanes succeed");
    }

    #[test]
    fn a_step_that_is_done_is_not_performed() {
        let performed = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&performed);
        let mut step = Step::always("work", move || {
            flag.store(true, Ordering::Relaxed);
            Ok(())
        });
        step.is_done = Box::new(|| true);
        run(vec![Lane { label: "a", steps: vec![step] }]).expect("nothing to fail");
        assert!(!performed.load(Ordering::Relaxed));
    }
}
