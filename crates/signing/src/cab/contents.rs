//! What is inside a cabinet ([MS-CAB] 2.3): files that lie behind one another in folders, each of which is packed as one.
//!
//! Each folder is unpacked once, in pieces of at most 32 KiB. As elsewhere, whatever two readers could understand
//! differently is refused: folders and files that overlap, or leave room between that no file has, names in an encoding that
//! is not stated, `/` and `\` both as what parts them, anything behind the end. Cabinets of a set hold parts of files, and are
//! refused. Not read is Quantum, which Microsoft never published and nothing makes any more.

use std::io::{self, BufRead as _, BufReader, Read, SeekFrom};

use release::name::printable;
use thiserror::Error;

use crate::cab::folder::FolderReader;
use crate::cab::header::{CabError, Cabinet, u16_at, u32_at};
use crate::verify::Bytes;
use crate::walk::entry::{Each, Entry, EntryKind};
use crate::walk::names::{NameError, relative};
use crate::walk::room;

/// [MS-CAB] 2.3: the fixed part of a CFFILE.
const FILE_BYTES: usize = 16;
/// [MS-CAB] 2.3: a name has up to 255 bytes and a NUL.
const NAME_BYTES_MAX: u64 = 256;
/// [MS-CAB] 2.3: `_A_NAME_IS_UTF`.
const IS_UTF8: u16 = 0x80;
/// [MS-CAB] 2.3: from here on, the folder is one that begins or ends in another cabinet.
const CONTINUED: u16 = 0xfffd;

/// Why what is inside is not read on.
#[derive(Debug, Error)]
pub(super) enum ContentsError {
    #[error("{0}")]
    Header(CabError),
    #[error(
        "it is cabinet {0} of a set, and files of a set are read from all its cabinets together"
    )]
    Set(u32),
    #[error("{0} bytes stand behind its end, or behind its signature")]
    Behind(u64),
    #[error("its list of files ends inside an entry, or has a name without an end")]
    List,
    #[error("its list of files and its folders overlap")]
    Overlap,
    #[error("{0}")]
    Name(#[from] NameError),
    #[error("the name of `{0}` is in an encoding that is not stated, or has both `/` and `\\`")]
    Encoding(String),
    #[error("`{0}` lies in a folder that is not there")]
    Folder(String),
    #[error("`{0}` continues in another cabinet")]
    Continued(String),
    #[error(
        "`{0}` begins before the file in front of it ends, or bytes stand between that no file has"
    )]
    Place(String),
    #[error("a folder holds bytes behind its last file that no file has")]
    Rest,
}

fn refused(error: impl Into<ContentsError>) -> io::Error {
    room::refused(error.into())
}

/// A file, as the list has it.
struct File {
    path: String,
    size: u64,
    /// Where it begins in what its folder unpacks to.
    at: u64,
}

/// Reads a cabinet to its end, and hands each file with its content on.
pub(crate) fn walk(mut bytes: &mut dyn Bytes, each: Each<'_>) -> io::Result<()> {
    let cabinet = match Cabinet::read(&mut bytes) {
        Ok(cabinet) => cabinet,
        Err(CabError::Io(error)) => return Err(error),
        Err(error) => return Err(room::refused(ContentsError::Header(error))),
    };
    if let Some(part) = cabinet.part {
        return Err(refused(ContentsError::Set(u32::from(part) + 1)));
    }
    let signature = cabinet.signature.as_ref();
    let end = signature.map_or(cabinet.end, |place| place.end);
    if end != cabinet.size {
        return Err(refused(ContentsError::Behind(cabinet.size - end)));
    }
    let mut files = list(bytes, &cabinet)?;
    for (index, folder) in cabinet.folders.iter().enumerate() {
        let mut plain = FolderReader::open(bytes, folder, cabinet.block_reserve)?;
        let mut at = 0;
        for file in files.get_mut(index).map(std::mem::take).unwrap_or_default() {
            if file.at != at {
                return Err(refused(ContentsError::Place(printable(&file.path))));
            }
            at += file.size;
            let entry = Entry {
                path: file.path,
                kind: EntryKind::File,
                is_executable: None,
            };
            let mut content = plain.file(file.size);
            each(&entry, &mut content)?;
            io::copy(&mut content, &mut io::sink())?;
        }
        if !plain.is_at_end() {
            return Err(refused(ContentsError::Rest));
        }
    }
    Ok(())
}

/// The files of each folder, in the order in which they are packed.
fn list(bytes: &mut dyn Bytes, cabinet: &Cabinet) -> io::Result<Vec<Vec<File>>> {
    let (start, count) = cabinet.files;
    bytes.seek(SeekFrom::Start(start))?;
    let mut reader = BufReader::new(&mut *bytes);
    let mut files: Vec<Vec<File>> = cabinet.folders.iter().map(|_| Vec::new()).collect();
    let (mut at, mut separator) = (start, None);
    for _ in 0..count {
        let mut fixed = [0; FILE_BYTES];
        exactly(&mut reader, &mut fixed)?;
        let mut name = Vec::new();
        reader
            .by_ref()
            .take(NAME_BYTES_MAX)
            .read_until(0, &mut name)?;
        at += (FILE_BYTES + name.len()) as u64;
        if name.pop() != Some(0) {
            return Err(refused(ContentsError::List));
        }
        let field = |at| u16_at(&fixed, at).map_err(|_| refused(ContentsError::List));
        let number = |at| u32_at(&fixed, at).map_err(|_| refused(ContentsError::List));
        let path = path(&name, field(14)?, &mut separator).map_err(refused)?;
        let index = field(8)?;
        if index >= CONTINUED {
            return Err(refused(ContentsError::Continued(printable(&path))));
        }
        let folder = files.get_mut(usize::from(index));
        let folder = folder.ok_or_else(|| refused(ContentsError::Folder(printable(&path))))?;
        folder.push(File {
            path,
            size: number(0)?,
            at: number(4)?,
        });
    }
    drop(reader);
    // Of two that begin at one place, one is empty and belongs before the other.
    for folder in &mut files {
        folder.sort_by_key(|file| (file.at, file.size));
    }
    let mut data: Vec<_> = cabinet.folders.iter().map(|it| it.data.clone()).collect();
    data.retain(|range| !range.is_empty());
    data.sort_by_key(|range| range.start);
    for range in data {
        if range.start < at {
            return Err(refused(ContentsError::Overlap));
        }
        at = range.end;
    }
    match at <= cabinet.end {
        true => Ok(files),
        false => Err(refused(ContentsError::List)),
    }
}

fn exactly(reader: &mut impl Read, bytes: &mut [u8]) -> io::Result<()> {
    match reader.read_exact(bytes) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            Err(refused(ContentsError::List))
        }
        read => read,
    }
}

/// The path of a file: in UTF-8 where that is stated, in ASCII elsewhere. Readers part names at `\`, and those outside Windows
/// at `/` where tools outside Windows wrote them, so one cabinet may have one of the two.
fn path(
    name: &[u8],
    attributes: u16,
    separator: &mut Option<char>,
) -> Result<String, ContentsError> {
    let text = std::str::from_utf8(name).map_err(|_| NameError::Encoding)?;
    let wrong = || ContentsError::Encoding(printable(text));
    if attributes & IS_UTF8 == 0 && !text.is_ascii() {
        return Err(wrong());
    }
    for found in text.chars().filter(|it| matches!(it, '/' | '\\')) {
        if *separator.get_or_insert(found) != found {
            return Err(wrong());
        }
    }
    let path = relative(text.replace('\\', "/").as_bytes())?;
    match path.is_empty() || text.ends_with(['/', '\\']) {
        true => Err(NameError::Path(printable(text)).into()),
        false => Ok(path),
    }
}
