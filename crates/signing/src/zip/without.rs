//! The end of an archive as it would be without one of its entries. Signatures inside archives cover that, as they cannot
//! cover themselves.

use std::io::{self, Read, Seek};

use crate::reading::read_at;
use crate::zip::{Archive, Entry, length};

/// Where fields stand in a record of the directory (4.3.12) and in the end records (4.3.14 to 4.3.16).
const RECORD_HEADER_AT: usize = 42;
const LONG: &[u8] = b"PK\x06\x06";
const LONG_BYTES: usize = 56;
const LOCATOR_BYTES: usize = 20;

/// What the fields of the end say without an entry.
struct Without {
    entries: u64,
    directory_at: u64,
    directory_bytes: u64,
}

/// Passes on the directory and the end records, counted anew without an entry. Says whether that could be done: offsets in
/// extra fields are not moved, so an entry of a large archive can be taken out where nothing follows it.
pub(crate) fn end_without(
    reader: &mut (impl Read + Seek),
    archive: &Archive,
    without: &Entry,
    mut to: impl FnMut(&[u8]),
) -> io::Result<bool> {
    let Archive {
        entries,
        directory: place,
        size,
    } = archive;
    let directory = read_at(reader, place.start, length(place))?;
    let end = read_at(reader, place.end, size.saturating_sub(place.end))?;
    let (Some(directory), Some(mut end)) = (directory, end) else {
        return Ok(false);
    };
    let removed = length(&without.span);
    let mut kept: Vec<_> = entries.iter().filter(|it| *it != without).collect();
    kept.sort_by_key(|entry| entry.record.start);
    for entry in kept {
        let range = [entry.record.start, entry.record.end];
        let [Ok(start), Ok(end)] = range.map(|at| usize::try_from(at.saturating_sub(place.start)))
        else {
            return Ok(false);
        };
        let mut record = directory.get(start..end).unwrap_or_default().to_vec();
        let is_moved = entry.span.start > without.span.start;
        let moved_to = entry.span.start.saturating_sub(removed);
        if is_moved && !put_u32(&mut record, RECORD_HEADER_AT, moved_to, Far::Refused) {
            return Ok(false);
        }
        to(&record);
    }
    let is_counted = Without {
        entries: (entries.len() as u64).saturating_sub(1),
        directory_at: place.start.saturating_sub(removed),
        directory_bytes: length(place).saturating_sub(length(&without.record)),
    }
    .put(&mut end);
    to(&end);
    Ok(is_counted)
}

impl Without {
    /// Writes the fields into the end records. What says "see there" in the short one goes on saying so.
    fn put(&self, end: &mut [u8]) -> bool {
        let Self {
            entries,
            directory_at,
            directory_bytes,
        } = *self;
        let mut at = 0;
        if end.starts_with(LONG) {
            let fields = [
                (24, entries),
                (32, entries),
                (40, directory_bytes),
                (48, directory_at),
                // The locator says where the record before it is.
                (LONG_BYTES + 8, directory_at + directory_bytes),
            ];
            if !fields.iter().all(|(at, value)| put_u64(end, *at, *value)) {
                return false;
            }
            at = LONG_BYTES + LOCATOR_BYTES;
        }
        put_u16(end, at + 8, entries)
            && put_u16(end, at + 10, entries)
            && put_u32(end, at + 12, directory_bytes, Far::Kept)
            && put_u32(end, at + 16, directory_at, Far::Kept)
    }
}

/// What becomes of a field that says "see there".
#[derive(Clone, Copy, PartialEq, Eq)]
enum Far {
    Kept,
    Refused,
}

fn put_u64(bytes: &mut [u8], at: usize, value: u64) -> bool {
    let field = bytes.get_mut(at..).and_then(<[u8]>::first_chunk_mut);
    field.map(|field| *field = value.to_le_bytes()).is_some()
}

fn put_u32(bytes: &mut [u8], at: usize, value: u64, far: Far) -> bool {
    let field = bytes.get_mut(at..).and_then(<[u8]>::first_chunk_mut);
    let Some(field) = field else {
        return false;
    };
    if *field == [0xff; 4] {
        return far == Far::Kept;
    }
    let value = u32::try_from(value).ok();
    value.map(|value| *field = value.to_le_bytes()).is_some()
}

fn put_u16(bytes: &mut [u8], at: usize, value: u64) -> bool {
    let field = bytes.get_mut(at..).and_then(<[u8]>::first_chunk_mut);
    let Some(field) = field else {
        return false;
    };
    if *field == [0xff; 2] {
        return true;
    }
    let value = u16::try_from(value).ok();
    value.map(|value| *field = value.to_le_bytes()).is_some()
}
