//! Answers to requests. They are written here, since `WWW-Authenticate` is sent twice, which a map of headers cannot hold.

use std::fmt::Write as _;

use bytes::BytesMut;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Status(u16, &'static str);

impl Status {
    pub(super) const OK: Self = Self(200, "OK");
    pub(super) const BAD_REQUEST: Self = Self(400, "Bad Request");
    pub(super) const UNAUTHORIZED: Self = Self(401, "Unauthorized");
    pub(super) const NOT_FOUND: Self = Self(404, "Stream Not Found");
    pub(super) const METHOD_NOT_ALLOWED: Self = Self(405, "Method Not Allowed");
    pub(super) const SESSION_NOT_FOUND: Self = Self(454, "Session Not Found");
    pub(super) const NOT_IN_THIS_STATE: Self = Self(455, "Method Not Valid In This State");
    pub(super) const UNSUPPORTED_TRANSPORT: Self = Self(461, "Unsupported Transport");
    pub(super) const NOT_IMPLEMENTED: Self = Self(501, "Not Implemented");
    pub(super) const UNAVAILABLE: Self = Self(503, "Service Unavailable");
    pub(super) const VERSION: Self = Self(505, "RTSP Version Not Supported");
    pub(super) const OPTION_NOT_SUPPORTED: Self = Self(551, "Option Not Supported");
}

#[derive(Debug)]
pub(super) struct Response {
    pub(super) status: Status,
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl Response {
    pub(super) fn new(status: Status) -> Self {
        Self { status, headers: Vec::new(), body: String::new() }
    }

    /// A refusal that says why.
    pub(super) fn refusal(status: Status, sentence: impl Into<String>) -> Self {
        Self::new(status).body("text/plain; charset=utf-8", sentence.into())
    }

    pub(super) fn with(mut self, header: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((header, value.into()));
        self
    }

    pub(super) fn body(mut self, kind: &'static str, body: String) -> Self {
        self.body = body;
        self.with("Content-Type", kind)
    }

    pub(super) fn is_ok(&self) -> bool {
        self.status == Status::OK
    }

    /// Writes it as the answer to the request with this number.
    pub(super) fn write(&self, cseq: Option<&str>, out: &mut BytesMut) {
        let Status(code, reason) = self.status;
        let mut text = format!("RTSP/1.0 {code} {reason}\r\n");
        let cseq = cseq.map(|cseq| ("CSeq", cseq));
        let headers = self.headers.iter().map(|(name, value)| (*name, &**value));
        for (name, value) in cseq.into_iter().chain([("Server", "multistream")]).chain(headers) {
            // Writing to a string cannot fail.
            let _ = write!(text, "{name}: {value}\r\n");
        }
        if !self.body.is_empty() {
            let _ = write!(text, "Content-Length: {}\r\n", self.body.len());
        }
        text.push_str("\r\n");
        text.push_str(&self.body);
        out.extend_from_slice(text.as_bytes());
    }
}
