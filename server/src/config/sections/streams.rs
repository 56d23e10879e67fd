//! The section `streams:`: the cameras and their variants. A stream is a source, a list of sources, `{url: …}` or nothing.

use std::collections::{HashMap, HashSet};

use crate::config::grammar::{self, Context, Outcome};
use crate::config::problem::{Report, quoted};
use crate::config::reader::{Field, Section};
use crate::config::source::Source;
use crate::config::yaml::Value;
use crate::config::{FfmpegConfig, StreamConfig};

pub(super) fn read(
    mut section: Section<'_>,
    ffmpeg: &FfmpegConfig,
    report: &mut Report,
) -> Vec<StreamConfig> {
    const PREFIX: &str = "streams.";
    let fields: Vec<Field<'_>> = section.rest().collect();
    let names: HashSet<&str> = fields.iter().map(|field| &field.path[PREFIX.len()..]).collect();
    let mut streams = Vec::with_capacity(fields.len());
    for field in &fields {
        let name = &field.path[PREFIX.len()..];
        if name.is_empty() {
            report.error(field.line, "streams", "expected a name before the colon");
            continue;
        }
        let sources = sources(name, field, &names, ffmpeg, report);
        streams.push(StreamConfig { name: name.to_owned(), sources });
    }
    report_circles(&streams, &fields, report);
    streams
}

fn sources(
    name: &str,
    field: &Field<'_>,
    names: &HashSet<&str>,
    ffmpeg: &FfmpegConfig,
    report: &mut Report,
) -> Vec<Source> {
    let mut sources = Vec::new();
    let mut left_out = Vec::new();
    let mut own = None;
    let mut wrong = Vec::new();
    for item in lines(field, report) {
        let mut found = report.fork();
        let outcome = item.text(&mut found).map_or(Outcome::Invalid, |text| {
            let mut context =
                Context { streams: names, ffmpeg, report: &mut found, line: item.line, key: &field.path };
            grammar::source(text, &mut context)
        });
        if found.has_errors() {
            wrong.push(found);
            continue;
        }
        report.join(found);
        match outcome {
            Outcome::Source(Source::Ffmpeg(source)) if source.upstream() == Some(name) => {
                own.get_or_insert((item, source));
            }
            Outcome::Source(source) => sources.push(source),
            Outcome::LeftOut(source) => left_out.push(Source::Unsupported(source)),
            Outcome::Invalid => {}
        }
    }
    // The other sources still show the camera.
    let is_shown = !sources.is_empty();
    for found in wrong {
        if is_shown {
            report.join_as_warnings(found, "; this source is left out");
        } else {
            report.join(found);
        }
    }
    // In go2rtc `[rtsp://…, ffmpeg:camera1#video=h264]` adds a transcoded track to the stream, for browsers that cannot show the
    // camera's own. Here ffmpeg makes H.264 of what no browser shows without being told, so there is nothing to do unless the line
    // asks for another picture.
    if let Some((item, source)) = own {
        if sources.is_empty() {
            sources.push(Source::Ffmpeg(source));
        } else if source.is_filtered() {
            let instead = format!("make it a stream of its own, such as {name}-sub");
            let text = item.text(report).unwrap_or_default();
            let message = format!(
                "{} is left out: a stream has one picture, and this would be another one; {instead}",
                quoted(&report.masked(text))
            );
            report.warning(item.line, &field.path, message);
        }
    }
    if sources.is_empty() {
        left_out.truncate(1);
        return left_out;
    }
    sources
}

/// The items of a stream's value, each a source.
fn lines<'a>(field: &Field<'a>, report: &mut Report) -> Vec<Field<'a>> {
    match field.node.value {
        Value::Map(_) => {
            let mut section = Section::of(Some(field), &field.path, report);
            let url = section.field("url", report);
            section.finish(&[], report);
            url.iter().flat_map(Field::items).collect()
        }
        _ => field.items(),
    }
}

/// Reports every cycle of streams that read each other once, as a → b → a.
fn report_circles(streams: &[StreamConfig], fields: &[Field<'_>], report: &mut Report) {
    let by_name: HashMap<&str, &StreamConfig> =
        streams.iter().map(|stream| (stream.name.as_str(), stream)).collect();
    let reads = |name: &str| -> Vec<&str> {
        let sources = by_name.get(name).map_or(&[][..], |stream| &stream.sources);
        sources
            .iter()
            .filter_map(|source| match source {
                Source::Ffmpeg(source) => source.upstream(),
                _ => None,
            })
            .collect()
    };
    let mut done: HashSet<&str> = HashSet::new();
    for start in streams {
        // The path from `start` to the current stream, each with the upstream streams that are yet to be searched. The search
        // is not recursive, so that a long chain cannot overflow the stack.
        let mut way: Vec<(&str, Vec<&str>)> = Vec::new();
        if !done.contains(start.name.as_str()) {
            way.push((&start.name, reads(&start.name)));
        }
        let mut on_the_way: HashSet<&str> = way.iter().map(|(name, _)| *name).collect();
        while let Some((name, next)) = way.last_mut() {
            let Some(upstream) = next.pop() else {
                done.insert(name);
                on_the_way.remove(name);
                way.pop();
                continue;
            };
            if on_the_way.contains(upstream) {
                let circle: Vec<&str> =
                    way.iter().map(|(name, _)| *name).skip_while(|name| *name != upstream).collect();
                report_circle(&circle, fields, report);
            } else if let Some((upstream, _)) = by_name.get_key_value(upstream)
                && !done.contains(upstream)
            {
                on_the_way.insert(upstream);
                way.push((upstream, reads(upstream)));
            }
        }
    }
}

fn report_circle(circle: &[&str], fields: &[Field<'_>], report: &mut Report) {
    let Some(first) = circle.first() else { return };
    let Some(field) = fields.iter().find(|field| field.path.strip_prefix("streams.") == Some(first)) else {
        return;
    };
    let way: Vec<&str> = circle.iter().chain([first]).copied().collect();
    field.error(
        report,
        format!("reads itself in a circle: {}; expected a camera at its end", way.join(" → ")),
    );
}
