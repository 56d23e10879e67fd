//! Ends the children of a server that is killed with SIGKILL, and so can end nothing itself, and removes its temporary directories.
//!
//! The guardian is this program once more, started by the server with a pipe as its stdin. The server writes down each process group
//! that it starts and each that has ended, and the same of directories. When the pipe closes, the server is gone, however that came
//! about, and the groups that are left are killed, with all that their programs have started. (`PR_SET_PDEATHSIG` would reach the
//! children alone.)

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::process::{Pid, Signal, kill_process_group};
use tempfile::TempDir;

/// Where groups are written down, and the process that reads them. `None` where there is none.
static GUARDIAN: Mutex<Option<(ChildStdin, Child)>> = Mutex::new(None);

/// Starts the guardian of this process, by a command that runs [`watch`].
pub fn start(program: OsString, argument: &str) -> io::Result<()> {
    let mut child = Command::new(program)
        .arg(argument)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // Ctrl-C in a terminal goes to the whole group of the server.
        .process_group(0)
        .spawn()?;
    if let Some(pipe) = child.stdin.take() {
        *guardian() = Some((pipe, child));
    }
    Ok(())
}

/// Ends the guardian, which kills the groups that are left.
pub fn stop() {
    if let Some((pipe, mut child)) = guardian().take() {
        drop(pipe);
        let _ = child.wait();
    }
}

fn guardian() -> MutexGuard<'static, Option<(ChildStdin, Child)>> {
    GUARDIAN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the guardian does: reads groups from stdin until it ends, then kills those that are left.
pub fn watch() {
    let mut left = Left::default();
    for line in BufReader::new(io::stdin()).lines().map_while(Result::ok) {
        left.note(&line);
    }
    for group in left.groups.into_iter().filter_map(Pid::from_raw) {
        let _ = kill_process_group(group, Signal::KILL);
    }
    for directory in left.directories {
        let _ = fs::remove_dir_all(directory);
    }
}

/// What is there of the server's.
#[derive(Debug, Default, PartialEq, Eq)]
struct Left {
    groups: HashSet<i32>,
    directories: HashSet<PathBuf>,
}

impl Left {
    /// `+` and `-` before the number of a group or the path of a directory.
    fn note(&mut self, line: &str) {
        let Some((sign, what)) = line.split_at_checked(1) else { return };
        match (sign, what.parse(), Path::new(what).is_absolute()) {
            ("+", Ok(group), _) => drop(self.groups.insert(group)),
            ("-", Ok(group), _) => drop(self.groups.remove(&group)),
            ("+", Err(_), true) => drop(self.directories.insert(what.into())),
            ("-", Err(_), true) => drop(self.directories.remove(Path::new(what))),
            _ => {}
        }
    }
}

/// A temporary directory that the guardian removes if the server cannot.
#[derive(Debug)]
pub(in crate::source) struct Guarded(TempDir);

impl Guarded {
    pub(in crate::source) fn new(directory: TempDir) -> Self {
        write(format_args!("+{}\n", directory.path().display()));
        Self(directory)
    }

    pub(in crate::source) fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        write(format_args!("-{}\n", self.path().display()));
    }
}

/// Writes down that this group was started.
pub(in crate::source) fn started(group: Pid) {
    write(format_args!("+{}\n", group.as_raw_nonzero()));
}

/// Writes down that this group has ended. It must not run any more: its number may be given to another.
pub(in crate::source) fn ended(group: Pid) {
    write(format_args!("-{}\n", group.as_raw_nonzero()));
}

fn write(line: std::fmt::Arguments<'_>) {
    let mut guardian = guardian();
    // A line is shorter than what a pipe takes at once, so it does not wait for the guardian, which reads all the time.
    let Some((pipe, child)) = &mut *guardian else { return };
    if pipe.write_all(line.to_string().as_bytes()).is_err() {
        let _ = child.wait();
        *guardian = None;
        tracing::warn!("the guardian is gone: programs may outlive a server that is killed");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_ended_and_lines_that_are_none_are_left_alone() {
        let mut left = Left::default();
        for line in
            ["+10", "+11", "-10", "", "+", "12", "-99", "+x", "+/tmp/a", "+/tmp/b", "-/tmp/a", "+../c"]
        {
            left.note(line);
        }
        let expected = Left { groups: HashSet::from([11]), directories: HashSet::from(["/tmp/b".into()]) };
        assert_eq!(left, expected);
    }
}
