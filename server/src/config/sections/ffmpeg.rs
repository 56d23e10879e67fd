//! The section `ffmpeg:`: the program, the patience with sources, and templates of arguments by name.

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
    for (key, time) in [("start_timeout", &mut ffmpeg.start_timeout), ("timeout", &mut ffmpeg.timeout)] {
        let field = section.field(key, report);
        let some = |text: &str| duration(text).filter(|time| !time.is_zero());
        *time = field.and_then(|field| field.parse(report, DURATION, some));
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
