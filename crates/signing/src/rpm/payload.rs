//! The payload: a cpio archive, packed, of the files that the header lists.
//!
//! What the header says of a file is what RPM installs; the archive must say the same, or name a file by its number in the
//! header alone (`07070X`, for packages with files of 4 GiB and more, and all of version 6). Each file must have its digest.
//!
//! Source: `lib/rpmfi.c` and `lib/cpio.c` of rpm-software-management/rpm.

use std::io::{self, Read, SeekFrom};

use release::name::printable;
use thiserror::Error;

use crate::checks::RPM_FILE_DIGESTS;
use crate::cpio::{self, Form, Source};
use crate::rpm::digests::{Digests, Stated};
use crate::rpm::files::{File, Files, FilesError, Kind};
use crate::rpm::header::{Header, Value};
use crate::rpm::{Package, tags};
use crate::unpack::Packing;
use crate::verify::Bytes;
use crate::walk::entry::{Each, Entry, EntryKind};
use crate::walk::names::relative;
use crate::walk::room;

/// How an entry begins that is a number of a file in the header, and nothing else.
const STRIPPED: &[u8] = b"07070X";
/// Hexadecimal digits of that number. Behind it, what aligns the content.
const STRIPPED_DIGITS: u64 = 8;

/// How a payload is not what the header says. All of it breaks what binds the one to the other.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
enum PayloadError {
    #[error("{0}")]
    Files(#[from] FilesError),
    #[error(
        "the header says that the payload is no cpio archive, or packed in a way that is not known: `{0}`"
    )]
    Format(String),
    #[error("the payload is not packed as the header says")]
    Packing,
    #[error("the payload has `{0}`, which the header does not list")]
    Unlisted(String),
    #[error("the payload has a file of number {0}, which the header does not list")]
    UnlistedNumber(u64),
    #[error("the payload has `{0}` twice")]
    Twice(String),
    #[error("the payload has `{0}`, which the header says that it does not have")]
    Ghost(String),
    #[error("`{path}` is of mode {found:o} and {size} bytes in the payload, expected {expected}")]
    Differs {
        path: String,
        found: u64,
        size: u64,
        expected: String,
    },
    #[error("`{0}` leads elsewhere in the payload than in the header")]
    Target(String),
    #[error("`{path}` does not have its digest: {found}")]
    Digest { path: String, found: String },
    #[error("the header lists `{0}`, which is not in the payload")]
    Missing(String),
}

impl From<PayloadError> for io::Error {
    fn from(error: PayloadError) -> Self {
        room::refused_by(RPM_FILE_DIGESTS, error)
    }
}

/// Reads a package to its end, and shows the files in it.
pub(crate) fn walk(mut bytes: &mut dyn Bytes, each: Each<'_>) -> io::Result<()> {
    let package = Package::read(&mut bytes)?.map_err(room::refused)?;
    let files = Files::read(&package.header).map_err(PayloadError::from)?;
    bytes.seek(SeekFrom::Start(package.payload_at))?;
    let packed_bytes = package.end.saturating_sub(package.payload_at);
    let mut packed = bytes.take(packed_bytes);
    let mut head = Vec::new();
    packed
        .by_ref()
        .take(Form::MAGIC_BYTES as u64)
        .read_to_end(&mut head)?;
    let packing = packing(&package.header, &head)?;
    let packed = head.as_slice().chain(packed);
    let mut reading = Reading {
        seen: vec![false; files.files.len()],
        files: &files,
    };
    match packing {
        None => reading.read(&mut { packed }, each),
        Some(packing) => {
            let plain = packing.unpacked(packed);
            reading.read(&mut room::bounded(plain, packed_bytes), each)
        }
    }
}

/// What the payload is packed with, as the header says.
fn packing(header: &Header, head: &[u8]) -> Result<Option<Packing>, PayloadError> {
    let text = |tag| match header.value(tag) {
        None => Ok(None),
        Some(Value::Text(text)) => Ok(Some(text)),
        Some(_) => Err(PayloadError::Format(format!("tag {tag}"))),
    };
    let unknown = |said: &[u8]| PayloadError::Format(printable(&String::from_utf8_lossy(said)));
    let format = text(tags::PAYLOAD_FORMAT)?;
    if let Some(format) = format.filter(|format| format != b"cpio") {
        return Err(unknown(&format));
    }
    let packing = match text(tags::PAYLOAD_COMPRESSOR)?.as_deref() {
        // RPM reads gzip then, whose library takes what is not packed as it is.
        None if !head.starts_with(&[0x1f, 0x8b]) => return Ok(None),
        None | Some(b"gzip") => Packing::Gzip,
        Some(b"bzip2") => Packing::Bzip2,
        Some(b"xz") => Packing::Xz,
        Some(b"lzma") => Packing::Lzma,
        Some(b"zstd") => Packing::Zstd,
        Some(other) => return Err(unknown(other)),
    };
    let is_packed = match packing {
        Packing::Gzip => head.starts_with(&[0x1f, 0x8b]),
        Packing::Bzip2 => head.starts_with(b"BZh"),
        Packing::Zstd => head.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]),
        // Their readers take nothing else.
        Packing::Xz | Packing::Lzma | Packing::Pbzx => true,
    };
    match is_packed {
        true => Ok(Some(packing)),
        false => Err(PayloadError::Packing),
    }
}

/// What was read of the archive so far.
struct Reading<'f> {
    files: &'f Files<'f>,
    /// Which files of the header.
    seen: Vec<bool>,
}

/// What an entry says of itself.
#[derive(Debug, Clone, Copy)]
enum Says {
    /// All of it.
    All { mode: u64, size: u64 },
    /// Nothing but its number.
    Nothing,
}

impl Reading<'_> {
    fn read(&mut self, plain: &mut dyn Read, each: Each<'_>) -> io::Result<()> {
        let mut source = Source::new(plain);
        loop {
            let magic = source.exactly(Form::MAGIC_BYTES as u64)?;
            let (index, says) = if magic == STRIPPED {
                self.number(&mut source)?
            } else {
                let header = source.header_behind(&magic, None)?;
                if header.form == Form::Odc {
                    return Err(cpio::CpioError::Magic.into());
                }
                let name = source.name(header.name_bytes)?;
                source.align(Form::Newc)?;
                if name == cpio::END {
                    self.all_seen()?;
                    return match header.size {
                        0 => cpio::end(&mut source),
                        _ => Err(cpio::CpioError::Behind.into()),
                    };
                }
                let path = relative(&name).map_err(room::refused)?;
                let index = self.files.find(&path);
                let unlisted = || PayloadError::Unlisted(printable(&path));
                let says = Says::All {
                    mode: header.mode,
                    size: header.size,
                };
                (index.ok_or_else(unlisted)?, says)
            };
            self.file(index, says, &mut source, each)?;
            source.align(Form::Newc)?;
        }
    }

    /// The number of a file, and what aligns its content.
    fn number(&self, source: &mut Source<'_>) -> io::Result<(usize, Says)> {
        let digits = source.exactly(STRIPPED_DIGITS)?;
        source.align(Form::Newc)?;
        let digits = std::str::from_utf8(&digits).ok();
        let digits = digits.filter(|it| it.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let number = digits.and_then(|it| u64::from_str_radix(it, 16).ok());
        let number = number.ok_or(cpio::CpioError::Number)?;
        let index = usize::try_from(number).ok();
        let index = index.filter(|index| *index < self.files.files.len());
        Ok((
            index.ok_or(PayloadError::UnlistedNumber(number))?,
            Says::Nothing,
        ))
    }

    fn file(
        &mut self,
        index: usize,
        says: Says,
        source: &mut Source<'_>,
        each: Each<'_>,
    ) -> io::Result<()> {
        let (Some(file), Some(seen)) = (self.files.files.get(index), self.seen.get_mut(index))
        else {
            return Err(PayloadError::UnlistedNumber(index as u64).into());
        };
        let shown = || printable(&file.path);
        if std::mem::replace(seen, true) {
            return Err(PayloadError::Twice(shown()).into());
        }
        let names = match &file.kind {
            Kind::Regular(_, set) => self.files.sets.get(*set).map(Vec::as_slice),
            _ => None,
        };
        let names = names.unwrap_or_default();
        // The last of the names of a file has the content.
        let size = match &file.kind {
            Kind::Ghost => return Err(PayloadError::Ghost(shown()).into()),
            Kind::Folder => 0,
            Kind::Link(target) => target.len() as u64,
            Kind::Regular(..) if names.last() != Some(&index) => 0,
            Kind::Regular(..) => file.size,
        };
        match says {
            Says::All {
                mode: found,
                size: said,
            } if found != file.mode || said != size => {
                return Err(PayloadError::Differs {
                    path: shown(),
                    found,
                    size: said,
                    expected: format!("{:o} and {size}", file.mode),
                }
                .into());
            }
            _ => {}
        }
        let entry = |file: &File<'_>, kind| Entry {
            path: file.path.clone(),
            kind,
            is_executable: Some(file.mode & 0o100 != 0),
        };
        match &file.kind {
            Kind::Ghost => Ok(()),
            Kind::Folder => each(&entry(file, EntryKind::Folder), &mut io::empty()),
            Kind::Link(target) => {
                if source.exactly(size)? != *target {
                    return Err(PayloadError::Target(shown()).into());
                }
                let target = String::from_utf8(target.to_vec());
                let target = target.map_err(|_| PayloadError::Target(shown()))?;
                each(&entry(file, EntryKind::Link(target)), &mut io::empty())
            }
            Kind::Regular(..) if names.last() != Some(&index) => Ok(()),
            Kind::Regular(..) => {
                let stated = self.stated(names);
                let mut content = Content {
                    plain: source.take(size),
                    digests: Digests::new(&stated),
                };
                each(&entry(file, EntryKind::File), &mut content)?;
                io::copy(&mut content, &mut io::sink())?;
                if let Some(found) = content.digests.wrong("file").into_iter().next() {
                    let path = shown();
                    return Err(PayloadError::Digest { path, found }.into());
                }
                for index in names.split_last().map_or(&[][..], |(_, others)| others) {
                    let Some(other) = self.files.files.get(*index) else {
                        continue;
                    };
                    let target = EntryKind::HardLink(file.path.clone());
                    each(&entry(other, target), &mut io::empty())?;
                }
                Ok(())
            }
        }
    }

    /// The digests that the header states of a file under all of its names.
    fn stated(&self, names: &[usize]) -> Vec<Stated> {
        let mut stated: Vec<Stated> = Vec::new();
        for index in names {
            match self.files.files.get(*index).map(|file| &file.kind) {
                Some(Kind::Regular(digest, _)) if !stated.contains(digest) => {
                    stated.push(digest.clone());
                }
                _ => {}
            }
            // Two that differ cannot both be right, whatever follows.
            if stated.len() > 1 {
                break;
            }
        }
        stated
    }

    fn all_seen(&self) -> Result<(), PayloadError> {
        let mut files = self.files.files.iter().zip(&self.seen);
        let missing = files.find(|(file, seen)| !**seen && !matches!(file.kind, Kind::Ghost));
        match missing {
            Some((file, _)) => Err(PayloadError::Missing(printable(&file.path))),
            None => Ok(()),
        }
    }
}

/// The content of a file, and its digests.
struct Content<'a, 'b> {
    plain: io::Take<&'a mut Source<'b>>,
    digests: Digests,
}

impl Read for Content<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.plain.read(buffer)?;
        if read == 0 && !buffer.is_empty() && self.plain.limit() > 0 {
            return Err(cpio::CpioError::Truncated.into());
        }
        self.digests.update(buffer.get(..read).unwrap_or_default());
        Ok(read)
    }
}

#[cfg(test)]
mod tests;
