//! Scalars that are parsed where they stand, so that an error points at them.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// A scalar that is some `T` by its text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Text<T>(pub(super) T);

impl<'de, T: FromStr<Err: fmt::Display>> Deserialize<'de> for Text<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Parse<T>(PhantomData<T>);
        impl<T: FromStr<Err: fmt::Display>> Visitor<'_> for Parse<T> {
            type Value = Text<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            // The parser adds the scalar's own place to an error that comes from in here.
            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                text.parse().map(Text).map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Parse(PhantomData))
    }
}

impl<T> JsonSchema for Text<T> {
    fn schema_name() -> Cow<'static, str> {
        "Text".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}

/// A known key whose enforcement is not built yet: whatever it holds is refused.
#[derive(Debug, Clone, Copy)]
pub(super) enum NotYet {}

impl<'de> Deserialize<'de> for NotYet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Refuse;
        impl<'de> Visitor<'de> for Refuse {
            type Value = NotYet;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("nothing: this key is not yet supported by this version; take it out")
            }

            fn visit_map<A: MapAccess<'de>>(self, _: A) -> Result<NotYet, A::Error> {
                Err(Error::custom(super::error::NOT_YET))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<NotYet, A::Error> {
                Err(Error::custom(super::error::NOT_YET))
            }

            fn visit_str<E: Error>(self, _: &str) -> Result<NotYet, E> {
                Err(Error::custom(super::error::NOT_YET))
            }

            fn visit_bool<E: Error>(self, _: bool) -> Result<NotYet, E> {
                Err(Error::custom(super::error::NOT_YET))
            }

            fn visit_u64<E: Error>(self, _: u64) -> Result<NotYet, E> {
                Err(Error::custom(super::error::NOT_YET))
            }

            fn visit_unit<E: Error>(self) -> Result<NotYet, E> {
                Err(Error::custom(super::error::NOT_YET))
            }
        }
        deserializer.deserialize_any(Refuse)
    }
}

/// `Option<NotYet>` as a field: absent is fine, present is refused, null included.
pub(super) fn refused<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<NotYet>, D::Error> {
    NotYet::deserialize(deserializer).map(Some)
}
