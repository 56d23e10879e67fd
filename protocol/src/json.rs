//! Fields of messages, taken out of JSON objects. What is wrong is said with the path of the field and what was expected there.
//!
//! `serde` derives the writing. Its derived reading does not name the field, and made the client's WebAssembly a fifth larger
//! (docs/performance.md).

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// A JSON value. An object is a list of its few fields and not a tree as in `serde_json::Value`, which would make the client's
/// WebAssembly 7 kB larger.
#[derive(Debug, Default)]
pub(crate) enum Json {
    #[default]
    Null,
    Boolean(bool),
    Integer(i64),
    /// A number that is no integer; no message has one.
    Fraction,
    Text(String),
    List(Vec<Json>),
    Object(Fields),
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E: Error>(self, boolean: bool) -> Result<Json, E> {
        Ok(Json::Boolean(boolean))
    }

    fn visit_i64<E: Error>(self, integer: i64) -> Result<Json, E> {
        Ok(Json::Integer(integer))
    }

    fn visit_u64<E: Error>(self, integer: u64) -> Result<Json, E> {
        Ok(i64::try_from(integer).map_or(Json::Fraction, Json::Integer))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Json, E> {
        Ok(Json::Fraction)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Json, E> {
        Ok(Json::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Json, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element()? {
            values.push(value);
        }
        Ok(Json::List(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Json, A::Error> {
        let mut fields = Fields::default();
        while let Some(field) = object.next_entry()? {
            fields.values.push(field);
        }
        Ok(Json::Object(fields))
    }
}

/// The fields of an object. Those that nobody reads are ignored: a later version may know more.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    pub(crate) values: Vec<(String, Json)>,
    /// The first one that `read` found.
    fault: Option<Fault>,
}

impl Fields {
    pub(crate) fn of(value: Json) -> Result<Self, Fault> {
        match value {
            Json::Object(fields) => Ok(fields),
            other => Err(Fault::new(AN_OBJECT, &other)),
        }
    }

    /// The value of a field, if it is there. Of several with one name the first counts.
    pub(crate) fn get(&self, name: &str) -> Option<&Json> {
        self.values.iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    #[must_use]
    pub(crate) fn with(mut self, name: &str, value: Json) -> Self {
        self.values.push((name.to_owned(), value));
        self
    }

    pub(crate) fn take(&mut self, name: &str) -> Option<Json> {
        let index = self.values.iter().position(|(key, _)| key == name)?;
        Some(self.values.swap_remove(index).1)
    }

    /// Reads a field. What is wrong with it is kept for [`Fields::finish`], so that a message is read in one straight line.
    pub(crate) fn read(&mut self, name: &str, field: &mut dyn Field) {
        let read = match self.take(name) {
            Some(value) => field.read(value),
            None if field.may_be_absent() => Ok(()),
            None => Err(Fault::missing(field.expected())),
        };
        if let Err(fault) = read {
            self.fault.get_or_insert(fault.within(name));
        }
    }

    /// The same for a field that may be absent though its type has to have a value.
    pub(crate) fn read_if_there(&mut self, name: &str, field: &mut dyn Field) {
        if self.get(name).is_some() {
            self.read(name, field);
        }
    }

    pub(crate) fn finish(self) -> Result<(), Fault> {
        self.fault.map_or(Ok(()), Err)
    }
}

/// A value that is not what a message has at this place. In a box, for the way of the value that is right.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fault(Box<Place>);

#[derive(Debug, PartialEq, Eq)]
struct Place {
    /// `slots[1].stream`.
    path: String,
    expected: &'static str,
    /// A noun, or nothing where the field is missing.
    found: Option<&'static str>,
}

impl Fault {
    pub(crate) fn new(expected: &'static str, found: &Json) -> Self {
        let found = match found {
            Json::Null => "null",
            Json::Boolean(_) => "a boolean",
            Json::Integer(_) | Json::Fraction => "a number",
            Json::Text(_) => "a string",
            Json::List(_) => "a list",
            Json::Object(_) => "an object",
        };
        Self(Box::new(Place { path: String::new(), expected, found: Some(found) }))
    }

    fn missing(expected: &'static str) -> Self {
        Self(Box::new(Place { path: String::new(), expected, found: None }))
    }

    /// The same as seen from outside: `part` is a field or an index in brackets.
    pub(crate) fn within(mut self, part: &str) -> Self {
        let path = &self.0.path;
        let dot = if path.is_empty() || path.starts_with('[') { "" } else { "." };
        self.0.path = [part, dot, path].concat();
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place { path, expected, found } = &*self.0;
        match found {
            Some(found) => write!(f, "field `{path}`: expected {expected}, found {found}"),
            None => write!(f, "field `{path}` is missing: expected {expected}"),
        }
    }
}

/// What a field of a message may be. It is read in place, over its default.
pub(crate) trait Field {
    fn read(&mut self, value: Json) -> Result<(), Fault>;

    /// A noun for people.
    fn expected(&self) -> &'static str;

    /// Whether its default is what a field that is not there stands for.
    fn may_be_absent(&self) -> bool {
        false
    }
}

impl Field for String {
    fn read(&mut self, value: Json) -> Result<(), Fault> {
        match value {
            Json::Text(text) => *self = text,
            other => return Err(Fault::new(self.expected(), &other)),
        }
        Ok(())
    }

    fn expected(&self) -> &'static str {
        "a string"
    }
}

impl Field for bool {
    fn read(&mut self, value: Json) -> Result<(), Fault> {
        match value {
            Json::Boolean(boolean) => *self = boolean,
            other => return Err(Fault::new(self.expected(), &other)),
        }
        Ok(())
    }

    fn expected(&self) -> &'static str {
        "true or false"
    }

    fn may_be_absent(&self) -> bool {
        true
    }
}

macro_rules! integers {
    ($($integer:ty = $expected:literal,)+) => {
        $(impl Field for $integer {
            fn read(&mut self, value: Json) -> Result<(), Fault> {
                let integer = if let Json::Integer(integer) = value { integer.try_into().ok() } else { None };
                *self = integer.ok_or_else(|| Fault::new(self.expected(), &value))?;
                Ok(())
            }

            fn expected(&self) -> &'static str {
                $expected
            }
        })+
    };
}

integers! {
    i32 = "an integer of 32 bits",
    u32 = "an integer from 0 to 4294967295",
    u16 = "an integer from 0 to 65535",
}

impl<T: Field + Default> Field for Option<T> {
    fn read(&mut self, value: Json) -> Result<(), Fault> {
        if matches!(value, Json::Null) { Ok(()) } else { self.insert(T::default()).read(value) }
    }

    fn expected(&self) -> &'static str {
        T::default().expected()
    }

    fn may_be_absent(&self) -> bool {
        true
    }
}

impl<T: Field + Default> Field for Vec<T> {
    fn read(&mut self, value: Json) -> Result<(), Fault> {
        let Json::List(values) = value else { return Err(Fault::new(self.expected(), &value)) };
        for (index, value) in values.into_iter().enumerate() {
            self.push(T::default());
            self[index].read(value).map_err(|fault| fault.within(&format!("[{index}]")))?;
        }
        Ok(())
    }

    fn expected(&self) -> &'static str {
        "a list"
    }
}

pub(crate) const AN_OBJECT: &str = "an object";

/// Reads a struct field by field: `fields!(Offer { request_id = default, sdp })`. `= default` is for a field that may be absent
/// though its type has to have a value.
macro_rules! fields {
    ($name:ident { $($(#[$meta:meta])* $field:ident $(= $default:ident)?),* }) => {
        impl $crate::json::Field for $name {
            fn read(&mut self, value: $crate::json::Json) -> Result<(), $crate::json::Fault> {
                #[allow(unused_mut, reason = "structs without fields")]
                let mut fields = $crate::json::Fields::of(value)?;
                $($(#[$meta])* $crate::json::fields!(@read fields, stringify!($field), &mut self.$field $(, $default)?);)*
                fields.finish()
            }

            fn expected(&self) -> &'static str {
                $crate::json::AN_OBJECT
            }
        }
    };
    (@read $fields:ident, $name:expr, $field:expr) => { $fields.read($name, $field) };
    (@read $fields:ident, $name:expr, $field:expr, default) => { $fields.read_if_there($name, $field) };
}
pub(crate) use fields;
