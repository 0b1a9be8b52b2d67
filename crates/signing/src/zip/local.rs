//! What stands in front of each file, and behind it (4.3.7, 4.3.9): the same as in the directory.

use std::io::{self, Read, Seek};

use crate::reading::read_at;
use crate::zip::directory::{HAS_DESCRIPTOR, Record, local_lengths};
use crate::zip::{Entry, Fields, ZipError};

const HEADER: &[u8] = b"PK\x03\x04";
const HEADER_BYTES: u64 = 30;
const DESCRIPTOR: &[u8] = b"PK\x07\x08";

/// Finds the data of an entry, which begins at an offset and ends before another.
pub(super) fn locate(
    reader: &mut (impl Read + Seek),
    record: Record<'_>,
    begins: u64,
    end: u64,
) -> io::Result<Result<Entry, ZipError>> {
    if record.header_at != begins {
        return Ok(Err(ZipError::Gap(record.shown())));
    }
    let contradiction = || Ok(Err(ZipError::Contradiction(record.shown())));
    let Some(header) = read_at(reader, begins, HEADER_BYTES)? else {
        return contradiction();
    };
    let Some(header) = Header::parse(&header) else {
        return contradiction();
    };
    let rest_bytes = u64::from(header.name_bytes) + u64::from(header.extra_bytes);
    let Some(rest) = read_at(reader, begins + HEADER_BYTES, rest_bytes)? else {
        return contradiction();
    };
    let (name, extra) = rest.split_at(usize::from(header.name_bytes).min(rest.len()));
    if !header.agrees(&record, name, extra) {
        return contradiction();
    }
    let data_at = begins + HEADER_BYTES + rest_bytes;
    let data_end = data_at.checked_add(record.packed);
    let Some(data_end) = data_end.filter(|data_end| *data_end <= end) else {
        return contradiction();
    };
    let descriptor_bytes = match record.flags & HAS_DESCRIPTOR {
        0 => Some(0),
        _ => descriptor(reader, &record, data_end, end)?,
    };
    let Some(descriptor_bytes) = descriptor_bytes else {
        return contradiction();
    };
    Ok(Ok(Entry {
        kind: record.kind,
        is_executable: record.is_executable,
        method: record.method(),
        crc32: record.crc32,
        packed: record.packed,
        size: record.size,
        span: begins..data_end + descriptor_bytes,
        data_at,
        record: record.place,
        path: record.path,
    }))
}

struct Header {
    flags: u16,
    method: u16,
    crc32: u32,
    packed: u32,
    size: u32,
    name_bytes: u16,
    extra_bytes: u16,
}

impl Header {
    fn parse(header: &[u8]) -> Option<Self> {
        let mut fields = Fields(header.strip_prefix(HEADER)?);
        fields.bytes(2)?;
        let (flags, method) = (fields.u16()?, fields.u16()?);
        fields.bytes(4)?;
        Some(Self {
            flags,
            method,
            crc32: fields.u32()?,
            packed: fields.u32()?,
            size: fields.u32()?,
            name_bytes: fields.u16()?,
            extra_bytes: fields.u16()?,
        })
    }

    fn agrees(&self, record: &Record<'_>, name: &[u8], extra: &[u8]) -> bool {
        let Some((size, packed)) = local_lengths(extra, name, self.size, self.packed) else {
            return false;
        };
        let same = (self.crc32, packed, size) == (record.crc32, record.packed, record.size);
        // Where the lengths follow the data they are zero here (4.4.4, bit 3); some write them all the same.
        let follows = record.flags & HAS_DESCRIPTOR != 0 && (self.crc32, packed, size) == (0, 0, 0);
        name == record.name
            && self.flags == record.flags
            && self.method == record.method
            && (same || follows)
    }
}

/// The length of what follows the data: with or without a signature, with lengths of 32 or 64 bits. None where it does not
/// say what the directory says.
fn descriptor(
    reader: &mut (impl Read + Seek),
    record: &Record<'_>,
    at: u64,
    end: u64,
) -> io::Result<Option<u64>> {
    let crc32 = record.crc32.to_le_bytes();
    let narrow = |value: u64| u32::try_from(value).map(u32::to_le_bytes);
    let mut forms = Vec::new();
    if let (Ok(packed), Ok(size)) = (narrow(record.packed), narrow(record.size)) {
        forms.push([&crc32[..], &packed, &size].concat());
    }
    let (packed, size) = (record.packed.to_le_bytes(), record.size.to_le_bytes());
    forms.push([&crc32[..], &packed, &size].concat());
    let signed: Vec<_> = forms
        .iter()
        .map(|form| [DESCRIPTOR, form].concat())
        .collect();
    let longest = 24.min(end.saturating_sub(at));
    let found = read_at(reader, at, longest)?.unwrap_or_default();
    // The signature first: without it a checksum could look like one. Narrow before wide: what follows a narrow one is the
    // next header, and the wide form is then cut by it.
    let fits = |form: &&Vec<u8>| {
        let rest = found.strip_prefix(form.as_slice());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"PK"))
    };
    let form = signed.iter().chain(&forms).find(fits);
    Ok(form.map(|form| form.len() as u64))
}
