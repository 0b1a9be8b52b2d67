//! Asar archives, in which Electron apps keep their code: a header in JSON, and the files behind it.
//!
//! Format: <https://github.com/electron/asar#format>; the header is a pickle of Chromium's, a length before a text. Where two
//! members of an object have one name the last one counts, as it does for Electron. Files that are marked as unpacked lie in a
//! folder beside the archive, where they are looked at like all others.

use std::io::{self, Read, Seek, SeekFrom};

use release::name::printable;
use serde_json::{Map, Value};
use thiserror::Error;

use crate::reading::read_at;
use crate::walk::names::{NameError, relative};
use crate::walk::room;

/// What is read of an archive at most. Files are read in pieces.
struct Limits;

impl Limits {
    /// Bytes of the header. One of 50,000 files has 10 MiB.
    const HEADER_BYTES: u64 = 64 * 1024 * 1024;
    /// Folders in folders.
    const DEPTH: usize = 32;
}

/// What the header says in front of itself: the length of the length of the pickle.
const MAGIC: [u8; 4] = [4, 0, 0, 0];
/// Two lengths of the outer pickle, two of the inner one.
const LENGTHS_BYTES: u64 = 16;

/// A file, folder, or link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) path: String,
    pub(crate) kind: EntryKind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum EntryKind {
    Folder,
    File {
        at: u64,
        size: u64,
        is_executable: bool,
    },
    /// A file that lies beside the archive.
    Unpacked,
    Link(String),
}

/// Why an archive is not read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum AsarError {
    #[error("it does not begin as an asar archive does, or ends inside its header")]
    Header,
    #[error("its header is larger than what is read")]
    TooLarge,
    #[error("its header is no JSON of files and folders")]
    Json,
    #[error("folders in it lie more than {max} deep", max = Limits::DEPTH)]
    Depth,
    #[error("`{0}` is neither file nor folder nor link, or has no place and size")]
    Entry(String),
    #[error("`{0}` does not lie in the file")]
    Place(String),
    #[error("a name in it: {0}")]
    Name(#[from] NameError),
}

/// Whether a file is one, by its name and its first bytes: those alone say little.
pub(crate) fn is_asar(path: &str, head: &[u8]) -> bool {
    let extension = path.rsplit_once('.').map(|(_, extension)| extension);
    extension.is_some_and(|it| it.eq_ignore_ascii_case("asar")) && head.starts_with(&MAGIC)
}

/// Reads the header, and gives everything in it, by path.
///
/// # Errors
/// Where the reader fails; [`AsarError`] as a refusal where the archive is wrong.
pub(crate) fn open(reader: &mut (impl Read + Seek)) -> io::Result<Vec<Entry>> {
    let size = reader.seek(SeekFrom::End(0))?;
    let lengths = read_at(reader, 0, LENGTHS_BYTES)?;
    let lengths = lengths.filter(|bytes| bytes.starts_with(&MAGIC));
    let lengths = lengths.ok_or_else(|| room::refused(AsarError::Header))?;
    let number = |at: usize| {
        let field = lengths.get(at..).and_then(<[u8]>::first_chunk);
        field.map_or(0, |field| u64::from(u32::from_le_bytes(*field)))
    };
    let (header_bytes, text_bytes) = (number(4), number(12));
    if header_bytes > Limits::HEADER_BYTES {
        return Err(room::refused(AsarError::TooLarge));
    }
    // The text lies in the inner pickle, that in the outer one, and both are filled up to four bytes.
    let is_shaped = text_bytes.saturating_add(8) <= header_bytes;
    let text = read_at(reader, LENGTHS_BYTES, text_bytes)?.filter(|_| is_shaped);
    let text = text.ok_or_else(|| room::refused(AsarError::Header))?;
    let header: Value =
        serde_json::from_slice(&text).map_err(|_| room::refused(AsarError::Json))?;
    let files = files(&header).ok_or_else(|| room::refused(AsarError::Json))?;
    let reading = Reading {
        begins: header_bytes + 8,
        ends: size,
    };
    let mut found = Vec::new();
    reading
        .folder(files, "", 0, &mut found)
        .map_err(room::refused)?;
    Ok(found)
}

fn files(value: &Value) -> Option<&Map<String, Value>> {
    value.get("files")?.as_object()
}

struct Reading {
    /// Where the first file begins.
    begins: u64,
    ends: u64,
}

impl Reading {
    fn folder(
        &self,
        files_in_it: &Map<String, Value>,
        folder: &str,
        depth: usize,
        found: &mut Vec<Entry>,
    ) -> Result<(), AsarError> {
        if depth > Limits::DEPTH {
            return Err(AsarError::Depth);
        }
        for (name, value) in files_in_it {
            // A name with a slash would be the same as a name in a folder.
            let whole = format!("{folder}{name}");
            let path = relative(whole.as_bytes())?;
            if path != whole || name.contains('/') {
                return Err(NameError::Path(printable(&whole)).into());
            }
            if let Some(inside) = files(value) {
                let kind = EntryKind::Folder;
                found.push(Entry { path, kind });
                self.folder(inside, &format!("{whole}/"), depth + 1, found)?;
                continue;
            }
            let kind = self.entry(&path, value)?;
            found.push(Entry { path, kind });
        }
        Ok(())
    }

    fn entry(&self, path: &str, value: &Value) -> Result<EntryKind, AsarError> {
        let wrong = || AsarError::Entry(printable(path));
        let is = |key| value.get(key).and_then(Value::as_bool) == Some(true);
        if let Some(link) = value.get("link") {
            return link
                .as_str()
                .map(|it| EntryKind::Link(it.to_owned()))
                .ok_or_else(wrong);
        }
        let size = value
            .get("size")
            .and_then(Value::as_u64)
            .ok_or_else(wrong)?;
        if is("unpacked") {
            return Ok(EntryKind::Unpacked);
        }
        // A text, as numbers of JavaScript do not reach far enough.
        let offset = value.get("offset").and_then(Value::as_str);
        let offset: u64 = offset.and_then(|it| it.parse().ok()).ok_or_else(wrong)?;
        let at = self.begins.checked_add(offset);
        let end = at.and_then(|at| at.checked_add(size));
        match (at, end) {
            (Some(at), Some(end)) if end <= self.ends => Ok(EntryKind::File {
                at,
                size,
                is_executable: is("executable"),
            }),
            _ => Err(AsarError::Place(printable(path))),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
