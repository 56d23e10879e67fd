//! Parses the line of a source into a [`Source`]. The grammar is go2rtc's, so that existing files can be used.

mod exec;
mod ffmpeg;
mod login;
mod own;
mod rtsp;
mod still;

use std::collections::HashSet;

use super::FfmpegConfig;
use super::problem::{Report, SOUND, quoted};
use super::source::{FfmpegInput, FfmpegSource, Source, UnsupportedSource};

/// What the line of a source may refer to, and the report for its problems.
pub(super) struct Context<'a> {
    pub(super) streams: &'a HashSet<&'a str>,
    pub(super) ffmpeg: &'a FfmpegConfig,
    pub(super) report: &'a mut Report,
    pub(super) line: usize,
    /// `streams.camera1`
    pub(super) key: &'a str,
}

pub(super) enum Outcome {
    Source(Source),
    /// The line was understood, but this server cannot show such a source. The reason was reported as a warning.
    LeftOut(UnsupportedSource),
    /// The line was reported as an error.
    Invalid,
}

impl Context<'_> {
    /// A part of the file for a message. Secrets go by their values first: what is known of their places may be a part of one.
    fn quoted(&self, text: &str) -> String {
        quoted(&self.report.masked(text))
    }

    fn invalid(&mut self, message: impl Into<String>) -> Outcome {
        self.error(message);
        Outcome::Invalid
    }

    fn error(&mut self, message: impl Into<String>) {
        self.report.error(self.line, self.key, message);
    }

    fn warning(&mut self, message: impl Into<String>) {
        self.report.warning(self.line, self.key, message);
    }

    /// A source without a picture.
    fn sound_alone(&mut self, source: &str) -> Outcome {
        self.warning(SOUND);
        let reason = "it is a source of sound alone, which is not sent yet".to_owned();
        Outcome::LeftOut(UnsupportedSource { source: self.report.masked(source), reason })
    }

    pub(super) fn left_out(&mut self, source: &str, reason: impl Into<String>) -> Outcome {
        let reason = reason.into();
        self.warning(format!("{} is left out: {reason}", self.quoted(source)));
        Outcome::LeftOut(UnsupportedSource { source: self.report.masked(source), reason })
    }
}

/// A source that a program has named, which reads no other stream.
pub(super) fn named(text: &str, ffmpeg: &FfmpegConfig) -> Option<Source> {
    let mut report = Report::new("echo");
    let (streams, key) = (HashSet::new(), "source");
    let mut context = Context { streams: &streams, ffmpeg, report: &mut report, line: 1, key };
    match source(text, &mut context) {
        Outcome::Source(source) if !report.has_errors() => Some(source),
        _ => None,
    }
}

pub(super) fn source(text: &str, context: &mut Context<'_>) -> Outcome {
    let text = text.trim();
    let scheme = text.split_once(':').map_or("", |(scheme, _)| scheme);
    if let Some(message) = login::ambiguity(text).filter(|_| !matches!(scheme, "exec" | "echo")) {
        return context.invalid(message);
    }
    if let Some(name) = own::stream(split(text).0, context)
        && !text.contains("#media=audio")
    {
        return Outcome::Source(Source::Ffmpeg(FfmpegSource::new(FfmpegInput::Stream(name))));
    }
    match scheme {
        "rtsp" => rtsp::source(text, context),
        "onvif" => rtsp::onvif(text, context),
        "ffmpeg" => ffmpeg::source(&text["ffmpeg:".len()..], text, context),
        "v4l2" => ffmpeg::device(&text["v4l2:".len()..], text, context),
        "alsa" => context.sound_alone(text),
        "exec" => exec::source(&text["exec:".len()..], text, context),
        "echo" => exec::source(&text["echo:".len()..], text, context),
        // ffmpeg opens these and copies their video.
        "rtsps" | "http" | "https" | "rtmp" | "rtmps" | "srt" | "tcp" | "udp" => copied(text, scheme, context),
        // go2rtc's name for TLS without a check of the certificate, which ffmpeg does not check by default either.
        "rtspx" => copied(&text.replacen("rtspx", "rtsps", 1), scheme, context),
        "httpx" => copied(&text.replacen("httpx", "https", 1), scheme, context),
        "rtmpx" => copied(&text.replacen("rtmpx", "rtmps", 1), scheme, context),
        scheme if is_scheme(scheme) => context.left_out(
            text,
            format!("multistream has no {scheme}: sources; many such cameras also speak rtsp://"),
        ),
        _ => context.invalid(format!(
            "expected a source such as rtsp://camera/stream, ffmpeg:camera1#video=h264 or exec:command, found {}",
            context.quoted(text)
        )),
    }
}

fn is_scheme(scheme: &str) -> bool {
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.' | '_'))
}

fn copied(text: &str, scheme: &str, context: &mut Context<'_>) -> Outcome {
    let (url, parameters) = split(text);
    if url.split_once("://").is_none_or(|(_, rest)| rest.is_empty()) {
        return context.invalid(format!("expected {scheme}://host/path, found {}", context.quoted(text)));
    }
    let mut source = FfmpegSource::new(still::input(login::encoded(url).into_owned()));
    for (key, value) in parameters {
        match key {
            "starttimeout" => source.start_timeout = timeout(key, value, context),
            "timeout" => source.timeout = timeout(key, value, context),
            "backchannel" | "media" => {}
            _ => context.warning(format!("#{key} is not supported and has no effect")),
        }
    }
    Outcome::Source(Source::Ffmpeg(source))
}

fn timeout(key: &str, value: &str, context: &mut Context<'_>) -> Option<std::time::Duration> {
    let timeout = super::value::duration(value).filter(|timeout| !timeout.is_zero());
    if timeout.is_none() {
        context.error(format!(
            "#{key}: expected {}, found {}",
            super::value::DURATION,
            context.quoted(value)
        ));
    }
    timeout
}

/// Splits at `#`, and each parameter at its first `=`. Keys may repeat; nothing is URL-decoded. A `#` in the login of a URL at the
/// start is a part of that.
fn split(text: &str) -> (&str, Vec<(&str, &str)>) {
    let url = text.split_once("://").filter(|(scheme, _)| is_scheme(scheme));
    let login = url.map_or(0, |(_, rest)| text.len() - login::split(rest).1.len());
    let ends = text[login..].find('#').map_or(text.len(), |at| login + at);
    let parameters = text[ends..].split('#').filter(|part| !part.is_empty());
    (&text[..ends], parameters.map(|part| part.split_once('=').unwrap_or((part, ""))).collect())
}

#[cfg(test)]
pub(super) mod testing {
    use super::*;

    /// Parses a line in a config with the streams `camera1` and `yard`; also returns what was reported.
    pub(in super::super) fn parse(text: &str) -> (Outcome, Vec<String>) {
        let mut report = Report::new("m.yaml");
        let streams = HashSet::from(["camera1", "x", "yard"]);
        let ffmpeg = FfmpegConfig::default();
        let mut context =
            Context { streams: &streams, ffmpeg: &ffmpeg, report: &mut report, line: 3, key: "streams.x" };
        let outcome = source(text, &mut context);
        (outcome, report.into_problems().iter().map(ToString::to_string).collect())
    }

    /// Parses a source for which nothing may be reported.
    pub(in super::super) fn valid(text: &str) -> Source {
        match parse(text) {
            (Outcome::Source(source), problems) if problems.is_empty() => source,
            (_, problems) => panic!("{text}: {problems:?}"),
        }
    }

    /// The only problem that is reported.
    pub(in super::super) fn problem(text: &str) -> String {
        let (_, mut problems) = parse(text);
        assert_eq!(problems.len(), 1, "{text}: {problems:?}");
        problems.remove(0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::testing::{parse, problem, valid};
    use super::*;

    #[test]
    fn urls_that_only_ffmpeg_opens_become_ffmpeg_sources() {
        for url in [
            "rtsps://h/1",
            "http://h/live.m3u8",
            "rtmp://h/live",
            "tcp://h:9000",
            "udp://h:9000",
            "srt://h:9000",
        ] {
            assert_eq!(valid(url).to_string(), format!("ffmpeg:{url}"));
        }
        assert_eq!(valid("rtspx://h/1").to_string(), "ffmpeg:rtsps://h/1");
    }

    #[test]
    fn a_source_that_only_go2rtc_has_is_left_out_without_its_password_in_the_warning() {
        let (outcome, problems) = parse("tapo://hunter2@10.0.0.9");
        assert!(matches!(outcome, Outcome::LeftOut(_)));
        assert!(problems[0].contains("tapo: sources") && !problems[0].contains("hunter2"), "{problems:?}");
    }

    #[test]
    fn a_text_that_is_no_source_is_an_error_with_examples() {
        assert!(problem("camera1").starts_with("m.yaml:3: streams.x: expected a source such as rtsp://"));
        assert!(matches!(parse("").0, Outcome::Invalid));
    }

    proptest! {
        #[test]
        fn no_line_panics(kind in "(rtsp://|onvif://|ffmpeg:|exec:|http://|rtspx:|)", text in any::<String>()) {
            let _ = parse(&format!("{kind}{text}"));
        }

        #[test]
        fn nothing_that_looks_like_a_source_panics(text in "(ffmpeg:|rtsp:|exec:)[a-z:/@#?=&%\"'{} 0-9-]{0,60}") {
            let _ = parse(&text);
        }
    }
}
