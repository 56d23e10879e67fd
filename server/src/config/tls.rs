//! `api.tls_listen` with its certificate and key, as the file has them.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsConfig {
    pub listen: SocketAddr,
    pub cert: Pem,
    pub key: Pem,
}

/// PEM text (RFC 7468), and where the config has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pem {
    /// The line of its key in the config, from 1.
    pub line: usize,
    pub source: PemSource,
}

#[derive(Clone, PartialEq, Eq)]
pub enum PemSource {
    /// The text itself.
    Text(String),
    /// A file that has the text. It may be written anew while the server runs.
    File(PathBuf),
}

impl PemSource {
    /// As go2rtc tells them apart: text has several lines. A line that begins as PEM does is text that lost its lines.
    pub(super) fn of(value: &str) -> Self {
        if value.contains('\n') || value.starts_with("-----") {
            Self::Text(value.to_owned())
        } else {
            Self::File(PathBuf::from(value))
        }
    }
}

/// Debug output ends in logs, and what is taken for a path may be a key that was pasted without its lines.
impl fmt::Debug for PemSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text(_) => "Text(***)",
            Self::File(_) => "File(***)",
        })
    }
}
