//! A child process whose output can be waited for. Dropping it ends the process.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::TestkitError;

/// How long a process may take to end after it was asked to, before it is killed.
const GRACE: Duration = Duration::from_secs(3);
const POLL: Duration = Duration::from_millis(10);

#[derive(Debug)]
pub(crate) struct Process {
    program: String,
    child: Child,
    output: Arc<Output>,
}

#[derive(Debug, Default)]
struct Output {
    lines: Mutex<Vec<String>>,
    grew: Condvar,
}

impl Process {
    pub(crate) fn spawn(mut command: Command) -> Result<Self, TestkitError> {
        let program = command.get_program().to_string_lossy().into_owned();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|source| TestkitError::Spawn { program: program.clone(), source })?;
        let output = Arc::<Output>::default();
        output.collect(child.stdout.take());
        output.collect(child.stderr.take());
        Ok(Self { program, child, output })
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The output of the process so far, of both its streams.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.output.lines.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The first line for which `find` returns a value, now or within `patience`.
    pub(crate) fn wait_for<T>(
        &self,
        patience: Duration,
        find: impl Fn(&str) -> Option<T>,
    ) -> Result<T, TestkitError> {
        let deadline = Instant::now() + patience;
        let mut lines = self.output.lines.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(found) = lines.iter().find_map(|line| find(line)) {
                return Ok(found);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(TestkitError::NotReady {
                    program: self.program.clone(),
                    seconds: patience.as_secs(),
                    output: lines.iter().rev().take(5).rev().cloned().collect::<Vec<_>>().join(" | "),
                });
            }
            (lines, _) = self.output.grew.wait_timeout(lines, left).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Output {
    fn collect(self: &Arc<Self>, pipe: Option<impl Read + Send + 'static>) {
        let Some(pipe) = pipe else { return };
        let output = Arc::clone(self);
        std::thread::spawn(move || {
            for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                output.lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
                output.grew.notify_all();
            }
        });
    }
}

impl Drop for Process {
    /// Sends SIGTERM first, since the process may have to end children of its own.
    fn drop(&mut self) {
        let asked = Command::new("sh").args(["-c", "kill $0", &self.child.id().to_string()]).status().is_ok();
        let deadline = Instant::now() + GRACE;
        while asked && Instant::now() < deadline {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(POLL);
        }
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
