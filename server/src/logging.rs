//! The log, on stderr.

use std::io::IsTerminal;

use multistream::config::{LogConfig, LogFormat};
use tracing_subscriber::EnvFilter;

pub(crate) fn init(config: &LogConfig) {
    // A plain level applies to this server; its libraries log warnings only. The WebRTC libraries log errors only, since they
    // warn about every browser (about TLS 1.3 extensions in its ClientHello).
    let directives = match config.level.as_str() {
        plain @ ("trace" | "debug" | "info" | "warn" | "error") => {
            format!("warn,rtc=error,multistream={plain}")
        }
        "off" => "off".to_owned(),
        filter => filter.to_owned(),
    };
    let log = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(directives))
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    match config.format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().init(),
    }
}
