//! Portable Executable files (Microsoft PE/COFF): where things are, as far as a signature needs it.
//!
//! The Authenticode digest covers the whole file but the checksum, the certificate table's entry in the data directory,
//! and that table. The entry is the only one that holds a file offset, not an address. The table ends the file: what
//! stands behind it is signed by nobody.

mod pages;
mod stream;
mod table;

use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

use thiserror::Error;

use crate::reading::is_zero;

pub(crate) use pages::Pages;
pub(crate) use stream::Stream;
pub(crate) use table::{TableError, certificates};

/// How far into a file its headers may reach, in bytes. Real ones end before 4,096.
const HEADERS_BYTES_MAX: u64 = 1024 * 1024;
/// The largest certificate table that is read, in bytes. Real ones have 5 to 50 KiB, with page hashes up to some MiB.
pub(crate) const TABLE_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Windows loads no image with more sections.
const SECTIONS_MAX: usize = 96;

/// Why a file is no PE image that can be judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum PeError {
    #[error("the file is empty")]
    Empty,
    #[error("the file does not begin with `MZ`")]
    NoDosHeader,
    #[error("there is no `PE` header where the DOS header says it is")]
    NoPeHeader,
    #[error("the file ends inside its headers")]
    Truncated,
    #[error("the headers reach further than {HEADERS_BYTES_MAX} bytes")]
    HeadersTooLarge,
    #[error("the optional header is neither PE32 nor PE32+")]
    Magic,
    #[error("the optional header is too short for what it should hold")]
    OptionalHeader,
    #[error("there are more than {SECTIONS_MAX} sections")]
    Sections,
}

/// Where the certificate table is said to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Table {
    pub(crate) offset: u64,
    pub(crate) bytes: u64,
}

/// A section, as far as page hashes need it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Section {
    pub(crate) offset: u64,
    pub(crate) bytes: u64,
}

/// The headers of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Image {
    /// Bytes of the whole file.
    pub(crate) size: u64,
    /// The beginning of the file up to the end of the section headers, as read.
    pub(crate) head: Vec<u8>,
    /// Offset of the checksum, 4 bytes.
    pub(crate) checksum_at: u64,
    /// Offset of the certificate table's entry in the data directory, 8 bytes, where there is one.
    pub(crate) entry_at: Option<u64>,
    /// None where the entry is absent or zero: the file is not signed.
    pub(crate) table: Option<Table>,
    pub(crate) headers_bytes: u64,
    pub(crate) section_alignment: u64,
    pub(crate) sections: Vec<Section>,
}

/// Little-endian numbers at an offset; none past the end.
pub(crate) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let bytes = bytes.get(at..)?.first_chunk::<2>()?;
    Some(u16::from_le_bytes(*bytes))
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..)?.first_chunk::<4>()?;
    Some(u32::from_le_bytes(*bytes))
}

impl Image {
    /// Reads the headers.
    pub(crate) fn read(reader: &mut (impl Read + Seek)) -> io::Result<Result<Self, PeError>> {
        let size = reader.seek(SeekFrom::End(0))?;
        reader.seek(SeekFrom::Start(0))?;
        let mut head = Vec::new();
        let mut more = |head: &mut Vec<u8>, until: u64| -> io::Result<bool> {
            if until > HEADERS_BYTES_MAX.min(size) {
                return Ok(false);
            }
            let missing = until.saturating_sub(head.len() as u64);
            reader.by_ref().take(missing).read_to_end(head)?;
            Ok(head.len() as u64 >= until)
        };
        if size == 0 {
            return Ok(Err(PeError::Empty));
        }
        more(&mut head, size.min(64))?;
        if !head.starts_with(b"MZ") {
            return Ok(Err(PeError::NoDosHeader));
        }
        let Some(pe_at) = u32_at(&head, 60).map(u64::from) else {
            return Ok(Err(PeError::Truncated));
        };
        let short = |until: u64| {
            Ok(Err(if until > HEADERS_BYTES_MAX {
                PeError::HeadersTooLarge
            } else {
                PeError::Truncated
            }))
        };
        if !more(&mut head, pe_at + 24)? {
            return short(pe_at + 24);
        }
        // Within HEADERS_BYTES_MAX, so it fits.
        let at = usize::try_from(pe_at).unwrap_or(usize::MAX);
        let end = head
            .get(at..)
            .filter(|header| header.starts_with(b"PE\0\0"))
            .and_then(|header| Some((u16_at(header, 6)?, u16_at(header, 20)?)));
        let Some((sections, optional)) = end else {
            return Ok(Err(PeError::NoPeHeader));
        };
        if usize::from(sections) > SECTIONS_MAX {
            return Ok(Err(PeError::Sections));
        }
        let end = pe_at + 24 + u64::from(optional) + 40 * u64::from(sections);
        if !more(&mut head, end)? {
            return short(end);
        }
        Ok(Self::parse(head, at + 24, usize::from(optional), size))
    }

    /// Reads what the optional header and the section headers say; all of them are in `head`.
    fn parse(head: Vec<u8>, at: usize, bytes: usize, size: u64) -> Result<Self, PeError> {
        let header = head.get(at..at + bytes).ok_or(PeError::Truncated)?;
        let number = |at| u32_at(header, at).ok_or(PeError::OptionalHeader);
        // PE/COFF, "Optional Header Windows-Specific Fields": PE32+ has four fields of 8 instead of 4 bytes.
        let directories = match u16_at(header, 0) {
            Some(0x10b) => 96,
            Some(0x20b) => 112,
            Some(_) => return Err(PeError::Magic),
            None => return Err(PeError::OptionalHeader),
        };
        let section_alignment = number(32)?;
        let headers_bytes = number(60)?;
        number(64)?;
        let count = number(directories - 4)?;
        // IMAGE_DIRECTORY_ENTRY_SECURITY is the fifth.
        let entry = (count > 4).then_some(directories + 4 * 8);
        let table = match entry {
            Some(entry) => Some((number(entry)?, number(entry + 4)?)),
            None => None,
        };
        let table = table.filter(|table| *table != (0, 0));
        let sections = head.get(at + bytes..).unwrap_or_default();
        let sections = sections.chunks_exact(40).filter_map(|section| {
            Some(Section {
                bytes: u64::from(u32_at(section, 16)?),
                offset: u64::from(u32_at(section, 20)?),
            })
        });
        let sections = sections.filter(|section| section.bytes > 0).collect();
        let offset = |within: usize| (at + within) as u64;
        Ok(Self {
            size,
            checksum_at: offset(64),
            entry_at: entry.map(offset),
            table: table.map(|(offset, bytes)| Table {
                offset: u64::from(offset),
                bytes: u64::from(bytes),
            }),
            headers_bytes: u64::from(headers_bytes),
            section_alignment: u64::from(section_alignment),
            sections,
            head,
        })
    }

    /// What stands behind the sections, up to the certificate table: installers and archives keep their data there.
    pub(crate) fn overlay(&self) -> Range<u64> {
        let ends = self.sections.iter().map(|it| it.offset + it.bytes);
        let start = ends.fold(self.head.len() as u64, u64::max).min(self.size);
        let table = self.table.map(|table| table.offset);
        let end = table.filter(|offset| (start..self.size).contains(offset));
        start..end.unwrap_or(self.size)
    }

    /// Whether data that end there are the last of the file, but for a signature and what it needs to begin at a multiple of 8.
    pub(crate) fn is_ended_by(
        &self,
        reader: &mut (impl Read + Seek),
        end: u64,
    ) -> io::Result<bool> {
        let until = self.overlay().end;
        Ok(match until.checked_sub(end) {
            Some(0) => true,
            Some(1..8) if self.table.is_some() => is_zero(reader, end, until)?,
            _ => false,
        })
    }

    /// Reads the certificate table, or says how it lies.
    pub(crate) fn read_table(
        &self,
        reader: &mut (impl Read + Seek),
        table: Table,
    ) -> io::Result<Result<Vec<u8>, TableError>> {
        let Table { offset, bytes } = table;
        // Both are 32 bits wide.
        let end = offset + bytes;
        if bytes == 0 || offset < self.head.len() as u64 {
            return Ok(Err(TableError::Place));
        }
        if end > self.size {
            return Ok(Err(TableError::Truncated {
                end,
                size: self.size,
            }));
        }
        if bytes > TABLE_BYTES_MAX {
            return Ok(Err(TableError::TooLarge));
        }
        reader.seek(SeekFrom::Start(offset))?;
        let mut found = Vec::new();
        reader.by_ref().take(bytes).read_to_end(&mut found)?;
        if found.len() as u64 == bytes {
            Ok(Ok(found))
        } else {
            Ok(Err(TableError::Truncated {
                end,
                size: self.size,
            }))
        }
    }
}

#[cfg(test)]
mod tests;
