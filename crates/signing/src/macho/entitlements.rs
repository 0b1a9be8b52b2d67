//! Entitlements: what the code may do, once as a property list and once in DER.
//!
//! The property list is what older systems read, the DER what newer ones do, so both must name the same. Values are not
//! compared but for the one that lets anyone debug the program.

use release::name::printable;

use crate::apple::plist::{self, KEYS_MAX};
use crate::der::{Cursor, DerError, INTEGER, SEQUENCE, SET, UTF8_STRING, context};
use crate::macho::super_blob::{Slot, SuperBlob};

/// The slot of the property list.
const XML: u32 = 5;
/// The slot of the DER.
const DER: u32 = 7;
/// Lets a debugger attach: no release has it.
const GET_TASK_ALLOW: &str = "com.apple.security.get-task-allow";

/// What the code may do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Entitlements {
    /// Sorted, each once.
    pub(crate) keys: Vec<String>,
    pub(crate) debuggable: bool,
}

/// Reads both forms, where they are there.
pub(crate) fn read(signature: &SuperBlob<'_>) -> Result<Entitlements, String> {
    let blob = |slot| signature.all(Slot::Special(slot)).next();
    let xml = blob(XML).map(|blob| from_xml(blob.payload())).transpose()?;
    let der = blob(DER).map(|blob| from_der(blob.payload()));
    let der = der
        .transpose()
        .map_err(|error| format!("the entitlements in DER: {error}"))?;
    match (xml, der) {
        (Some(xml), Some(der)) if xml != der => {
            Err("the entitlements as a property list and in DER are not the same".to_owned())
        }
        (Some(found), _) | (None, Some(found)) => Ok(found),
        (None, None) => Ok(Entitlements::default()),
    }
}

fn from_xml(bytes: &[u8]) -> Result<Entitlements, String> {
    let pairs = plist::dictionary(bytes).map_err(|error| format!("the entitlements: {error}"))?;
    let pairs = pairs
        .into_iter()
        .map(|(key, value)| (key, value.name == "true"));
    collected(pairs).map_err(|error| format!("the entitlements: {error}"))
}

/// `[APPLICATION 16] { INTEGER 1, [16] { SEQUENCE { UTF8String, value } … } }`, as real signatures have it; those of
/// macOS 11 and before have a SET of the pairs and nothing around it.
fn from_der(bytes: &[u8]) -> Result<Entitlements, DerError> {
    const APPLICATION_16: u8 = 0x70;
    const BOOLEAN_TRUE: [u8; 3] = [0x01, 0x01, 0xff];
    let mut outer = Cursor::new(bytes);
    let dictionary = if bytes.first() == Some(&SET) {
        outer.enter(SET)?
    } else {
        let mut whole = outer.enter(APPLICATION_16)?;
        if whole.expect(INTEGER)?.small()? != 1 {
            return Err(DerError::Value("expected version 1"));
        }
        let dictionary = whole.enter(context(16))?;
        whole.end()?;
        dictionary
    };
    outer.end()?;
    let mut pairs = Vec::new();
    for pair in dictionary {
        let pair = pair?;
        if pair.tag != SEQUENCE || pairs.len() > KEYS_MAX {
            return Err(DerError::Value(
                "expected a pair of key and value, and not too many",
            ));
        }
        let mut pair = pair.inside()?;
        let key = pair.expect(UTF8_STRING)?.value;
        let value = pair.any()?.raw;
        pair.end()?;
        let key = String::from_utf8_lossy(key).into_owned();
        pairs.push((key, value == BOOLEAN_TRUE));
    }
    collected(pairs.into_iter())
}

fn collected(pairs: impl Iterator<Item = (String, bool)>) -> Result<Entitlements, DerError> {
    let mut found = Entitlements::default();
    for (key, is_true) in pairs {
        found.debuggable |= is_true && key == GET_TASK_ALLOW;
        found.keys.push(printable(&key));
    }
    found.keys.sort_unstable();
    let count = found.keys.len();
    found.keys.dedup();
    if count != found.keys.len() || count > KEYS_MAX {
        return Err(DerError::Value(
            "a key is there twice, or there are too many",
        ));
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
