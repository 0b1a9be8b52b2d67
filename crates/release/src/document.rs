//! What all stored documents share: a schema number, the oldest writer that may change them, and one spelling.
//!
//! The spelling is canonical: keys sorted, two spaces of indentation, one line feed at the end. Equal documents are
//! equal bytes, so "same bytes again is success" holds for documents as it does for artifacts.

use serde::{Serialize, de::DeserializeOwned};
use thiserror::Error;

use crate::digest::Sha256;
use crate::refusal::Refusal;

/// The writer that this code is. Raised when a change to documents would mislead older binaries.
pub const WRITER: u32 = 1;

/// The largest document that is read, in bytes. A channel revision with 20 tiers and 10 platforms has about 8 KiB.
pub const DOCUMENT_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// The number of the shape that this code writes.
pub const SCHEMA: u32 = 1;

/// Refuses to build on a document that asks for a newer writer than this code is.
pub fn writable(min_writer: u32, what: &str) -> Result<(), Refusal> {
    if min_writer > WRITER {
        return Err(Refusal::NewerWriter {
            what: what.to_owned(),
            needed: min_writer,
            ours: WRITER,
        });
    }
    Ok(())
}

/// Bytes that are not the document they should be.
#[derive(Debug, Error)]
#[error("`{what}` is not readable: {source}")]
pub struct DocumentError {
    what: String,
    source: serde_json::Error,
}

/// The deepest nesting of YAML or JSON that is read. Ours has less than ten levels.
pub const NESTING_MAX: usize = 64;

/// Whether brackets nest deeper than [`NESTING_MAX`], by a count that does not understand quotes and so errs towards
/// yes. YAML scanners take quadratic time over deep nesting, so this is asked before they run.
pub fn is_nested_too_deep(bytes: &[u8]) -> bool {
    let mut depth = 0_usize;
    for byte in bytes {
        match byte {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > NESTING_MAX {
            return true;
        }
    }
    false
}

/// The canonical bytes of a document.
pub fn render<T: Serialize>(document: &T) -> Vec<u8> {
    // Through `Value`, whose maps are sorted. Our documents have string keys and no failing serializers.
    let value = serde_json::to_value(document).unwrap_or(serde_json::Value::Null);
    let mut bytes = serde_json::to_vec_pretty(&value).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

/// Reads a document; `what` names it in the error.
pub fn parse<T: DeserializeOwned>(bytes: &[u8], what: &str) -> Result<T, DocumentError> {
    serde_json::from_slice(bytes).map_err(|source| DocumentError {
        what: what.to_owned(),
        source,
    })
}

/// The digest under which other documents name this one.
pub fn digest<T: Serialize>(document: &T) -> Sha256 {
    Sha256::of(&render(document))
}
