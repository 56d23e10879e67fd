//! Why a source has ended, in the words of its stream.

use tokio::task::JoinError;
use tracing::warn;

use super::StreamError;
use crate::config::Known;
use crate::source::SourceError;

/// The end of a source's task.
pub(super) type Ended = Result<Result<(), SourceError>, JoinError>;

/// The error for people.
pub(super) fn error_of(ended: &Ended) -> StreamError {
    let for_now = |message: &str| StreamError { permanent: false, message: message.to_owned() };
    match ended {
        Ok(Ok(())) => for_now("the source has ended"),
        Ok(Err(error)) => {
            StreamError {
                permanent: error.permanent(),
                // It quotes what cameras and programs say.
                message: Known(&error.to_string()).to_string(),
            }
        }
        Err(error) if error.is_cancelled() => {
            warn!("the source did not stop in time and was dropped");
            for_now("the source did not stop in time")
        }
        Err(error) => {
            warn!(%error, "the source crashed: this is a bug");
            for_now("the source crashed: see the server's log")
        }
    }
}
