//! A cursor over ASN.1 in BER, of which DER is the strict part (ITU-T X.690).
//!
//! It keeps the raw bytes of everything, because signatures cover bytes as they were found and nothing here ever encodes
//! again. It copies nothing, and does not judge whether an encoding is canonical: Apple's CMS has indefinite lengths, and
//! some Authenticode signatures are not DER either.

use std::borrow::Cow;

use thiserror::Error;

/// How deep elements may lie in one another. Real signatures need about 15.
const DEPTH_MAX: u8 = 32;

pub(crate) const BOOLEAN: u8 = 0x01;
pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
const NULL: u8 = 0x05;
pub(crate) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(crate) const ENUMERATED: u8 = 0x0a;
pub(crate) const UTF8_STRING: u8 = 0x0c;
pub(crate) const PRINTABLE_STRING: u8 = 0x13;
pub(crate) const TELETEX_STRING: u8 = 0x14;
pub(crate) const IA5_STRING: u8 = 0x16;
pub(crate) const UTC_TIME: u8 = 0x17;
pub(crate) const GENERALIZED_TIME: u8 = 0x18;
pub(crate) const UNIVERSAL_STRING: u8 = 0x1c;
pub(crate) const BMP_STRING: u8 = 0x1e;
pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const SET: u8 = 0x31;
const CONSTRUCTED: u8 = 0x20;

/// The tag `[number]` of a constructed, context-specific element.
pub(crate) const fn context(number: u8) -> u8 {
    0xa0 | number
}

/// The tag `[number]` of a primitive, context-specific element.
pub(crate) const fn context_primitive(number: u8) -> u8 {
    0x80 | number
}

/// Why bytes are not the ASN.1 that was expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum DerError {
    #[error("the data ends inside an element")]
    Truncated,
    #[error("expected an element with tag {expected:#04x}, found {found:#04x}")]
    Tag { expected: u8, found: u8 },
    #[error("expected an element with tag {expected:#04x}, found the end")]
    Missing { expected: u8 },
    #[error("an element has a tag of several bytes, which no format here uses")]
    LongTag,
    #[error("an element has a length that cannot be read")]
    Length,
    #[error("elements lie more than {DEPTH_MAX} deep in one another")]
    Depth,
    #[error("there is more data than expected")]
    Trailing,
    #[error("{0}")]
    Value(&'static str),
}

/// One element: its tag, its contents, and all its bytes as found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Element<'a> {
    pub(crate) tag: u8,
    /// Everything, tag and length included.
    pub(crate) raw: &'a [u8],
    /// The contents; of an indefinite length without the two zero bytes that end it.
    pub(crate) value: &'a [u8],
    depth: u8,
}

/// Reads elements one after the other.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cursor<'a> {
    rest: &'a [u8],
    depth: u8,
}

/// A tag and a length, and how many bytes they take.
struct Header {
    tag: u8,
    /// None where the length is indefinite.
    length: Option<usize>,
    bytes: usize,
}

fn header(bytes: &[u8]) -> Result<Header, DerError> {
    let (&tag, rest) = bytes.split_first().ok_or(DerError::Truncated)?;
    if tag & 0x1f == 0x1f {
        return Err(DerError::LongTag);
    }
    let (&first, rest) = rest.split_first().ok_or(DerError::Truncated)?;
    if first < 0x80 {
        return Ok(Header {
            tag,
            length: Some(usize::from(first)),
            bytes: 2,
        });
    }
    let count = usize::from(first & 0x7f);
    if count == 0 {
        // X.690 8.1.3.6: only constructed elements may have an indefinite length.
        return if tag & CONSTRUCTED == 0 {
            Err(DerError::Length)
        } else {
            Ok(Header {
                tag,
                length: None,
                bytes: 2,
            })
        };
    }
    if count > 4 {
        return Err(DerError::Length);
    }
    let octets = rest.get(..count).ok_or(DerError::Truncated)?;
    let length = octets
        .iter()
        .fold(0_u32, |so_far, octet| (so_far << 8) | u32::from(*octet));
    Ok(Header {
        tag,
        length: Some(usize::try_from(length).map_err(|_| DerError::Length)?),
        bytes: 2 + count,
    })
}

/// The length of contents that two zero bytes end; without recursion, as the depth is hostile.
fn indefinite_length(contents: &[u8]) -> Result<usize, DerError> {
    let (mut rest, mut open) = (contents, 1_u8);
    loop {
        let before = contents.len() - rest.len();
        let found = header(rest)?;
        rest = rest.get(found.bytes..).ok_or(DerError::Truncated)?;
        match (found.tag, found.length) {
            (0, Some(0)) => {
                open -= 1;
                if open == 0 {
                    return Ok(before);
                }
            }
            (_, Some(length)) => rest = rest.get(length..).ok_or(DerError::Truncated)?,
            (_, None) => {
                open += 1;
                if open > DEPTH_MAX {
                    return Err(DerError::Depth);
                }
            }
        }
    }
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self {
            rest: bytes,
            depth: 0,
        }
    }

    /// What was not read yet.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The tag of the next element, if there is one.
    pub(crate) fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// The next element, whatever it is.
    pub(crate) fn any(&mut self) -> Result<Element<'a>, DerError> {
        let Header { tag, length, bytes } = header(self.rest)?;
        let contents = self.rest.get(bytes..).ok_or(DerError::Truncated)?;
        let (length, ending) = match length {
            Some(length) => (length, 0),
            None => (indefinite_length(contents)?, 2),
        };
        let value = contents.get(..length).ok_or(DerError::Truncated)?;
        let whole = bytes
            .checked_add(length)
            .and_then(|whole| whole.checked_add(ending))
            .ok_or(DerError::Length)?;
        let (raw, rest) = self
            .rest
            .split_at_checked(whole)
            .ok_or(DerError::Truncated)?;
        self.rest = rest;
        Ok(Element {
            tag,
            raw,
            value,
            depth: self.depth,
        })
    }

    /// The next element, which must have this tag.
    pub(crate) fn expect(&mut self, expected: u8) -> Result<Element<'a>, DerError> {
        match self.peek() {
            Some(found) if found == expected => self.any(),
            Some(found) => Err(DerError::Tag { expected, found }),
            None => Err(DerError::Missing { expected }),
        }
    }

    /// The next element if it has this tag.
    pub(crate) fn optional(&mut self, tag: u8) -> Result<Option<Element<'a>>, DerError> {
        if self.peek() == Some(tag) {
            self.any().map(Some)
        } else {
            Ok(None)
        }
    }

    /// The inside of the next element, which must have this tag.
    pub(crate) fn enter(&mut self, expected: u8) -> Result<Self, DerError> {
        self.expect(expected)?.inside()
    }

    /// Nothing may follow but a NULL, as in an AlgorithmIdentifier without parameters.
    pub(crate) fn null_or_end(mut self) -> Result<(), DerError> {
        if let Some(null) = self.optional(NULL)?
            && !null.value.is_empty()
        {
            return Err(DerError::Value("a NULL is not empty"));
        }
        self.end()
    }

    /// Nothing may follow.
    pub(crate) fn end(&self) -> Result<(), DerError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(DerError::Trailing)
        }
    }
}

impl<'a> Iterator for Cursor<'a> {
    type Item = Result<Element<'a>, DerError>;

    /// Element by element; after an error there is nothing more.
    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let found = self.any();
        if found.is_err() {
            self.rest = &[];
        }
        Some(found)
    }
}

impl<'a> Element<'a> {
    /// A cursor over the contents.
    pub(crate) fn inside(&self) -> Result<Cursor<'a>, DerError> {
        if self.depth >= DEPTH_MAX {
            return Err(DerError::Depth);
        }
        Ok(Cursor {
            rest: self.value,
            depth: self.depth + 1,
        })
    }

    /// The number of an INTEGER that is not negative, without leading zeros.
    pub(crate) fn unsigned(&self) -> Result<&'a [u8], DerError> {
        if self.tag != INTEGER {
            return Err(DerError::Tag {
                expected: INTEGER,
                found: self.tag,
            });
        }
        let mut digits = self.value;
        if digits.first().is_none_or(|first| first & 0x80 != 0) {
            return Err(DerError::Value("expected a number that is not negative"));
        }
        while let [0, rest @ ..] = digits {
            digits = rest;
        }
        Ok(digits)
    }

    /// A small number.
    pub(crate) fn small(&self) -> Result<u32, DerError> {
        let digits = self.unsigned()?;
        if digits.len() > 4 {
            return Err(DerError::Value("a number is too large"));
        }
        Ok(digits
            .iter()
            .fold(0, |number, digit| (number << 8) | u32::from(*digit)))
    }

    /// Whole bytes of a BIT STRING.
    pub(crate) fn bits(&self) -> Result<&'a [u8], DerError> {
        match self.value.split_first() {
            Some((0, bytes)) if self.tag == BIT_STRING => Ok(bytes),
            _ => Err(DerError::Value("expected a bit string of whole bytes")),
        }
    }

    /// The bytes of an OCTET STRING, also of one in pieces (X.690 8.7.3).
    pub(crate) fn octets(&self) -> Result<Cow<'a, [u8]>, DerError> {
        const IN_PIECES: u8 = OCTET_STRING | CONSTRUCTED;
        match self.tag {
            OCTET_STRING => Ok(Cow::Borrowed(self.value)),
            IN_PIECES => {
                // The pieces lie inside these bytes, so together they are no longer than those.
                let mut whole = Vec::new();
                for piece in self.inside()? {
                    whole.extend_from_slice(&piece?.octets()?);
                }
                Ok(Cow::Owned(whole))
            }
            found => Err(DerError::Tag {
                expected: OCTET_STRING,
                found,
            }),
        }
    }

    /// A BOOLEAN.
    pub(crate) fn boolean(&self) -> Result<bool, DerError> {
        match self.value {
            [byte] if self.tag == BOOLEAN => Ok(*byte != 0),
            _ => Err(DerError::Value("expected a boolean")),
        }
    }
}

#[cfg(test)]
mod tests;
