//! JSON as TUF signs it: no name twice in an object, no fractions; and the one way to write it that is signed.
//!
//! Source: "Canonical JSON" of the One Laptop per Child project, which the TUF specification (4.2) names.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::TufError;

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Json {
    Null,
    Bool(bool),
    Number(i64),
    Text(String),
    List(Vec<Json>),
    Object(Object),
}

/// By the order of UTF-8, which is that of code points.
pub(super) type Object = BTreeMap<String, Json>;

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reading)
    }
}

const NUMBER: &str = "$serde_json::private::Number";

struct Reading;

impl<'de> Visitor<'de> for Reading {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON without fractions")
    }

    fn visit_unit<E: Error>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Number(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Json, E> {
        let value = i64::try_from(value).map_err(|_| E::custom("a number is too large"))?;
        Ok(Json::Number(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Json, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element()? {
            values.push(value);
        }
        Ok(Json::List(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Json, A::Error> {
        let mut values = Object::new();
        while let Some((name, value)) = object.next_entry::<String, Json>()? {
            // How serde_json hands on fractions and what is too large, where some crate asks it for arbitrary precision.
            if name == NUMBER {
                return Err(A::Error::custom("a number is none of 64 bits"));
            }
            if values.insert(name, value).is_some() {
                return Err(A::Error::custom("a name stands twice in an object"));
            }
        }
        Ok(Json::Object(values))
    }
}

impl Json {
    /// Reads a document. What lies deeper than serde_json reads, 128, is refused.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, TufError> {
        serde_json::from_slice(bytes).map_err(|error| TufError::Json(error.to_string()))
    }

    /// As it is signed: no white space, names in order, and of all characters only `"` and `\` escaped.
    pub(super) fn canonical(&self, into: &mut Vec<u8>) {
        match self {
            Self::Null => into.extend(b"null"),
            Self::Bool(value) => into.extend(value.to_string().bytes()),
            Self::Number(value) => into.extend(value.to_string().bytes()),
            Self::Text(text) => canonical_text(text, into),
            Self::List(values) => {
                into.push(b'[');
                for (index, value) in values.iter().enumerate() {
                    into.extend((index > 0).then_some(b','));
                    value.canonical(into);
                }
                into.push(b']');
            }
            Self::Object(values) => {
                into.push(b'{');
                for (index, (name, value)) in values.iter().enumerate() {
                    into.extend((index > 0).then_some(b','));
                    canonical_text(name, into);
                    into.push(b':');
                    value.canonical(into);
                }
                into.push(b'}');
            }
        }
    }

    pub(super) fn object(&self, what: &'static str) -> Result<&Object, TufError> {
        match self {
            Self::Object(object) => Ok(object),
            _ => Err(TufError::Shape(what)),
        }
    }

    pub(super) fn list(&self, what: &'static str) -> Result<&[Self], TufError> {
        match self {
            Self::List(list) => Ok(list),
            _ => Err(TufError::Shape(what)),
        }
    }

    pub(super) fn text(&self, what: &'static str) -> Result<&str, TufError> {
        match self {
            Self::Text(text) => Ok(text),
            _ => Err(TufError::Shape(what)),
        }
    }

    /// A number that is not negative.
    pub(super) fn number(&self, what: &'static str) -> Result<u64, TufError> {
        match self {
            Self::Number(number) => u64::try_from(*number).map_err(|_| TufError::Shape(what)),
            _ => Err(TufError::Shape(what)),
        }
    }

    pub(super) fn bool(&self, what: &'static str) -> Result<bool, TufError> {
        match self {
            Self::Bool(value) => Ok(*value),
            _ => Err(TufError::Shape(what)),
        }
    }
}

/// What an object has by a name that it must have.
pub(super) fn field<'a>(object: &'a Object, name: &'static str) -> Result<&'a Json, TufError> {
    object.get(name).ok_or(TufError::Shape(name))
}

fn canonical_text(text: &str, into: &mut Vec<u8>) {
    into.push(b'"');
    for byte in text.bytes() {
        into.extend(matches!(byte, b'"' | b'\\').then_some(b'\\'));
        into.push(byte);
    }
    into.push(b'"');
}
