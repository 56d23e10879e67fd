//! The section `multistream:`: limits and times.

use std::time::Duration;

use crate::config::problem::Report;
use crate::config::reader::{Section, number};
use crate::config::sections::ladder;
use crate::config::value::{DURATION, SIZE, duration, size};
use crate::config::{MultistreamConfig, Unshowable};

pub(super) fn read(mut section: Section<'_>, report: &mut Report) -> MultistreamConfig {
    let mut multistream = MultistreamConfig::default();
    number(&mut section, "max_slots", 1..=64, &mut multistream.max_slots, report);
    number(&mut section, "max_sessions", 1..=100_000, &mut multistream.max_sessions, report);
    time(&mut section, "switch_timeout", &mut multistream.switch_timeout, report);
    time(&mut section, "resume_timeout", &mut multistream.resume_timeout, report);
    time(&mut section, "linger", &mut multistream.linger, report);
    time(&mut section, "gop_max_duration", &mut multistream.gop_max_duration, report);
    if let Some(bytes) =
        section.field("gop_max_bytes", report).and_then(|field| field.parse(report, SIZE, size))
    {
        multistream.gop_max_bytes = bytes;
    }
    for (key, value) in [("b_frames", &mut multistream.b_frames), ("unplayable", &mut multistream.unplayable)]
    {
        let field = section.field(key, report);
        *value = field.and_then(|field| field.parse(report, UNSHOWABLE, unshowable)).unwrap_or(*value);
    }
    if let Some(heights) = section.field("ladder", report) {
        multistream.ladder = ladder::read(&heights, report);
    }
    if let Some(words) = section.field("qualities", report) {
        let word = |text: &str| (!text.contains(char::is_whitespace)).then(|| text.to_owned());
        let words = words.items();
        multistream.qualities =
            words.iter().filter_map(|item| item.parse(report, "words such as [sub, main]", word)).collect();
    }
    let mut max_ladder = 0;
    number(&mut section, "max_ladder", 1..=1000, &mut max_ladder, report);
    multistream.max_ladder = (max_ladder > 0).then_some(max_ladder);
    section.finish(&[], report);
    multistream
}

const UNSHOWABLE: &str = "transcode or refuse";

fn unshowable(text: &str) -> Option<Unshowable> {
    match text {
        "transcode" => Some(Unshowable::Transcode),
        "refuse" => Some(Unshowable::Refuse),
        _ => None,
    }
}

fn time(section: &mut Section<'_>, key: &str, value: &mut Duration, report: &mut Report) {
    if let Some(time) = section.field(key, report).and_then(|field| field.parse(report, DURATION, duration)) {
        *value = time;
    }
}
