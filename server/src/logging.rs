//! The log, on stderr. It never fails or delays who logs: a thread of its own writes the lines, those that it cannot take are dropped
//! and counted, and a disk that is full loses lines and nothing else.

use std::io::IsTerminal;

use multistream::config::{LogConfig, LogFormat};
use multistream::faults;
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
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
        .with_writer(writer)
        // It would print that a line cannot be written, to the same stderr.
        .log_internal_errors(false)
        .with_ansi(std::io::stderr().is_terminal());
    match config.format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().init(),
    }
    guard
}
