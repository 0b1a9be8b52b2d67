//! The records at the end, from which reading begins (4.3.14 to 4.3.16).

use std::io::{self, Read, Seek};
use std::ops::Range;

use crate::reading::read_at;
use crate::zip::{Fields, Limits, ZipError};

const END: &[u8] = b"PK\x05\x06";
const END_BYTES: u64 = 22;
const LOCATOR: &[u8] = b"PK\x06\x07";
const LOCATOR_BYTES: u64 = 20;
const END64: &[u8] = b"PK\x06\x06";
const END64_BYTES: u64 = 56;
/// The longest comment.
const COMMENT_BYTES_MAX: u64 = u16::MAX as u64;

/// What they say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct End {
    pub(super) directory: Range<u64>,
    pub(super) entries: u64,
}

/// Finds the end record: the one whose comment ends the file. A comment that holds another is refused, as readers search
/// from one side or the other.
pub(super) fn find(
    reader: &mut (impl Read + Seek),
    size: u64,
) -> io::Result<Result<End, ZipError>> {
    let tail_bytes = size.min(END_BYTES + COMMENT_BYTES_MAX);
    let tail_at = size - tail_bytes;
    let Some(tail) = read_at(reader, tail_at, tail_bytes)? else {
        return Ok(Err(ZipError::NoEnd));
    };
    let starts = tail.windows(END.len()).enumerate();
    let starts = starts.filter(|(_, window)| *window == END);
    let records = starts.filter_map(|(at, _)| Some((at, tail.get(at..)?)));
    // A signature further left is in a file's data, where its comment would not end the file.
    let mut fitting = records.filter(|(_, record)| comment_fits(record));
    let (Some((at, record)), None) = (fitting.next(), fitting.next()) else {
        return Ok(Err(ZipError::NoEnd));
    };
    if record.get(END.len()..).is_some_and(|rest| holds(rest, END)) {
        return Ok(Err(ZipError::NoEnd));
    }
    let end_at = tail_at + at as u64;
    let Some(short) = Short::parse(record) else {
        return Ok(Err(ZipError::NoEnd));
    };
    let locator = match end_at.checked_sub(LOCATOR_BYTES) {
        Some(at) => read_at(reader, at, LOCATOR_BYTES)?,
        None => None,
    };
    match locator.filter(|bytes| bytes.starts_with(LOCATOR)) {
        Some(locator) => find_long(reader, &locator, end_at - LOCATOR_BYTES, &short),
        None => Ok(short.end(end_at)),
    }
}

fn holds(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}

fn comment_fits(record: &[u8]) -> bool {
    let fixed = usize::try_from(END_BYTES).unwrap_or(usize::MAX);
    let said = record.get(fixed - 2..fixed).and_then(<[u8]>::first_chunk);
    let comment = record.len().checked_sub(fixed);
    said.map(|said| usize::from(u16::from_le_bytes(*said))) == comment && comment.is_some()
}

/// The end record as it always was.
struct Short {
    disks: [u16; 2],
    here: u16,
    entries: u16,
    bytes: u32,
    at: u32,
}

impl Short {
    fn parse(record: &[u8]) -> Option<Self> {
        let mut fields = Fields(record.get(END.len()..)?);
        Some(Self {
            disks: [fields.u16()?, fields.u16()?],
            here: fields.u16()?,
            entries: fields.u16()?,
            bytes: fields.u32()?,
            at: fields.u32()?,
        })
    }

    fn end(&self, end_at: u64) -> Result<End, ZipError> {
        if self.disks != [0, 0] || self.here != self.entries {
            return Err(ZipError::End);
        }
        let (at, bytes) = (u64::from(self.at), u64::from(self.bytes));
        checked(at, bytes, u64::from(self.entries), end_at)
    }
}

/// The directory must end where the end records begin.
fn checked(at: u64, bytes: u64, entries: u64, end_at: u64) -> Result<End, ZipError> {
    if bytes > Limits::DIRECTORY_BYTES || entries > Limits::ENTRIES {
        return Err(ZipError::TooLarge);
    }
    if at.checked_add(bytes) != Some(end_at) {
        return Err(ZipError::Displaced);
    }
    Ok(End {
        directory: at..end_at,
        entries,
    })
}

/// The end record of large archives. What the short one says besides must be the same, or "see there".
fn find_long(
    reader: &mut (impl Read + Seek),
    locator: &[u8],
    locator_at: u64,
    short: &Short,
) -> io::Result<Result<End, ZipError>> {
    let mut fields = Fields(locator.get(LOCATOR.len()..).unwrap_or_default());
    let (Some(disk), Some(at), Some(disks)) = (fields.u32(), fields.u64(), fields.u32()) else {
        return Ok(Err(ZipError::End));
    };
    // Without an extensible part, which nobody reads, it lies right in front of the locator.
    if disk != 0 || disks > 1 || at.checked_add(END64_BYTES) != Some(locator_at) {
        return Ok(Err(ZipError::End));
    }
    let record = read_at(reader, at, END64_BYTES)?.filter(|bytes| bytes.starts_with(END64));
    let long = record.as_deref().and_then(|record| {
        let mut fields = Fields(record.get(END64.len()..)?);
        let length = fields.u64()?;
        fields.bytes(4)?;
        let disks = [fields.u32()?, fields.u32()?];
        let (here, entries) = (fields.u64()?, fields.u64()?);
        let (bytes, at) = (fields.u64()?, fields.u64()?);
        // The length counts what follows it (4.3.14.1).
        let is_whole = length == END64_BYTES - 12 && disks == [0, 0] && here == entries;
        is_whole.then_some((entries, bytes, at))
    });
    let Some((entries, bytes, directory_at)) = long else {
        return Ok(Err(ZipError::End));
    };
    let agrees = |short: u64, see_there: u64, long: u64| short == see_there || short == long;
    let (few, wide) = (u64::from(u16::MAX), u64::from(u32::MAX));
    let is_same = agrees(u64::from(short.entries), few, entries)
        && agrees(u64::from(short.here), few, entries)
        && agrees(u64::from(short.bytes), wide, bytes)
        && agrees(u64::from(short.at), wide, directory_at)
        && short.disks.iter().all(|disk| matches!(*disk, 0 | u16::MAX));
    if !is_same {
        return Ok(Err(ZipError::End));
    }
    Ok(checked(directory_at, bytes, entries, at))
}
