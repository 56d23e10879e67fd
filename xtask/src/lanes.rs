//! Work side by side: each lane does its steps one after another on a thread of its own, under its own label.
//!
//! Two cores have room for it: a lane that downloads leaves them to one that compiles.

use std::sync::mpsc;
use std::time::Instant;

use crate::{Failure, process};

/// Something that a machine may need, and how it gets it.
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) is_done: Box<dyn Fn() -> bool + Send>,
    pub(crate) perform: Box<dyn Fn() -> Result<(), Failure> + Send>,
}

impl Step {
    /// A step that knows itself what is left to do.
    pub(crate) fn always(
        name: &'static str,
        perform: impl Fn() -> Result<(), Failure> + Send + 'static,
    ) -> Self {
        Self { name, is_done: Box::new(|| false), perform: Box::new(perform) }
    }

    /// Announces the step, and says how long it took.
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

/// Returns when all lanes are through, or after the first failure, when all children have been ended: the caller must then
/// end the process.
pub(crate) fn run(lanes: Vec<Lane>) -> Result<(), Failure> {
    let (done, results) = mpsc::channel();
    let count = lanes.len();
    for lane in lanes {
        let done = done.clone();
        std::thread::spawn(move || {
            process::label_this_thread(lane.label);
            // As text: a failure of another thread.
            let result = lane.steps.iter().try_for_each(Step::run).map_err(|error| error.to_string());
            done.send(result).ok();
        });
    }
    // Without it, a lane that panics shows itself as a channel that closed too early.
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
        // A rendezvous: one lane after the other would wait for ever.
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
