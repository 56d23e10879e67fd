//! Why a source stopped, with messages that say what to do.

use std::time::Duration;

use super::status;
use crate::media::Unplayable;

/// What is named in an error (`url`, `address`, `program`) carries no user and no password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    #[error("{address} refuses the connection: is the camera on, and is the port right?")]
    Refused { address: String },
    #[error("{address} cannot be reached: {reason}")]
    Unreachable { address: String, reason: String },
    /// The camera's answer of RTSP or HTTP.
    #[error("{url} {}", status::sentence(*.status))]
    Status { url: String, status: u16 },
    #[error("{url} sent nothing for {}", seconds(.after))]
    Silent { url: String, after: Duration },
    /// A camera that sends over UDP, and of which no packet has come.
    #[error("{url} sends over UDP, and no packet came for {}: check the firewall between", seconds(.after))]
    NoPackets { url: String, after: Duration },
    #[error("{url} offers no video")]
    NoVideo { url: String },
    /// Pictures come, but no browser shows them as they are.
    #[error("{from} sends {what}, which browsers cannot show: {advice}")]
    Unplayable { from: String, what: Unplayable, advice: String },
    #[error("{url} broke the protocol: {reason}")]
    Protocol { url: String, reason: String },
    /// The RTSP client does not take what the camera says. Others may.
    #[error("{url} broke the protocol: {reason}")]
    Misread { url: String, reason: String },
    /// A camera that was asked by ONVIF for the URL of its stream.
    #[error("{url} {reason}")]
    Onvif {
        url: String,
        reason: String,
        /// Whether asking again is useless.
        permanent: bool,
    },
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
    /// Whether another RTSP client may have pictures of the camera. `was_live` says whether this one had some.
    pub fn is_of_the_client(&self, was_live: bool) -> bool {
        match self {
            Self::Misread { .. } => true,
            Self::Status { status, .. } => status::is_about_the_request(*status),
            Self::Protocol { .. } => !was_live,
            _ => false,
        }
    }

    /// Whether the camera may have pictures over the other transport of RTP.
    pub fn is_of_the_transport(&self) -> bool {
        matches!(self, Self::Status { status: 461, .. } | Self::NoPackets { .. })
    }

    /// Whether retrying is useless until someone changes the config, the camera's settings or the machine.
    pub fn permanent(&self) -> bool {
        if let Self::Status { status, .. } = self {
            return status::permanent(*status);
        }
        matches!(
            self,
            SourceError::InputDown { permanent: true, .. }
                | SourceError::Onvif { permanent: true, .. }
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
    fn another_client_is_no_help_where_the_camera_refuses_or_is_silent() {
        let url = || "rtsp://cam/1".to_owned();
        let status = |status| SourceError::Status { url: url(), status };
        for error in [
            SourceError::Refused { address: url() },
            SourceError::Silent { url: url(), after: Duration::ZERO },
            SourceError::NoVideo { url: url() },
            status(401),
            status(403),
            status(404),
            status(453),
            status(503),
        ] {
            assert!(!error.is_of_the_client(false) && !error.is_of_the_transport(), "{error}");
        }
        assert!(status(302).is_of_the_client(false) && status(461).is_of_the_transport());
        let closed = SourceError::Protocol { url: url(), reason: String::new() };
        assert!(closed.is_of_the_client(false) && !closed.is_of_the_client(true), "cameras are restarted");
        assert!(SourceError::Misread { url: url(), reason: String::new() }.is_of_the_client(true));
    }

    #[test]
    fn wrong_credentials_are_a_permanent_error() {
        assert!(SourceError::Status { url: "rtsp://cam/1".to_owned(), status: 401 }.permanent());
    }
}
