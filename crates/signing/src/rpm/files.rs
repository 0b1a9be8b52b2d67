//! The files that a header lists: one list for each property of them, all of one length.

use std::collections::BTreeMap;

use release::name::printable;
use thiserror::Error;

use crate::rpm::digests::{Algorithm, Stated};
use crate::rpm::header::{Header, Value};
use crate::rpm::tags;
use crate::walk::Limits as WalkLimits;
use crate::walk::names::{NameError, relative};

/// The flag of files that a package owns and does not bring (`RPMFILE_GHOST`).
const GHOST: u64 = 1 << 6;

/// Kinds of files, as modes say them (POSIX `<sys/stat.h>`).
const KINDS: u64 = 0o170_000;
const FOLDER: u64 = 0o040_000;
const REGULAR: u64 = 0o100_000;
const LINK: u64 = 0o120_000;

/// Why a list of files is not believed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(super) enum FilesError {
    #[error("the header lists more files than are read")]
    TooMany,
    #[error("the header lists files in the form of before version 4")]
    Old,
    #[error("tag {0} of the header is missing, of another type, or not one for each file")]
    Tag(u32),
    #[error("the header lists a file whose name is refused: {0}")]
    Name(#[from] NameError),
    #[error("the header lists `{0}` twice")]
    Twice(String),
    #[error("the digest of `{0}` in the header is of no kind that is known")]
    Digest(String),
    #[error("`{0}` is neither file, folder, nor link")]
    Kind(String),
}

/// A file that a header lists.
#[derive(Debug, Clone)]
pub(super) struct File<'h> {
    /// Relative to the root.
    pub(super) path: String,
    pub(super) mode: u64,
    pub(super) size: u64,
    pub(super) kind: Kind<'h>,
}

/// What it is, and what must be in it.
#[derive(Debug, Clone)]
pub(super) enum Kind<'h> {
    /// Not in the payload.
    Ghost,
    Folder,
    Link(&'h [u8]),
    /// Its digest, and which of all sets of names for one file it belongs to.
    Regular(Stated, usize),
}

/// The files of a header.
#[derive(Debug, Default)]
pub(super) struct Files<'h> {
    pub(super) files: Vec<File<'h>>,
    /// Names of one file, in the order of the header. The last has its content in the payload.
    pub(super) sets: Vec<Vec<usize>>,
    by_path: BTreeMap<String, usize>,
}

impl<'h> Files<'h> {
    pub(super) fn read(header: &'h Header) -> Result<Self, FilesError> {
        let Some(count) = header.count(tags::BASE_NAMES) else {
            return match header.count(tags::OLD_FILE_NAMES) {
                Some(_) => Err(FilesError::Old),
                None => Ok(Self::default()),
            };
        };
        if count as u64 > WalkLimits::ENTRIES {
            return Err(FilesError::TooMany);
        }
        let folders = header.count(tags::DIRECTORY_NAMES).unwrap_or_default();
        let texts = |tag, count| header.text_slices(tag, count).ok_or(FilesError::Tag(tag));
        let numbers = |tag| header.numbers(tag, count).ok_or(FilesError::Tag(tag));
        let names = texts(tags::BASE_NAMES, count)?;
        let folders = texts(tags::DIRECTORY_NAMES, folders)?;
        let indexes = numbers(tags::DIRECTORY_INDEXES)?;
        let modes = numbers(tags::FILE_MODES)?;
        let flags = numbers(tags::FILE_FLAGS)?;
        let digests = texts(tags::FILE_DIGESTS, count)?;
        let targets = texts(tags::FILE_LINK_TARGETS, count)?;
        let inodes = numbers(tags::FILE_INODES)?;
        let devices = numbers(tags::FILE_DEVICES)?;
        // Files of 4 GiB and more need the other tag. Both could say two things.
        let sizes = match header.count(tags::LONG_FILE_SIZES) {
            Some(_) if header.count(tags::FILE_SIZES).is_some() => {
                return Err(FilesError::Tag(tags::LONG_FILE_SIZES));
            }
            Some(_) => numbers(tags::LONG_FILE_SIZES)?,
            None => numbers(tags::FILE_SIZES)?,
        };
        let algorithm = algorithm(header)?;
        let mut found = Self::default();
        let mut sets = BTreeMap::new();
        let each = names.into_iter().zip(indexes).zip(modes).zip(flags);
        let each = each.zip(digests).zip(targets).zip(inodes).zip(devices);
        for (index, (it, size)) in each.zip(sizes).enumerate() {
            let (((((((name, folder), mode), flags), digest), target), inode), device) = it;
            let folder = usize::try_from(folder).ok();
            let folder = folder.and_then(|at| folders.get(at));
            let folder = folder.ok_or(FilesError::Tag(tags::DIRECTORY_INDEXES))?;
            let path = path(folder, name)?;
            let shown = || printable(&path);
            let kind = match mode & KINDS {
                _ if flags & GHOST != 0 => Kind::Ghost,
                FOLDER => Kind::Folder,
                LINK => Kind::Link(target),
                REGULAR => {
                    let stated = Stated::parse(algorithm, digest);
                    let stated = stated.ok_or_else(|| FilesError::Digest(shown()))?;
                    let next = found.sets.len();
                    let set = *sets.entry((device, inode)).or_insert(next);
                    match found.sets.get_mut(set) {
                        Some(names) => names.push(index),
                        None => found.sets.push(vec![index]),
                    }
                    Kind::Regular(stated, set)
                }
                _ => return Err(FilesError::Kind(shown())),
            };
            if found.by_path.insert(path.clone(), index).is_some() {
                return Err(FilesError::Twice(shown()));
            }
            found.files.push(File {
                path,
                mode,
                size,
                kind,
            });
        }
        Ok(found)
    }

    /// Which file has a path.
    pub(super) fn find(&self, path: &str) -> Option<usize> {
        self.by_path.get(path).copied()
    }
}

/// Folders of source packages are empty, all others begin and end with a slash.
fn path(folder: &[u8], name: &[u8]) -> Result<String, FilesError> {
    let folder = folder.strip_prefix(b"/").unwrap_or(folder);
    let is_name = !name.is_empty() && !name.contains(&b'/') && !matches!(name, b"." | b"..");
    let is_folder = folder.is_empty() || folder.ends_with(b"/");
    let whole = [folder, name].concat();
    if !is_name || !is_folder {
        let whole = String::from_utf8_lossy(&whole);
        return Err(NameError::Path(printable(&whole)).into());
    }
    Ok(relative(&whole)?)
}

/// Packages of before 2009 say no algorithm, and have MD5.
fn algorithm(header: &Header) -> Result<Algorithm, FilesError> {
    let wrong = FilesError::Tag(tags::FILE_DIGEST_ALGORITHM);
    match header.value(tags::FILE_DIGEST_ALGORITHM) {
        None => Ok(Algorithm::Md5),
        Some(Value::Number(number)) => Algorithm::of_number(number).ok_or(wrong),
        Some(_) => Err(wrong),
    }
}
