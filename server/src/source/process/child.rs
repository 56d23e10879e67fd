//! A child process that does not outlive its source. It is started without a shell, in a process group of its own, which is
//! killed as a whole by [`Child::end`] or when this is dropped. The end of its stderr is kept for error messages, with secrets
//! masked.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::AsyncReadExt;
use tokio::process::{ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::task::JoinHandle;

use super::stderr::Tail;
use crate::source::{SourceError, guardian};

/// How long a program that has closed its pipes may take to write its last output and exit.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// How long to wait for the exit of a killed process. Only one that hangs in the kernel (a dead network mount) takes longer.
const GONE: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(in crate::source) struct Child {
    program: String,
    process: tokio::process::Child,
    /// The process group, whose leader is the child itself (`process_group(0)`).
    group: Option<Pid>,
    said: Arc<Mutex<Tail>>,
    listener: JoinHandle<()>,
}

/// Which of its standard streams are piped to the source; the others are `/dev/null`.
#[derive(Debug, Clone, Copy)]
pub(in crate::source) struct Joined {
    pub(in crate::source) stdin: bool,
    pub(in crate::source) stdout: bool,
}

impl Child {
    /// `advice` says what to do if the program does not exist: "install …".
    pub(in crate::source) fn spawn(
        program: &str,
        arguments: &[String],
        joined: Joined,
        advice: &str,
    ) -> Result<Self, SourceError> {
        let pipe = |wanted: bool| if wanted { Stdio::piped() } else { Stdio::null() };
        let mut process = Command::new(program)
            .args(arguments)
            .stdin(pipe(joined.stdin))
            .stdout(pipe(joined.stdout))
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| cannot_start(program, &error, advice))?;
        let group = process.id().and_then(|id| Pid::from_raw(id as i32));
        group.into_iter().for_each(guardian::started);
        let said = Arc::new(Mutex::new(Tail::default()));
        let listener = tokio::spawn(listen(process.stderr.take(), Arc::clone(&said)));
        Ok(Self { program: program.to_owned(), process, group, said, listener })
    }

    pub(in crate::source) fn take_stdin(&mut self) -> Option<ChildStdin> {
        self.process.stdin.take()
    }

    pub(in crate::source) fn take_stdout(&mut self) -> Option<ChildStdout> {
        self.process.stdout.take()
    }

    /// Waits for its exit, up to [`LAST_WORDS`], then kills it. Returns its outcome with the end of its stderr.
    pub(in crate::source) async fn outcome(mut self) -> Result<(), SourceError> {
        let status = match tokio::time::timeout(LAST_WORDS, self.process.wait()).await {
            Ok(Ok(status)) if status.success() => return Ok(()),
            Ok(Ok(status)) => describe(status),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "it stopped sending".to_owned(),
        };
        // A grandchild may keep stderr open, so the wait for its end is limited.
        self.kill();
        let _ = tokio::time::timeout(LAST_WORDS, &mut self.listener).await;
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner).sentence();
        let program = self.program.clone();
        self.end().await;
        Err(SourceError::ProgramFailed { program, status, said })
    }

    /// Kills it, and returns when it is gone: neither running nor a zombie. After a mere drop tokio reaps it in the background,
    /// which does not happen any more if the server exits.
    pub(in crate::source) async fn end(mut self) {
        self.kill();
        let _ = tokio::time::timeout(GONE, self.process.wait()).await;
    }

    /// Resolves when it has ended. Cancel-safe.
    pub(in crate::source) async fn ended(&mut self) {
        let _ = self.process.wait().await;
    }

    fn kill(&mut self) {
        // `take`, since the group's number may be reused once the group is gone.
        if let Some(group) = self.group.take() {
            let _ = kill_process_group(group, Signal::KILL);
            guardian::ended(group);
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.kill();
        self.listener.abort();
        // tokio reaps the killed child because of `kill_on_drop`.
    }
}

async fn listen(stderr: Option<ChildStderr>, said: Arc<Mutex<Tail>>) {
    let Some(mut stderr) = stderr else { return };
    let mut buffer = [0; 2048];
    while let Ok(read @ 1..) = stderr.read(&mut buffer).await {
        said.lock().unwrap_or_else(PoisonError::into_inner).push(&buffer[..read]);
    }
}

fn cannot_start(program: &str, error: &io::Error, advice: &str) -> SourceError {
    let reason = match error.kind() {
        io::ErrorKind::NotFound => format!("it is not installed, or not in PATH; {advice}"),
        io::ErrorKind::PermissionDenied => "it may not be executed; check its permissions".to_owned(),
        _ => error.to_string(),
    };
    SourceError::CannotStart { program: program.to_owned(), reason }
}

fn describe(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("killed by signal {signal}"),
        (None, None) => status.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn shell(script: &str) -> Child {
        let joined = Joined { stdin: false, stdout: true };
        Child::spawn("sh", &["-c".to_owned(), script.to_owned()], joined, "install a shell")
            .expect("there is a shell")
    }

    /// Neither running nor a zombie.
    async fn is_gone_within_a_second(pid: u32) -> bool {
        let deadline = Instant::now() + Duration::from_secs(1);
        while Instant::now() < deadline {
            if !std::path::Path::new(&format!("/proc/{pid}")).exists() {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        false
    }

    #[tokio::test]
    async fn a_program_that_does_not_exist_is_a_permanent_error_with_advice() {
        let joined = Joined { stdin: false, stdout: false };
        let error = Child::spawn("no-such-program", &[], joined, "install it").unwrap_err();
        assert!(error.permanent());
        assert_eq!(
            error.to_string(),
            "the program \"no-such-program\" cannot be started: it is not installed, or not in PATH; install it"
        );
    }

    #[tokio::test]
    async fn an_error_has_the_end_of_stderr_and_the_exit_code_but_no_password() {
        let child = shell("echo cannot open rtsp://admin:hunter2@cam/1: 401 >&2; exit 3");
        let text = child.outcome().await.unwrap_err().to_string();
        assert!(text.starts_with("sh ended (exit code 3): cannot open rtsp://"), "{text}");
        assert!(text.contains("cam/1: 401") && !text.contains("hunter2"), "{text}");
    }

    #[tokio::test]
    async fn a_program_that_hangs_after_closing_its_pipes_is_killed() {
        let child = shell("exec >&- ; sleep 60");
        let pid = child.process.id().expect("it runs");
        let start = Instant::now();
        assert!(child.outcome().await.unwrap_err().to_string().contains("it stopped sending"));
        assert!(start.elapsed() < Duration::from_secs(3));
        assert!(is_gone_within_a_second(pid).await);
    }

    #[tokio::test]
    async fn after_end_it_is_gone() {
        let child = shell("sleep 60");
        let pid = child.process.id().expect("it runs");
        child.end().await;
        assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists());
    }

    #[tokio::test]
    async fn dropping_it_kills_it_and_its_children_and_leaves_no_zombie() {
        let mut child = shell("sleep 60 & echo $!; wait");
        let mut line = [0; 16];
        let read = child.take_stdout().expect("piped").read(&mut line).await.expect("a line");
        let grandchild: u32 = String::from_utf8_lossy(&line[..read]).trim().parse().expect("a pid");
        let pid = child.process.id().expect("it runs");
        drop(child);
        assert!(is_gone_within_a_second(pid).await);
        // A zombie grandchild is fine here, since init, if there is one, reaps it.
        // It was told to die, and does as soon as it has its turn on the processor.
        let stat = || std::fs::read_to_string(format!("/proc/{grandchild}/stat")).unwrap_or_default();
        let deadline = Instant::now() + Duration::from_secs(1);
        while !stat().is_empty() && !stat().contains(") Z") {
            assert!(Instant::now() < deadline, "{}", stat());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}
