//! Faults of this process: tasks that panic, and lines of the log that nobody takes. They are counted, and end nothing.

use std::panic::AssertUnwindSafe;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use tracing::error;

/// How long a task that panicked waits until it starts anew, so that one that panics at once does not take all of the processor.
const RESTART_AFTER: Duration = Duration::from_secs(1);

static PANICS: AtomicU64 = AtomicU64::new(0);
static LOST_LINES: OnceLock<Box<dyn Fn() -> u64 + Send + Sync>> = OnceLock::new();

/// Counts and logs every panic of this process, where the default would print it: stderr may be a pipe that nobody reads, which
/// would stop the thread for good.
pub fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        PANICS.fetch_add(1, Ordering::Relaxed);
        let message = panic.payload_as_str().unwrap_or_default();
        let location = panic.location().map(ToString::to_string).unwrap_or_default();
        error!(%location, "panic: {message}. This is a bug; please report it");
    }));
}

/// How often something has panicked since the start.
pub fn panics() -> u64 {
    PANICS.load(Ordering::Relaxed)
}

/// Tells who counts the lines of the log that were dropped. Only the first call counts.
pub fn count_lost_lines_by(count: impl Fn() -> u64 + Send + Sync + 'static) {
    let _ = LOST_LINES.set(Box::new(count));
}

/// How many lines of the log were dropped since the start, as what takes them was too slow.
pub fn lost_lines() -> u64 {
    LOST_LINES.get().map_or(0, |count| count())
}

/// Runs a task. `None` if it panics, after a while: the caller starts it anew.
pub(crate) async fn caught<T>(task: impl Future<Output = T>) -> Option<T> {
    let done = AssertUnwindSafe(task).catch_unwind().await.ok();
    if done.is_none() {
        tokio::time::sleep(RESTART_AFTER).await;
    }
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_caught_and_the_caller_goes_on() {
        let begun = tokio::time::Instant::now();
        assert_eq!(caught(async { assert!(begun.elapsed() > RESTART_AFTER, "too soon") }).await, None);
        assert_eq!(caught(async { assert!(begun.elapsed() > RESTART_AFTER, "too soon") }).await, Some(()));
    }
}
