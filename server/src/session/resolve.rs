//! Finds the stream that a client's request for a slot names. That is done once, when the request arrives; from then on the
//! slot uses the resulting `StreamName`.

use multistream_protocol::{ErrorCode, client, stream_name};

use crate::access::Grant;
use crate::slot::{Reason, Target, Wanted};
use crate::stream::{Registry, ResolveError, StreamName};

/// The refusal of a request for a stream that does not exist.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) wanted: Wanted,
    pub(super) reason: Reason,
}

/// The stream of this name and quality. A client is told nothing of those that it may not see: they do not exist for it.
pub(super) fn find(
    registry: &Registry,
    grant: &Grant,
    stream: &str,
    quality: Option<&str>,
) -> Result<StreamName, ResolveError> {
    let found = registry.resolve(stream, quality);
    let is_granted = match &found {
        Ok(name) => may_see(registry, grant, name),
        // It lists the qualities that there are.
        Err(ResolveError::UnknownQuality { .. }) => grant.allows(stream, stream),
        Err(ResolveError::UnknownStream { .. }) => true,
    };
    if is_granted { found } else { Err(ResolveError::UnknownStream { stream: stream_name(stream, quality) }) }
}

/// Why what a slot shows may not be seen; `None` if it may.
pub(super) fn not_granted(registry: &Registry, grant: &Grant, wanted: &Wanted) -> Option<Reason> {
    let Wanted::Known(target) = wanted else { return None };
    (!may_see(registry, grant, &target.name)).then(|| {
        let error = ResolveError::UnknownStream { stream: target.name.to_string() };
        Reason { code: code_of(&error), message: error.to_string() }
    })
}

/// Whether a client with this grant may see a stream.
pub fn may_see(registry: &Registry, grant: &Grant, name: &StreamName) -> bool {
    grant.is_for_all_streams() || grant.allows(name.as_str(), &registry.camera_of(name))
}

/// The stream that `request` names.
pub(super) fn resolve(
    registry: &Registry,
    grant: &Grant,
    request: &client::SlotRequest,
) -> Result<Target, Refusal> {
    let client::SlotRequest { stream, quality, .. } = request;
    match find(registry, grant, stream, quality.as_deref()) {
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
