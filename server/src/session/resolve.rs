//! Finds the stream that a client's request for a slot names. That is done once, when the request arrives; from then on the
//! slot uses the resulting `StreamName`.

use multistream_protocol::{ErrorCode, client, stream_name};

use crate::slot::{Reason, Target, Wanted};
use crate::stream::{Registry, ResolveError};

/// The refusal of a request for a stream that does not exist.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) wanted: Wanted,
    pub(super) reason: Reason,
}

/// The stream that `request` names.
pub(super) fn resolve(registry: &Registry, request: &client::SlotRequest) -> Result<Target, Refusal> {
    let client::SlotRequest { stream, quality, .. } = request;
    match registry.resolve(stream, quality.as_deref()) {
        Ok(name) => Ok(Target { name, quality: quality.clone() }),
        Err(error) => {
            let name = stream_name(stream, quality.as_deref());
            Err(Refusal {
                wanted: Wanted::Unknown { name, quality: quality.clone() },
                reason: Reason { code: code_of(&error), message: error.to_string() },
            })
        }
    }
}

/// The stream that was requested, whether it exists or not.
pub(super) fn wanted(resolved: &Result<Target, Refusal>) -> Wanted {
    match resolved {
        Ok(target) => target.clone().into(),
        Err(refusal) => refusal.wanted.clone(),
    }
}

/// The error code for a stream that does not exist.
pub(super) fn code_of(error: &ResolveError) -> ErrorCode {
    match error {
        ResolveError::UnknownStream { .. } => ErrorCode::UnknownStream,
        ResolveError::UnknownQuality { .. } => ErrorCode::UnknownQuality,
    }
}
