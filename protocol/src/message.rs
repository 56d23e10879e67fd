//! Messages as JSON text frames, read and written in both framings.
//!
//! A frame is read in two steps: its `type` first, then the one struct that this type names, straight from the text. This
//! needs no intermediate JSON tree and, unlike serde's tagged enums, lets an error name the field it is about.

use std::borrow::Cow;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{ErrorCode, server};

/// The namespace of this protocol; other types on the same socket belong to other protocols.
pub(crate) const NAMESPACE: &str = "multistream/";

/// Where the fields of a message stand in its frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Framing {
    /// Every field beside `type`.
    #[default]
    Flat,
    /// Every field inside `value`, as go2rtc frames its messages.
    Enveloped,
}

/// Declares one direction's messages: an enum with a variant per row, and what follows from the rows.
///
/// A row is `Variant = "type" (field)`; the field, if there is one, holds the request's id. `unknown` names the method of
/// [`Frame`] that says what becomes of a type without a row.
macro_rules! messages {
    (
        $(#[$doc:meta])*
        pub enum $name:ident, unknown: $unknown:ident {
            $($(#[$row:meta])* $variant:ident = $wire:literal $(($id:ident))?,)+
        }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq)]
        pub enum $name { $($(#[$row])* $variant($variant),)+ }

        impl $name {
            /// Every `type` of this direction, in the order of the documentation.
            pub const TYPES: &[&str] = &[$($wire,)+];

            /// The `type` of this message.
            pub const fn kind(&self) -> &'static str {
                match self { $($name::$variant(_) => $wire,)+ }
            }

            /// The id of the request that this is, or that this answers.
            pub fn request_id(&self) -> Option<&str> {
                match self {
                    $($name::$variant(_message) => {
                        #[allow(unused_mut, unused_assignments, reason = "rows without an id")]
                        let mut id: Option<&str> = None;
                        $(id = $crate::message::RequestId::get(&_message.$id);)?
                        id
                    })+
                }
            }

            /// This message as a text frame.
            pub fn to_text(&self, framing: $crate::Framing) -> String {
                match self { $($name::$variant(message) => $crate::message::write($wire, message, framing),)+ }
            }

            /// Reads a text frame. `None`: it is to be ignored, for its `type` is of another protocol on the same socket.
            ///
            /// The error is the `multistream/error` with which a server answers such a frame: it names the field that is
            /// wrong, and carries the frame's `request_id` where that could be read.
            pub fn from_text(text: &str) -> Result<Option<(Self, $crate::Framing)>, $crate::server::Error> {
                let Some(frame) = $crate::message::Frame::read(text)? else { return Ok(None) };
                let message = match frame.kind() {
                    $($wire => $name::$variant(frame.fields()?),)+
                    _ => return frame.$unknown(Self::TYPES),
                };
                Ok(Some((message, frame.framing())))
            }
        }

        #[cfg(feature = "typescript")]
        impl $name {
            /// Each `type` with the TypeScript of its fields.
            pub(crate) fn typings() -> Vec<(&'static str, String)> {
                vec![$(($wire, <$variant as ts_rs::TS>::inline(&$crate::typescript::config())),)+]
            }
        }

        $(impl From<$variant> for $name {
            fn from(message: $variant) -> Self { $name::$variant(message) }
        })+
    };
}
pub(crate) use messages;

/// A field that may hold a request's id.
pub(crate) trait RequestId {
    fn get(&self) -> Option<&str>;
}

impl RequestId for String {
    fn get(&self) -> Option<&str> {
        Some(self.as_str()).filter(|id| !id.is_empty())
    }
}

impl RequestId for Option<String> {
    fn get(&self) -> Option<&str> {
        self.as_deref().filter(|id| !id.is_empty())
    }
}

/// A text frame of which the `type` is known.
pub(crate) struct Frame<'a> {
    kind: Cow<'a, str>,
    /// The JSON object with the message's fields.
    fields: &'a str,
    framing: Framing,
}

#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow)]
    value: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Id {
    request_id: Option<String>,
}

impl<'a> Frame<'a> {
    pub(crate) fn read(text: &'a str) -> Result<Option<Self>, server::Error> {
        if !is_object(text) && serde_json::from_str::<&RawValue>(text).is_ok() {
            return Err(bad("the message is not a JSON object"));
        }
        let head: Head<'a> = serde_json::from_str(text).map_err(|error| {
            bad(if error.is_data() {
                "`type` must be a string".to_owned()
            } else {
                format!("the message is not JSON: {error}")
            })
        })?;
        let Some(kind) = head.kind else { return Err(bad("the message has no `type`")) };
        if !kind.starts_with(NAMESPACE) {
            return Ok(None);
        }
        let (fields, framing) = match head.value.map(RawValue::get) {
            Some(value) if is_object(value) => (value, Framing::Enveloped),
            _ => (text, Framing::Flat),
        };
        Ok(Some(Self { kind, fields, framing }))
    }

    pub(crate) fn kind(&self) -> &str {
        &self.kind
    }

    pub(crate) fn framing(&self) -> Framing {
        self.framing
    }

    pub(crate) fn fields<T: DeserializeOwned>(&self) -> Result<T, server::Error> {
        parse(self.fields).map_err(|(field, what)| {
            let field = field.map(|field| format!(", field `{field}`")).unwrap_or_default();
            bad(format!("`{}`{field}: {what}", self.kind)).answering(&self.request_id())
        })
    }

    /// What becomes of an unknown type of this protocol where that is the sender's mistake.
    pub(crate) fn refused<T>(&self, known: &[&str]) -> Result<Option<T>, server::Error> {
        let message = format!("unknown type `{}`; known are {}", self.kind, known.join(", "));
        Err(server::Error::new(ErrorCode::UnknownType, message).answering(&self.request_id()))
    }

    /// What becomes of it where the sender may be newer than the reader.
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "the counterpart of `refused`")]
    pub(crate) fn ignored<T>(&self, _known: &[&str]) -> Result<Option<T>, server::Error> {
        Ok(None)
    }

    fn request_id(&self) -> String {
        serde_json::from_str::<Id>(self.fields).ok().and_then(|id| id.request_id).unwrap_or_default()
    }
}

/// The error comes with the path of the field that it is about, where that is known.
#[cfg(feature = "field-names")]
fn parse<T: DeserializeOwned>(fields: &str) -> Result<T, (Option<String>, serde_json::Error)> {
    let mut json = serde_json::Deserializer::from_str(fields);
    serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        ((path != ".").then_some(path), error.into_inner())
    })
}

#[cfg(not(feature = "field-names"))]
fn parse<T: DeserializeOwned>(fields: &str) -> Result<T, (Option<String>, serde_json::Error)> {
    serde_json::from_str(fields).map_err(|error| (None, error))
}

pub(crate) fn write<T: Serialize>(kind: &str, message: &T, framing: Framing) -> String {
    // Messages are structs of strings, numbers and lists: nothing in them can fail to be written.
    let fields = serde_json::to_string(message).unwrap_or_else(|_| "{}".to_owned());
    match (framing, fields.as_str()) {
        (Framing::Enveloped, fields) => format!(r#"{{"type":"{kind}","value":{fields}}}"#),
        (Framing::Flat, "{}") => format!(r#"{{"type":"{kind}"}}"#),
        // Both are JSON objects: the fields go on where the type ends.
        (Framing::Flat, fields) => format!(r#"{{"type":"{kind}",{}"#, &fields[1..]),
    }
}

fn is_object(json: &str) -> bool {
    json.trim_start().starts_with('{')
}

fn bad(message: impl Into<String>) -> server::Error {
    server::Error::new(ErrorCode::BadMessage, message)
}
