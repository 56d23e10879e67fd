//! The streams that stand in for those whose codec a viewer's browser does not show: the same pictures as H.264, made by one ffmpeg
//! for all such viewers of a camera. They have names that no client can ask for, and run only while they are shown.

use std::collections::HashMap;

use crate::config::{Config, FfmpegInput, FfmpegSource, Source, StreamConfig, Unshowable};
use crate::media::{Codec, StreamName, StreamNames};

/// By the stream that each stands in for.
#[derive(Debug, Default)]
pub(super) struct StandIns {
    names: HashMap<StreamName, StreamName>,
    streams: Vec<(StreamName, StreamConfig)>,
}

impl StandIns {
    pub(super) fn of(config: &Config, names: &StreamNames) -> Self {
        if config.multistream.unplayable == Unshowable::Refuse {
            return Self::default();
        }
        let need_one = config.streams.iter().filter(|stream| codec_of(stream) != Some(Codec::H264));
        let streams: Vec<StreamConfig> = need_one
            .map(|stream| {
                let input = FfmpegInput::Stream(stream.name.clone());
                let source = FfmpegSource { video: vec!["h264".to_owned()], ..FfmpegSource::new(input) };
                let name = format!("{} (as H.264)", stream.name);
                StreamConfig { name, sources: vec![Source::Ffmpeg(source)] }
            })
            .collect();
        let hidden = StreamNames::new(streams.iter().map(|stream| (&*stream.name, None)));
        let hidden: Vec<StreamName> = hidden.iter().cloned().collect();
        let pairs = streams.iter().zip(&hidden).filter_map(|(stream, hidden)| {
            let Some(Source::Ffmpeg(source)) = stream.sources.first() else { return None };
            Some((names.get(source.upstream()?)?.clone(), hidden.clone()))
        });
        Self {
            names: pairs.collect(),
            streams: hidden.iter().cloned().zip(streams.iter().cloned()).collect(),
        }
    }

    /// What stands in for a stream.
    pub(super) fn get(&self, name: &StreamName) -> Option<&StreamName> {
        self.names.get(name)
    }

    pub(super) fn is_one(&self, name: &StreamName) -> bool {
        self.streams.iter().any(|(hidden, _)| hidden == name)
    }

    pub(super) fn streams(&self) -> impl Iterator<Item = (&StreamName, &StreamConfig)> {
        self.streams.iter().map(|(name, stream)| (name, stream))
    }

    pub(super) fn has(&self, stream: &StreamConfig) -> bool {
        self.streams.iter().any(|(_, known)| known == stream)
    }
}

/// The codec of a stream that ffmpeg encodes, as its source says it; `None` where the camera decides.
pub(super) fn codec_of(stream: &StreamConfig) -> Option<Codec> {
    let Some(Source::Ffmpeg(source)) = stream.sources.first() else { return None };
    if source.copies() {
        return None;
    }
    let video = source.video.first().map_or("h264", String::as_str);
    // `h264`, or a form of it such as `h264/vaapi`.
    let name = video.split('/').next().unwrap_or(video);
    Codec::ALL.into_iter().find(|codec| codec.to_string() == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_that_may_be_of_any_codec_have_a_stand_in_and_those_that_are_h264_have_none() {
        let text = "streams: {a: rtsp://h/1, b: 'ffmpeg:a#video=h264#height=360', c: 'ffmpeg:a#height=360', d: 'ffmpeg:a#video=vp9', \
                    e: exec:cat, f: 'ffmpeg:a#video=-c:v libx264'}";
        let (config, _) = Config::parse("test.yaml", text, &|_| None).expect("the config is fine");
        let names = super::super::names::of(&config);
        let stand_ins = StandIns::of(&config, &names);
        let has = |name: &str| stand_ins.get(names.get(name).expect("exists")).is_some();
        assert_eq!(["a", "b", "c", "d", "e", "f"].map(has), [true, false, false, true, true, true]);
        assert!(names.get("a (as H.264)").is_none());
        let mut refusing = config.clone();
        refusing.multistream.unplayable = Unshowable::Refuse;
        assert!(StandIns::of(&refusing, &names).get(names.get("a").expect("exists")).is_none());
    }
}
