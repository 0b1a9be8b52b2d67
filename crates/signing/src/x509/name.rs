//! Distinguished names (RFC 5280 section 4.1.2.4): compared by their bytes, and shown to people.

use std::fmt;

use release::name::printable;

use crate::der::{
    BMP_STRING, Cursor, DerError, IA5_STRING, PRINTABLE_STRING, SEQUENCE, SET, TELETEX_STRING,
    UNIVERSAL_STRING, UTF8_STRING,
};
use crate::oid::{self, Oid};

/// How many parts of a name are shown.
const PARTS_MAX: usize = 16;

/// A name. Two are equal where their bytes are, as Windows compares them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Name<'a>(&'a [u8]);

impl<'a> Name<'a> {
    pub(crate) fn read(cursor: &mut Cursor<'a>) -> Result<Self, DerError> {
        cursor.expect(SEQUENCE).map(|it| Self(it.raw))
    }

    /// The bytes, tag and length included.
    pub(crate) fn raw(self) -> &'a [u8] {
        self.0
    }

    /// The value of the first part of this type, as it is; escape it before it is shown.
    pub(crate) fn first(self, kind: Oid<'_>) -> Option<String> {
        self.parts().find(|(oid, _)| *oid == kind).map(|(_, it)| it)
    }

    /// The value of the part of this type, as it is, where there is just one such part.
    pub(crate) fn only(self, kind: Oid<'_>) -> Option<String> {
        let mut found = self.parts().filter(|(oid, _)| *oid == kind);
        match (found.next(), found.next()) {
            (Some((_, value)), None) => Some(value),
            _ => None,
        }
    }

    /// Types and values, as far as they can be read.
    pub(crate) fn parts(self) -> impl Iterator<Item = (Oid<'a>, String)> {
        let sets = Cursor::new(self.0).enter(SEQUENCE).ok();
        let sets = sets.into_iter().flatten().map_while(Result::ok);
        sets.filter(|set| set.tag == SET)
            .filter_map(|set| set.inside().ok())
            .flatten()
            .map_while(Result::ok)
            .filter_map(|part| {
                let mut part = part.inside().ok()?;
                let oid = Oid::read(&mut part).ok()?;
                let value = part.any().ok()?;
                Some((oid, text(value.tag, value.value)))
            })
    }
}

/// The characters of a DirectoryString. What is not text shows as replacement characters.
fn text(tag: u8, bytes: &[u8]) -> String {
    match tag {
        UTF8_STRING | PRINTABLE_STRING | IA5_STRING => String::from_utf8_lossy(bytes).into_owned(),
        BMP_STRING => {
            let units: Vec<u16> = bytes
                .chunks_exact(2)
                .map(|pair| {
                    pair.iter()
                        .fold(0, |unit, byte| unit << 8 | u16::from(*byte))
                })
                .collect();
            String::from_utf16_lossy(&units)
        }
        UNIVERSAL_STRING => bytes
            .chunks_exact(4)
            .map(|four| {
                four.iter()
                    .fold(0, |code, byte| code << 8 | u32::from(*byte))
            })
            .map(|code| char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect(),
        // T.61 in name, Latin-1 in the wild.
        TELETEX_STRING => bytes.iter().map(|byte| char::from(*byte)).collect(),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

impl fmt::Display for Name<'_> {
    /// `CN=…, O=…`, the most telling part first as RFC 4514 writes it, escaped for printing.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts: Vec<_> = self.parts().take(PARTS_MAX).collect();
        parts.reverse();
        if parts.is_empty() {
            return f.write_str("no name");
        }
        for (index, (oid, value)) in parts.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            let value = printable(value).replace('\\', "\\\\").replace(',', "\\,");
            match *oid {
                oid::COMMON_NAME => write!(f, "{comma}CN={value}")?,
                oid::ORGANIZATION => write!(f, "{comma}O={value}")?,
                oid::ORGANIZATIONAL_UNIT => write!(f, "{comma}OU={value}")?,
                oid::COUNTRY => write!(f, "{comma}C={value}")?,
                oid::LOCALITY => write!(f, "{comma}L={value}")?,
                oid::STATE => write!(f, "{comma}ST={value}")?,
                other => write!(f, "{comma}{other}={value}")?,
            }
        }
        Ok(())
    }
}
