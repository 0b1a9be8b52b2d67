//! Tar archives, read from beginning to end: POSIX ustar and pax (IEEE Std 1003.1-2017, pax), and GNU's long names.
//!
//! Whatever two readers could understand differently is refused, as what is verified must be what is unpacked: sizes that a
//! header and a pax record state differently, kinds of entries that are not known, names that leave the folder. Devices and
//! sparse files are refused too: no release has them.

use std::io::{self, Read};

use release::name::printable;
use thiserror::Error;

use crate::walk::entry::{Each, Entry, EntryKind};
use crate::walk::names::{NameError, relative};
use crate::walk::room;

/// What is read of an archive at most. Files are read in pieces.
struct Limits;

impl Limits {
    /// Bytes of an extended header or of a long name.
    const EXTENDED_BYTES: u64 = 256 * 1024;
    /// Bytes behind the end mark: tar fills its last record, of 10 KiB or whatever was asked for.
    const FILL_BYTES: u64 = 4 * 1024 * 1024;
}

const BLOCK_BYTES: usize = 512;
/// The largest size in eleven octal digits.
const OCTAL_MAX: u64 = (1 << 33) - 1;
/// Where the magic stands in a header.
const MAGIC_AT: usize = 257;

/// Why an archive is not read on.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum TarError {
    #[error("it ends inside an entry or without its end mark")]
    Truncated,
    #[error("a header has a checksum that is wrong")]
    Checksum,
    #[error("a header is not of a kind that is read: neither ustar nor GNU tar")]
    Magic,
    #[error("a header has a number that cannot be read")]
    Number,
    #[error("`{0}` is of a kind that is not read: a device, a sparse file, or something else")]
    Kind(String),
    #[error("an extended header cannot be read, or is larger than what is read")]
    Extended,
    #[error("extended headers stand before no entry")]
    Dangling,
    #[error("a name in it: {0}")]
    Name(#[from] NameError),
    #[error("something stands behind its end mark")]
    TrailingData,
}

impl From<TarError> for io::Error {
    fn from(error: TarError) -> Self {
        room::refused(error)
    }
}

/// Whether a file begins as an archive does.
pub(crate) fn is_tar(head: &[u8]) -> bool {
    head.get(MAGIC_AT..MAGIC_AT + 5) == Some(b"ustar")
}

/// What extended headers said of the entry that follows them.
#[derive(Debug, Default)]
struct Extended {
    has_pax: bool,
    path: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    size: Option<u64>,
}

impl Extended {
    /// Whether another header of this kind would say again what was said.
    fn is_taken(&self, kind: u8) -> bool {
        match kind {
            b'x' => self.has_pax,
            b'L' => self.path.is_some(),
            _ => self.link.is_some(),
        }
    }

    fn is_empty(&self) -> bool {
        self.path.is_none() && self.link.is_none() && self.size.is_none()
    }
}

/// Reads an archive, and shows each entry with its content. What is left of the content is skipped.
///
/// # Errors
/// Where the reader or `visit` fails; [`TarError`] as `InvalidData` where the archive is wrong.
pub(crate) fn walk(reader: &mut dyn Read, visit: Each<'_>) -> io::Result<()> {
    let mut extended = Extended::default();
    loop {
        let header = block(reader)?;
        if header.iter().all(|byte| *byte == 0) {
            if !extended.is_empty() {
                return Err(TarError::Dangling.into());
            }
            return end(reader);
        }
        let header = Header::parse(&header)?;
        match header.kind {
            // Readers differ in which of two extended headers they believe.
            b'x' | b'L' | b'K' if extended.is_taken(header.kind) => {
                return Err(TarError::Extended.into());
            }
            b'x' => extended.pax(&content(reader, header.size)?)?,
            // Global records: git archive states its commit in one, and nothing that names or sizes entries.
            b'g' => {
                let mut global = Extended::default();
                global.pax(&content(reader, header.size)?)?;
                if !global.is_empty() {
                    return Err(TarError::Extended.into());
                }
            }
            b'L' => extended.path = Some(c_text(&content(reader, header.size)?).to_vec()),
            b'K' => extended.link = Some(c_text(&content(reader, header.size)?).to_vec()),
            _ => {
                let (entry, size) = header.entry(std::mem::take(&mut extended))?;
                pass_entry(reader, &entry, size, visit)?;
            }
        }
    }
}

/// Shows an entry, and skips what is left of its content and the fill behind it.
fn pass_entry(reader: &mut dyn Read, entry: &Entry, size: u64, visit: Each<'_>) -> io::Result<()> {
    let mut content = Content { reader, left: size };
    visit(entry, &mut content)?;
    io::copy(&mut content, &mut io::sink())?;
    skip_fill(reader, size)
}

/// The content of one entry. That it ends too early is an error, not an end.
struct Content<'a> {
    reader: &'a mut dyn Read,
    left: u64,
}

impl Read for Content<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.take(self.left).read(buffer)?;
        if read == 0 && self.left > 0 && !buffer.is_empty() {
            return Err(TarError::Truncated.into());
        }
        self.left = self.left.saturating_sub(read as u64);
        Ok(read)
    }
}

/// A small content as a whole.
fn content(reader: &mut dyn Read, size: u64) -> io::Result<Vec<u8>> {
    if size > Limits::EXTENDED_BYTES {
        return Err(TarError::Extended.into());
    }
    let mut bytes = Vec::new();
    let mut content = Content {
        reader: &mut *reader,
        left: size,
    };
    content.read_to_end(&mut bytes)?;
    skip_fill(reader, size)?;
    Ok(bytes)
}

fn skip_fill(reader: &mut dyn Read, size: u64) -> io::Result<()> {
    let block = BLOCK_BYTES as u64;
    let left = size.next_multiple_of(block) - size;
    let mut fill = Content { reader, left };
    io::copy(&mut fill, &mut io::sink()).map(drop)
}

fn block(reader: &mut dyn Read) -> io::Result<[u8; BLOCK_BYTES]> {
    let mut bytes = [0; BLOCK_BYTES];
    reader.read_exact(&mut bytes).map_err(|error| {
        if error.kind() == io::ErrorKind::UnexpectedEof {
            TarError::Truncated.into()
        } else {
            error
        }
    })?;
    Ok(bytes)
}

/// Behind the first block of zeros: another, and nothing but zeros.
fn end(reader: &mut dyn Read) -> io::Result<()> {
    let mut rest = reader.take(Limits::FILL_BYTES);
    let mut buffer = [0; 8192];
    let mut seen = 0;
    loop {
        let read = match rest.read(&mut buffer) {
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if buffer.iter().take(read).any(|byte| *byte != 0) {
            return Err(TarError::TrailingData.into());
        }
        seen += read;
        if read == 0 {
            break;
        }
    }
    if rest.limit() == 0 {
        return Err(TarError::TrailingData.into());
    }
    if seen < BLOCK_BYTES {
        return Err(TarError::Truncated.into());
    }
    Ok(())
}

/// A header, before extended ones are applied.
struct Header {
    path: Vec<u8>,
    link: Vec<u8>,
    kind: u8,
    mode: u64,
    size: u64,
}

impl Header {
    fn parse(block: &[u8; BLOCK_BYTES]) -> Result<Self, TarError> {
        let field = |at: usize, bytes: usize| block.get(at..at + bytes).unwrap_or_default();
        let sum = block.iter().enumerate().map(|(at, byte)| {
            let is_own = (148..156).contains(&at);
            u64::from(if is_own { b' ' } else { *byte })
        });
        if number(field(148, 8))? != sum.sum::<u64>() {
            return Err(TarError::Checksum);
        }
        let is_posix = field(MAGIC_AT, 8) == b"ustar\x0000";
        let is_gnu = field(MAGIC_AT, 8) == b"ustar  \0";
        if !is_posix && !is_gnu {
            return Err(TarError::Magic);
        }
        let mut path = c_text(field(0, 100)).to_vec();
        // GNU has other fields where POSIX has the beginning of long paths.
        let prefix = c_text(field(345, 155));
        if is_posix && !prefix.is_empty() {
            path = [prefix, b"/", &path].concat();
        }
        // Some readers take a prefix of GNU's as well. Its own fields there are numbers.
        let is_number = |byte: &u8| matches!(byte, b'0'..=b'7' | b' ' | 0);
        if is_gnu && !field(345, 155).iter().all(is_number) {
            return Err(TarError::Magic);
        }
        Ok(Self {
            path,
            link: c_text(field(157, 100)).to_vec(),
            kind: field(156, 1).first().copied().unwrap_or_default(),
            mode: number(field(100, 8))?,
            size: number(field(124, 12))?,
        })
    }

    /// The entry, and how many bytes its content has.
    fn entry(self, extended: Extended) -> Result<(Entry, u64), TarError> {
        let path = extended.path.unwrap_or(self.path);
        let link = extended.link.unwrap_or(self.link);
        let size = extended.size.unwrap_or(self.size);
        // Readers that do not know pax go by the header, and must find the next entry at the same place (CVE-2025-62518).
        // Only what does not fit into the header may stand beside it alone.
        if self.size != size && (self.size != 0 || size <= OCTAL_MAX) {
            return Err(TarError::Number);
        }
        let is_folder_by_name = path.ends_with(b"/");
        let path = relative(&path)?;
        let kind = match self.kind {
            b'5' => EntryKind::Folder,
            b'0' | 0 if is_folder_by_name && size == 0 => EntryKind::Folder,
            b'0' | 0 | b'7' if !is_folder_by_name => EntryKind::File,
            b'2' => EntryKind::Link(text(link)?),
            b'1' => EntryKind::HardLink(relative(&link)?),
            _ => return Err(TarError::Kind(printable(&path))),
        };
        if (size != 0 && kind != EntryKind::File) || (path.is_empty() && kind != EntryKind::Folder)
        {
            return Err(TarError::Kind(printable(&path)));
        }
        let entry = Entry {
            path,
            kind,
            is_executable: Some(self.mode & 0o100 != 0),
        };
        Ok((entry, size))
    }
}

impl Extended {
    /// Takes records in: `length key=value\n`, where the length counts all of the record.
    fn pax(&mut self, mut records: &[u8]) -> Result<(), TarError> {
        self.has_pax = true;
        while !records.is_empty() {
            let space = records.iter().position(|byte| *byte == b' ');
            let space = space.filter(|at| (1..=8).contains(at));
            let space = space.ok_or(TarError::Extended)?;
            let (digits, _) = records.split_at(space);
            let length = decimal(digits).ok_or(TarError::Extended)?;
            let length = usize::try_from(length).map_err(|_| TarError::Extended)?;
            let record = records.get(space + 1..length).ok_or(TarError::Extended)?;
            records = records.get(length..).ok_or(TarError::Extended)?;
            let record = record.strip_suffix(b"\n").ok_or(TarError::Extended)?;
            let equals = record.iter().position(|byte| *byte == b'=');
            let (key, value) = record.split_at(equals.ok_or(TarError::Extended)?);
            let value = value.get(1..).unwrap_or_default();
            match key {
                b"path" if self.path.is_some() => return Err(TarError::Extended),
                b"linkpath" if self.link.is_some() => return Err(TarError::Extended),
                b"size" if self.size.is_some() => return Err(TarError::Extended),
                b"path" => self.path = Some(value.to_vec()),
                b"linkpath" => self.link = Some(value.to_vec()),
                b"size" => self.size = Some(decimal(value).ok_or(TarError::Extended)?),
                key if key.starts_with(b"GNU.sparse") => return Err(TarError::Extended),
                _ => {}
            }
        }
        Ok(())
    }
}

/// Octal digits between spaces and NULs; or GNU's base 256, where the first bit is set.
fn number(field: &[u8]) -> Result<u64, TarError> {
    if let Some((first @ 0x80..=0xff, rest)) = field.split_first() {
        // Negative numbers begin with all bits set.
        let bytes = [&[first & 0x7f], rest].concat();
        let (high, low) = bytes.split_at(bytes.len().saturating_sub(8));
        let low = low.last_chunk::<8>().ok_or(TarError::Number)?;
        let is_small = high.iter().all(|byte| *byte == 0);
        return is_small
            .then_some(u64::from_be_bytes(*low))
            .filter(|value| i64::try_from(*value).is_ok())
            .ok_or(TarError::Number);
    }
    // Spaces, digits, then nothing but spaces and NULs: whatever else readers skip or stop at differently.
    let begin = field.iter().position(|byte| *byte != b' ');
    let field = field
        .get(begin.unwrap_or(field.len())..)
        .unwrap_or_default();
    let end = field.iter().position(|byte| matches!(byte, b' ' | 0));
    let (digits, rest) = field.split_at(end.unwrap_or(field.len()));
    let is_blank = rest.iter().all(|byte| matches!(byte, b' ' | 0));
    if !is_blank {
        return Err(TarError::Number);
    }
    let mut value: u64 = 0;
    for digit in digits {
        let digit = digit
            .checked_sub(b'0')
            .filter(|digit| *digit < 8)
            .ok_or(TarError::Number)?;
        value = value
            .checked_mul(8)
            .and_then(|value| value.checked_add(u64::from(digit)))
            .ok_or(TarError::Number)?;
    }
    Ok(value)
}

fn decimal(digits: &[u8]) -> Option<u64> {
    let digits = std::str::from_utf8(digits).ok()?;
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| digits.parse().ok()).flatten()
}

/// Bytes up to the first NUL.
fn c_text(bytes: &[u8]) -> &[u8] {
    bytes.split(|byte| *byte == 0).next().unwrap_or_default()
}

fn text(bytes: Vec<u8>) -> Result<String, TarError> {
    String::from_utf8(bytes).map_err(|_| TarError::Name(NameError::Encoding))
}

#[cfg(test)]
pub(crate) mod tests;
