//! What code shows when a requirement is asked of it.

use crate::apple::plist::Value;
use crate::requirement::Limits;

/// What a slice of code shows. Its certificates are those of a path that was found good.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Code {
    pub(crate) identifier: Vec<u8>,
    /// What macOS knows it by: a digest over each code directory, cut to 20 bytes.
    pub(crate) code_hashes: Vec<Vec<u8>>,
    /// Which of Apple's systems it is a part of, by its code directory; 0 for none.
    pub(crate) platform: u8,
    /// Whether nobody signed.
    pub(crate) is_ad_hoc: bool,
    /// From the signer's certificate to the root, in DER; empty where no good path was found.
    pub(crate) path: Vec<Vec<u8>>,
    /// Whether the root of that path is Apple's, or one that the caller trusts in its place.
    pub(crate) is_apple: bool,
    /// Entitlements as a property list; none where there are none.
    pub(crate) entitlements: Option<Vec<u8>>,
    /// Its own requirements, as they stand in the signature.
    pub(crate) requirements: Option<Vec<u8>>,
}

impl Code {
    /// Bytes of its requirements that are read.
    pub(crate) const REQUIREMENTS_BYTES_MAX: usize = Limits::BYTES;

    /// About how much of it is kept, in bytes.
    pub(crate) fn kept_bytes(&self) -> usize {
        let path: usize = self.path.iter().map(Vec::len).sum();
        let lists = [&self.entitlements, &self.requirements];
        let lists: usize = lists.into_iter().flatten().map(Vec::len).sum();
        self.identifier.len() + path + lists
    }

    /// A certificate of its path; below zero counted from the root.
    pub(super) fn certificate(&self, place: i32) -> Option<&[u8]> {
        let count = i64::try_from(self.path.len()).ok()?;
        let at = match i64::from(place) {
            at if at < 0 => at + count,
            at => at,
        };
        self.path.get(usize::try_from(at).ok()?).map(Vec::as_slice)
    }
}

/// Code with the `Info.plist` of the bundle that it is the program of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shown<'a> {
    pub(crate) code: &'a Code,
    pub(crate) info: Option<&'a Value>,
}
