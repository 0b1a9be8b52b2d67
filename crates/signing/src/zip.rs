//! Zip archives, read as whoever unpacks them reads them: one way only.
//!
//! A zip archive says everything twice, in front of each file and in the directory at its end, and readers differ in which
//! they believe. So both must say the same, files must lie one behind the other from the first byte to the directory, and
//! nothing may stand anywhere else. What is encrypted, spread over several files, or packed in an unknown way is refused.
//!
//! Source: PKWARE, APPNOTE.TXT 6.3.10; sections are named where a rule is from.

mod content;
mod directory;
mod end;
mod local;
mod without;

use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

use thiserror::Error;

use crate::walk::names::NameError;

pub(crate) use content::Content;
pub(crate) use without::end_without;

/// What is read of an archive at most. Files are read in pieces.
pub(crate) struct Limits;

impl Limits {
    /// Files and folders.
    pub(crate) const ENTRIES: u64 = 200_000;
    /// Bytes of the directory. That of an app of 100,000 files has 15 MB.
    pub(crate) const DIRECTORY_BYTES: u64 = 64 * 1024 * 1024;
}

/// An archive.
#[derive(Debug)]
pub(crate) struct Archive {
    /// In the order in which they lie in the file.
    pub(crate) entries: Vec<Entry>,
    /// Its directory. The end records follow it.
    pub(crate) directory: Range<u64>,
    /// Its length.
    pub(crate) size: u64,
}

/// A file, folder, or link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Relative, `/` between, without `.`, `..`, or empty parts.
    pub(crate) path: String,
    pub(crate) kind: EntryKind,
    /// Whether its owner may execute it; None where the archive was not made on Unix.
    pub(crate) is_executable: Option<bool>,
    pub(crate) method: Method,
    pub(crate) crc32: u32,
    /// Length as it lies in the archive.
    pub(crate) packed: u64,
    /// Length.
    pub(crate) size: u64,
    /// From its header to the end of what follows its data.
    pub(crate) span: Range<u64>,
    /// Where its data begins.
    pub(crate) data_at: u64,
    /// Its record in the directory.
    pub(crate) record: Range<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EntryKind {
    Folder,
    File,
    /// Its content is what it points to.
    Link,
}

/// How data is packed (4.4.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    Stored,
    Deflated,
    /// One that is not read.
    Other(u16),
}

/// Why an archive is not read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum ZipError {
    #[error(
        "it does not end with the end record of a zip archive, or with more than one that could be it"
    )]
    NoEnd,
    #[error("its end records contradict one another, or are of an archive in several files")]
    End,
    #[error(
        "its directory does not end where its end record begins: something stands before, between, or behind"
    )]
    Displaced,
    #[error("its directory is larger than what is read, or has more than {max} entries", max = Limits::ENTRIES)]
    TooLarge,
    #[error("its directory ends inside an entry, or has another number of entries than it says")]
    Directory,
    #[error("an extra field of `{0}` cannot be read, or gives it another name")]
    Extra(String),
    #[error("`{0}` is encrypted or patched")]
    Encrypted(String),
    #[error("`{0}` is neither file nor folder nor link, or a folder with content")]
    Kind(String),
    #[error("what stands in front of `{0}` is not what the directory says of it")]
    Contradiction(String),
    #[error("`{0}` does not begin where what is before it ends")]
    Gap(String),
    #[error("a name in it: {0}")]
    Name(#[from] NameError),
}

impl Archive {
    /// Reads the directory and every header.
    ///
    /// # Errors
    /// Where the reader fails. An archive that is wrong is a [`ZipError`].
    pub(crate) fn open(reader: &mut (impl Read + Seek)) -> io::Result<Result<Self, ZipError>> {
        let size = reader.seek(SeekFrom::End(0))?;
        let end = match end::find(reader, size)? {
            Ok(end) => end,
            Err(error) => return Ok(Err(error)),
        };
        let Some(directory) =
            crate::reading::read_at(reader, end.directory.start, length(&end.directory))?
        else {
            return Ok(Err(ZipError::Directory));
        };
        let records = match directory::parse(&directory, &end) {
            Ok(records) => records,
            Err(error) => return Ok(Err(error)),
        };
        let mut entries = Vec::with_capacity(records.len());
        let mut at = 0;
        for record in records {
            let entry = match local::locate(reader, record, at, end.directory.start)? {
                Ok(entry) => entry,
                Err(error) => return Ok(Err(error)),
            };
            at = entry.span.end;
            entries.push(entry);
        }
        if at != end.directory.start {
            return Ok(Err(ZipError::Displaced));
        }
        Ok(Ok(Self {
            entries,
            directory: end.directory,
            size,
        }))
    }

    /// The content of a file. That it is not what the directory says is an error of the reader.
    ///
    /// # Errors
    /// Where the reader fails.
    pub(crate) fn content<'a, R: Read + Seek>(
        reader: &'a mut R,
        entry: &Entry,
    ) -> io::Result<Content<'a, R>> {
        reader.seek(SeekFrom::Start(entry.data_at))?;
        Content::new(reader, entry)
    }
}

fn length(range: &Range<u64>) -> u64 {
    range.end.saturating_sub(range.start)
}

/// Little-endian fields of a record, one behind the other. None past the end.
#[derive(Debug, Clone)]
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn u16(&mut self) -> Option<u16> {
        let bytes = self.bytes(2)?.first_chunk()?;
        Some(u16::from_le_bytes(*bytes))
    }

    fn u32(&mut self) -> Option<u32> {
        let bytes = self.bytes(4)?.first_chunk()?;
        Some(u32::from_le_bytes(*bytes))
    }

    fn u64(&mut self) -> Option<u64> {
        let bytes = self.bytes(8)?.first_chunk()?;
        Some(u64::from_le_bytes(*bytes))
    }
}

#[cfg(test)]
pub(crate) mod tests;
