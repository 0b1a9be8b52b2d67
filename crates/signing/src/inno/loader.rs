//! The table by which the program of an installer finds its data: the resource 11111 of its own.

use std::io::{self, Read, Seek, SeekFrom};

use crate::inno::{InnoError, exactly, refused};
use crate::pe::{Image, u16_at, u32_at};
use crate::reading;
use crate::verify::Bytes;

/// `RT_RCDATA`, and the number of the table.
const RESOURCE: [u32; 2] = [10, 11111];
/// How the table begins, of every version since 5.1.5. Loaders do not look at it, but at the checksum.
const MAGIC: &[u8; 12] = b"rDlPtS\xcd\xe6\xd7{\x0b*";
/// Bytes of the table until 6.4, and since.
const TABLE_BYTES: [u64; 2] = [44, 64];
/// How installers before 5.1.5 say where their table is.
const OLD_MARK: (u64, &[u8; 4]) = (0x30, b"Inno");
/// Entries of one directory of resources.
const ENTRIES_MAX: u16 = 4096;

/// Where the parts of an installer begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Loader {
    /// The list of files.
    pub(super) list_at: u64,
    /// What the files are packed as; none where that lies in other files.
    pub(super) data_at: Option<u64>,
}

/// Whether a program has such a table, whatever is in it.
pub(super) fn is_marked(bytes: &mut (impl Read + Seek + ?Sized)) -> io::Result<bool> {
    let mut bytes = bytes;
    if is_old(&mut bytes)? {
        return Ok(true);
    }
    for table in tables(&mut bytes)? {
        if table.starts_with(MAGIC) || parse(&table).is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn is_old(bytes: &mut (impl Read + Seek)) -> io::Result<bool> {
    let (at, mark) = OLD_MARK;
    let found = reading::read_at(bytes, at, 4)?;
    Ok(found.is_some_and(|found| found == mark))
}

impl Loader {
    pub(super) fn read(mut bytes: &mut dyn Bytes) -> io::Result<Self> {
        if is_old(&mut bytes)? {
            return Err(refused(InnoError::Old));
        }
        let size = bytes.seek(SeekFrom::End(0))?;
        let tables = tables(&mut bytes)?;
        let [table] = tables.as_slice() else {
            return Err(refused(InnoError::Table));
        };
        let (loader, total) = parse(table).ok_or_else(|| refused(InnoError::Table))?;
        match total <= size {
            true => Ok(loader),
            false => Err(refused(InnoError::Truncated)),
        }
    }
}

/// `TSetupLdrOffsetTable`, and how many bytes the file has at least.
fn parse(table: &[u8]) -> Option<(Loader, u64)> {
    let (stated, summed) = table
        .split_last_chunk::<4>()
        .map(|(rest, sum)| (sum, rest))?;
    if u32::from_le_bytes(*stated) != crc32(summed) {
        return None;
    }
    let short = |at| u32_at(table, at).map(u64::from);
    let long = |at| Some(short(at)? | short(at + 4)? << 32);
    let (total, list_at, data_at) = match (short(12)?, table.len()) {
        (1, 44) => (short(16)?, short(32)?, short(36)?),
        (2, 64) => (long(16)?, long(40)?, long(48)?),
        _ => return None,
    };
    let data_at = (data_at != 0).then_some(data_at);
    Some((Loader { list_at, data_at }, total))
}

pub(super) fn crc32(bytes: &[u8]) -> u32 {
    let sum = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32IsoHdlc, bytes);
    u32::try_from(sum).unwrap_or_default()
}

/// Every resource of that kind, number, and one of those lengths (PE/COFF, "The .rsrc Section").
fn tables(bytes: &mut (impl Read + Seek)) -> io::Result<Vec<Vec<u8>>> {
    let Ok(image) = Image::read(bytes)? else {
        return Ok(Vec::new());
    };
    let Some(root) = Resources::of(&image) else {
        return Ok(Vec::new());
    };
    let [kind, number] = RESOURCE;
    let mut found = Vec::new();
    for kind in root.children(bytes, 0, Some(kind))? {
        for number in root.children(bytes, kind, Some(number))? {
            for language in root.leaves(bytes, number)? {
                let Some((at, size)) = root.data(bytes, language)? else {
                    continue;
                };
                if TABLE_BYTES.contains(&size) {
                    found.extend(reading::read_at(bytes, at, size)?);
                }
            }
        }
    }
    Ok(found)
}

/// The directory of resources.
struct Resources<'a> {
    image: &'a Image,
    at: u64,
}

impl<'a> Resources<'a> {
    fn of(image: &'a Image) -> Option<Self> {
        let header = usize::try_from(u32_at(&image.head, 60)?).ok()? + 24;
        // PE/COFF, "Optional Header Data Directories": that of resources is the third.
        let directories = match u16_at(&image.head, header)? {
            0x10b => header + 96,
            _ => header + 112,
        };
        let count = u32_at(&image.head, directories - 4)?;
        let entry = (count > 2).then_some(directories + 2 * 8)?;
        let at = offset(image, u32_at(&image.head, entry)?)?;
        Some(Self { image, at })
    }

    /// The entries of a directory, which stands at an offset of the whole: the number, and what it leads to.
    fn entries(&self, bytes: &mut (impl Read + Seek), at: u32) -> io::Result<Vec<(u32, u32)>> {
        let Some(head) = reading::read_at(bytes, self.at + u64::from(at), 16)? else {
            return Ok(Vec::new());
        };
        let (named, numbered) = (u16_at(&head, 12), u16_at(&head, 14));
        let count = named.unwrap_or(0).saturating_add(numbered.unwrap_or(0));
        let size = 8 * u64::from(count.min(ENTRIES_MAX));
        let list = reading::read_at(bytes, self.at + u64::from(at) + 16, size)?;
        let list = list.unwrap_or_default();
        let entries = list.chunks_exact(8);
        Ok(entries
            .filter_map(|it| Some((u32_at(it, 0)?, u32_at(it, 4)?)))
            .collect())
    }

    /// Where the directories in a directory stand, of one number.
    fn children(
        &self,
        bytes: &mut (impl Read + Seek),
        at: u32,
        number: Option<u32>,
    ) -> io::Result<Vec<u32>> {
        let entries = self.entries(bytes, at)?.into_iter();
        let wanted =
            entries.filter(|(found, to)| number.is_none_or(|it| it == *found) && to >> 31 == 1);
        Ok(wanted.map(|(_, to)| to & 0x7fff_ffff).collect())
    }

    fn leaves(&self, bytes: &mut (impl Read + Seek), at: u32) -> io::Result<Vec<u32>> {
        let entries = self.entries(bytes, at)?.into_iter();
        Ok(entries
            .filter(|(_, to)| to >> 31 == 0)
            .map(|(_, to)| to)
            .collect())
    }

    /// Where the bytes of a resource stand in the file, and how many there are.
    fn data(&self, bytes: &mut (impl Read + Seek), at: u32) -> io::Result<Option<(u64, u64)>> {
        let entry = reading::read_at(bytes, self.at + u64::from(at), 16)?;
        Ok(entry.and_then(|entry| {
            let at = offset(self.image, u32_at(&entry, 0)?)?;
            Some((at, u64::from(u32_at(&entry, 4)?)))
        }))
    }
}

/// Where an address stands in the file, by the section headers, which are the end of what was read.
fn offset(image: &Image, address: u32) -> Option<u64> {
    let pe = usize::try_from(u32_at(&image.head, 60)?).ok()?;
    let count = usize::from(u16_at(&image.head, pe + 6)?);
    let list = pe + 24 + usize::from(u16_at(&image.head, pe + 20)?);
    let sections = image.head.get(list..)?.chunks_exact(40).take(count);
    sections
        .filter_map(|section| {
            let (start, bytes, place) = (
                u32_at(section, 12)?,
                u32_at(section, 16)?,
                u32_at(section, 20)?,
            );
            let within = address.checked_sub(start).filter(|it| *it < bytes)?;
            Some(u64::from(place) + u64::from(within))
        })
        .next()
}

/// Reads at an offset, to fill a buffer.
pub(super) fn read_at(bytes: &mut dyn Bytes, at: u64, buffer: &mut [u8]) -> io::Result<()> {
    if at > i64::MAX.unsigned_abs() {
        return Err(refused(InnoError::Truncated));
    }
    bytes.seek(SeekFrom::Start(at))?;
    exactly(bytes, buffer, InnoError::Truncated)
}
