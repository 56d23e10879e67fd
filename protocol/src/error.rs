//! The message that answers a request which could not be served.

use serde::Serialize;
#[cfg(feature = "typescript")]
use ts_rs::TS;

use crate::ErrorCode;
use crate::json::fields;

/// `multistream/error`: a request that could not be served. The session goes on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct Error {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub request_id: Option<String>,
    /// See [`ErrorCode`].
    pub code: String,
    /// A sentence for people. Never contains a secret.
    pub error: String,
}
fields!(Error { request_id, code, error });

impl Error {
    pub fn new(code: ErrorCode, error: impl Into<String>) -> Self {
        Self { request_id: None, code: code.to_string(), error: error.into() }
    }

    /// Names the request that this error answers; an empty id names none.
    #[must_use]
    pub fn answering(mut self, request_id: &str) -> Self {
        self.request_id = (!request_id.is_empty()).then(|| request_id.to_owned());
        self
    }
}
