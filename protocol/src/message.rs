//! Messages as JSON text frames, read and written in both framings.
//!
//! A frame is read in two steps: its `type` first, then the fields of the one struct that this type names.

use serde::Serialize;

use crate::ErrorCode;
use crate::error::Error;
use crate::json::{Field, Fields, Json};

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
                let fields = match self { $($name::$variant(message) => $crate::message::fields(message),)+ };
                $crate::message::frame(self.kind(), &fields, framing)
            }

            /// Reads a text frame. `None`: it is to be ignored, for its `type` is of another protocol on the same socket.
            ///
            /// The error is the `multistream/error` with which a server answers such a frame: it names the field that is
            /// wrong, and carries the frame's `request_id` where that could be read.
            pub fn from_text(text: &str) -> Result<Option<(Self, $crate::Framing)>, $crate::error::Error> {
                let Some(frame) = $crate::message::Frame::read(text)? else { return Ok(None) };
                let mut message = match frame.kind() {
                    $($wire => $name::$variant($variant::default()),)+
                    _ => return frame.$unknown(Self::TYPES),
                };
                let framing = frame.framing();
                frame.fields(match &mut message { $($name::$variant(fields) => fields,)+ })?;
                Ok(Some((message, framing)))
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
pub(crate) struct Frame {
    kind: String,
    /// The JSON object with the message's fields.
    fields: Fields,
    framing: Framing,
}

impl Frame {
    pub(crate) fn read(text: &str) -> Result<Option<Self>, Error> {
        let frame =
            serde_json::from_str(text).map_err(|error| bad(format!("the message is not JSON: {error}")))?;
        let Json::Object(mut frame) = frame else { return Err(bad("the message is not a JSON object")) };
        let kind = match frame.take("type") {
            Some(Json::Text(kind)) => kind,
            Some(_) => return Err(bad("`type` must be a string")),
            None => return Err(bad("the message has no `type`")),
        };
        if !kind.starts_with(NAMESPACE) {
            return Ok(None);
        }
        let (fields, framing) = match frame.take("value") {
            Some(Json::Object(fields)) => (fields, Framing::Enveloped),
            Some(value) => (frame.with("value", value), Framing::Flat),
            None => (frame, Framing::Flat),
        };
        Ok(Some(Self { kind, fields, framing }))
    }

    pub(crate) fn kind(&self) -> &str {
        &self.kind
    }

    pub(crate) fn framing(&self) -> Framing {
        self.framing
    }

    pub(crate) fn fields(self, message: &mut dyn Field) -> Result<(), Error> {
        let request_id = self.request_id();
        let read = message.read(Json::Object(self.fields));
        read.map_err(|fault| bad(format!("`{}`, {fault}", self.kind)).answering(&request_id))
    }

    /// What becomes of an unknown type of this protocol where that is the sender's mistake.
    pub(crate) fn refused<T>(&self, known: &[&str]) -> Result<Option<T>, Error> {
        let message = format!("unknown type `{}`; known are {}", self.kind, known.join(", "));
        Err(Error::new(ErrorCode::UnknownType, message).answering(&self.request_id()))
    }

    /// What becomes of it where the sender may be newer than the reader.
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "the counterpart of `refused`")]
    pub(crate) fn ignored<T>(&self, _known: &[&str]) -> Result<Option<T>, Error> {
        Ok(None)
    }

    fn request_id(&self) -> String {
        match self.fields.get("request_id") {
            Some(Json::Text(id)) => id.clone(),
            _ => String::new(),
        }
    }
}

/// The fields as a JSON object.
pub(crate) fn fields<T: Serialize>(message: &T) -> String {
    // Messages are structs of strings, numbers and lists: nothing in them can fail to be written.
    serde_json::to_string(message).unwrap_or_else(|_| "{}".to_owned())
}

pub(crate) fn frame(kind: &str, fields: &str, framing: Framing) -> String {
    let (before, after, end) = match (framing, fields.strip_prefix('{')) {
        (Framing::Enveloped, _) => (r#"","value":"#, fields, "}"),
        // Both are JSON objects: the fields go on where the type ends.
        (Framing::Flat, Some(fields)) if fields != "}" => (r#"","#, fields, ""),
        (Framing::Flat, _) => (r#""}"#, "", ""),
    };
    [r#"{"type":""#, kind, before, after, end].concat()
}

fn bad(message: impl Into<String>) -> Error {
    Error::new(ErrorCode::BadMessage, message)
}
