//! The log, on stderr. It never fails or delays who logs: a thread of its own writes the lines, those that it cannot take are dropped
//! and counted, and a disk that is full loses lines and nothing else. No line holds a secret of the config, whoever writes it.

use std::io::{self, IsTerminal, Write};

use multistream::config::{Known, LogConfig, LogFormat};
use multistream::faults;
use tracing_appender::non_blocking::{NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;

/// How many lines may wait for the thread that writes them: about a megabyte.
const WAITING_LINES: usize = 8192;

/// Dropping what is returned writes the lines that still wait.
pub(crate) fn init(config: &LogConfig) -> WorkerGuard {
    // A plain level applies to this server; its libraries log warnings only. The WebRTC libraries log errors only, since they
    // warn about every browser (about TLS 1.3 extensions in its ClientHello).
    let directives = match config.level.as_str() {
        plain @ ("trace" | "debug" | "info" | "warn" | "error") => {
            format!("warn,rtc=error,multistream={plain}")
        }
        "off" => "off".to_owned(),
        filter => filter.to_owned(),
    };
    let (writer, guard) = NonBlockingBuilder::default()
        .lossy(true)
        .buffered_lines_limit(WAITING_LINES)
        .thread_name("log")
        .finish(std::io::stderr());
    let lost = writer.error_counter();
    faults::count_lost_lines_by(move || lost.dropped_lines() as u64);
    faults::log_panics();
    let log = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(directives))
        .with_writer(move || WithoutSecrets(writer.clone()))
        // It would print that a line cannot be written, to the same stderr.
        .log_internal_errors(false)
        .with_ansi(std::io::stderr().is_terminal());
    match config.format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().init(),
    }
    guard
}

/// Masks the secrets of the config in what is written. A line of the log is one call.
struct WithoutSecrets(NonBlocking);

impl Write for WithoutSecrets {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let masked = Known(&String::from_utf8_lossy(line)).to_string();
        self.0.write_all(masked.as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
