//! The parts of a package by their names.

use std::collections::{BTreeMap, BTreeSet};

use release::name::printable;

use crate::msix::{BUNDLE_MANIFEST, MANIFEST, MsixError};
use crate::walk::names::relative;
use crate::zip::{Archive, Entry, EntryKind};

/// The parts of a package.
pub(super) struct Parts<'a> {
    pub(super) archive: &'a Archive,
    by_name: BTreeMap<String, &'a Entry>,
}

impl<'a> Parts<'a> {
    /// Windows sees no difference between upper and lower case, so no two parts may differ in that alone.
    pub(super) fn of(archive: &'a Archive) -> Result<Self, MsixError> {
        let mut by_name = BTreeMap::new();
        let mut folded = BTreeSet::new();
        for entry in &archive.entries {
            let wrong = || MsixError::Name(printable(&entry.path));
            if entry.kind != EntryKind::File {
                return Err(MsixError::Kind(printable(&entry.path)));
            }
            let name = decode(&entry.path).ok_or_else(wrong)?;
            if !folded.insert(name.to_lowercase()) {
                return Err(wrong());
            }
            by_name.insert(name, entry);
        }
        if by_name.contains_key(MANIFEST) && by_name.contains_key(BUNDLE_MANIFEST) {
            return Err(MsixError::Both);
        }
        Ok(Self { archive, by_name })
    }

    pub(super) fn get(&self, name: &str) -> Option<&'a Entry> {
        self.by_name.get(name).copied()
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(String::as_str)
    }

    pub(super) fn count(&self) -> usize {
        self.by_name.len()
    }
}

/// The name of a part: UTF-8 of which all but some of ASCII is written as `%` and two digits (ECMA-376 part 2, section 9.1.1).
/// None where what comes out is no name that all read in one way.
pub(super) fn decode(path: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let (digits, behind) = rest.split_at_checked(2)?;
        let digits = std::str::from_utf8(digits).ok()?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = behind;
    }
    let name = String::from_utf8(bytes).ok()?;
    let is_plain = relative(name.as_bytes()).is_ok_and(|relative| relative == name);
    is_plain.then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_decoded_once_and_stay_in_their_folder() {
        for (path, name) in [
            ("a/b.txt", Some("a/b.txt")),
            ("a%20b", Some("a b")),
            ("a%2520b", Some("a%20b")),
            ("%E0%A4%AE", Some("\u{92e}")),
            ("%2e%2E/a", None),
            ("a%2F..%2Fb", None),
            ("a%5Cb", None),
            ("%00", None),
            ("%FF", None),
            ("%+1", None),
            ("a%2", None),
            ("%", None),
        ] {
            assert_eq!(decode(path).as_deref(), name, "{path}");
        }
    }
}
