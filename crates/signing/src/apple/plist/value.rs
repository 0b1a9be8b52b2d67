//! Property lists as values, whether they are XML or binary.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::apple::plist::{binary, trimmed};
use crate::xml::{self, Element, XmlError};

/// A value. Numbers and dates are not told apart from one another, as nobody here asks.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Dictionary(BTreeMap<String, Value>),
    Array(Vec<Value>),
    Text(String),
    Data(Vec<u8>),
    Bool(bool),
    /// A number, where it is one that can be read.
    Number(Option<f64>),
    Date,
}

impl Value {
    /// Reads a property list of either form.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, XmlError> {
        if bytes.starts_with(binary::MAGIC) {
            return binary::parse(bytes).ok_or(XmlError::Malformed);
        }
        let mut root = xml::parse(trimmed(bytes))?;
        let value = root.children.pop();
        match value.filter(|_| root.name == "plist" && root.children.is_empty()) {
            Some(value) => of(value),
            None => Err(XmlError::Malformed),
        }
    }

    pub(crate) fn dictionary(&self) -> Option<&BTreeMap<String, Self>> {
        match self {
            Self::Dictionary(dictionary) => Some(dictionary),
            _ => None,
        }
    }

    /// What a key of a dictionary stands for.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        self.dictionary()?.get(key)
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn data(&self) -> Option<&[u8]> {
        match self {
            Self::Data(data) => Some(data),
            _ => None,
        }
    }

    pub(crate) fn is_true(&self) -> bool {
        *self == Self::Bool(true)
    }
}

/// Elements lie in one another no deeper than the reader of XML allows, so this ends.
fn of(element: Element<'_>) -> Result<Value, XmlError> {
    Ok(match element.name {
        "dict" => {
            let mut dictionary = BTreeMap::new();
            let mut children = element.children.into_iter();
            while let Some(key) = children.next() {
                let value = children.next().ok_or(XmlError::Malformed)?;
                if key.name != "key" {
                    return Err(XmlError::Malformed);
                }
                if dictionary.insert(key.text, of(value)?).is_some() {
                    return Err(XmlError::Twice);
                }
            }
            Value::Dictionary(dictionary)
        }
        "array" => {
            let values = element.children.into_iter().map(of);
            Value::Array(values.collect::<Result<_, _>>()?)
        }
        "string" => Value::Text(element.text),
        "data" => {
            let text: String = element.text.split_ascii_whitespace().collect();
            Value::Data(BASE64.decode(text).map_err(|_| XmlError::Malformed)?)
        }
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        "integer" | "real" => Value::Number(element.text.trim().parse().ok()),
        "date" => Value::Date,
        _ => return Err(XmlError::Malformed),
    })
}
