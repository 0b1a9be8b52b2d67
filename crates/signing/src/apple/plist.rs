//! What is read of property lists: the keys of a dictionary, the code directory hashes in a signature, and whole values.
//!
//! Source: Apple, "Property List Programming Guide"; the document type is `PropertyList-1.0.dtd`.

mod binary;
mod value;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::xml::{self, Element, XmlError};

pub(crate) use value::Value;

/// How many keys a dictionary may have. Real entitlements have about ten.
pub(crate) const KEYS_MAX: usize = 512;

/// The keys and values of a property list whose outermost value is a dictionary.
pub(crate) fn dictionary(bytes: &[u8]) -> Result<Vec<(String, Element<'_>)>, XmlError> {
    let mut root = xml::parse(trimmed(bytes))?;
    let dictionary = root.children.pop();
    let dictionary = dictionary.filter(|it| root.name == "plist" && it.name == "dict");
    let dictionary = dictionary.ok_or(XmlError::Malformed)?;
    if !root.children.is_empty() {
        return Err(XmlError::Outside);
    }
    let mut pairs: Vec<(String, Element<'_>)> = Vec::new();
    let mut children = dictionary.children.into_iter();
    while let Some(key) = children.next() {
        let value = children.next().ok_or(XmlError::Malformed)?;
        if key.name != "key" || value.name == "key" {
            return Err(XmlError::Malformed);
        }
        if pairs.len() >= KEYS_MAX {
            return Err(XmlError::TooMany);
        }
        if pairs.iter().any(|(known, _)| *known == key.text) {
            return Err(XmlError::Twice);
        }
        pairs.push((key.text, value));
    }
    Ok(pairs)
}

/// Tools write property lists with the NUL of a C string now and then.
fn trimmed(bytes: &[u8]) -> &[u8] {
    let last = bytes.iter().rposition(|byte| *byte != 0);
    let end = last.map_or(0, |at| at + 1);
    bytes.get(..end).unwrap_or_default()
}

/// The hashes under `cdhashes`, as the attribute 1.2.840.113635.100.9.1 has them.
pub(crate) fn code_hashes(bytes: &[u8]) -> Result<Vec<Vec<u8>>, XmlError> {
    let pairs = dictionary(bytes)?;
    let list = pairs.iter().find(|(key, _)| key == "cdhashes");
    let (_, list) = list.ok_or(XmlError::Malformed)?;
    if list.name != "array" {
        return Err(XmlError::Malformed);
    }
    let decoded = list.children.iter().map(|data| {
        let text: String = data.text.split_ascii_whitespace().collect();
        let bytes = BASE64.decode(text).ok().filter(|_| data.name == "data");
        bytes.ok_or(XmlError::Malformed)
    });
    decoded.collect()
}
