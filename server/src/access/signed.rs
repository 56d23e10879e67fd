//! Tokens that are valid for a short time: JSON Web Tokens (RFC 7519), signed by the owner of one of `api.view_keys`. So a web
//! server that knows its users can hand tokens to their browsers without asking this server.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};

use super::Grant;
use super::tokens::{TokenError, text_of};
use crate::config::{Action, ViewKey, ViewKeyKind};

/// What a token is for, where it says so (`aud`).
const AUDIENCE: &str = "multistream";
/// How far the clock of who signs may be ahead (`nbf`).
const CLOCK_SKEW: Duration = Duration::from_mins(1);
/// The latest end of a token: year 9999. Later ones would overflow times.
const LATEST: f64 = 253_402_300_799.0;

/// What a token says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Claims {
    /// The end of its time, in seconds since 1970.
    pub exp: f64,
    /// The start of its time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nbf: Option<f64>,
    /// Names of streams, in which `*` stands for any characters.
    pub streams: Vec<String>,
    /// `view`, which is the default, and `metrics`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actions: Option<Vec<String>>,
}

impl Claims {
    /// Those of a token for these streams that is valid from now on.
    pub fn new(streams: Vec<String>, now: SystemTime, ttl: Duration) -> Self {
        // Whole seconds, as everybody reads them.
        Self { exp: (seconds(now) + ttl.as_secs_f64()).ceil(), nbf: None, streams, actions: None }
    }

    fn grant(&self, now: SystemTime) -> Result<Grant, TokenError> {
        let at = |seconds: f64| {
            (0.0..=LATEST).contains(&seconds).then(|| UNIX_EPOCH + Duration::from_secs_f64(seconds))
        };
        let expires_at = at(self.exp).ok_or(TokenError::Invalid)?;
        if let Some(nbf) = self.nbf
            && at(nbf).is_none_or(|nbf| nbf > now + CLOCK_SKEW)
        {
            return Err(TokenError::Invalid);
        }
        // A word that is not known is for another server, or a later version.
        let actions: Vec<Action> = match &self.actions {
            Some(words) => words.iter().filter_map(|word| Action::of(word)).collect(),
            None => vec![Action::View],
        };
        let grant = Grant::new(self.streams.iter().map(String::as_str), &actions, Some(expires_at));
        if grant.is_expired(now) { Err(TokenError::Expired) } else { Ok(grant) }
    }
}

/// A key that is ready to verify with.
#[derive(Debug)]
pub(super) struct Verifier {
    id: Option<String>,
    key: DecodingKey,
    algorithms: Vec<Algorithm>,
}

impl Verifier {
    pub(super) fn new(key: &ViewKey) -> Result<Self, String> {
        use Algorithm::{ES256, ES384, EdDSA, HS256, PS256, PS384, PS512, RS256, RS384, RS512};
        let (decoding, algorithms) = match &key.kind {
            ViewKeyKind::Secret(secret) => (DecodingKey::from_secret(secret.as_bytes()), vec![HS256]),
            ViewKeyKind::Public(pem) => {
                let text = text_of(pem)?;
                let text = text.as_bytes();
                // Each refuses the keys of the others.
                if let Ok(key) = DecodingKey::from_ed_pem(text) {
                    (key, vec![EdDSA])
                } else if let Ok(key) = DecodingKey::from_ec_pem(text) {
                    (key, vec![ES256, ES384])
                } else if let Ok(key) = DecodingKey::from_rsa_pem(text) {
                    (key, vec![RS256, RS384, RS512, PS256, PS384, PS512])
                } else {
                    return Err("expected an RSA, EC (P-256, P-384) or Ed25519 public key in PEM".to_owned());
                }
            }
        };
        Ok(Self { id: key.id.clone(), key: decoding, algorithms })
    }
}

/// What a signed token grants. `None` if it is no such token.
pub(super) fn grant(keys: &[Verifier], token: &str, now: SystemTime) -> Option<Result<Grant, TokenError>> {
    let header = jsonwebtoken::decode_header(token).ok()?;
    let named = |key: &&Verifier| header.kid.is_none() || key.id.is_none() || key.id == header.kid;
    let fitting = keys.iter().filter(named).filter(|key| key.algorithms.contains(&header.alg));
    let mut refusal = TokenError::Invalid;
    for key in fitting {
        let mut validation = Validation::new(header.alg);
        validation.set_audience(&[AUDIENCE]);
        // Checked below on this server's clock, which tests can set.
        validation.validate_exp = false;
        match jsonwebtoken::decode::<Claims>(token, &key.key, &validation) {
            Ok(data) => return Some(data.claims.grant(now)),
            Err(error) if *error.kind() == ErrorKind::InvalidSignature => {}
            // Its claims are of another kind: who has signed it does not guess.
            Err(error) => refusal = TokenError::Claims(error.to_string()),
        }
    }
    Some(Err(refusal))
}

/// Signs a token with a shared secret, the first or the named one of the config.
pub fn sign(keys: &[ViewKey], id: Option<&str>, claims: &Claims) -> Result<String, String> {
    let mut secrets = keys.iter().filter_map(|key| match &key.kind {
        ViewKeyKind::Secret(secret) => Some((&key.id, secret)),
        ViewKeyKind::Public(_) => None,
    });
    let found = secrets.find(|(known, _)| id.is_none() || known.as_deref() == id);
    let Some((id, secret)) = found else {
        return Err(match id {
            Some(id) => format!("api.view_keys has no key with the id \"{id}\" and a secret"),
            None => "api.view_keys has no key with a secret: add {secret: …}, made by `openssl rand -hex 32`"
                .to_owned(),
        });
    };
    let header = Header { kid: id.clone(), ..Header::new(Algorithm::HS256) };
    jsonwebtoken::encode(&header, claims, &EncodingKey::from_secret(secret.as_bytes()))
        .map_err(|error| format!("the token cannot be signed: {error}"))
}

fn seconds(time: SystemTime) -> f64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}
