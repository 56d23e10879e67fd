//! `echo:command`: a program says on the first line of its stdout what the source is, each time that it is started.

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::time::timeout;

use crate::config::{ExecSource, FfmpegConfig, Patience, Source};
use crate::source::SourceError;
use crate::source::process::{Child, Joined};

/// More than any source has.
const LONGEST: u64 = 8192;

pub(in crate::source) async fn named(
    source: &ExecSource,
    config: &FfmpegConfig,
    patience: Patience,
) -> Result<Source, SourceError> {
    let (program, arguments) =
        source.argv.split_first().ok_or_else(|| super::unsupported("echo: without a program"))?;
    let joined = Joined { stdin: false, stdout: true };
    let mut child = Child::spawn(program, arguments, joined, "install it, or write its full path")?;
    let mut line = String::new();
    if let Some(stdout) = child.take_stdout() {
        let mut stdout = BufReader::new(stdout.take(LONGEST));
        if timeout(patience.start, stdout.read_line(&mut line)).await.is_err() {
            child.end().await;
            return Err(super::silent(program, patience.start));
        }
    }
    if line.trim().is_empty() {
        child.outcome().await?;
    } else {
        child.end().await;
    }
    let named = Source::named(line.trim(), config);
    // A source that names another one by a program could go on so for ever.
    named.filter(|named| !matches!(named, Source::Exec(source) if source.names_source)).ok_or_else(|| {
        // Not the line itself: it may hold a password.
        let reason =
            "its first line is no source, such as rtsp://camera/stream; logs belong on stderr".to_owned();
        SourceError::Protocol { url: format!("echo:{program}"), reason }
    })
}
