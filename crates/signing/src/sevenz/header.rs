//! The database of an archive: what is packed where, how, and what it is called (7zFormat.txt of the LZMA SDK).

mod streams;

use release::name::printable;
use thiserror::Error;

use super::Limits;

/// What a property says (7zFormat.txt, "Property IDs").
mod property {
    pub(super) const END: u64 = 0;
    pub(super) const HEADER: u64 = 1;
    pub(super) const STREAMS: u64 = 4;
    pub(super) const FILES: u64 = 5;
    pub(super) const PACKED: u64 = 6;
    pub(super) const UNPACKED: u64 = 7;
    pub(super) const SUBSTREAMS: u64 = 8;
    pub(super) const SIZE: u64 = 9;
    pub(super) const CRC: u64 = 10;
    pub(super) const FOLDER: u64 = 11;
    pub(super) const UNPACKED_SIZES: u64 = 12;
    pub(super) const SUBSTREAM_COUNTS: u64 = 13;
    pub(super) const EMPTY_STREAM: u64 = 14;
    pub(super) const EMPTY_FILE: u64 = 15;
    pub(super) const ANTI: u64 = 16;
    pub(super) const NAMES: u64 = 17;
    pub(super) const CREATED: u64 = 18;
    pub(super) const ACCESSED: u64 = 19;
    pub(super) const MODIFIED: u64 = 20;
    pub(super) const ATTRIBUTES: u64 = 21;
    pub(super) const ENCODED: u64 = 23;
    pub(super) const DUMMY: u64 = 25;
}

/// Why a database is not read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(super) enum HeaderError {
    #[error("its header ends too early")]
    Truncated,
    #[error("its header has a number that is larger than the header or the archive")]
    Number,
    #[error("its header has the property {0}, which is unknown or stands at a wrong place")]
    Property(u64),
    #[error("its header has data that stand elsewhere")]
    External,
    #[error("something stands behind its header")]
    Behind,
    #[error("its coders are connected in no way that is read")]
    Coders,
    #[error("its files and streams do not belong together")]
    Streams,
    #[error("a name in it is no UTF-16 that a zero ends")]
    Name,
    #[error("`{0}` says that a file is to be removed where it is unpacked")]
    Anti(String),
    #[error("`{0}` has attributes that contradict one another, or is no file, folder, or link")]
    Attributes(String),
}

/// A coder: what was done to its inputs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Coder {
    pub(super) method: Vec<u8>,
    pub(super) properties: Vec<u8>,
    pub(super) inputs: Vec<Input>,
    pub(super) unpacked: u64,
}

/// Where the input of a coder comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Input {
    /// Another coder.
    Coder(usize),
    /// A place in the archive.
    Packed { at: u64, bytes: u64 },
}

/// Files that are packed as one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) coders: Vec<Coder>,
    /// The coder that gives the files.
    pub(super) last: usize,
    pub(super) crc: Option<u32>,
    pub(super) parts: Vec<Part>,
}

impl Block {
    pub(super) fn unpacked(&self) -> u64 {
        self.coders.get(self.last).map_or(0, |it| it.unpacked)
    }
}

/// A file in a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) bytes: u64,
    pub(super) crc: Option<u32>,
}

/// What is packed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Streams {
    /// Where the first packed byte stands, behind the signature header, and where the last one ends.
    pub(super) begins: u64,
    pub(super) ends: u64,
    pub(super) blocks: Vec<Block>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Folder,
    File,
    Link,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct File {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) is_executable: Option<bool>,
    /// Whether it is a part of a block. Files without one are empty.
    pub(super) has_stream: bool,
}

/// What a header says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Header {
    /// Where the real one is packed.
    Encoded(Streams),
    Plain(Streams, Vec<File>),
}

pub(super) fn parse(bytes: &[u8]) -> Result<Header, HeaderError> {
    let mut cursor = Cursor(bytes);
    let header = match cursor.number()? {
        property::ENCODED => Header::Encoded(cursor.streams()?),
        property::HEADER => {
            let (mut streams, mut files) = (Streams::default(), Vec::new());
            let mut id = cursor.number()?;
            if id == property::STREAMS {
                streams = cursor.streams()?;
                id = cursor.number()?;
            }
            if id == property::FILES {
                files = cursor.files()?;
                id = cursor.number()?;
            }
            expect(id, property::END)?;
            Header::Plain(streams, files)
        }
        id => return Err(HeaderError::Property(id)),
    };
    match cursor.0.is_empty() {
        true => Ok(header),
        false => Err(HeaderError::Behind),
    }
}

fn expect(found: u64, wanted: u64) -> Result<(), HeaderError> {
    match found == wanted {
        true => Ok(()),
        false => Err(HeaderError::Property(found)),
    }
}

struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn bytes(&mut self, count: usize) -> Result<&'a [u8], HeaderError> {
        let (taken, rest) = self
            .0
            .split_at_checked(count)
            .ok_or(HeaderError::Truncated)?;
        self.0 = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, HeaderError> {
        let (byte, rest) = self.0.split_first().ok_or(HeaderError::Truncated)?;
        self.0 = rest;
        Ok(*byte)
    }

    fn u32(&mut self) -> Result<u32, HeaderError> {
        let bytes = self.bytes(4)?.first_chunk().ok_or(HeaderError::Truncated)?;
        Ok(u32::from_le_bytes(*bytes))
    }

    /// 7zFormat.txt, "REAL_UINT64 and UINT64": the highest bits of the first byte say how many follow.
    fn number(&mut self) -> Result<u64, HeaderError> {
        let first = self.byte()?;
        let more = first.leading_ones();
        let mut value = 0_u64;
        for (place, byte) in self.bytes(more as usize)?.iter().enumerate() {
            value |= u64::from(*byte) << (8 * place);
        }
        if more < 7 {
            value |= u64::from(first & (0x7f >> more)) << (8 * more);
        }
        Ok(value)
    }

    /// A number of things each of which takes a bit of the header at least.
    fn count(&mut self) -> Result<usize, HeaderError> {
        let count = usize::try_from(self.number()?).map_err(|_| HeaderError::Number)?;
        match count <= Limits::THINGS {
            true => Ok(count),
            false => Err(HeaderError::Number),
        }
    }

    fn bits(&mut self, count: usize) -> Result<Vec<bool>, HeaderError> {
        let bytes = self.bytes(count.div_ceil(8))?;
        let bits = bytes
            .iter()
            .flat_map(|byte| (0..8).map(move |at| byte << at & 0x80 != 0));
        Ok(bits.take(count).collect())
    }

    /// Bits, or that all are set.
    fn bits_or_all(&mut self, count: usize) -> Result<Vec<bool>, HeaderError> {
        match self.byte()? {
            0 => self.bits(count),
            _ => Ok(vec![true; count]),
        }
    }

    fn digests(&mut self, count: usize) -> Result<Vec<Option<u32>>, HeaderError> {
        let defined = self.bits_or_all(count)?.into_iter();
        let digests = defined.map(|is_defined| match is_defined {
            true => self.u32().map(Some),
            false => Ok(None),
        });
        digests.collect()
    }

    /// Whether what follows stands here, and not in a stream of its own.
    fn inside(&mut self) -> Result<(), HeaderError> {
        match self.byte()? {
            0 => Ok(()),
            _ => Err(HeaderError::External),
        }
    }

    fn files(&mut self) -> Result<Vec<File>, HeaderError> {
        let count = self.count()?;
        let mut names: Option<Vec<String>> = None;
        let mut attributes = Vec::new();
        let mut is_empty = Vec::new();
        let (mut is_file, mut is_anti) = (Vec::new(), Vec::new());
        let mut seen = Vec::new();
        loop {
            let id = self.number()?;
            if id == property::END {
                break;
            }
            let bytes = usize::try_from(self.number()?).map_err(|_| HeaderError::Truncated)?;
            let mut inside = Cursor(self.bytes(bytes)?);
            if id == property::DUMMY {
                // What fills up to where the next one is to begin.
                match inside.0.iter().all(|byte| *byte == 0) {
                    true => continue,
                    false => return Err(HeaderError::Property(id)),
                }
            }
            if seen.contains(&id) {
                return Err(HeaderError::Property(id));
            }
            seen.push(id);
            let empty = is_empty.iter().filter(|it| **it).count();
            match id {
                property::EMPTY_STREAM => is_empty = inside.bits(count)?,
                property::EMPTY_FILE => is_file = inside.bits(empty)?,
                property::ANTI => is_anti = inside.bits(empty)?,
                property::NAMES => {
                    inside.inside()?;
                    names = Some(inside.names(count)?);
                }
                property::ATTRIBUTES => {
                    let defined = inside.bits_or_all(count)?;
                    inside.inside()?;
                    let defined = defined.into_iter();
                    let found = defined.map(|it| it.then(|| inside.u32()).transpose());
                    attributes = found.collect::<Result<_, _>>()?;
                }
                property::CREATED | property::ACCESSED | property::MODIFIED => inside.0 = &[],
                id => return Err(HeaderError::Property(id)),
            }
            if !inside.0.is_empty() {
                return Err(HeaderError::Behind);
            }
        }
        let names = match names {
            Some(names) => names,
            None if count == 0 => Vec::new(),
            None => return Err(HeaderError::Name),
        };
        let mut empty = is_file.into_iter();
        let mut is_anti = is_anti.into_iter();
        let files = names.into_iter().enumerate().map(|(place, name)| {
            let has_stream = !is_empty.get(place).copied().unwrap_or(false);
            let is_folder = !has_stream && empty.next() != Some(true);
            if !has_stream && is_anti.next() == Some(true) {
                return Err(HeaderError::Anti(printable(&name)));
            }
            let attributes = attributes.get(place).copied().flatten();
            file(name, has_stream, is_folder, attributes)
        });
        files.collect()
    }

    /// Texts of UTF-16, a zero behind each.
    fn names(&mut self, count: usize) -> Result<Vec<String>, HeaderError> {
        let units = self.0.chunks_exact(2);
        if !units.remainder().is_empty() {
            return Err(HeaderError::Name);
        }
        let units: Vec<_> = units
            .filter_map(|unit| Some(u16::from_le_bytes(*unit.first_chunk()?)))
            .collect();
        self.0 = &[];
        let (mut names, mut rest) = (Vec::new(), units.as_slice());
        while let Some(end) = rest.iter().position(|unit| *unit == 0) {
            let (name, behind) = rest.split_at(end);
            names.push(String::from_utf16(name).map_err(|_| HeaderError::Name)?);
            rest = behind.get(1..).unwrap_or_default();
        }
        match rest.is_empty() && names.len() == count {
            true => Ok(names),
            false => Err(HeaderError::Name),
        }
    }
}

/// Attributes of Windows; where the second is set the upper half is a mode of POSIX, as p7zip writes it.
const DIRECTORY: u32 = 0x10;
const REPARSE_POINT: u32 = 0x400;
const UNIX: u32 = 0x8000;

fn file(
    name: String,
    has_stream: bool,
    is_folder: bool,
    attributes: Option<u32>,
) -> Result<File, HeaderError> {
    let attributes = attributes.unwrap_or(0);
    let mode = (attributes & UNIX != 0).then_some(attributes >> 16);
    // POSIX, `<sys/stat.h>`.
    let kind = match mode.map(|mode| mode & 0o170_000) {
        Some(0o120_000) if has_stream => Kind::Link,
        Some(0o040_000) if is_folder => Kind::Folder,
        Some(0o100_000 | 0) | None if is_folder => Kind::Folder,
        Some(0o100_000 | 0) | None => Kind::File,
        _ => return Err(HeaderError::Attributes(printable(&name))),
    };
    let is_directory = attributes & DIRECTORY != 0;
    if (is_directory && kind != Kind::Folder) || attributes & REPARSE_POINT != 0 {
        return Err(HeaderError::Attributes(printable(&name)));
    }
    Ok(File {
        name,
        kind,
        is_executable: mode.map(|mode| mode & 0o100 != 0),
        has_stream,
    })
}
