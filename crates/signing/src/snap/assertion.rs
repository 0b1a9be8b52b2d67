//! Assertions: signed texts of headers and a body, one behind the other in a file (snapd, `asserts.Decoder`).
//!
//! ```text
//! headers | "\n\n" | body, if `body-length` says so | "\n\n" | signature | "\n\n" or the end
//! ```
//!
//! What is signed is all before the blank line in front of the signature. Values that are lists, maps, or of several lines are
//! passed over; nothing that is needed here is one.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use release::name::printable;
use thiserror::Error;

/// What is read of a file at most.
struct Limits;

impl Limits {
    /// Bytes of the file. What `snap download` writes has some KiB.
    const BYTES: usize = 4 * 1024 * 1024;
    /// Assertions in it.
    const ASSERTIONS: usize = 64;
    /// Headers of one.
    const HEADERS: usize = 4096;
}

/// What stands in front of a key and a signature: the version of their form.
const VERSION: u8 = 1;
const SEPARATOR: &[u8] = b"\n\n";

/// Why bytes are no assertions.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(super) enum AssertionError {
    #[error(
        "they are larger than {} bytes, or more than {} of them",
        Limits::BYTES,
        Limits::ASSERTIONS
    )]
    TooLarge,
    #[error("one is cut short, or has a body of another length than it states")]
    Truncated,
    #[error("a header is not text of the form `name: value`")]
    Header,
    #[error("header `{0}` is there twice")]
    Twice(String),
    #[error("a key or a signature is not version 1 of its form, in base64")]
    Wrapped,
}

/// One assertion.
#[derive(Debug, Clone)]
pub(super) struct Assertion<'a> {
    /// Those of one line have a value here.
    headers: BTreeMap<&'a str, Option<&'a str>>,
    pub(super) body: &'a [u8],
    /// What is signed.
    pub(super) content: &'a [u8],
    /// A packet of OpenPGP.
    pub(super) signature: Vec<u8>,
}

impl<'a> Assertion<'a> {
    /// The value of a header; none where it is not there, or of several lines.
    pub(super) fn header(&self, name: &str) -> Option<&'a str> {
        self.headers.get(name).copied().flatten()
    }

    /// The same, and a text of nothing where it is not there.
    pub(super) fn text(&self, name: &str) -> &'a str {
        self.header(name).unwrap_or_default()
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.headers.contains_key(name)
    }

    pub(super) fn is_of(&self, kind: &str) -> bool {
        self.header("type") == Some(kind)
    }

    /// Takes the first assertion off.
    fn take(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), AssertionError> {
        let (head, rest) = split(bytes).ok_or(AssertionError::Truncated)?;
        let headers = headers(head)?;
        let length = match headers.get("body-length") {
            None => 0,
            Some(length) => {
                let length = length.filter(|it| it.bytes().all(|byte| byte.is_ascii_digit()));
                let length = length.and_then(|it| it.parse::<usize>().ok());
                length.ok_or(AssertionError::Truncated)?
            }
        };
        let (body, content, rest) = match length {
            0 => (&[][..], head, rest),
            _ => {
                let (body, rest) = rest
                    .split_at_checked(length)
                    .ok_or(AssertionError::Truncated)?;
                let rest = rest
                    .strip_prefix(SEPARATOR)
                    .ok_or(AssertionError::Truncated)?;
                let signed = bytes.get(..head.len() + SEPARATOR.len() + length);
                (body, signed.ok_or(AssertionError::Truncated)?, rest)
            }
        };
        let (signature, rest) = split(rest).unwrap_or((rest, &[]));
        let found = Self {
            headers,
            body,
            content,
            signature: unwrapped(signature.strip_suffix(b"\n").unwrap_or(signature))?,
        };
        Ok((found, rest))
    }
}

/// The assertions of a file, all of it.
pub(super) fn assertions(bytes: &[u8]) -> Result<Vec<Assertion<'_>>, AssertionError> {
    let mut found = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        if bytes.len() > Limits::BYTES || found.len() == Limits::ASSERTIONS {
            return Err(AssertionError::TooLarge);
        }
        let (assertion, behind) = Assertion::take(rest)?;
        found.push(assertion);
        rest = behind;
    }
    Ok(found)
}

/// Takes version 1 of the form of a key or signature off: base64 in lines, and a byte in front.
pub(super) fn unwrapped(text: &[u8]) -> Result<Vec<u8>, AssertionError> {
    let base64: Vec<u8> = text.iter().copied().filter(|byte| *byte != b'\n').collect();
    let bytes = BASE64.decode(base64).map_err(|_| AssertionError::Wrapped)?;
    match bytes.split_first() {
        Some((&VERSION, packet)) => Ok(packet.to_vec()),
        _ => Err(AssertionError::Wrapped),
    }
}

/// What stands before and behind the first blank line.
fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut windows = bytes.windows(SEPARATOR.len());
    let at = windows.position(|window| window == SEPARATOR)?;
    let (before, behind) = bytes.split_at_checked(at)?;
    Some((before, behind.get(SEPARATOR.len()..)?))
}

fn headers(head: &[u8]) -> Result<BTreeMap<&str, Option<&str>>, AssertionError> {
    let text = std::str::from_utf8(head).map_err(|_| AssertionError::Header)?;
    let mut headers = BTreeMap::new();
    let mut has_more = false;
    for line in text.split('\n') {
        // What belongs to the header before it is indented.
        if line.starts_with("  ") && has_more {
            continue;
        }
        let (name, value) = line.split_once(':').ok_or(AssertionError::Header)?;
        has_more = value.is_empty();
        let value = match has_more {
            true => None,
            false => Some(value.strip_prefix(' ').ok_or(AssertionError::Header)?),
        };
        if !is_name(name) || headers.len() == Limits::HEADERS {
            return Err(AssertionError::Header);
        }
        if headers.insert(name, value).is_some() {
            return Err(AssertionError::Twice(printable(name)));
        }
    }
    Ok(headers)
}

/// Words of small letters and digits with a hyphen between; the first begins with a letter.
fn is_name(name: &str) -> bool {
    let is_word = |word: &str| {
        !word.is_empty()
            && word
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    name.starts_with(|first: char| first.is_ascii_lowercase()) && name.split('-').all(is_word)
}
