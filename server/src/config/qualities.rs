//! Which streams are qualities of a camera: `yard-360p` of `yard`. A dash alone says nothing, for `camera-yard` is no quality of
//! `camera`.

use std::collections::{HashMap, HashSet};

use super::{Config, Source, StreamConfig};

/// The words that name a quality where `multistream.qualities` is not set.
pub(super) const WORDS: &[&str] = &[
    "native",
    "original",
    "source",
    "main",
    "mainstream",
    "sub",
    "substream",
    "high",
    "mid",
    "medium",
    "low",
    "hq",
    "lq",
    "uhd",
    "fhd",
    "hd",
    "sd",
    "large",
    "small",
    "thumb",
    "thumbnail",
    "preview",
    "mobile",
];

impl Config {
    /// For each stream, in their order, the camera that it is a quality of and the name of the quality.
    pub fn qualities(&self) -> Vec<Option<(String, String)>> {
        of(&self.streams, &self.multistream.qualities)
    }
}

pub(super) fn of(streams: &[StreamConfig], words: &[String]) -> Vec<Option<(String, String)>> {
    let names: HashSet<&str> = streams.iter().map(|stream| &*stream.name).collect();
    // A camera that has no stream of its own is known by two qualities.
    let mut without_stream: HashMap<&str, usize> = HashMap::new();
    for name in &names {
        if let Some((camera, quality)) = name.rsplit_once('-')
            && is_quality(quality, words)
        {
            *without_stream.entry(camera).or_default() += 1;
        }
    }
    let quality_of = |stream: &StreamConfig| {
        let name = &*stream.name;
        let at_dashes = name.rmatch_indices('-').map(|(at, _)| (&name[..at], &name[at + 1..]));
        let of_a_stream = at_dashes
            .filter(|(camera, quality)| !quality.is_empty() && names.contains(camera))
            .find(|(camera, quality)| is_quality(quality, words) || reads(stream, camera));
        let of_none = || {
            name.rsplit_once('-').filter(|(camera, quality)| {
                let many = without_stream.get(camera).is_some_and(|count| *count > 1);
                !camera.is_empty() && (is_size(quality) || many && is_quality(quality, words))
            })
        };
        let (camera, quality) = of_a_stream.or_else(of_none)?;
        Some((camera.to_owned(), quality.to_owned()))
    };
    streams.iter().map(quality_of).collect()
}

fn reads(stream: &StreamConfig, camera: &str) -> bool {
    stream
        .sources
        .iter()
        .any(|source| matches!(source, Source::Ffmpeg(source) if source.upstream() == Some(camera)))
}

fn is_quality(text: &str, words: &[String]) -> bool {
    is_size(text) || words.iter().any(|word| word.eq_ignore_ascii_case(text))
}

/// `360p`, `640x360`, `4k`
fn is_size(text: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit());
    match text.split_once(['x', 'X']) {
        Some((width, height)) => is_number(width) && is_number(height),
        None => text.strip_suffix(['p', 'P', 'k', 'K']).is_some_and(is_number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The qualities of a config with these streams, as `stream=camera/quality`.
    fn found(more: &str, streams: &str) -> String {
        let text = format!("{more}\nstreams: {{{streams}}}\n");
        let (config, _) = Config::parse("m.yaml", &text, &|_| None).expect("the config is fine");
        let named = config.streams.iter().zip(config.qualities());
        let shown = named.filter_map(|(stream, quality)| {
            quality.map(|(camera, quality)| format!("{}={camera}/{quality}", stream.name))
        });
        shown.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_dash_alone_makes_no_quality() {
        assert_eq!(found("", "camera: rtsp://h/1, camera-yard: rtsp://h/2, camera-2: rtsp://h/3"), "");
        assert_eq!(
            found("", "water-main: rtsp://h/1, front-door: rtsp://h/2, a-: rtsp://h/3, -720p: rtsp://h/4"),
            ""
        );
    }

    #[test]
    fn sizes_words_and_what_reads_the_camera_are_qualities() {
        let streams = "yard: rtsp://h/1, yard-360p: rtsp://h/2, yard-640x360: rtsp://h/3, yard-4K: rtsp://h/4, \
            yard-Sub: rtsp://h/5, yard-mine: 'ffmpeg:yard#video=h264', yard-a-b: 'ffmpeg:yard#video=h264', yard-other: rtsp://h/6";
        assert_eq!(
            found("", streams),
            "yard-360p=yard/360p yard-640x360=yard/640x360 yard-4K=yard/4K yard-Sub=yard/Sub yard-mine=yard/mine yard-a-b=yard/a-b"
        );
    }

    #[test]
    fn the_words_of_the_config_replace_the_others() {
        let streams = "yard: rtsp://h/1, yard-sub: rtsp://h/2, yard-klein: rtsp://h/3, yard-90p: rtsp://h/4";
        assert_eq!(
            found("multistream: {qualities: [klein]}", streams),
            "yard-klein=yard/klein yard-90p=yard/90p"
        );
    }

    #[test]
    fn the_nearest_camera_has_the_quality_and_one_without_a_stream_has_several() {
        assert_eq!(
            found(
                "",
                "door: rtsp://h/1, door-2: rtsp://h/2, door-2-360p: rtsp://h/3, door-hall-360p: rtsp://h/4"
            ),
            "door-2-360p=door-2/360p door-hall-360p=door-hall/360p"
        );
        assert_eq!(
            found("", "yard-main: rtsp://h/1, yard-sub: rtsp://h/2"),
            "yard-main=yard/main yard-sub=yard/sub"
        );
    }
}
