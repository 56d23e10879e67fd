//! Child processes: each leads a process group of its own, so that Ctrl-C ends it with everything it started.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::Failure;
use crate::workspace;

/// How long the children may take to end after Ctrl-C, before they are killed.
const GRACE: Duration = Duration::from_secs(3);
const POLL: Duration = Duration::from_millis(20);
const INTERRUPTED: i32 = 130;

/// The children that are running. Locked while a child is started, so that none slips past an interrupt.
static CHILDREN: LazyLock<Mutex<Children>> = LazyLock::new(Mutex::default);

#[derive(Debug, Default)]
struct Children {
    groups: BTreeSet<i32>,
    /// Ctrl-C came: nothing is started any more.
    ending: bool,
}

fn children() -> MutexGuard<'static, Children> {
    CHILDREN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// On SIGINT, SIGTERM and SIGHUP: asks every child's group to end, kills what is left, and exits.
pub(crate) fn end_children_on_interrupt() -> Result<(), ctrlc::Error> {
    ctrlc::set_handler(|| {
        let groups = {
            let mut children = children();
            children.ending = true;
            children.groups.clone()
        };
        eprintln!("xtask: interrupted");
        for &group in &groups {
            killpg(Pid::from_raw(group), Signal::SIGINT).ok();
        }
        let rounds = GRACE.as_millis() / POLL.as_millis();
        for _ in 0..rounds {
            if groups.iter().all(|&group| killpg(Pid::from_raw(group), None).is_err()) {
                break;
            }
            std::thread::sleep(POLL);
        }
        for &group in &groups {
            killpg(Pid::from_raw(group), Signal::SIGKILL).ok();
        }
        std::process::exit(INTERRUPTED);
    })
}

/// Starts a child in a group of its own. After an interrupt it never returns: the process is about to end.
fn spawn(command: &mut Command) -> Result<Child, Failure> {
    let mut children = children();
    if children.ending {
        drop(children);
        loop {
            std::thread::park();
        }
    }
    let child = command
        .process_group(0)
        .stdin(Stdio::null())
        .spawn()
        .map_err(|error| format!("cannot start {}: {error}", program(command)))?;
    children.groups.insert(child.id().cast_signed());
    Ok(child)
}

/// A program with its arguments, to be run in the repository's root.
pub(crate) fn command(program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(workspace::root());
    command
}

/// Runs to its end with the terminal's output.
pub(crate) fn run(command: &mut Command) -> Result<(), Failure> {
    let mut child = spawn(command)?;
    let status = forgetting(child.id(), || child.wait())?;
    if status.success() { Ok(()) } else { Err(format!("{} failed ({status})", line(command)).into()) }
}

/// Runs in the terminal's own process group, so that it can ask for a password.
pub(crate) fn run_interactive(command: &mut Command) -> Result<(), Failure> {
    let status = command.status().map_err(|error| format!("cannot start {}: {error}", program(command)))?;
    if status.success() { Ok(()) } else { Err(format!("{} failed ({status})", line(command)).into()) }
}

/// Runs to its end, printing each line of its output as it comes and showing it to `each`. Whether it succeeded.
pub(crate) fn run_watched(command: &mut Command, mut each: impl FnMut(&str)) -> Result<bool, Failure> {
    let mut child = spawn(command.stdout(Stdio::piped()))?;
    let output = child.stdout.take();
    let status = forgetting(child.id(), || {
        let mut terminal = std::io::stdout().lock();
        // Bytes, not `lines()`: a compiler's or browser's output need not be UTF-8.
        for bytes in output.into_iter().flat_map(|pipe| BufReader::new(pipe).split(b'\n')) {
            let bytes = bytes?;
            let text = String::from_utf8_lossy(&bytes);
            writeln!(terminal, "{text}")?;
            each(&text);
        }
        child.wait()
    })?;
    Ok(status.success())
}

/// What a program printed, or `None` if it is missing or failed.
pub(crate) fn output_of(program: &str, arguments: &[&str]) -> Option<String> {
    let output = command(program, arguments).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Waits for a child and then forgets its group, whose number the system may give to others.
fn forgetting<T>(leader: u32, wait: impl FnOnce() -> T) -> T {
    let result = wait();
    children().groups.remove(&leader.cast_signed());
    result
}

fn program(command: &Command) -> String {
    command.get_program().to_string_lossy().into_owned()
}

fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
