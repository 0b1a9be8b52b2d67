//! The SuperBlob: an index of typed parts that make up a signature (`cs_blobs.h` of XNU, CS_SuperBlob).

use thiserror::Error;

use crate::macho::Limits;
use crate::reading::u32_at;

const MAGIC_EMBEDDED_SIGNATURE: u32 = 0xfade_0cc0;

/// What a part is, by its type and magic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slot {
    /// 0, and alternates from 0x1000 on.
    CodeDirectory,
    /// 1 to 11: bound by a hash in each code directory.
    Special(u32),
    /// 0x10000.
    Cms,
    /// 0x10002.
    Ticket,
}

/// A part of the signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Blob<'a> {
    pub(crate) slot: Slot,
    /// All of it, which is what code directories hash.
    pub(crate) raw: &'a [u8],
}

impl<'a> Blob<'a> {
    /// What stands behind magic and length.
    pub(crate) fn payload(&self) -> &'a [u8] {
        self.raw.get(8..).unwrap_or_default()
    }
}

/// A signature by its parts, in the order in which they lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SuperBlob<'a> {
    pub(crate) blobs: Vec<Blob<'a>>,
    /// What the slice reserves behind it. Nothing loads or hashes these bytes.
    pub(crate) reserve: &'a [u8],
}

/// Why a signature cannot be taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum SuperBlobError {
    #[error("it does not begin as an embedded signature does")]
    Magic,
    #[error("it is longer than the place it has")]
    Truncated,
    #[error("it has {0} parts, expected at most {max}", max = Limits::BLOBS)]
    Parts(u32),
    #[error("the part of type {0:#x} is not known")]
    Unknown(u32),
    #[error("the part of type {kind:#x} has the magic {magic:#x}")]
    Kind { kind: u32, magic: u32 },
    #[error("two parts have the type {0:#x}")]
    Twice(u32),
    #[error("its parts do not lie one behind the other from the index to its end")]
    Place,
    #[error("it has no code directory")]
    NoCodeDirectory,
}

impl<'a> SuperBlob<'a> {
    /// Reads a signature at the beginning of its place.
    pub(crate) fn parse(place: &'a [u8]) -> Result<Self, SuperBlobError> {
        if u32_at(place, 0) != Some(MAGIC_EMBEDDED_SIGNATURE) {
            return Err(SuperBlobError::Magic);
        }
        let bytes = u32_at(place, 4).and_then(|bytes| usize::try_from(bytes).ok());
        let split = bytes.and_then(|bytes| place.split_at_checked(bytes));
        let (whole, reserve) = split.ok_or(SuperBlobError::Truncated)?;
        let count = u32_at(whole, 8).ok_or(SuperBlobError::Truncated)?;
        if count > Limits::BLOBS {
            return Err(SuperBlobError::Parts(count));
        }
        // At most Limits::BLOBS.
        let index_end = 12 + 8 * usize::try_from(count).unwrap_or_default();
        let index = whole.get(12..index_end).ok_or(SuperBlobError::Truncated)?;
        let mut parts = Vec::new();
        for entry in index.chunks_exact(8) {
            let found = u32_at(entry, 0).zip(u32_at(entry, 4));
            let (kind, offset) = found.ok_or(SuperBlobError::Truncated)?;
            if parts.iter().any(|(known, _)| *known == kind) {
                return Err(SuperBlobError::Twice(kind));
            }
            parts.push((kind, usize::try_from(offset).unwrap_or(usize::MAX)));
        }
        let primary_is_first = parts.first().is_some_and(|(kind, _)| *kind == 0);
        if !primary_is_first {
            return Err(SuperBlobError::NoCodeDirectory);
        }
        // What lies between parts would be signed by nobody.
        let mut blobs = Vec::new();
        let mut by_place: Vec<_> = parts.iter().enumerate().collect();
        by_place.sort_by_key(|(_, (_, offset))| *offset);
        let mut end = index_end;
        for (order, (kind, offset)) in by_place {
            let rest = whole.get(*offset..).filter(|_| *offset == end);
            let rest = rest.ok_or(SuperBlobError::Place)?;
            let bytes = u32_at(rest, 4).and_then(|bytes| usize::try_from(bytes).ok());
            let bytes = bytes.filter(|bytes| *bytes >= 8);
            let raw = bytes.and_then(|bytes| rest.get(..bytes));
            let raw = raw.ok_or(SuperBlobError::Truncated)?;
            let slot = slot(*kind, u32_at(raw, 0).unwrap_or_default())?;
            blobs.push((order, Blob { slot, raw }));
            end += raw.len();
        }
        if end != whole.len() {
            return Err(SuperBlobError::Place);
        }
        blobs.sort_by_key(|(order, _)| *order);
        Ok(Self {
            blobs: blobs.into_iter().map(|(_, blob)| blob).collect(),
            reserve,
        })
    }

    /// The parts of a kind, in the order of the index.
    pub(crate) fn all(&self, slot: Slot) -> impl Iterator<Item = &Blob<'a>> {
        self.blobs.iter().filter(move |blob| blob.slot == slot)
    }
}

fn slot(kind: u32, magic: u32) -> Result<Slot, SuperBlobError> {
    const BLOB_WRAPPER: u32 = 0xfade_0b01;
    let (slot, expected) = match kind {
        0 | 0x1000..=0x1004 => (Slot::CodeDirectory, 0xfade_0c02),
        2 => (Slot::Special(kind), 0xfade_0c01),
        5 => (Slot::Special(kind), 0xfade_7171),
        7 => (Slot::Special(kind), 0xfade_7172),
        // Launch constraints and library constraints.
        8..=11 => (Slot::Special(kind), 0xfade_8181),
        // Info.plist, resources, and the like, where somebody embeds them.
        1 | 3 | 4 | 6 => (Slot::Special(kind), BLOB_WRAPPER),
        0x10000 => (Slot::Cms, BLOB_WRAPPER),
        0x10002 => (Slot::Ticket, BLOB_WRAPPER),
        _ => return Err(SuperBlobError::Unknown(kind)),
    };
    if magic == expected {
        Ok(slot)
    } else {
        Err(SuperBlobError::Kind { kind, magic })
    }
}
