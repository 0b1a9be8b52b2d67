//! The files of an archive, to be looked into: where each lies in the heap, and how it is packed there.
//!
//! That the heap has the checksums of the table is not judged here but where the package is inspected.

use std::io::{self, BufReader, Read, Seek, SeekFrom};

use flate2::bufread::ZlibDecoder;

use crate::walk::room;
use crate::xar::contents::{each_file, number, toc};
use crate::xar::header::Table;
use crate::xar::{Limits, XarError};
use crate::xml::{self, Element};

/// A file, folder, or link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Relative, `/` between.
    pub(crate) path: String,
    pub(crate) kind: EntryKind,
    /// Whether its owner may execute it; none where the table does not say.
    pub(crate) is_executable: Option<bool>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum EntryKind {
    Folder,
    /// What it points to, as found.
    Link(String),
    File(Data),
}

/// Where the data of a file lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Data {
    /// In the archive.
    offset: u64,
    /// How many bytes it has there.
    bytes: u64,
    /// How many it has unpacked.
    size: u64,
    is_compressed: bool,
}

/// Every file of an archive, a folder before what lies in it.
pub(crate) fn read(reader: &mut (impl Read + Seek)) -> io::Result<Result<Vec<Entry>, XarError>> {
    Ok(Table::read(reader)?.and_then(|table| entries(&table)))
}

fn entries(table: &Table) -> Result<Vec<Entry>, XarError> {
    let root = xml::parse(&table.plain)?;
    let mut entries = Vec::new();
    each_file(toc(&root)?, |path, file| {
        if entries.len() >= Limits::PIECES {
            return Err(XarError::TooMany);
        }
        entries.push(Entry {
            path: path.trim_start_matches('/').to_owned(),
            kind: kind(file, table.heap_at)?,
            is_executable: is_executable(file)?,
        });
        Ok(())
    })?;
    Ok(entries)
}

fn kind(file: &Element<'_>, heap_at: u64) -> Result<EntryKind, XarError> {
    let kind = file.only("type")?.map(|it| it.text.as_str());
    match (kind, file.only("data")?) {
        (Some("directory"), None) => Ok(EntryKind::Folder),
        (Some("symlink"), None) => {
            let link = file.only("link")?.ok_or(XarError::Missing("link"))?;
            Ok(EntryKind::Link(link.text.clone()))
        }
        (Some("file"), data) if file.all("file").next().is_none() => {
            Ok(EntryKind::File(match data {
                Some(element) => data_of(element, heap_at)?,
                None => Data::EMPTY,
            }))
        }
        _ => Err(XarError::Type),
    }
}

fn data_of(data: &Element<'_>, heap_at: u64) -> Result<Data, XarError> {
    let bytes = number(data, "length")?;
    let size = number(data, "size")?;
    if bytes == 0 && size == 0 {
        return Ok(Data::EMPTY);
    }
    let offset = heap_at.checked_add(number(data, "offset")?);
    let encoding = data.only("encoding")?.map(|it| it.attribute("style"));
    let is_compressed = match encoding {
        None | Some(Some("application/octet-stream")) => false,
        // A zlib stream (RFC 1950), whatever the name says.
        Some(Some("application/x-gzip")) => true,
        Some(_) => return Err(XarError::Encoding),
    };
    if !is_compressed && bytes != size {
        return Err(XarError::Encoding);
    }
    Ok(Data {
        offset: offset.ok_or(XarError::Missing("offset"))?,
        bytes,
        size,
        is_compressed,
    })
}

fn is_executable(file: &Element<'_>) -> Result<Option<bool>, XarError> {
    let mode = file.only("mode")?;
    let mode = mode.map(|it| u32::from_str_radix(it.text.trim(), 8));
    Ok(mode.and_then(Result::ok).map(|mode| mode & 0o100 != 0))
}

impl Data {
    const EMPTY: Self = Self {
        offset: 0,
        bytes: 0,
        size: 0,
        is_compressed: false,
    };

    /// The bytes of the file, unpacked.
    pub(crate) fn content<'a, R: Read + Seek>(
        &self,
        archive: &'a mut R,
    ) -> io::Result<Box<dyn Read + 'a>> {
        let packed = at(archive, self.offset)?.take(self.bytes);
        let left = self.size;
        Ok(match self.is_compressed {
            true => {
                let plain = ZlibDecoder::new(BufReader::new(packed));
                Box::new(Exact { plain, left })
            }
            false => Box::new(Exact {
                plain: packed,
                left,
            }),
        })
    }
}

/// The archive from an offset on. Offsets are hostile, and no file reaches where off_t ends.
fn at<R: Read + Seek>(archive: &mut R, offset: u64) -> io::Result<&mut R> {
    if i64::try_from(offset).is_err() {
        return Err(room::refused(XarError::Truncated));
    }
    archive.seek(SeekFrom::Start(offset))?;
    Ok(archive)
}

/// A reader that must give just as many bytes as were said.
struct Exact<R> {
    plain: R,
    left: u64,
}

impl<R: Read> Read for Exact<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.plain.read(buffer)?;
        let left = self.left.checked_sub(read as u64);
        let is_short = read == 0 && !buffer.is_empty() && self.left > 0;
        match left.filter(|_| !is_short) {
            Some(left) => {
                self.left = left;
                Ok(read)
            }
            None => Err(room::refused(XarError::Size)),
        }
    }
}
