//! Binary property lists, as `Info.plist` often is one.
//!
//! Source: Apple's open CoreFoundation, `CFBinaryPList.c`: a magic, objects, a table of their offsets, and 32 bytes at the
//! end that say where everything is. Big-endian.

use std::collections::BTreeMap;

use crate::apple::plist::value::Value;
use crate::reading::u64_at;

pub(crate) const MAGIC: &[u8] = b"bplist00";
const TRAILER_BYTES: usize = 32;

/// What is read at most.
struct Limits;

impl Limits {
    /// Objects, one that is used twice counted twice.
    const OBJECTS: usize = 200_000;
    /// Collections in one another.
    const DEPTH: usize = 64;
}

/// Reads a property list. None where it is not well formed, or too large.
pub(crate) fn parse(bytes: &[u8]) -> Option<Value> {
    let trailer_at = bytes.len().checked_sub(TRAILER_BYTES)?;
    let trailer = bytes.get(trailer_at..)?;
    let size = |at: usize| usize::try_from(u64_at(trailer, at)?).ok();
    let list = List {
        bytes: bytes.get(..trailer_at)?,
        offset_bytes: usize::from(*trailer.get(6)?),
        reference_bytes: usize::from(*trailer.get(7)?),
        objects: size(8)?,
        table_at: size(24)?,
    };
    let top = size(16)?;
    let mut left = Limits::OBJECTS;
    list.object(top, 0, &mut left)
}

struct List<'a> {
    bytes: &'a [u8],
    offset_bytes: usize,
    reference_bytes: usize,
    objects: usize,
    table_at: usize,
}

impl<'a> List<'a> {
    /// A number of some bytes at an offset.
    fn number(&self, at: usize, bytes: usize) -> Option<u64> {
        let field = self.bytes.get(at..at.checked_add(bytes)?)?;
        if !(1..=8).contains(&bytes) {
            return None;
        }
        Some(
            field
                .iter()
                .fold(0, |value, byte| value << 8 | u64::from(*byte)),
        )
    }

    fn object(&self, index: usize, depth: usize, left: &mut usize) -> Option<Value> {
        *left = left.checked_sub(1)?;
        if depth > Limits::DEPTH || index >= self.objects {
            return None;
        }
        let entry = self
            .table_at
            .checked_add(index.checked_mul(self.offset_bytes)?)?;
        let at = usize::try_from(self.number(entry, self.offset_bytes)?).ok()?;
        let marker = *self.bytes.get(at)?;
        let (kind, low) = (marker >> 4, usize::from(marker & 0x0f));
        let at = at + 1;
        match kind {
            0 if low == 8 => Some(Value::Bool(false)),
            0 if low == 9 => Some(Value::Bool(true)),
            1 if low <= 4 => {
                // Integers of 16 bytes are read as none.
                let value = self.number(at, 1 << low);
                Some(Value::Number(value.map(|value| value as f64)))
            }
            2 => Some(Value::Number(None)),
            3 => Some(Value::Date),
            4 => Some(Value::Data(self.counted(at, low, 1)?.to_vec())),
            5 => {
                let text = self.counted(at, low, 1)?;
                let text = std::str::from_utf8(text)
                    .ok()
                    .filter(|text| text.is_ascii());
                Some(Value::Text(text?.to_owned()))
            }
            6 => {
                let units = self.counted(at, low, 2)?.chunks_exact(2);
                let units =
                    units.map(|unit| unit.iter().fold(0, |sum, byte| sum << 8 | u16::from(*byte)));
                let text = String::from_utf16(&units.collect::<Vec<_>>()).ok();
                Some(Value::Text(text?))
            }
            8 => Some(Value::Number(None)),
            10 => {
                let references = self.counted(at, low, self.reference_bytes)?;
                let values = self
                    .references(references)
                    .map(|it| self.object(it?, depth + 1, left));
                Some(Value::Array(values.collect::<Option<_>>()?))
            }
            13 => self.dictionary(at, low, depth, left),
            _ => None,
        }
    }

    /// References to all keys, then to all values.
    fn dictionary(&self, at: usize, low: usize, depth: usize, left: &mut usize) -> Option<Value> {
        let both = self.counted(at, low, self.reference_bytes.checked_mul(2)?)?;
        let (keys, values) = both.split_at_checked(both.len() / 2)?;
        let mut dictionary = BTreeMap::new();
        for (key, value) in self.references(keys).zip(self.references(values)) {
            let Value::Text(key) = self.object(key?, depth + 1, left)? else {
                return None;
            };
            let value = self.object(value?, depth + 1, left)?;
            if dictionary.insert(key, value).is_some() {
                return None;
            }
        }
        Some(Value::Dictionary(dictionary))
    }

    /// The bytes behind a marker whose low half is a count, or says that one follows.
    fn counted(&self, at: usize, low: usize, item_bytes: usize) -> Option<&'a [u8]> {
        let (count, at) = match low {
            0x0f => {
                let marker = *self.bytes.get(at)?;
                let bytes = 1_usize << (marker & 0x0f);
                if marker >> 4 != 1 || bytes > 8 {
                    return None;
                }
                let count = usize::try_from(self.number(at + 1, bytes)?).ok()?;
                (count, at + 1 + bytes)
            }
            count => (count, at),
        };
        self.bytes
            .get(at..at.checked_add(count.checked_mul(item_bytes)?)?)
    }

    fn references(&self, bytes: &'a [u8]) -> impl Iterator<Item = Option<usize>> {
        let references = bytes.chunks_exact(self.reference_bytes.max(1));
        references.map(|reference| {
            reference.iter().try_fold(0_usize, |value, byte| {
                value.checked_mul(256)?.checked_add(usize::from(*byte))
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `plutil -convert binary1` of `{"a": true, "b": ["ä", <01 02>], "c": 300}`, as Python's plistlib writes it.
    const LIST: &[u8] = &[
        0x62, 0x70, 0x6c, 0x69, 0x73, 0x74, 0x30, 0x30, 0xd3, 0x01, 0x02, 0x03, 0x04, 0x05, 0x08,
        0x51, 0x61, 0x51, 0x62, 0x51, 0x63, 0x09, 0xa2, 0x06, 0x07, 0x61, 0x00, 0xe4, 0x42, 0x01,
        0x02, 0x11, 0x01, 0x2c, 0x08, 0x0f, 0x11, 0x13, 0x15, 0x16, 0x19, 0x1c, 0x1f, 0x00, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x01, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x09, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x22,
    ];

    #[test]
    fn values_are_read() {
        let read = parse(LIST).expect("a property list");
        assert!(read.get("a").is_some_and(Value::is_true));
        let items = [Value::Text("ä".to_owned()), Value::Data(vec![1, 2])];
        assert_eq!(read.get("b"), Some(&Value::Array(items.to_vec())));
        assert_eq!(read.get("c"), Some(&Value::Number(Some(300.0))));
    }

    #[test]
    fn noise_is_refused_without_a_panic() {
        for at in 0..LIST.len() {
            assert_eq!(parse(&LIST[..at]), None);
            for bit in 0..8 {
                let mut flipped = LIST.to_vec();
                flipped[at] ^= 1 << bit;
                let _ = parse(&flipped);
            }
        }
    }

    #[test]
    fn what_holds_itself_is_refused() {
        // An array whose one item is the array.
        let mut list = MAGIC.to_vec();
        list.extend_from_slice(&[0xa1, 0x00, 0x08]);
        list.extend_from_slice(&[0, 0, 0, 0, 0, 0, 1, 1]);
        for field in [1_u64, 0, 10] {
            list.extend_from_slice(&field.to_be_bytes());
        }
        assert_eq!(parse(&list), None);
    }
}
