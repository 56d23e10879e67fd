//! The keys `api.tokens` and `api.view_keys`.

use std::path::PathBuf;

use crate::config::problem::Report;
use crate::config::reader::{Field, Section};
use crate::config::{AccessToken, Action, Pem, PemSource, TokenValue, ViewKey, ViewKeyKind};

/// A shorter secret can be guessed by whoever has one of its tokens. HS256 wants as many bytes as its hash has (RFC 7518 §3.2).
const SECRET_BYTES: usize = 32;

const SHA256: &str = "64 hexadecimal digits, as `printf %s TOKEN | sha256sum` prints them";

pub(super) fn tokens(section: &mut Section<'_>, report: &mut Report) -> Vec<AccessToken> {
    let field = section.field("tokens", report);
    field.iter().flat_map(Field::items).filter_map(|item| token(&item, report)).collect()
}

pub(super) fn view_keys(section: &mut Section<'_>, report: &mut Report) -> Vec<ViewKey> {
    let field = section.field("view_keys", report);
    let keys: Vec<ViewKey> =
        field.iter().flat_map(Field::items).filter_map(|item| view_key(&item, report)).collect();
    let is_double =
        |key: &ViewKey| key.id.is_some() && keys.iter().filter(|other| other.id == key.id).count() > 1;
    if let (Some(field), true) = (&field, keys.iter().any(is_double)) {
        field.error(report, "expected another id for each key, found one twice");
    }
    keys
}

fn token(item: &Field<'_>, report: &mut Report) -> Option<AccessToken> {
    let mut section = Section::of(Some(item), &item.path, report);
    let hash = section.field("sha256", report);
    let file = section.field("file", report);
    let streams = streams(item, &mut section, report);
    let actions = actions(&mut section, report);
    section.finish(&[], report);
    let (line, value) = match (hash, file) {
        (Some(field), None) => {
            // Not `parse`, which quotes the value: somebody may have written the token itself here.
            let hash = sha256(field.text(report)?);
            if hash.is_none() {
                field.error(report, format!("expected {SHA256}"));
            }
            (field.line, TokenValue::Sha256(hash?))
        }
        (None, Some(field)) => (
            field.line,
            TokenValue::File(field.string(report).filter(|path| !path.is_empty()).map(PathBuf::from)?),
        ),
        _ => {
            item.error(report, "expected either sha256 (of the token) or file (that has it)");
            return None;
        }
    };
    Some(AccessToken { line, value, streams: streams?, actions: actions? })
}

/// Without them a token would be for nothing, or for everything by mistake.
fn streams(item: &Field<'_>, section: &mut Section<'_>, report: &mut Report) -> Option<Vec<String>> {
    let field = section.field("streams", report);
    let patterns: Vec<String> =
        field.iter().flat_map(Field::items).filter_map(|pattern| pattern.string(report)).collect();
    if patterns.is_empty() {
        item.error(
            report,
            "expected streams: a list of names, in which * stands for any characters; \"*\" is all",
        );
        return None;
    }
    Some(patterns)
}

fn actions(section: &mut Section<'_>, report: &mut Report) -> Option<Vec<Action>> {
    const ACTION: &str = "view (streams and their list) or metrics (/metrics)";
    let Some(field) = section.field("actions", report) else { return Some(vec![Action::View]) };
    field.items().iter().map(|item| item.parse(report, ACTION, Action::of)).collect()
}

fn sha256(text: &str) -> Option<[u8; 32]> {
    let digits = text.as_bytes();
    let mut hash = [0; 32];
    if digits.len() != 2 * hash.len() {
        return None;
    }
    let digit = |digit: u8| char::from(digit).to_digit(16);
    for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = u8::try_from(digit(pair[0])? * 16 + digit(pair[1])?).ok()?;
    }
    Some(hash)
}

fn view_key(item: &Field<'_>, report: &mut Report) -> Option<ViewKey> {
    let mut section = Section::of(Some(item), &item.path, report);
    let id = section.field("id", report).and_then(|field| field.string(report));
    let secret = section.field("secret", report);
    let public = section.field("pem", report);
    section.finish(&[], report);
    let (line, kind) = match (secret, public) {
        (Some(field), None) => {
            let secret = field.string(report)?;
            if secret.len() < SECRET_BYTES {
                let message =
                    format!("expected at least {SECRET_BYTES} bytes: make some by `openssl rand -hex 32`");
                field.error(report, message);
                return None;
            }
            (field.line, ViewKeyKind::Secret(secret))
        }
        (None, Some(field)) => {
            let pem = Pem { line: field.line, source: PemSource::of(field.text(report)?) };
            (field.line, ViewKeyKind::Public(pem))
        }
        _ => {
            item.error(
                report,
                "expected either secret (shared with who signs) or pem (the public key of who signs)",
            );
            return None;
        }
    };
    Some(ViewKey { line, id, kind })
}
