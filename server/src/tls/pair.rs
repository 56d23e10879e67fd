//! Reads a certificate and its key, and says what is wrong with them without a word of what they contain.

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;
use std::{fs, io};

use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{Error, ServerConfig};

use crate::config::{Pem, PemSource, TlsConfig};

const CERT: &str = "api.tls_cert";
const KEY: &str = "api.tls_key";

/// Why a certificate and its key cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{key}: {message}")]
pub struct PairError {
    /// The key of the config that is wrong.
    pub key: &'static str,
    /// Its line in the config.
    pub line: usize,
    pub message: String,
}

/// Whether the server can use this certificate and key.
pub fn check(config: &TlsConfig) -> Result<(), PairError> {
    load(config).map(|_| ())
}

/// The certificate and the key as they are now.
pub(super) fn load(config: &TlsConfig) -> Result<ServerConfig, PairError> {
    let of_cert = |message: String| PairError { key: CERT, line: config.cert.line, message };
    let of_key = |message: String| PairError { key: KEY, line: config.key.line, message };
    let chain = certificates(&read(&config.cert).map_err(of_cert)?).map_err(of_cert)?;
    let key = private_key(&read(&config.key).map_err(of_key)?).map_err(of_key)?;
    let provider = Arc::new(ring::default_provider());
    let versions = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let fits = versions.and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key));
    let mut usable = fits.map_err(|error| match error {
        Error::InvalidCertificate(_) => {
            of_cert("expected an X.509 certificate, found a damaged one".to_owned())
        }
        Error::InconsistentKeys(_) => {
            of_key(format!("expected the key of the certificate in {CERT}, found another one's"))
        }
        _ => of_key("expected an RSA, ECDSA or Ed25519 key, found one that cannot be used".to_owned()),
    })?;
    usable.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(usable)
}

fn read(pem: &Pem) -> Result<Cow<'_, [u8]>, String> {
    match &pem.source {
        PemSource::Text(text) => Ok(Cow::Borrowed(text.as_bytes())),
        PemSource::File(path) => fs::read(path).map(Cow::Owned).map_err(|error| unreadable(path, &error)),
    }
}

/// The path is not part of the message: it may be a key that was pasted without its lines.
fn unreadable(path: &Path, error: &io::Error) -> String {
    let hint =
        if path.is_relative() { " (a relative path begins at the server's working directory)" } else { "" };
    format!("expected PEM text or the path of a PEM file that can be read{hint}: {error}")
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    // An error of the reader may quote what it has read.
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let chain = found.map_err(|_| "expected a certificate in PEM, found text that is damaged".to_owned())?;
    if chain.is_empty() {
        return Err("expected a certificate in PEM (-----BEGIN CERTIFICATE-----), found none".to_owned());
    }
    Ok(chain)
}

fn private_key(pem: &[u8]) -> Result<PrivateKeyDer<'static>, String> {
    PrivateKeyDer::from_pem_slice(pem).map_err(|_| {
        let encrypted = pem.windows(9).any(|part| part == b"ENCRYPTED");
        let found = if encrypted { "one that is encrypted" } else { "none" };
        format!(
            "expected a private key in PEM (-----BEGIN PRIVATE KEY-----) without a password, found {found}"
        )
    })
}
