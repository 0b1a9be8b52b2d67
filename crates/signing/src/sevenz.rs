//! 7z archives: a header at the end says what is packed where, and how (7zFormat.txt of the LZMA SDK).
//!
//! Every byte of an archive is named: the signature header, the packed streams one behind the other, and the header. Anything
//! between or behind is refused, so are encryption, data in other places, and files that say what is to be removed.
//! Self-extracting archives are programs with an archive behind them, and perhaps a text between that says what is started.

mod coder;
mod header;

use std::cell::RefCell;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

use crc_fast::{CrcAlgorithm, Digest, checksum};
use release::name::printable;
use thiserror::Error;

use crate::pe::Image;
use crate::reading::{Part as Inside, read_at};
use crate::unpack::exact::ended;
use crate::verify::Bytes;
use crate::walk::entry::{Each, Entry, EntryKind};
use crate::walk::names::{self, NameError};
use crate::walk::room;

use header::{Block, Header, HeaderError, Kind, Part, Streams};

/// What is read of an archive at most. Files are read in pieces.
struct Limits;

impl Limits {
    /// Bytes of the header, unpacked. One of 100,000 files has 10 MiB.
    const HEADER_BYTES: u64 = 32 * 1024 * 1024;
    /// Files, blocks, streams, and whatever else the header counts.
    const THINGS: usize = 1_000_000;
    /// Coders of a block, of which 7-Zip makes four at most, and inputs of one.
    const CODERS: usize = 8;
    const INPUTS: usize = 4;
    /// Bytes of the text in front of a self-extracting archive.
    const SCRIPT_BYTES: u64 = 64 * 1024;
}

const MAGIC: &[u8] = &[b'7', b'z', 0xbc, 0xaf, 0x27, 0x1c];
const SIGNATURE_HEADER_BYTES: u64 = 32;
/// How the text of a self-extracting archive begins and ends (7-Zip, "SFX modules for installers").
const SCRIPT_BEGINS: &[u8] = b";!@Install@!";
const SCRIPT_ENDS: &[u8] = b";!@InstallEnd@!";

/// Why an archive is not read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
enum SevenZError {
    #[error("it ends inside its first header")]
    Truncated,
    #[error("its text does not end, or no archive stands behind it")]
    Script,
    #[error("it is of version {0}.{1}, and only 0.0 to 0.4 are known")]
    Version(u8, u8),
    #[error("its {0} does not have the checksum that is stated")]
    HeaderSum(&'static str),
    #[error("its header is larger than what is read")]
    TooLarge,
    #[error("its header is packed twice")]
    Encoded,
    #[error(
        "bytes in it are named by nothing, or by two things: packed streams reach from {begins} to {ends}, and the header stands at {header}"
    )]
    Unnamed { begins: u64, ends: u64, header: u64 },
    #[error("it has {found} bytes, and its headers say {stated}")]
    Size { found: u64, stated: u64 },
    #[error("its files and streams do not belong together")]
    Streams,
    #[error("`{0}` does not have the checksum that is stated")]
    Sum(String),
    #[error("{0}")]
    Header(#[from] HeaderError),
    #[error("a name in it: {0}")]
    Name(#[from] NameError),
}

impl From<SevenZError> for io::Error {
    fn from(error: SevenZError) -> Self {
        room::refused(error)
    }
}

/// Whether a file begins as an archive does.
pub(crate) fn is_sevenz(head: &[u8]) -> bool {
    head.starts_with(MAGIC)
}

/// Reads an archive to its end.
///
/// # Errors
/// Where the reader or `each` fails; refusals where the archive is wrong.
pub(crate) fn walk(bytes: &mut dyn Bytes, each: Each<'_>) -> io::Result<()> {
    let (streams, files) = database(bytes)?;
    let shared = RefCell::new(bytes);
    let mut blocks = streams.blocks.iter();
    let mut open: Option<OpenBlock<'_>> = None;
    for file in files {
        let path = names::relative(file.name.as_bytes()).map_err(SevenZError::from)?;
        if !file.has_stream {
            let kind = match file.kind {
                Kind::Folder => EntryKind::Folder,
                Kind::File | Kind::Link => EntryKind::File,
            };
            let is_executable = file.is_executable;
            each(
                &Entry {
                    path,
                    kind,
                    is_executable,
                },
                &mut io::empty(),
            )?;
            continue;
        }
        let (block, part) = loop {
            if let Some(block) = open.as_mut() {
                if let Some(part) = block.parts.next() {
                    break (block, part);
                }
                ended(&mut block.plain)?;
            }
            open = Some(OpenBlock::new(
                &shared,
                blocks.next().ok_or(SevenZError::Streams)?,
            )?);
        };
        let mut content = Content {
            plain: (&mut block.plain).take(part.bytes),
            digest: Digest::new(CrcAlgorithm::Crc32IsoHdlc),
            stated: part.crc,
            path: &path,
        };
        let kind = match file.kind {
            Kind::Link => EntryKind::Link(target(&mut content)?),
            Kind::File | Kind::Folder => EntryKind::File,
        };
        let entry = Entry {
            path: path.clone(),
            kind,
            is_executable: file.is_executable,
        };
        each(&entry, &mut content)?;
        // To the end, where its checksum is compared.
        io::copy(&mut content, &mut io::sink())?;
    }
    if let Some(mut block) = open {
        match block.parts.next() {
            None => ended(&mut block.plain)?,
            Some(_) => return Err(SevenZError::Streams.into()),
        }
    }
    // Blocks without files are made by nobody.
    match blocks.next() {
        None => Ok(()),
        Some(_) => Err(SevenZError::Streams.into()),
    }
}

/// The target of a link, which is what it contains.
fn target(content: &mut dyn Read) -> io::Result<String> {
    let mut target = Vec::new();
    content
        .take(names::PATH_BYTES_MAX as u64 + 1)
        .read_to_end(&mut target)?;
    if target.len() > names::PATH_BYTES_MAX {
        return Err(SevenZError::TooLarge.into());
    }
    String::from_utf8(target).map_err(|_| SevenZError::Name(NameError::Encoding).into())
}

struct OpenBlock<'s> {
    plain: Box<dyn Read + 's>,
    parts: std::vec::IntoIter<Part>,
}

impl<'s> OpenBlock<'s> {
    fn new(bytes: &'s RefCell<impl Read + Seek>, block: &Block) -> io::Result<Self> {
        Ok(Self {
            plain: coder::open(bytes, block)?,
            parts: block.parts.clone().into_iter(),
        })
    }
}

/// A file as it passes.
struct Content<'a, R> {
    plain: io::Take<R>,
    digest: Digest,
    stated: Option<u32>,
    path: &'a str,
}

impl<R: Read> Read for Content<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.plain.read(buffer)?;
        self.digest.update(buffer.get(..read).unwrap_or_default());
        if read == 0 && !buffer.is_empty() {
            let found = self.digest.finalize();
            if self.plain.limit() > 0 || self.stated.is_some_and(|it| u64::from(it) != found) {
                return Err(SevenZError::Sum(printable(self.path)).into());
            }
        }
        Ok(read)
    }
}

/// The header at the end.
fn database(bytes: &mut dyn Bytes) -> io::Result<(Streams, Vec<header::File>)> {
    let size = bytes.seek(SeekFrom::End(0))?;
    let mut bytes = bytes;
    let first = read_at(&mut bytes, 0, SIGNATURE_HEADER_BYTES)?;
    let first = first.filter(|first| first.starts_with(MAGIC));
    let first = SignatureHeader::parse(&first.ok_or(SevenZError::Truncated)?)?;
    let stated = first.end().unwrap_or(u64::MAX);
    if stated != size {
        let found = size;
        return Err(SevenZError::Size { found, stated }.into());
    }
    if first.bytes == 0 {
        return match first.at == 0 && first.crc == 0 {
            true => Ok(Default::default()),
            false => Err(SevenZError::Streams.into()),
        };
    }
    if first.bytes > Limits::HEADER_BYTES {
        return Err(SevenZError::TooLarge.into());
    }
    let last = read_at(&mut bytes, SIGNATURE_HEADER_BYTES + first.at, first.bytes)?;
    let last = last.ok_or(SevenZError::Truncated)?;
    if checksum(CrcAlgorithm::Crc32IsoHdlc, &last) != u64::from(first.crc) {
        return Err(SevenZError::HeaderSum("header").into());
    }
    let (streams, files, ends) = match header::parse(&last).map_err(SevenZError::from)? {
        Header::Plain(streams, files) => (streams, files, first.at),
        Header::Encoded(packed) => {
            let plain = encoded(bytes, &packed, first.at)?;
            match header::parse(&plain).map_err(SevenZError::from)? {
                Header::Plain(streams, files) => (streams, files, packed.begins),
                Header::Encoded(_) => return Err(SevenZError::Encoded.into()),
            }
        }
    };
    if streams.begins != 0 || streams.ends != ends {
        return Err(unnamed(&streams, ends));
    }
    Ok((streams, files))
}

fn unnamed(streams: &Streams, header: u64) -> io::Error {
    let Streams { begins, ends, .. } = *streams;
    SevenZError::Unnamed {
        begins,
        ends,
        header,
    }
    .into()
}

/// The header that is packed itself, directly in front of what says how.
fn encoded(bytes: &mut dyn Bytes, packed: &Streams, at: u64) -> io::Result<Vec<u8>> {
    let [block] = packed.blocks.as_slice() else {
        return Err(SevenZError::Streams.into());
    };
    if packed.ends != at {
        return Err(unnamed(packed, at));
    }
    if block.unpacked() > Limits::HEADER_BYTES {
        return Err(SevenZError::TooLarge.into());
    }
    let shared = RefCell::new(bytes);
    let mut plain = Vec::new();
    coder::open(&shared, block)?.read_to_end(&mut plain)?;
    let found = checksum(CrcAlgorithm::Crc32IsoHdlc, &plain);
    match block.crc.is_some_and(|it| u64::from(it) == found) {
        true => Ok(plain),
        false => Err(SevenZError::HeaderSum("packed header").into()),
    }
}

/// The first 32 bytes.
struct SignatureHeader {
    at: u64,
    bytes: u64,
    crc: u32,
}

impl SignatureHeader {
    fn parse(bytes: &[u8]) -> Result<Self, SevenZError> {
        let number = |at: usize| {
            let field = bytes.get(at..).and_then(<[u8]>::first_chunk);
            field
                .map(|it| u64::from_le_bytes(*it))
                .ok_or(SevenZError::Truncated)
        };
        let short = |at: usize| {
            let field = bytes.get(at..).and_then(<[u8]>::first_chunk);
            field
                .map(|it| u32::from_le_bytes(*it))
                .ok_or(SevenZError::Truncated)
        };
        let (major, minor) = match bytes.get(6..8) {
            Some([major, minor]) => (*major, *minor),
            _ => return Err(SevenZError::Truncated),
        };
        if major != 0 || minor > 4 {
            return Err(SevenZError::Version(major, minor));
        }
        let covered = bytes.get(12..).unwrap_or_default();
        if checksum(CrcAlgorithm::Crc32IsoHdlc, covered) != u64::from(short(8)?) {
            return Err(SevenZError::HeaderSum("first header"));
        }
        Ok(Self {
            at: number(12)?,
            bytes: number(20)?,
            crc: short(28)?,
        })
    }

    fn end(&self) -> Option<u64> {
        SIGNATURE_HEADER_BYTES
            .checked_add(self.at)?
            .checked_add(self.bytes)
    }
}

/// Whether a program has an archive behind it, or the text that stands in front of one.
///
/// # Errors
/// Where the reader fails.
pub(crate) fn is_self_extracting(bytes: &mut (impl Read + Seek)) -> io::Result<bool> {
    match Image::read(bytes)? {
        Ok(image) => Ok(begin(bytes, &image)?.is_some()),
        Err(_) => Ok(false),
    }
}

/// What a program has behind it at first, where that is an archive or such a text, and where it stands.
fn begin(bytes: &mut (impl Read + Seek), image: &Image) -> io::Result<Option<(u64, Vec<u8>)>> {
    let Range { start, end } = image.overlay();
    let head = read_at(bytes, start, (end - start).min(Limits::SCRIPT_BYTES))?;
    let head = head.unwrap_or_default();
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&head);
    let is_one = head.starts_with(MAGIC) || text.starts_with(SCRIPT_BEGINS);
    Ok(is_one.then_some((start, head)))
}

/// Reads what a self-extracting archive has behind its program.
///
/// # Errors
/// As [`walk`].
pub(crate) fn walk_self_extracting(mut bytes: &mut dyn Bytes, each: Each<'_>) -> io::Result<()> {
    let image = Image::read(&mut bytes)?.map_err(room::refused)?;
    let found = begin(&mut bytes, &image)?;
    let (start, head) = found.ok_or(SevenZError::Truncated)?;
    let script = match head.starts_with(MAGIC) {
        true => 0,
        false => script_bytes(&head).ok_or(SevenZError::Script)?,
    };
    let begins = start + script as u64;
    let first = read_at(&mut bytes, begins, SIGNATURE_HEADER_BYTES)?;
    let first = SignatureHeader::parse(&first.ok_or(SevenZError::Truncated)?)?;
    let stated = first.end().unwrap_or(u64::MAX);
    let ends = begins.saturating_add(stated);
    if !image.is_ended_by(&mut bytes, ends)? {
        let found = image.overlay().end - begins;
        return Err(SevenZError::Size { found, stated }.into());
    }
    walk(&mut Inside::new(bytes, begins..ends), each)
}

/// How long the text in front of an archive is, with the line ends between.
fn script_bytes(head: &[u8]) -> Option<usize> {
    let find = |bytes: &[u8], what: &[u8]| bytes.windows(what.len()).position(|it| it == what);
    let end = find(head, SCRIPT_ENDS)? + SCRIPT_ENDS.len();
    let rest = head.get(end..)?;
    let archive = find(rest, MAGIC)?;
    let is_blank = rest.get(..archive)?.iter().all(u8::is_ascii_whitespace);
    is_blank.then_some(end + archive)
}

#[cfg(test)]
pub(crate) mod tests;
