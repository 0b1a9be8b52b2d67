//! The list of files: the texts and numbers of every entry in front of them are passed over.

use std::io::{self, Read};

use crate::inno::blocks::Place;
use crate::inno::layout::{Layout, Record, Sum};
use crate::inno::loader::{Loader, crc32, read_at};
use crate::inno::{InnoError, Limits, exactly, refused};
use crate::pe::u32_at;
use crate::verify::Bytes;

/// `TSetupID`, the mark of the list.
const MARK_BYTES: u64 = 64;
/// `TSetupEncryptionHeader` with its checksum.
const ENCRYPTION_BYTES: u64 = 4 + 49;
/// The number in place of one of a content, where a file has none in the installer.
const NO_LOCATION: u32 = u32::MAX;

/// How chunks are packed (`TSetupCompressMethod`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packing {
    Stored,
    Zip,
    Bzip2,
    Lzma,
    Lzma2,
}

/// What was done to a content, and to the chunk that it lies in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Flags {
    pub(super) has_calls: bool,
    pub(super) is_encrypted: bool,
    pub(super) is_packed: bool,
}

impl Flags {
    /// What is of a whole chunk.
    pub(super) fn of_chunk(self) -> (bool, bool) {
        (self.is_encrypted, self.is_packed)
    }
}

/// A file.
#[derive(Debug)]
pub(super) struct File {
    /// Where it is installed, as the script has it.
    pub(super) name: String,
    /// The number of its content; none where the installer has none.
    pub(super) location: Option<usize>,
}

/// A content, and where it is (`TSetupFileLocationEntry`).
#[derive(Debug)]
pub(super) struct Location {
    /// Where its chunk begins in the data, and how many bytes that is packed as.
    pub(super) start: u64,
    pub(super) packed: u64,
    /// Where it begins in what the chunk unpacks to, and how many bytes it has.
    pub(super) at: u64,
    pub(super) bytes: u64,
    pub(super) sum: [u8; 32],
    pub(super) flags: Flags,
}

/// What an installer says of its files.
#[derive(Debug)]
pub(super) struct List {
    pub(super) files: Vec<File>,
    pub(super) locations: Vec<Location>,
    pub(super) packing: Packing,
    pub(super) sum: Sum,
}

impl List {
    pub(super) fn read(bytes: &mut dyn Bytes, loader: &Loader) -> io::Result<Self> {
        let mut mark = [0; MARK_BYTES as usize];
        read_at(bytes, loader.list_at, &mut mark)?;
        let Some(layout) = Layout::of(&mark) else {
            let text = String::from_utf8_lossy(&mark);
            let text = text.trim_end_matches('\0');
            return Err(refused(InnoError::Version(release::name::printable(text))));
        };
        let mut at = loader.list_at + MARK_BYTES;
        if layout.has_keys {
            check_encryption(bytes, at)?;
            at += ENCRYPTION_BYTES;
        }
        let place = Place::read(bytes, at, layout)?;
        let (files, count, packing) = {
            let mut entries = Entries::new(place.open(bytes)?);
            files(&mut entries, layout)?
        };
        let place = Place::read(bytes, place.end()?, layout)?;
        let mut entries = Entries::new(place.open(bytes)?);
        let locations = locations(&mut entries, layout, count)?;
        let has_content = |file: &File| file.location.is_none_or(|it| it < locations.len());
        if !files.iter().all(has_content) {
            return Err(refused(InnoError::Entry(
                "a file has a content that is not there",
            )));
        }
        Ok(Self {
            files,
            locations,
            packing,
            sum: layout.sum,
        })
    }
}

fn check_encryption(bytes: &mut dyn Bytes, at: u64) -> io::Result<()> {
    let mut header = [0; ENCRYPTION_BYTES as usize];
    read_at(bytes, at, &mut header)?;
    let Some((sum, header)) = header.split_first_chunk::<4>() else {
        return Err(refused(InnoError::Truncated));
    };
    if u32::from_le_bytes(*sum) != crc32(header) {
        return Err(refused(InnoError::Checksum));
    }
    // euNone; the second is of files, and those say so themselves.
    match header.first() {
        Some(0 | 1) => Ok(()),
        _ => Err(refused(InnoError::Encrypted)),
    }
}

/// Entries as they are read.
struct Entries<'a> {
    plain: io::Take<Box<dyn Read + 'a>>,
    /// Bytes that names may have yet.
    names: u32,
}

impl<'a> Entries<'a> {
    fn new(plain: Box<dyn Read + 'a>) -> Self {
        let plain = plain.take(Limits::LIST_BYTES);
        let names = Limits::NAMES_BYTES;
        Self { plain, names }
    }

    /// A part of an entry. What the unpacker says of damage is not what it says of the reader below.
    fn bytes(&mut self, buffer: &mut [u8]) -> io::Result<()> {
        if self.plain.limit() < buffer.len() as u64 {
            return Err(refused(InnoError::Large));
        }
        exactly(&mut self.plain, buffer, InnoError::List)
    }

    fn number(&mut self) -> io::Result<u32> {
        let mut number = [0; 4];
        self.bytes(&mut number)?;
        Ok(u32::from_le_bytes(number))
    }

    fn skip(&mut self, bytes: u32) -> io::Result<()> {
        let bytes = u64::from(bytes);
        if self.plain.limit() < bytes {
            return Err(refused(InnoError::Large));
        }
        let passed = io::copy(&mut self.plain.by_ref().take(bytes), &mut io::sink())?;
        match passed == bytes {
            true => Ok(()),
            false => Err(refused(InnoError::List)),
        }
    }

    fn skip_texts(&mut self, texts: u32) -> io::Result<()> {
        for _ in 0..texts {
            let bytes = self.number()?;
            self.skip(bytes)?;
        }
        Ok(())
    }

    fn skip_record(&mut self, record: Record) -> io::Result<()> {
        self.skip_texts(record.texts)?;
        self.skip(record.bytes)
    }

    /// A text in UTF-16.
    fn text(&mut self) -> io::Result<String> {
        let bytes = self.number()?;
        let left = self.names.checked_sub(bytes);
        self.names = left.ok_or_else(|| refused(InnoError::Large))?;
        let mut text = vec![0; bytes as usize];
        self.bytes(&mut text)?;
        let (units, rest) = text.as_chunks::<2>();
        let units: Vec<_> = units.iter().map(|unit| u16::from_le_bytes(*unit)).collect();
        match (String::from_utf16(&units), rest) {
            (Ok(text), []) => Ok(text),
            _ => Err(refused(InnoError::Entry(
                "a file has a name that is no text",
            ))),
        }
    }
}

/// The files, the number of their contents, and how those are packed.
fn files(entries: &mut Entries<'_>, layout: &Layout) -> io::Result<(Vec<File>, u32, Packing)> {
    entries.skip_texts(layout.header.texts)?;
    let mut header = vec![0; layout.header.bytes as usize];
    entries.bytes(&mut header)?;
    let packing = match header.get(layout.packing_at) {
        Some(0) => Packing::Stored,
        Some(1) => Packing::Zip,
        Some(2) => Packing::Bzip2,
        Some(3) => Packing::Lzma,
        Some(4) => Packing::Lzma2,
        _ => {
            return Err(refused(InnoError::Entry(
                "its files are packed in no way that is known",
            )));
        }
    };
    let mut counts = (0..).map(|at| u32_at(&header, at * 4).unwrap_or(u32::MAX));
    for (record, count) in layout.before_files().zip(&mut counts) {
        if count > Limits::ENTRIES {
            return Err(refused(InnoError::Large));
        }
        for _ in 0..count {
            entries.skip_record(record)?;
        }
    }
    let (Some(count), Some(locations)) = (counts.next(), counts.next()) else {
        return Err(refused(InnoError::List));
    };
    if count > Limits::FILES || locations > Limits::FILES {
        return Err(refused(InnoError::Large));
    }
    let mut found = Vec::new();
    for _ in 0..count {
        entries.skip_texts(1)?;
        let name = entries.text()?;
        entries.skip_texts(layout.file.texts.saturating_sub(2))?;
        let mut rest = vec![0; layout.file.bytes as usize];
        entries.bytes(&mut rest)?;
        let location = u32_at(&rest, layout.location_at).filter(|it| *it != NO_LOCATION);
        found.push(File {
            name,
            location: location.map(|it| it as usize),
        });
    }
    Ok((found, locations, packing))
}

/// The places of all contents, behind which nothing follows.
fn locations(entries: &mut Entries<'_>, layout: &Layout, count: u32) -> io::Result<Vec<Location>> {
    let mut found = Vec::new();
    let mut entry = vec![0; layout.place_bytes];
    for _ in 0..count {
        entries.bytes(&mut entry)?;
        found.push(location(&entry, layout)?);
    }
    match entries.plain.read(&mut [0])? {
        0 => Ok(found),
        _ => Err(refused(InnoError::Entry(
            "something follows the places of its files",
        ))),
    }
}

fn location(entry: &[u8], layout: &Layout) -> io::Result<Location> {
    let short = |at| u32_at(entry, at).map(u64::from);
    let long = |at: usize| Some(short(at)? | short(at + 4)? << 32);
    // Numbers of slices, and behind the offset three numbers of 64 bits.
    let rest = if layout.is_long { 16 } else { 12 };
    let start = if layout.is_long { long(8) } else { short(8) };
    let sum = entry
        .get(rest + 24..)
        .and_then(|it| it.get(..layout.sum.bytes()));
    let flags = entry.len().checked_sub(layout.flags_before_end);
    let flags = flags.and_then(|at| entry.get(at..at + layout.flags_before_end.min(2)));
    let read = || {
        let flags = flags?
            .iter()
            .rev()
            .fold(0_u16, |bits, byte| bits << 8 | u16::from(*byte));
        let [calls, encrypted, packed] = layout.flags.map(|bit| flags >> bit & 1 == 1);
        let mut digest = [0; 32];
        digest.get_mut(..layout.sum.bytes())?.copy_from_slice(sum?);
        let slices = (short(0)?, short(4)?);
        let location = Location {
            start: start?,
            at: long(rest)?,
            bytes: long(rest + 8)?,
            packed: long(rest + 16)?,
            sum: digest,
            flags: Flags {
                has_calls: calls,
                is_encrypted: encrypted,
                is_packed: packed,
            },
        };
        Some((location, slices))
    };
    match read() {
        Some((location, (0, 0))) => Ok(location),
        Some(_) => Err(refused(InnoError::Slices)),
        None => Err(refused(InnoError::List)),
    }
}
