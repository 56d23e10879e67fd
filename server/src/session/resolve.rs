//! From a client's request for a slot to a stream that exists. Each request is resolved once; what comes of it is passed on.

use multistream_protocol::{ErrorCode, client, stream_name};

use crate::slot::{Reason, Target, Wanted};
use crate::stream::{Registry, ResolveError};

/// A request for a stream that does not exist.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) wanted: Wanted,
    pub(super) reason: Reason,
}

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

/// What was wanted, whether it exists or not.
pub(super) fn wanted(resolved: &Result<Target, Refusal>) -> Wanted {
    match resolved {
        Ok(target) => target.clone().into(),
        Err(refusal) => refusal.wanted.clone(),
    }
}

pub(super) fn code_of(error: &ResolveError) -> ErrorCode {
    match error {
        ResolveError::UnknownStream { .. } => ErrorCode::UnknownStream,
        ResolveError::UnknownQuality { .. } => ErrorCode::UnknownQuality,
    }
}
