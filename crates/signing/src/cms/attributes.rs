//! Attributes of a signer (RFC 5652 section 5.3): pairs of a type and a set of values.

use crate::cms::ITEMS_MAX;
use crate::der::{Cursor, DerError, Element, SET};
use crate::oid::Oid;

/// Attributes, signed or not.
#[derive(Debug, Clone)]
pub(crate) struct Attributes<'a> {
    /// The element as found, its tag included.
    raw: &'a [u8],
    list: Vec<(Oid<'a>, Vec<Element<'a>>)>,
}

impl<'a> Attributes<'a> {
    pub(crate) fn read(element: Element<'a>) -> Result<Self, DerError> {
        let mut list = Vec::new();
        for attribute in element.inside()? {
            if list.len() >= ITEMS_MAX {
                return Err(DerError::Value("there are too many attributes"));
            }
            let mut attribute = attribute?.inside()?;
            let oid = Oid::read(&mut attribute)?;
            let values: Cursor<'a> = attribute.enter(SET)?;
            attribute.end()?;
            let values: Vec<_> = values.take(ITEMS_MAX + 1).collect::<Result<_, _>>()?;
            if values.len() > ITEMS_MAX {
                return Err(DerError::Value("an attribute has too many values"));
            }
            list.push((oid, values));
        }
        Ok(Self {
            raw: element.raw,
            list,
        })
    }

    /// The bytes that a signature covers: as found, but with the tag of a SET (RFC 5652 section 5.4).
    pub(crate) fn signed_bytes(&self) -> [&'a [u8]; 2] {
        [&[SET], self.raw.get(1..).unwrap_or_default()]
    }

    /// The value of an attribute that must be there once, with one value (RFC 5652 section 11).
    pub(crate) fn single(&self, oid: Oid<'_>) -> Option<Element<'a>> {
        let mut found = self.list.iter().filter(|(kind, _)| *kind == oid);
        match (found.next(), found.next()) {
            (Some((_, values)), None) => match values.as_slice() {
                [value] => Some(*value),
                _ => None,
            },
            _ => None,
        }
    }

    /// Every value of an attribute.
    pub(crate) fn all(&self, oid: Oid<'_>) -> impl Iterator<Item = Element<'a>> {
        self.list
            .iter()
            .filter(move |(kind, _)| *kind == oid)
            .flat_map(|(_, values)| values.iter().copied())
    }
}
