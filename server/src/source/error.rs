//! Why a source stopped, with messages that say what to do.

use std::time::Duration;

/// What is named in an error (`url`, `address`, `program`) carries no user and no password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    #[error("{address} refuses the connection: is the camera on, and is the port right?")]
    Refused { address: String },
    #[error("{address} cannot be reached: {reason}")]
    Unreachable { address: String, reason: String },
    #[error("{url} refuses the user or the password ({status}): check them in the source's URL")]
    Unauthorized { url: String, status: u16 },
    #[error("{url} does not exist on the camera (404): check the path of the URL")]
    NotFound { url: String },
    #[error("{url} sent nothing for {}", seconds(.after))]
    Silent { url: String, after: Duration },
    #[error("{url} offers no video")]
    NoVideo { url: String },
    /// Pictures come, but no browser shows them as they are.
    #[error("{from} sends {what}, which browsers cannot show: {advice}")]
    Unplayable { from: String, what: String, advice: String },
    #[error("{url} broke the protocol: {reason}")]
    Protocol { url: String, reason: String },
    #[error("the program \"{program}\" cannot be started: {reason}")]
    CannotStart { program: String, reason: String },
    /// `said` is the end of the program's output on stderr.
    #[error("{program} ended ({status}): {said}")]
    ProgramFailed { program: String, status: String, said: String },
    #[error("{program} gave no picture for {}", seconds(.after))]
    ProgramSilent { program: String, after: Duration },
    #[error("stream \"{stream}\" gives no pictures: {reason}")]
    InputDown {
        stream: String,
        reason: String,
        /// Whether the failure of that stream is permanent.
        permanent: bool,
    },
    #[error(
        "{limit} variants of multistream.ladder run already, which is all that multistream.max_ladder allows: \
         it starts when one of them has stopped"
    )]
    LadderFull { limit: usize },
    #[error(
        "{limit} ffmpeg run already, which is all that limits.transcoders allows: it starts when one of them has stopped"
    )]
    TranscodersFull { limit: usize },
    #[error("{what} is not supported")]
    NotSupported { what: String },
    /// A sentence that says why the config cannot work.
    #[error("{reason}")]
    Unusable { reason: String },
}

impl SourceError {
    /// Whether retrying is useless until someone changes the config, the camera's settings or the machine.
    pub fn permanent(&self) -> bool {
        matches!(
            self,
            SourceError::InputDown { permanent: true, .. }
                | SourceError::Unauthorized { .. }
                | SourceError::NotFound { .. }
                | SourceError::NoVideo { .. }
                | SourceError::Unplayable { .. }
                | SourceError::CannotStart { .. }
                | SourceError::NotSupported { .. }
                | SourceError::Unusable { .. }
        )
    }
}

fn seconds(duration: &Duration) -> String {
    format!("{} s", (duration.as_secs_f64() * 10.0).round() / 10.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silent_camera_is_named_with_the_time_it_was_waited_for() {
        let error =
            SourceError::Silent { url: "rtsp://cam/1".to_owned(), after: Duration::from_millis(2500) };
        assert_eq!(error.to_string(), "rtsp://cam/1 sent nothing for 2.5 s");
        assert!(!error.permanent());
    }

    #[test]
    fn wrong_credentials_are_a_permanent_error() {
        assert!(SourceError::Unauthorized { url: "rtsp://cam/1".to_owned(), status: 401 }.permanent());
    }
}
