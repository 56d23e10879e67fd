//! How long a source may be silent before it counts as failed.

use std::time::Duration;

use super::{FfmpegConfig, Source};

/// A camera that answers nothing for this long is away. A program may be slow without having failed.
const CAMERA: Duration = Duration::from_secs(5);
const PROGRAM: Duration = Duration::from_secs(10);
/// A program opens a device, waits for another machine or loads a model before its first picture.
const PROGRAM_STARTS: Duration = Duration::from_secs(30);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Until the first picture.
    pub start: Duration,
    /// Between two pictures, and for an answer of a camera.
    pub silence: Duration,
}

impl Source {
    /// What the source's own parameters say, or else the config, or else what suits its kind.
    pub fn patience(&self, config: &FfmpegConfig) -> Patience {
        let (start, silence) = match self {
            Self::Rtsp(source) | Self::Onvif(source) => (source.start_timeout, source.timeout),
            Self::Ffmpeg(source) => (source.start_timeout, source.timeout),
            Self::Exec(source) => (source.start_timeout, source.timeout),
            Self::Unsupported(_) => (None, None),
        };
        let is_camera = matches!(self, Self::Rtsp(_) | Self::Onvif(_));
        let silence = silence.or(config.timeout).unwrap_or(if is_camera { CAMERA } else { PROGRAM });
        // A camera that has said that it plays is as quick as its answers.
        let of_kind = if is_camera { silence } else { PROGRAM_STARTS };
        Patience { start: start.or(config.start_timeout).unwrap_or(of_kind), silence }
    }
}

impl Patience {
    /// For what comes next: the first picture or a later one.
    pub fn next(&self, has_begun: bool) -> Duration {
        if has_begun { self.silence } else { self.start }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    /// The seconds for the start and for silence of a source, with this in the section `ffmpeg:`.
    fn seconds(ffmpeg: &str, source: &str) -> (u64, u64) {
        let text = format!("ffmpeg: {{{ffmpeg}}}\nstreams:\n  a: {source}\n");
        let (config, warnings) = Config::parse("m.yaml", &text, &|_| None).expect("the config is fine");
        assert_eq!(warnings, []);
        let Patience { start, silence } = config.streams[0].sources[0].patience(&config.ffmpeg);
        (start.as_secs(), silence.as_secs())
    }

    #[test]
    fn a_program_has_30_seconds_for_its_first_picture_and_10_for_others_and_a_camera_5() {
        for source in ["exec:cat -", "http://h/1", "ffmpeg:virtual?video"] {
            assert_eq!(seconds("", source), (30, 10), "{source}");
        }
        for source in ["rtsp://h/1", "onvif://h"] {
            assert_eq!(seconds("", source), (5, 5), "{source}");
        }
    }

    #[test]
    fn the_config_and_then_the_source_say_otherwise_for_every_kind() {
        for source in ["exec:cat -", "http://h/1", "ffmpeg:virtual?video", "rtsp://h/1"] {
            assert_eq!(seconds("start_timeout: 60, timeout: 3", source), (60, 3), "{source}");
            let own = format!("{source}#starttimeout=40#timeout=4");
            assert_eq!(seconds("start_timeout: 60, timeout: 3", &own), (40, 4), "{own}");
        }
    }
}
