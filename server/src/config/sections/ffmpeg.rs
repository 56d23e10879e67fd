//! The section `ffmpeg:`: the program, its timeout, and templates of arguments by name.

use crate::config::FfmpegConfig;
use crate::config::problem::Report;
use crate::config::reader::Section;
use crate::config::value::{DURATION, duration};
use crate::config::words::words;

pub(super) fn read(mut section: Section<'_>, report: &mut Report) -> FfmpegConfig {
    let mut ffmpeg = FfmpegConfig::default();
    if let Some(bin) = section.field("bin", report).and_then(|field| field.string(report)) {
        ffmpeg.bin = bin;
    }
    if let Some(timeout) = section.field("timeout", report).and_then(|field| {
        field.parse(report, DURATION, |text| duration(text).filter(|timeout| !timeout.is_zero()))
    }) {
        ffmpeg.timeout = timeout;
    }
    for field in section.rest() {
        let name = field.path["ffmpeg.".len()..].to_owned();
        if name.split('/').next() == Some("output") {
            field.warning(report, "has no effect: how ffmpeg hands its pictures over is multistream's own");
            continue;
        }
        let Some(arguments) = field.text(report) else { continue };
        if words(arguments).is_none() {
            field.error(report, "expected arguments of ffmpeg, found a quote that is not closed");
        }
        ffmpeg.templates.insert(name, arguments.to_owned());
    }
    ffmpeg
}
