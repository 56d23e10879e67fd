//! Whole files of Frigate, whose part `go2rtc:` is a config of go2rtc. The rest of such a file is not read.

use std::ops::Range;

use super::problem::Report;
use super::reader::{Field, Section};
use super::yaml::{Node, Value};

const KEY: &str = "go2rtc";

/// The lines of the part, from 0, if the text is a file of Frigate.
pub(super) fn lines(text: &str) -> Option<Range<usize>> {
    // The lines that begin a part of the file.
    let mut parts = text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.starts_with([' ', '\t', '#', '-']) && !line.is_empty());
    if parts.clone().any(|(_, line)| line.starts_with("streams:")) {
        return None;
    }
    let (start, _) =
        parts.find(|(_, line)| line.split_once(':').is_some_and(|(key, _)| key.trim_end() == KEY))?;
    Some(start..parts.next().map_or(usize::MAX, |(next, _)| next))
}

/// The config in a document: the document, or the part of a file of Frigate.
pub(super) fn root<'a>(document: Option<&'a Node>, report: &mut Report) -> Section<'a> {
    if let Some(Node { value: Value::Map(entries), .. }) = document
        && let Some(part) = entries.iter().find(|entry| entry.key == KEY)
        && !entries.iter().any(|entry| entry.key == "streams")
    {
        if entries.len() > 1 {
            report.warning(
                part.line,
                KEY,
                "this is a file of Frigate: this part is read, and the rest is ignored",
            );
        }
        let field = Field { path: String::new(), line: part.line, node: &part.node };
        return Section::of(Some(&field), "", report);
    }
    Section::root(document, report)
}

#[cfg(test)]
mod tests {
    use super::super::{Config, Problems};

    const FILE: &str = "mqtt:\n  host: 10.0.0.2\n  password: '{FRIGATE_MQTT_PASSWORD}'\n\
        go2rtc:\n  streams:\n    # the yard\n    yard:\n      - rtsp://admin:{FRIGATE_RTSP_PASSWORD}@10.0.0.9/1\n\n\
        \x20   yard_sub: rtsp://${USER}:{FRIGATE_RTSP_PASSWORD}@10.0.0.9/2\n\
        \x20 webrtc:\n    candidates:\n      - 192.168.1.5:8555\n      - stun:8555\n\
        cameras:\n  yard:\n    ffmpeg:\n      inputs:\n        - path: rtsp://127.0.0.1:8554/yard\n          roles: [record]\n\
        \x20       - path: rtsp://u:${UNKNOWN}@{FRIGATE_UNKNOWN}/2\n";

    fn parse(text: &str, set: &[(&str, &str)]) -> Result<(Config, Vec<String>), Problems> {
        let lookup =
            |name: &str| set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        let (config, warnings) = Config::parse("m.yaml", text, &lookup)?;
        Ok((config, warnings.iter().map(ToString::to_string).collect()))
    }

    #[test]
    fn the_go2rtc_part_of_a_whole_file_is_read_and_one_line_says_so() {
        let (config, warnings) =
            parse(FILE, &[("FRIGATE_RTSP_PASSWORD", "hunter2"), ("USER", "admin")]).expect("it is fine");
        let expected = "m.yaml:4: warning: go2rtc: this is a file of Frigate: this part is read, and the rest is ignored";
        assert_eq!(warnings, [expected]);
        let names: Vec<&str> = config.streams.iter().map(|stream| stream.name.as_str()).collect();
        assert_eq!((names, config.webrtc.candidates.len()), (vec!["yard", "yard_sub"], 2));
        let debug = format!("{:?}", config.streams);
        assert!(debug.contains("rtsp://***@10.0.0.9/1") && !debug.contains("hunter2"), "{debug}");
    }

    #[test]
    fn problems_of_the_part_have_the_lines_of_the_whole_file() {
        let problems = parse(FILE, &[("USER", "admin")]).expect_err("the password is missing").to_string();
        let expected = "{FRIGATE_RTSP_PASSWORD}: is not set: set FRIGATE_RTSP_PASSWORD in the environment, or write \
            ${FRIGATE_RTSP_PASSWORD:default}";
        assert_eq!(problems.matches(expected).count(), 2, "{problems}");
        assert!(problems.contains(&format!("m.yaml:8: {expected}")), "{problems}");
        assert!(!problems.contains("MQTT") && !problems.contains("UNKNOWN"), "{problems}");
    }

    #[test]
    fn a_file_of_go2rtc_keeps_its_streams_whatever_else_stands_in_it() {
        let (config, warnings) =
            parse("go2rtc: {streams: {b: rtsp://h/2}}\nstreams:\n  a: rtsp://h/1\n", &[])
                .expect("it is fine");
        assert_eq!(config.streams[0].name, "a");
        assert_eq!(warnings, ["m.yaml:1: warning: go2rtc: is not a known key and has no effect"]);
        let (config, warnings) = parse("go2rtc: {streams: {b: rtsp://h/2}}\n", &[]).expect("it is fine");
        assert_eq!((config.streams.len(), warnings.len()), (1, 0));
    }
}
