//! Remembers which sources of a stream ffmpeg has to make playable, and decides whether it shall.

use std::time::Instant;

use super::remembered::Remembered;
use crate::config::{MultistreamConfig, Source, Unshowable};
use crate::media::Unplayable;
use crate::source::{self, SourceError, Way};

/// What the config wants.
#[derive(Debug, Clone, Copy)]
pub(super) struct Policy {
    pub(super) b_frames: Unshowable,
    pub(super) other: Unshowable,
}

#[derive(Debug)]
pub(super) struct Remake {
    policy: Policy,
    /// What each source sends, where ffmpeg encodes it again.
    encoded: Remembered<Unplayable>,
}

impl Policy {
    pub(super) fn of(config: &MultistreamConfig) -> Self {
        Self { b_frames: config.b_frames, other: config.unplayable }
    }
}

impl Remake {
    pub(super) fn new(policy: Policy, sources: usize) -> Self {
        Self { policy, encoded: Remembered::new(sources) }
    }

    pub(super) fn way(&mut self, index: usize, now: Instant) -> Way {
        if self.encoded.at_start(index, now).is_some() { Way::AsH264 } else { Way::AsItIs }
    }

    /// Whether ffmpeg is to make the pictures of this source from now on, since a browser cannot show `what` it sends.
    pub(super) fn begin(&mut self, index: usize, source: &Source, what: &Unplayable, now: Instant) -> bool {
        let policy = match what {
            Unplayable::Bidirectional => self.policy.b_frames,
            Unplayable::Format(_) | Unplayable::Codec(_) => self.policy.other,
        };
        let is_new = self.encoded.get(index).is_none();
        let can = policy == Unshowable::Transcode && is_new && source::as_h264(source).is_some();
        if can {
            self.encoded.set(index, what.clone(), now);
        }
        can
    }

    /// What the source sends that ffmpeg encodes again.
    pub(super) fn reason(&self, index: usize) -> Option<&Unplayable> {
        self.encoded.get(index)
    }

    /// A source has failed. Where that is the camera's doing, it may have been given other settings, and is tried as it is.
    pub(super) fn failed(&mut self, index: usize, error: &SourceError) {
        let is_ours = matches!(
            error,
            SourceError::TranscodersFull { .. }
                | SourceError::LadderFull { .. }
                | SourceError::CannotStart { .. }
        );
        if !is_ours {
            self.encoded.take(index);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::remembered::FOR;
    use super::*;
    use crate::config::{ExecSource, FfmpegInput, FfmpegSource};

    fn remake(other: Unshowable) -> Remake {
        Remake::new(Policy { b_frames: Unshowable::Transcode, other }, 2)
    }

    fn mjpeg() -> Unplayable {
        Unplayable::Codec("MJPEG".to_owned())
    }

    fn camera() -> Source {
        Source::Exec(ExecSource::new(vec!["cat".to_owned()]))
    }

    #[test]
    fn a_source_is_encoded_until_it_fails_or_an_hour_is_over() {
        let (mut remake, now) = (remake(Unshowable::Transcode), Instant::now());
        assert_eq!(remake.way(1, now), Way::AsItIs);
        assert!(remake.begin(1, &camera(), &mjpeg(), now));
        assert!(!remake.begin(1, &camera(), &mjpeg(), now), "it is encoded, and still cannot be shown");
        assert_eq!((remake.way(1, now), remake.way(0, now)), (Way::AsH264, Way::AsItIs));
        remake.failed(1, &SourceError::TranscodersFull { limit: 1 });
        assert_eq!(remake.reason(1), Some(&mjpeg()));
        remake.failed(1, &SourceError::NoVideo { url: "a".to_owned() });
        assert_eq!(remake.reason(1), None);
        assert!(remake.begin(1, &camera(), &mjpeg(), now));
        assert_eq!(remake.way(1, now + FOR + Duration::from_secs(1)), Way::AsItIs);
    }

    #[test]
    fn what_the_config_refuses_or_encodes_already_is_not_encoded() {
        let (mut remake, now) = (remake(Unshowable::Refuse), Instant::now());
        assert!(!remake.begin(0, &camera(), &mjpeg(), now));
        assert!(remake.begin(0, &camera(), &Unplayable::Bidirectional, now));
        let encoded = FfmpegSource {
            video: vec!["h264".to_owned()],
            ..FfmpegSource::new(FfmpegInput::Url("http://h/1".to_owned()))
        };
        assert!(!remake.begin(1, &Source::Ffmpeg(encoded), &Unplayable::Bidirectional, now));
    }
}
