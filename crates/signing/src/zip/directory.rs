//! The directory: a record for each entry (4.3.12).

use std::ops::Range;

use release::name::printable;

use crate::walk::names::{IsFolder, Names, relative};
use crate::zip::end::End;
use crate::zip::{EntryKind, Fields, Method, ZipError};

const RECORD: &[u8] = b"PK\x01\x02";

/// Flags (4.4.4): what follows the data has its lengths.
pub(super) const HAS_DESCRIPTOR: u16 = 1 << 3;
/// Encrypted, patched, strongly encrypted, or with masked headers.
const UNREADABLE: u16 = 1 | 1 << 5 | 1 << 6 | 1 << 13;

/// Extra fields: large lengths and offsets (4.5.3).
const ZIP64: u16 = 0x0001;
/// Another name, in UTF-8 (4.6.9).
const UNICODE_PATH: u16 = 0x7075;

/// What the directory says of an entry.
#[derive(Debug, Clone)]
pub(super) struct Record<'a> {
    pub(super) name: &'a [u8],
    pub(super) path: String,
    pub(super) kind: EntryKind,
    pub(super) is_executable: Option<bool>,
    pub(super) flags: u16,
    pub(super) method: u16,
    pub(super) crc32: u32,
    pub(super) packed: u64,
    pub(super) size: u64,
    pub(super) header_at: u64,
    pub(super) place: Range<u64>,
}

impl Record<'_> {
    pub(super) fn shown(&self) -> String {
        printable(&self.path)
    }

    pub(super) fn method(&self) -> Method {
        match self.method {
            0 => Method::Stored,
            8 => Method::Deflated,
            other => Method::Other(other),
        }
    }
}

/// Every record, in the order in which what they describe lies in the file.
pub(super) fn parse<'a>(directory: &'a [u8], end: &End) -> Result<Vec<Record<'a>>, ZipError> {
    let mut fields = Fields(directory);
    let mut records = Vec::new();
    let mut names = Names::default();
    while !fields.0.is_empty() {
        if records.len() as u64 >= end.entries {
            return Err(ZipError::Directory);
        }
        let at = end.directory.end - fields.0.len() as u64;
        let mut record = record(&mut fields).ok_or(ZipError::Directory)??;
        record.place = at..end.directory.end - fields.0.len() as u64;
        let is_folder = match record.kind {
            EntryKind::Folder => IsFolder::Yes,
            EntryKind::File | EntryKind::Link => IsFolder::No,
        };
        names.add(&record.path, is_folder)?;
        records.push(record);
    }
    if records.len() as u64 != end.entries {
        return Err(ZipError::Directory);
    }
    records.sort_by_key(|record| record.header_at);
    Ok(records)
}

/// One record. None where the directory ends in it.
fn record<'a>(fields: &mut Fields<'a>) -> Option<Result<Record<'a>, ZipError>> {
    if fields.bytes(4)? != RECORD {
        return None;
    }
    let made_by = fields.u16()?;
    fields.bytes(2)?;
    let (flags, method) = (fields.u16()?, fields.u16()?);
    fields.bytes(4)?;
    let crc32 = fields.u32()?;
    let (packed, size) = (fields.u32()?, fields.u32()?);
    let lengths = [fields.u16()?, fields.u16()?, fields.u16()?].map(usize::from);
    let disk = fields.u16()?;
    fields.bytes(2)?;
    let attributes = fields.u32()?;
    let header_at = fields.u32()?;
    let [name_bytes, extra_bytes, comment_bytes] = lengths;
    let name = fields.bytes(name_bytes)?;
    let extra = fields.bytes(extra_bytes)?;
    fields.bytes(comment_bytes)?;
    let mut wide = Wide {
        size: u64::from(size),
        packed: u64::from(packed),
        header_at: u64::from(header_at),
    };
    let mut parsed = || {
        let path = relative(name)?;
        if path.is_empty() || disk != 0 {
            return Err(ZipError::Directory);
        }
        let shown = || printable(&path);
        wide.read(extra, name)
            .ok_or_else(|| ZipError::Extra(shown()))?;
        if flags & UNREADABLE != 0 {
            return Err(ZipError::Encrypted(shown()));
        }
        let mode = unix_mode(made_by, attributes);
        let is_folder_by_name = name.ends_with(b"/");
        let kind = kind(mode, is_folder_by_name).ok_or_else(|| ZipError::Kind(shown()))?;
        if kind == EntryKind::Folder && wide.size != 0 {
            return Err(ZipError::Kind(shown()));
        }
        Ok(Record {
            name,
            kind,
            is_executable: mode.map(|mode| mode & 0o100 != 0),
            flags,
            method,
            crc32,
            packed: wide.packed,
            size: wide.size,
            header_at: wide.header_at,
            place: 0..0,
            path,
        })
    };
    Some(parsed())
}

/// The mode of an entry that was made on Unix or macOS (4.4.2, 4.4.15).
fn unix_mode(made_by: u16, attributes: u32) -> Option<u32> {
    matches!(made_by >> 8, 3 | 19).then_some(attributes >> 16)
}

/// File types of Unix, as `stat` has them. Without one the name tells.
fn kind(mode: Option<u32>, is_folder_by_name: bool) -> Option<EntryKind> {
    match (mode.unwrap_or_default() & 0o170_000, is_folder_by_name) {
        (0, true) | (0o040_000, true) => Some(EntryKind::Folder),
        (0 | 0o100_000, false) => Some(EntryKind::File),
        (0o120_000, false) => Some(EntryKind::Link),
        _ => None,
    }
}

/// Lengths and the offset, which may stand in an extra field.
struct Wide {
    size: u64,
    packed: u64,
    header_at: u64,
}

impl Wide {
    /// Reads the extra fields. None where they cannot be read, or say something else.
    fn read(&mut self, extra: &[u8], name: &[u8]) -> Option<()> {
        let mut seen_wide = false;
        for (id, value) in extra_fields(extra)? {
            match id {
                ZIP64 if seen_wide => return None,
                ZIP64 => {
                    seen_wide = true;
                    self.read_wide(value)?;
                }
                // Version, CRC of the other name, and the name.
                UNICODE_PATH if value.get(5..) != Some(name) => return None,
                _ => {}
            }
        }
        Some(())
    }

    /// Only what does not fit into the record stands here, in this order.
    fn read_wide(&mut self, value: &[u8]) -> Option<()> {
        let mut fields = Fields(value);
        for field in [&mut self.size, &mut self.packed, &mut self.header_at] {
            if *field == u64::from(u32::MAX) {
                *field = fields.u64()?;
            }
        }
        Some(())
    }
}

/// Extra fields (4.5.1): each an id, a length, and a value. Fewer than four bytes at the end are the fill of aligners.
pub(super) fn extra_fields(extra: &[u8]) -> Option<Vec<(u16, &[u8])>> {
    let mut fields = Fields(extra);
    let mut found = Vec::new();
    while fields.0.len() >= 4 {
        let (id, length) = (fields.u16()?, fields.u16()?);
        found.push((id, fields.bytes(usize::from(length))?));
    }
    let is_fill = fields.0.iter().all(|byte| *byte == 0);
    is_fill.then_some(found)
}

/// The lengths in a local header, where an extra field has them: size and packed size.
pub(super) fn local_lengths(
    extra: &[u8],
    name: &[u8],
    size: u32,
    packed: u32,
) -> Option<(u64, u64)> {
    let mut wide = Wide {
        size: u64::from(size),
        packed: u64::from(packed),
        header_at: 0,
    };
    wide.read(extra, name)?;
    Some((wide.size, wide.packed))
}
