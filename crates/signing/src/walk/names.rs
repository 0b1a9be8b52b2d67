//! Names in containers: what all who unpack them understand in one way.

use std::borrow::Cow;
use std::collections::BTreeMap;

use release::name::printable;
use thiserror::Error;
use unicode_normalization::UnicodeNormalization as _;

/// The longest path, in bytes; what systems take.
pub(crate) const PATH_BYTES_MAX: usize = 4096;

/// Why a name is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum NameError {
    #[error("it is not UTF-8, which others read as something else")]
    Encoding,
    #[error("`{0}` is absolute, leaves its folder, or has a part that systems read differently")]
    Path(String),
    #[error("`{0}` is there twice")]
    Twice(String),
    #[error("`{0}` and `{1}` are one to disks of Windows and macOS")]
    Spelt(String, String),
    #[error("its names are more than what is read")]
    TooMany,
    #[error("`{0}` lies below something that is no folder")]
    Below(String),
}

/// The path of an entry: relative, `/` between, without `.` and empty parts. Empty for the folder itself.
pub(crate) fn relative(name: &[u8]) -> Result<String, NameError> {
    let name = std::str::from_utf8(name).map_err(|_| NameError::Encoding)?;
    let wrong = || NameError::Path(printable(name));
    let has_strange = name.contains(|c: char| c == '\\' || c.is_control());
    if name.is_empty() || name.starts_with('/') || name.len() > PATH_BYTES_MAX || has_strange {
        return Err(wrong());
    }
    let parts: Vec<_> = name
        .split('/')
        .filter(|part| !matches!(*part, "" | "."))
        .collect();
    // A colon names a drive or a stream of Windows in the first part, and nothing good elsewhere.
    let leaves = parts.contains(&"..");
    let is_drive = parts.first().is_some_and(|part| part.contains(':'));
    if leaves || is_drive || parts.len() > PARTS_MAX {
        return Err(wrong());
    }
    Ok(parts.join("/"))
}

/// Every path of one container, to see that none is there twice and none lies below a file or link. Disks of Windows and macOS
/// take names for one that differ in case alone, macOS also those that spell a letter in two ways, so folders would be merged.
#[derive(Debug, Default)]
pub(crate) struct Names {
    spelling: Spelling,
    /// By the path as those disks compare it: as it is spelt, and what it is.
    paths: BTreeMap<String, (String, IsFolder)>,
    /// Bytes of all of them.
    bytes: usize,
}

/// The most bytes of paths in one container, parents counted each.
const NAMES_BYTES_MAX: usize = 128 * 1024 * 1024;
/// The most parts of a path.
const PARTS_MAX: usize = 128;

/// Whether paths may lie below one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IsFolder {
    Yes,
    No,
}

impl Names {
    pub(crate) fn new(spelling: Spelling) -> Self {
        Self {
            spelling,
            ..Self::default()
        }
    }

    /// Takes a path in.
    pub(crate) fn add(&mut self, path: &str, is_folder: IsFolder) -> Result<(), NameError> {
        // Windows leaves out dots and spaces at the end, and takes a colon for a stream of a file: the name is another there.
        let is_other = |part: &str| part.ends_with(['.', ' ']) || part.contains(':');
        if self.spelling == Spelling::Folded && path.split('/').any(is_other) {
            return Err(NameError::Path(printable(path)));
        }
        let parents = path.match_indices('/').filter_map(|(at, _)| path.get(..at));
        for parent in parents {
            match self.insert(parent, IsFolder::Yes)? {
                None | Some(IsFolder::Yes) => {}
                Some(IsFolder::No) => return Err(NameError::Below(printable(path))),
            }
        }
        match self.insert(path, is_folder)? {
            None => Ok(()),
            // Folders are named again by many tools, with another date.
            Some(IsFolder::Yes) if is_folder == IsFolder::Yes => Ok(()),
            Some(_) => Err(NameError::Twice(printable(path))),
        }
    }

    /// What was at a path, if anything was.
    fn insert(&mut self, path: &str, is_folder: IsFolder) -> Result<Option<IsFolder>, NameError> {
        let key = self.spelling.key(path);
        match self.paths.get(&key) {
            Some((spelt, known)) if spelt == path => Ok(Some(*known)),
            Some((spelt, _)) => Err(NameError::Spelt(printable(spelt), printable(path))),
            None => {
                self.bytes += path.len() * 2;
                if self.bytes > NAMES_BYTES_MAX {
                    return Err(NameError::TooMany);
                }
                self.paths.insert(key, (path.to_owned(), is_folder));
                Ok(None)
            }
        }
    }

    /// Whether a file of that path was there.
    pub(crate) fn has_file(&self, path: &str) -> bool {
        let found = self.paths.get(&self.spelling.key(path));
        found.is_some_and(|(spelt, is_folder)| spelt == path && *is_folder == IsFolder::No)
    }

    /// What disks find at a path. None where that is nothing.
    pub(crate) fn kind(&self, path: &str) -> Option<IsFolder> {
        self.paths
            .get(&self.spelling.key(path))
            .map(|(_, kind)| *kind)
    }
}

/// A path spelt in the one way in which trees have it. Disks of macOS take all ways for one, and HFS+ stores another than
/// lists of files are written in; no container has a path in two ([`Names`]).
pub(crate) fn composed(path: &str) -> Cow<'_, str> {
    match path.is_ascii() {
        true => Cow::Borrowed(path),
        false => path.nfc().collect::<String>().into(),
    }
}

/// What a file is called once it is unpacked, by the name that it has packed.
pub(crate) fn unpacked(name: &str) -> String {
    let (rest, extension) = name.rsplit_once('.').unwrap_or((name, ""));
    let extension = extension.to_ascii_lowercase();
    match extension.as_str() {
        "tgz" | "txz" | "tbz" | "tbz2" | "tzst" | "tlz" => format!("{rest}.tar"),
        "gz" | "xz" | "zst" | "bz2" | "lzma" if !rest.is_empty() => rest.to_owned(),
        _ if name.is_empty() => "content".to_owned(),
        _ => name.to_owned(),
    }
}

/// Which names are one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Spelling {
    /// Those that disks of Windows and macOS take for one.
    #[default]
    Folded,
    /// None but the same bytes: what only Linux unpacks.
    Exact,
}

impl Spelling {
    /// The same for all paths that are one.
    pub(crate) fn key(self, path: &str) -> String {
        match self {
            Self::Folded => folded(path),
            Self::Exact => path.to_owned(),
        }
    }
}

/// A path as disks of Windows and macOS compare it.
pub(crate) fn folded(path: &str) -> String {
    path.nfc().collect::<String>().to_lowercase()
}
