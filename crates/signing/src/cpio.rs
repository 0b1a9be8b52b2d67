//! Cpio archives, read from beginning to end: the old ASCII form that packages of macOS have (`odc`, POSIX.1-1988), and
//! the new one (`newc`, with and without checksums).
//!
//! As with tar, whatever two readers could understand differently is refused: numbers with signs or spaces, names that leave
//! the folder, devices, hard links whose content stands elsewhere, and anything behind the end mark but zeros.

use std::io::{self, Read};

use release::name::printable;
use thiserror::Error;

use crate::walk::entry::{Each, Entry, EntryKind};
use crate::walk::names::{NameError, relative};
use crate::walk::room;

/// What is read of an archive at most. Files are read in pieces.
struct Limits;

impl Limits {
    /// Bytes of a name, with its NUL.
    const NAME_BYTES: u64 = 4096;
    /// Bytes of the target of a link.
    const TARGET_BYTES: u64 = 4096;
    /// Zeros behind the end mark: what fills the last block, of whatever size.
    const FILL_BYTES: u64 = 64 * 1024;
}

/// The name of the entry that ends an archive.
pub(crate) const END: &[u8] = b"TRAILER!!!";

/// Why an archive is not read on.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum CpioError {
    #[error("it ends inside an entry or without its end mark")]
    Truncated,
    #[error("a header is of no form that is read, or of another one than the first")]
    Magic,
    #[error("a header has a number that cannot be read")]
    Number,
    #[error("an entry has a name or a target that is too long, or not ended by one NUL")]
    Text,
    #[error("{0}")]
    Name(#[from] NameError),
    #[error("`{0}` is neither file, folder, nor link")]
    Kind(String),
    #[error("`{0}` has several names, and its content stands with another one")]
    HardLink(String),
    #[error("`{0}` does not have the checksum that is stated")]
    Checksum(String),
    #[error("something stands behind the end mark")]
    Behind,
}

impl From<CpioError> for io::Error {
    fn from(error: CpioError) -> Self {
        room::refused(error)
    }
}

/// How headers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// 76 characters of octal numbers.
    Odc,
    /// 110 characters of hexadecimal numbers; parts begin at multiples of four.
    Newc,
    /// The same, and the sum of all bytes is stated.
    Crc,
}

impl Form {
    pub(crate) const MAGIC_BYTES: usize = 6;

    fn of_magic(magic: &[u8]) -> Option<Self> {
        match magic {
            b"070707" => Some(Self::Odc),
            b"070701" => Some(Self::Newc),
            b"070702" => Some(Self::Crc),
            _ => None,
        }
    }

    /// Bytes behind the magic.
    fn header_bytes(self) -> usize {
        match self {
            Self::Odc => 70,
            Self::Newc | Self::Crc => 104,
        }
    }

    /// Where parts begin.
    fn alignment(self) -> u64 {
        match self {
            Self::Odc => 1,
            Self::Newc | Self::Crc => 4,
        }
    }
}

/// What counts in a header.
pub(crate) struct Header {
    pub(crate) form: Form,
    pub(crate) mode: u64,
    links: u64,
    pub(crate) name_bytes: u64,
    pub(crate) size: u64,
    sum: u64,
}

impl Header {
    fn parse(form: Form, bytes: &[u8]) -> Result<Self, CpioError> {
        let (width, radix, fields): (usize, u32, [usize; 5]) = match form {
            // dev, ino, mode, uid, gid, nlink, rdev, mtime (11), namesize, filesize (11)
            Form::Odc => (6, 8, [12, 30, 53, 59, 0]),
            // ino, mode, uid, gid, nlink, mtime, filesize, four of devices, namesize, check
            Form::Newc | Form::Crc => (8, 16, [8, 32, 88, 48, 96]),
        };
        let is_digits = bytes.iter().all(|it| char::from(*it).is_digit(radix));
        if !is_digits {
            return Err(CpioError::Number);
        }
        let field = |at: usize, width: usize| {
            let text = bytes.get(at..at + width).ok_or(CpioError::Number)?;
            let text = std::str::from_utf8(text).map_err(|_| CpioError::Number)?;
            u64::from_str_radix(text, radix).map_err(|_| CpioError::Number)
        };
        let [mode, links, name_bytes, size, sum] = fields;
        let size_width = if form == Form::Odc { 11 } else { width };
        Ok(Self {
            form,
            mode: field(mode, width)?,
            links: field(links, width)?,
            name_bytes: field(name_bytes, width)?,
            size: field(size, size_width)?,
            sum: field(sum, width)?,
        })
    }

    /// What the mode says that it is (POSIX `<sys/stat.h>`).
    fn kind(&self) -> u64 {
        self.mode & 0o170_000
    }
}

/// Whether a file begins as such an archive does: with a header that can be read.
pub(crate) fn is_cpio(head: &[u8]) -> bool {
    let Some((magic, rest)) = head.split_at_checked(Form::MAGIC_BYTES) else {
        return false;
    };
    let form = Form::of_magic(magic);
    let header = form.and_then(|form| {
        let bytes = rest.get(..form.header_bytes())?;
        Header::parse(form, bytes).ok()
    });
    header.is_some()
}

/// What an archive is read with: it counts, as parts begin at multiples.
pub(crate) struct Source<'a> {
    bytes: &'a mut dyn Read,
    at: u64,
}

impl<'a> Source<'a> {
    pub(crate) fn new(bytes: &'a mut dyn Read) -> Self {
        Self { bytes, at: 0 }
    }
}

impl Read for Source<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.bytes.read(buffer)?;
        self.at += read as u64;
        Ok(read)
    }
}

impl Source<'_> {
    pub(crate) fn exactly(&mut self, bytes: u64) -> io::Result<Vec<u8>> {
        let mut found = Vec::new();
        self.take(bytes).read_to_end(&mut found)?;
        match found.len() as u64 == bytes {
            true => Ok(found),
            false => Err(CpioError::Truncated.into()),
        }
    }

    /// Passes zeros up to where the next part begins.
    pub(crate) fn align(&mut self, form: Form) -> io::Result<()> {
        let fill = self.at.next_multiple_of(form.alignment()) - self.at;
        match self.exactly(fill)?.iter().all(|byte| *byte == 0) {
            true => Ok(()),
            false => Err(CpioError::Magic.into()),
        }
    }

    fn header(&mut self, expected: Option<Form>) -> io::Result<Header> {
        let magic = self.exactly(Form::MAGIC_BYTES as u64)?;
        self.header_behind(&magic, expected)
    }

    /// The rest of a header, whose magic was read.
    pub(crate) fn header_behind(
        &mut self,
        magic: &[u8],
        expected: Option<Form>,
    ) -> io::Result<Header> {
        let form = Form::of_magic(magic).ok_or(CpioError::Magic)?;
        if expected.is_some_and(|it| it != form) {
            return Err(CpioError::Magic.into());
        }
        let bytes = self.exactly(form.header_bytes() as u64)?;
        Ok(Header::parse(form, &bytes)?)
    }

    /// A text that one NUL ends.
    pub(crate) fn name(&mut self, bytes: u64) -> io::Result<Vec<u8>> {
        if bytes > Limits::NAME_BYTES {
            return Err(CpioError::Text.into());
        }
        let mut name = self.exactly(bytes)?;
        match (name.pop(), name.contains(&0)) {
            (Some(0), false) => Ok(name),
            _ => Err(CpioError::Text.into()),
        }
    }
}

/// A file's content as it passes, with the sum of its bytes.
struct Content<'a, 'b> {
    source: io::Take<&'a mut Source<'b>>,
    sum: u32,
}

impl Read for Content<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buffer)?;
        let bytes = buffer.get(..read).unwrap_or_default().iter();
        self.sum = bytes.fold(self.sum, |sum, byte| sum.wrapping_add(u32::from(*byte)));
        if read == 0 && !buffer.is_empty() && self.source.limit() > 0 {
            return Err(CpioError::Truncated.into());
        }
        Ok(read)
    }
}

/// Reads an archive to its end, and hands each entry with its content on.
pub(crate) fn walk(bytes: &mut dyn Read, each: Each<'_>) -> io::Result<()> {
    let mut source = Source::new(bytes);
    let mut form = None;
    loop {
        let header = source.header(form)?;
        form = Some(header.form);
        let name = source.name(header.name_bytes)?;
        source.align(header.form)?;
        if name == END {
            return match header.size {
                0 => end(&mut source),
                _ => Err(CpioError::Behind.into()),
            };
        }
        pass_entry(&mut source, &header, &name, each)?;
        source.align(header.form)?;
    }
}

fn pass_entry(
    source: &mut Source<'_>,
    header: &Header,
    name: &[u8],
    each: Each<'_>,
) -> io::Result<()> {
    let path = relative(name).map_err(CpioError::from)?;
    let shown = || printable(&path);
    let kind = match header.kind() {
        0o040_000 if header.size == 0 => EntryKind::Folder,
        // In the new form a file of several names has its content with the last one.
        0o100_000 if header.form != Form::Odc && header.links > 1 && header.size == 0 => {
            return Err(CpioError::HardLink(shown()).into());
        }
        0o100_000 if !path.is_empty() => EntryKind::File,
        0o120_000 if header.size <= Limits::TARGET_BYTES => {
            let target = source.exactly(header.size)?;
            let target = String::from_utf8(target).map_err(|_| CpioError::Text)?;
            EntryKind::Link(target)
        }
        _ => return Err(CpioError::Kind(shown()).into()),
    };
    let size = match kind {
        EntryKind::File => header.size,
        EntryKind::Folder | EntryKind::Link(_) | EntryKind::HardLink(_) => 0,
    };
    let entry = Entry {
        path,
        kind,
        is_executable: Some(header.mode & 0o100 != 0),
    };
    let mut content = Content {
        source: source.take(size),
        sum: 0,
    };
    each(&entry, &mut content)?;
    io::copy(&mut content, &mut io::sink())?;
    let is_stated = header.form == Form::Crc && entry.kind == EntryKind::File;
    if is_stated && u64::from(content.sum) != header.sum {
        return Err(CpioError::Checksum(printable(&entry.path)).into());
    }
    Ok(())
}

/// Zeros stand behind the end mark, and not too many.
pub(crate) fn end(source: &mut Source<'_>) -> io::Result<()> {
    let mut fill = Vec::new();
    source.take(Limits::FILL_BYTES + 1).read_to_end(&mut fill)?;
    let is_fill = fill.iter().all(|byte| *byte == 0) && fill.len() as u64 <= Limits::FILL_BYTES;
    match is_fill {
        true => Ok(()),
        false => Err(CpioError::Behind.into()),
    }
}

#[cfg(test)]
pub(crate) mod tests;
