//! What is inside installers of Inno Setup, versions 5.5 to 7: the files that they install or unpack while they run, by the
//! paths that the script has (`{app}/helper.dll`).
//!
//! An installer is a program with a table in its resources, which says where in the file the list of files begins
//! (`setup-0.bin`), and where what they are packed as (`setup-1.bin`). The list has every file's digest, which is compared.
//! The forms are those of the sources of Inno Setup (`Shared.Struct.pas`, `Compression.Base.pas`, `Setup.FileExtractor.pas`).
//!
//! Not shown are parts of Inno Setup itself, which the signature of the installer covers: its engine (`setup.e32`), pictures,
//! and unpackers. Nor is what an installer finds beside itself or downloads (`external`), as it does not hold it. What it does
//! hold and cannot be read is said: what is encrypted, and what lies in files beside it (`setup-1.bin`).

mod blocks;
mod calls;
mod chunks;
mod layout;
mod list;
mod loader;

use std::collections::BTreeMap;
use std::io::{self, Read, Seek};

use thiserror::Error;

use crate::verify::Bytes;
use crate::walk::distinct::Distinct;
use crate::walk::entry::{Each, Entry, EntryKind};
use crate::walk::names::{NameError, relative};
use crate::walk::room;

use list::{List, Location};
use loader::Loader;

/// What is read of an installer at most.
struct Limits;

impl Limits {
    /// Files, and the places of their contents, each.
    const FILES: u32 = 200_000;
    /// Other entries of the list, of one kind.
    const ENTRIES: u32 = 200_000;
    /// Bytes of the list, unpacked: it has texts and code, too.
    const LIST_BYTES: u64 = 256 * 1024 * 1024;
    /// Bytes of the names of all files, in UTF-16.
    const NAMES_BYTES: u32 = 32 * 1024 * 1024;
    /// Bytes of the window of LZMA: what `lzma2/ultra64` makes.
    const WINDOW_BYTES: u64 = 64 * 1024 * 1024;
}

/// Why an installer is not read, or not on.
#[derive(Debug, Error)]
enum InnoError {
    #[error("it ends inside a part that it is said to have")]
    Truncated,
    #[error("the program has a table of an installer that is damaged, or several")]
    Table,
    #[error("it is an installer of Inno Setup before 5.1.5, which is not read")]
    Old,
    #[error("its list of files is `{0}`, which this version does not read")]
    Version(String),
    #[error("a part of its list of files does not have the checksum that is stated")]
    Checksum,
    #[error("its list of files cannot be unpacked")]
    List,
    #[error("its list of files says what cannot be: {0}")]
    Entry(&'static str),
    #[error("it is encrypted, and what is in it was not looked at")]
    Encrypted,
    #[error("its files lie in others beside it, and what is in them was not looked at")]
    Slices,
    #[error("what its files are packed as cannot be unpacked, or is followed by something")]
    Chunk,
    #[error("what its files are packed as is larger than is read, or needs more memory")]
    Large,
    #[error("`{0}` does not have the digest that is stated")]
    Digest(String),
    #[error("{0}")]
    Name(#[from] NameError),
}

fn refused(error: InnoError) -> io::Error {
    match error {
        InnoError::Large => room::limit(error.to_string()),
        error => room::refused(error),
    }
}

/// Reads to fill a buffer; less is what the installer is wrong about.
fn exactly(
    reader: &mut (impl Read + ?Sized),
    buffer: &mut [u8],
    short: InnoError,
) -> io::Result<()> {
    match reader.read_exact(buffer) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(refused(short)),
        read => read,
    }
}

/// Whether a program is such an installer, by its resources, readable or not.
pub(crate) fn is_installer(bytes: &mut (impl Read + Seek + ?Sized)) -> io::Result<bool> {
    loader::is_marked(bytes)
}

/// Reads an installer to its end, and hands each file with its content on.
pub(crate) fn walk(bytes: &mut dyn Bytes, each: Each<'_>) -> io::Result<()> {
    let loader = Loader::read(bytes)?;
    let list = List::read(bytes, &loader)?;
    let mut names = names(&list)?;
    let Some(data_at) = loader.data_at else {
        return match list.locations.is_empty() {
            true => Ok(()),
            false => Err(refused(InnoError::Slices)),
        };
    };
    let mut order: Vec<(usize, &Location)> = list.locations.iter().enumerate().collect();
    order.sort_by_key(|(_, it)| (it.start, it.at, it.bytes));
    let mut end = 0;
    for chunk in order.chunk_by(|(_, one), (_, other)| one.start == other.start) {
        let Some((_, first)) = chunk.first() else {
            continue;
        };
        let packed = (first.start, first.packed, first.flags);
        let is_one = chunk.iter().all(|(_, it)| {
            (it.start, it.packed, it.flags.of_chunk()) == (packed.0, packed.1, packed.2.of_chunk())
        });
        if !is_one || first.start < end {
            return Err(refused(InnoError::Entry(
                "parts of what its files are packed as overlap",
            )));
        }
        end = chunks::end(first).ok_or_else(|| refused(InnoError::Truncated))?;
        let mut plain = chunks::open(bytes, data_at, &list, chunk)?;
        for (number, location) in chunk {
            let paths = names.remove(number).unwrap_or_default();
            show(paths, *number, location, &mut plain, each)?;
        }
        plain.end()?;
    }
    Ok(())
}

/// Hands a file on by its first path, and its other paths as other names of it.
fn show(
    mut paths: Vec<String>,
    number: usize,
    location: &Location,
    plain: &mut chunks::Chunk<'_>,
    each: Each<'_>,
) -> io::Result<()> {
    if paths.is_empty() {
        // Nothing installs it, so far as is known here.
        paths.push(format!("unnamed/{number}"));
    }
    let mut first: Option<String> = None;
    for path in paths {
        let kind = match &first {
            None => EntryKind::File,
            Some(first) => EntryKind::HardLink(first.clone()),
        };
        let entry = Entry {
            path,
            kind,
            is_executable: None,
        };
        if first.is_some() {
            each(&entry, &mut io::empty())?;
            continue;
        }
        let mut content = plain.file(location, &entry.path)?;
        each(&entry, &mut content)?;
        io::copy(&mut content, &mut io::sink())?;
        first = Some(entry.path);
    }
    Ok(())
}

/// The paths of each content, by its number.
fn names(list: &List) -> io::Result<BTreeMap<usize, Vec<String>>> {
    let mut distinct = Distinct::default();
    let mut names: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    for (number, file) in list.files.iter().enumerate() {
        let Some(location) = file.location else {
            continue;
        };
        let path = path(&file.name).map_err(|error| refused(error.into()))?;
        let path = distinct.path(&path, number);
        names.entry(location).or_default().push(path);
    }
    Ok(names)
}

/// A path as it is shown: below the folder that a constant names, `{app}/lib/x.dll`. A colon parts a drive, or a constant from
/// what it is about, and is no part of a name; what begins at a root begins nowhere else.
fn path(name: &str) -> Result<String, NameError> {
    let parts = name.split(['\\', '/']).filter(|part| !part.is_empty());
    let path = parts.collect::<Vec<_>>().join("/").replace(':', "_");
    relative(path.as_bytes())
}

#[cfg(test)]
mod tests;
