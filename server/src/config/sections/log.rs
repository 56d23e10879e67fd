//! The section `log:`: the level and the format of the log on stderr.

use tracing_subscriber::EnvFilter;

use crate::config::problem::Report;
use crate::config::reader::Section;
use crate::config::{LogConfig, LogFormat};

const FOREIGN: &[(&str, &str)] = &[
    ("output", "the log goes to stderr"),
    ("time", "the time is always written"),
    ("api", MODULE),
    ("exec", MODULE),
    ("ffmpeg", MODULE),
    ("hass", MODULE),
    ("hls", MODULE),
    ("homekit", MODULE),
    ("mp4", MODULE),
    ("ngrok", MODULE),
    ("onvif", MODULE),
    ("rtmp", MODULE),
    ("rtsp", MODULE),
    ("streams", MODULE),
    ("webrtc", MODULE),
    ("webtorrent", MODULE),
];

const MODULE: &str = "name parts in the level instead: \"level: info,multistream::source=debug\"";

pub(super) fn read(mut section: Section<'_>, report: &mut Report) -> LogConfig {
    let mut log = LogConfig::default();
    let expected =
        "trace, debug, info, warn, error or off, or a filter such as info,multistream::source=debug";
    if let Some(level) = section.field("level", report).and_then(|field| field.parse(report, expected, level))
    {
        log.level = level;
    }
    if let Some(format) = section.field("format", report).and_then(|field| {
        field.parse(report, "text or json", |text| match text {
            // go2rtc's `color` is text with colours.
            "text" | "color" => Some(LogFormat::Text),
            "json" => Some(LogFormat::Json),
            _ => None,
        })
    }) {
        log.format = format;
    }
    section.finish(FOREIGN, report);
    log
}

fn level(text: &str) -> Option<String> {
    let level = match text {
        "fatal" | "panic" => "error",
        "disabled" => "off",
        other => other,
    };
    let named = matches!(level, "trace" | "debug" | "info" | "warn" | "error" | "off");
    let filter = level.contains('=') && EnvFilter::builder().parse(level).is_ok();
    (named || filter).then(|| level.to_owned())
}
