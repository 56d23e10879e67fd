//! Child processes. Each leads a process group of its own, so that Ctrl-C ends it with everything it started.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
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
/// The width of the longest label of a lane.
const LABEL_WIDTH: usize = 8;

/// The running children. Locked while a child is started, so that an interrupt misses none.
static CHILDREN: LazyLock<Mutex<Children>> = LazyLock::new(Mutex::default);

#[derive(Debug, Default)]
struct Children {
    groups: BTreeSet<i32>,
    /// Whether Ctrl-C came, after which no child is started.
    ending: bool,
}

fn children() -> MutexGuard<'static, Children> {
    CHILDREN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Installs a handler of SIGINT, SIGTERM and SIGHUP that ends all children and exits.
pub(crate) fn end_children_on_interrupt() -> Result<(), ctrlc::Error> {
    ctrlc::set_handler(|| {
        eprintln!("xtask: interrupted");
        end_children();
        std::process::exit(INTERRUPTED);
    })
}

/// Ends all children for good: asks every child's group to end, then kills what is left. No child starts afterwards, so the
/// caller must be about to end the process.
pub(crate) fn end_children() {
    let groups = {
        let mut children = children();
        children.ending = true;
        children.groups.clone()
    };
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
}

thread_local! {
    /// The label before the lines of this thread and its children, while other threads print theirs.
    static LABEL: Cell<Option<&'static str>> = const { Cell::new(None) };
}

/// Makes every line that this thread and its children print begin with `label`.
pub(crate) fn label_this_thread(label: &'static str) {
    LABEL.set(Some(label));
}

/// Prints a line for the person at the terminal, with this thread's label.
pub(crate) fn say(text: &str) {
    print_line(LABEL.get(), text);
}

/// Prints a line without interruption by other threads, since `println!` locks stdout for all of it.
fn print_line(label: Option<&str>, text: &str) {
    match label {
        Some(label) => println!("{label:<LABEL_WIDTH$} | {text}"),
        None => println!("{text}"),
    }
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

/// Runs a command to its end. Its output goes straight to the terminal, or line by line behind this thread's label.
pub(crate) fn run(command: &mut Command) -> Result<(), Failure> {
    let status = match LABEL.get() {
        None => {
            let mut child = spawn(command)?;
            forgetting(child.id(), || child.wait())?
        }
        Some(label) => {
            let mut child = spawn(command.stdout(Stdio::piped()).stderr(Stdio::piped()))?;
            let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
            forgetting(child.id(), || {
                std::thread::scope(|scope| {
                    scope.spawn(|| stdout.map(|pipe| print_lines(label, pipe)));
                    if let Some(pipe) = stderr {
                        print_lines(label, pipe);
                    }
                });
                child.wait()
            })?
        }
    };
    if status.success() { Ok(()) } else { Err(format!("{} failed ({status})", line(command)).into()) }
}

/// Prints the lines of a pipe until it is closed or broken; the exit code tells whether the child succeeded.
fn print_lines(label: &str, pipe: impl Read) {
    for bytes in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
        print_line(Some(label), &String::from_utf8_lossy(&bytes));
    }
}

/// Starts a child, calls `talk`, and then ends the child.
pub(crate) fn run_beside<T>(
    command: &mut Command,
    talk: impl FnOnce(&mut Child) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let mut child = spawn(command)?;
    let group = child.id();
    forgetting(group, || {
        let result = talk(&mut child);
        killpg(Pid::from_raw(group.cast_signed()), Signal::SIGKILL).ok();
        child.wait()?;
        result
    })
}

/// Runs a command in the terminal's own process group, so that it can ask for a password. In a lane, where nothing can be
/// asked, it runs like any other child.
pub(crate) fn run_at_the_terminal(command: &mut Command) -> Result<(), Failure> {
    if LABEL.get().is_some() {
        return run(command);
    }
    let status = command.status().map_err(|error| format!("cannot start {}: {error}", program(command)))?;
    if status.success() { Ok(()) } else { Err(format!("{} failed ({status})", line(command)).into()) }
}

/// Runs a command to its end, and prints each line of its output and passes it to `each`. Returns whether it succeeded.
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

/// The output of a program, or `None` if it is missing or failed.
pub(crate) fn output_of(program: &str, arguments: &[&str]) -> Option<String> {
    let output = command(program, arguments).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Waits for a child and then removes its group, whose number the system may reuse.
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
