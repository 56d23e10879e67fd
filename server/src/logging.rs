//! The log, on stderr.

use std::io::IsTerminal;

use multistream::config::{LogConfig, LogFormat};
use tracing_subscriber::EnvFilter;

pub(crate) fn init(config: &LogConfig) {
    // A plain level is meant for this server; its libraries then speak of what is wrong only. The WebRTC ones warn of every
    // browser (of extensions of TLS 1.3 in its ClientHello), so they are heard from `error` on.
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
