//! The tokens of the config: finds what a client's token grants.

use std::borrow::Cow;
use std::fs;
use std::time::SystemTime;

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::Grant;
use super::signed::{self, Verifier};
use crate::config::{AccessToken, ApiConfig, Pem, PemSource, TokenValue};

/// Why a token lets nobody in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    #[error("this server does not know the token")]
    Invalid,
    /// It was right, and its time is over.
    #[error("the token has expired")]
    Expired,
    /// Signed by a known key, with claims that this server does not understand.
    #[error("the token is signed by a known key, but its claims are not as expected: {0}")]
    Claims(String),
}

/// A token or key of the config that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{key}: {message}")]
pub struct AccessError {
    /// The key of the config that is wrong.
    pub key: String,
    /// Its line in the config.
    pub line: usize,
    pub message: String,
}

/// Every token that lets somebody in.
#[derive(Debug, Default)]
pub struct Tokens {
    /// SHA-256 of a token, and what it grants.
    known: Vec<([u8; 32], Grant)>,
    keys: Vec<Verifier>,
}

impl Tokens {
    /// Reads the files that the config names.
    pub fn load(api: &ApiConfig) -> Result<Self, AccessError> {
        let mut known: Vec<_> = api.token.iter().map(|token| (hash(token), Grant::ALL)).collect();
        for (index, token) in api.tokens.iter().enumerate() {
            let AccessToken { line, value, streams, actions } = token;
            let value = match value {
                TokenValue::Sha256(hash) => *hash,
                TokenValue::File(path) => {
                    let wrong = |message| {
                        let key = format!("api.tokens[{index}].file");
                        AccessError { key, line: *line, message }
                    };
                    let text = fs::read_to_string(path)
                        .map_err(|error| wrong(format!("cannot read {}: {error}", path.display())))?;
                    // Editors end a file with a new line.
                    let text = text.trim();
                    if text.is_empty() {
                        return Err(wrong(format!("expected a token in {}, found nothing", path.display())));
                    }
                    hash(text)
                }
            };
            known.push((value, Grant::new(streams.iter().map(String::as_str), actions, None)));
        }
        let keys = api.view_keys.iter().enumerate().map(|(index, key)| {
            Verifier::new(key).map_err(|message| AccessError {
                key: format!("api.view_keys[{index}].pem"),
                line: key.line,
                message,
            })
        });
        Ok(Self { known, keys: keys.collect::<Result<_, _>>()? })
    }

    /// What a token grants now.
    pub fn grant(&self, token: &str, now: SystemTime) -> Result<Grant, TokenError> {
        let given = hash(token);
        // Each is compared, in constant time: how long it takes tells nothing.
        let mut found = None;
        for (known, grant) in &self.known {
            if known.ct_eq(&given).into() {
                found = Some(grant);
            }
        }
        match found {
            Some(grant) => Ok(grant.clone()),
            None => signed::grant(&self.keys, token, now).unwrap_or(Err(TokenError::Invalid)),
        }
    }
}

fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

pub(super) fn text_of(pem: &Pem) -> Result<Cow<'_, str>, String> {
    match &pem.source {
        PemSource::Text(text) => Ok(Cow::Borrowed(text)),
        PemSource::File(path) => fs::read_to_string(path)
            .map(Cow::Owned)
            .map_err(|error| format!("cannot read {}: {error}", path.display())),
    }
}
