//! squashfs 4.0 (Linux `Documentation/filesystems/squashfs.rst`, `fs/squashfs/squashfs_fs.h`): what an AppImage carries and a
//! snap is. Read only, by offsets, and every file once.
//!
//! Whatever two readers could understand differently is refused: names that are not in order (kernels stop looking where one
//! is larger than what they look for), entries that are of another kind than their inode, folders with two parents, and
//! anything but zeros behind the last table. Extended attributes are not looked at. Devices, pipes, and sockets are refused.

mod content;
mod directory;
mod image;
mod inode;
mod lzo;
mod packing;
mod superblock;

use std::collections::{HashMap, HashSet};
use std::io;

use release::name::printable;
use thiserror::Error;

use crate::reading::read_at;
use crate::tar;
use crate::verify::Bytes;
use crate::walk;
use crate::walk::entry::{Each, Entry, EntryKind};
use crate::walk::names::{NameError, relative};
use crate::walk::room;

use content::Content;
use directory::Listing;
use image::Image;
use inode::{Inode, What};

/// What is read of an image at most. Files are read block by block.
struct Limits;

impl Limits {
    /// Folders in folders.
    const DEPTH: usize = 128;
    /// Bytes of the target of a link; what Linux takes.
    const TARGET_BYTES: u32 = 4096;
    /// Names of files that have several, to find the first one again: bytes of all of them.
    const LINKED_BYTES: usize = 32 * 1024 * 1024;
    /// Bytes of tables that are held, unpacked.
    const HELD_BYTES: usize = 4 * 1024 * 1024;
    /// Bytes of tables and shared blocks that are unpacked, whatever the size of the image: some are needed more than once.
    const UNPACKED_BYTES: u64 = 2 * 1024 * 1024 * 1024;
    /// The same for each byte of the image, where that is more.
    const UNPACKED_RATIO: u64 = 64;
    /// Zeros behind the image. `mksquashfs` fills 4 KiB, and no snap is shorter than 16 KiB.
    const FILL_BYTES: u64 = 64 * 1024;
}

/// Why an image is not read on.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum SquashfsError {
    #[error("it does not begin as an image of squashfs 4.0 does")]
    Magic,
    #[error("it begins as a tar archive too")]
    Tar,
    #[error("its header says what cannot be: {0}")]
    Header(&'static str),
    #[error("it is packed with {0}, which is not read")]
    Packing(&'static str),
    #[error("it ends before its header says")]
    Truncated,
    #[error("something stands behind its end")]
    Behind,
    #[error("a part of it lies outside of it")]
    Outside,
    #[error("a block cannot be unpacked: {0}")]
    Packed(String),
    #[error("a block has {found} bytes unpacked, expected {expected}")]
    Length { expected: usize, found: usize },
    #[error("an entry of its tables cannot be read: {0}")]
    Table(&'static str),
    #[error("`{0}` is not listed as what it is")]
    Kind(String),
    #[error("`{0}` is neither file, folder, nor link")]
    Device(String),
    #[error("`{0}` does not stand in order")]
    Order(String),
    #[error("folder `{0}` is in two folders, or in itself")]
    Parents(String),
    #[error("{0}")]
    Name(#[from] NameError),
}

impl From<SquashfsError> for io::Error {
    fn from(error: SquashfsError) -> Self {
        room::refused(error)
    }
}

/// Whether a file begins as an image, of whatever version.
pub(crate) fn is_squashfs(head: &[u8]) -> bool {
    head.starts_with(superblock::MAGIC)
}

/// Reads an image that is a whole file.
pub(crate) fn walk(bytes: &mut dyn Bytes, each: Each<'_>) -> io::Result<()> {
    let mut bytes = bytes;
    // A tar archive has its mark where an image may have anything.
    let head = read_at(&mut bytes, 0, walk::Limits::HEAD_BYTES)?;
    match head.is_some_and(|head| tar::is_tar(&head)) {
        true => Err(SquashfsError::Tar.into()),
        false => walk_at(bytes, 0, each),
    }
}

/// Reads an image that begins at an offset and ends with the file.
pub(crate) fn walk_at(bytes: &mut dyn Bytes, at: u64, each: Each<'_>) -> io::Result<()> {
    let mut walker = Walker {
        image: Image::open(bytes, at)?,
        folders: HashSet::new(),
        linked: HashMap::new(),
        linked_bytes: 0,
    };
    walker.tree(each)
}

/// A folder that is being read.
struct Frame {
    path: String,
    listing: Listing,
}

struct Walker<'a> {
    image: Image<'a>,
    /// Folders that were seen, by where their inodes are.
    folders: HashSet<u64>,
    /// Files that have several names, by where their inodes are, and the first of these.
    linked: HashMap<u64, String>,
    linked_bytes: usize,
}

impl Walker<'_> {
    /// Every entry, each folder before what is in it.
    fn tree(&mut self, each: Each<'_>) -> io::Result<()> {
        let at = self.image.superblock.root;
        let root = Inode::read(&mut self.image, at)?;
        if !matches!(root.what, What::Folder { .. }) {
            return Err(SquashfsError::Table("its root is no folder").into());
        }
        let mut frames = Vec::new();
        frames.extend(self.entry(String::new(), at, &root, each)?);
        while let Some(frame) = frames.last_mut() {
            let Some(listed) = frame.listing.next(&mut self.image)? else {
                frames.pop();
                continue;
            };
            let path = path(&frame.path, &listed.name)?;
            let inode = Inode::read(&mut self.image, listed.inode)?;
            if inode.kind != listed.kind || inode.number != listed.number {
                return Err(SquashfsError::Kind(printable(&path)).into());
            }
            let below = self.entry(path, listed.inode, &inode, each)?;
            if below.is_some() && frames.len() == Limits::DEPTH {
                return Err(room::limit("folders lie in folders, deeper than is read"));
            }
            frames.extend(below);
        }
        Ok(())
    }

    /// Shows an entry. Gives what is below, where it is a folder.
    fn entry(
        &mut self,
        path: String,
        at: u64,
        inode: &Inode,
        each: Each<'_>,
    ) -> io::Result<Option<Frame>> {
        let shown = |kind| Entry {
            path: path.clone(),
            kind,
            is_executable: Some(inode.mode & 0o100 != 0),
        };
        match &inode.what {
            What::Folder {
                block,
                offset,
                bytes,
            } => {
                if !self.folders.insert(at) {
                    return Err(SquashfsError::Parents(printable(&path)).into());
                }
                let listing = Listing::new(&self.image, *block, *offset, *bytes)?;
                each(&shown(EntryKind::Folder), &mut io::empty())?;
                return Ok(Some(Frame { path, listing }));
            }
            What::Link { target } => {
                each(&shown(EntryKind::Link(target.clone())), &mut io::empty())?;
            }
            What::File(file) => {
                if let Some(first) = self.linked.get(&at) {
                    let kind = EntryKind::HardLink(first.clone());
                    each(&shown(kind), &mut io::empty())?;
                    return Ok(None);
                }
                if file.links > 1 {
                    self.linked_bytes += path.len();
                    if self.linked_bytes > Limits::LINKED_BYTES {
                        return Err(room::limit("it has more names of files than are read"));
                    }
                    self.linked.insert(at, path.clone());
                }
                let mut content = Content::new(&mut self.image, file)?;
                each(&shown(EntryKind::File), &mut content)?;
                io::copy(&mut content, &mut io::sink())?;
            }
            What::Other => return Err(SquashfsError::Device(printable(&path)).into()),
        }
        Ok(None)
    }
}

/// The path of what is in a folder.
fn path(folder: &str, name: &[u8]) -> Result<String, SquashfsError> {
    let is_part = !name.contains(&b'/') && !matches!(name, b"." | b".." | b"");
    if !is_part {
        let name = printable(&String::from_utf8_lossy(name));
        return Err(NameError::Path(name).into());
    }
    let path = match folder {
        "" => name.to_vec(),
        folder => [folder.as_bytes(), b"/", name].concat(),
    };
    Ok(relative(&path)?)
}

#[cfg(test)]
pub(crate) mod tests;
