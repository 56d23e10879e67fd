//! `api.tokens` and `api.view_keys`, as the file has them: who may see which streams.

use std::fmt;
use std::path::PathBuf;

use super::Pem;

/// What the bearer of a token may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// See the streams and their list.
    View,
    /// Read `/metrics`.
    Metrics,
}

/// A token that is valid as long as the config has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessToken {
    /// The line of what tells its value, from 1.
    pub line: usize,
    pub value: TokenValue,
    /// Names of streams, in which `*` stands for any characters.
    pub streams: Vec<String>,
    pub actions: Vec<Action>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenValue {
    /// The SHA-256 of the token: who reads the config does not learn the token.
    Sha256([u8; 32]),
    /// A file that has the token.
    File(PathBuf),
}

/// A key with which tokens are signed that are valid for a short time (JSON Web Token, RFC 7519).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewKey {
    /// The line of the secret or the public key, from 1.
    pub line: usize,
    /// `kid` in the header of a token (RFC 7515 §4.1.4).
    pub id: Option<String>,
    pub kind: ViewKeyKind,
}

#[derive(Clone, PartialEq, Eq)]
pub enum ViewKeyKind {
    /// A secret that is shared with whoever signs (HS256).
    Secret(String),
    /// The public key of whoever signs (`EdDSA`, ES256, ES384, RS256 and their kin).
    Public(Pem),
}

impl Action {
    pub const ALL: [Self; 2] = [Self::View, Self::Metrics];

    /// The word in the config and in tokens.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::Metrics => "metrics",
        }
    }

    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == word)
    }
}

/// Debug output ends in logs.
impl fmt::Debug for ViewKeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Secret(_) => "Secret(***)",
            Self::Public(_) => "Public(***)",
        })
    }
}
