//! The keys `api.tls_listen`, `api.tls_cert` and `api.tls_key`.

use crate::config::problem::Report;
use crate::config::reader::{Field, Section};
use crate::config::value::{LISTEN, listen};
use crate::config::{Pem, PemSource, TlsConfig};

/// Reads certificate and key for the address of `api.tls_listen`; an empty one switches TLS off.
pub(super) fn read(
    section: &mut Section<'_>,
    address: Option<&Field<'_>>,
    report: &mut Report,
) -> Option<TlsConfig> {
    let cert = section.field("tls_cert", report);
    let key = section.field("tls_key", report);
    let Some(address) = address.filter(|field| !field.is_empty_text()) else {
        for field in [cert, key].into_iter().flatten() {
            field.warning(report, "has no effect without api.tls_listen");
        }
        return None;
    };
    if cert.is_none() || key.is_none() {
        address.error(
            report,
            "expected api.tls_cert and api.tls_key beside it: a certificate and its key, each as PEM text or as the path of a \
             PEM file",
        );
    }
    let listen = address.parse(report, LISTEN, listen);
    let [cert, key] = [cert, key].map(|field| pem(&field?, report));
    Some(TlsConfig { listen: listen?, cert: cert?, key: key? })
}

/// Reads PEM text or a path. It does not use `parse`, which quotes the value in its message.
fn pem(field: &Field<'_>, report: &mut Report) -> Option<Pem> {
    let text = field.text(report)?;
    if text.trim().is_empty() {
        field.error(report, "expected PEM text or the path of a PEM file, found nothing");
        return None;
    }
    Some(Pem { line: field.line, source: PemSource::of(text) })
}
