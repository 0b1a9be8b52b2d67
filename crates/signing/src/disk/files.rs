//! The files of a volume, however it lists them: names that lie in folders, and what has the names. They are handed on in the
//! order of their bytes on the disk, as every block of an image is unpacked as a whole.

use std::collections::BTreeMap;
use std::io::{self, Read};

use release::name::printable;
use thiserror::Error;

use crate::disk::decmpfs::{DecmpfsError, Packed};
use crate::disk::plain::Part;
use crate::walk::entry::{Each, Entry, EntryKind};
use crate::walk::names::{NameError, PATH_BYTES_MAX, relative};
use crate::walk::room;

/// Names of one volume, all of which are held until its end.
const NAMES_MAX: usize = 250_000;
/// Bytes of them.
const NAMES_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Pieces that all its files lie in.
const EXTENTS_MAX: usize = 500_000;
/// Folders in folders.
const DEPTH_MAX: usize = 128;

/// Why the files of a volume are refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(super) enum FilesError {
    #[error("`{0}` lies in no folder that there is")]
    Lost(String),
    #[error("`{0}` is the name of nothing")]
    Nothing(String),
    #[error("the folder `{0}` has two names")]
    TwoNames(String),
    #[error("the number {0} is given to two things")]
    TwoThings(u64),
    #[error("`{0}` is said to be one thing by its name, and is another")]
    Kind(String),
    #[error("`{0}` is a device or another thing that cannot be read")]
    Device(String),
    #[error("the link `{0}` has no target that is a text")]
    Target(String),
    #[error("`{0}` is longer than where it lies")]
    Short(String),
    #[error("`{path}` is compressed: {error}")]
    Packed { path: String, error: DecmpfsError },
    #[error("the name of `{path}`: {error}")]
    Name { path: String, error: NameError },
}

/// A piece of a file: where it is in the file, and in the volume, in bytes. None is a hole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) at: u64,
    pub(super) start: Option<u64>,
    pub(super) bytes: u64,
}

/// Bytes that lie in pieces, which are sorted and do not overlap.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Fork {
    pub(super) bytes: u64,
    pub(super) extents: Box<[Extent]>,
}

impl Fork {
    /// Reads what there is in one piece from an offset on; nothing at the end.
    pub(super) fn read(
        &self,
        part: &mut Part<'_>,
        at: u64,
        buffer: &mut [u8],
    ) -> io::Result<usize> {
        let left = self.bytes.saturating_sub(at);
        let index = self
            .extents
            .partition_point(|it| it.at.saturating_add(it.bytes) <= at);
        let extent = self.extents.get(index).filter(|it| it.at <= at);
        if left == 0 || buffer.is_empty() {
            return Ok(0);
        }
        let Some(extent) = extent else {
            return Err(io::ErrorKind::UnexpectedEof.into());
        };
        let inside = at - extent.at;
        let most = left.min(extent.bytes - inside);
        let most = buffer
            .len()
            .min(usize::try_from(most).unwrap_or(usize::MAX));
        let buffer = buffer.get_mut(..most).unwrap_or_default();
        match extent.start {
            Some(start) => part.read(start.saturating_add(inside), buffer)?,
            None => buffer.fill(0),
        }
        Ok(most)
    }

    /// Fills a buffer; says whether there was enough.
    pub(super) fn fill(&self, part: &mut Part<'_>, at: u64, buffer: &mut [u8]) -> io::Result<bool> {
        let mut filled = 0;
        while let Some(rest) = buffer.get_mut(filled..).filter(|it| !it.is_empty()) {
            match self.read(part, at.saturating_add(filled as u64), rest)? {
                0 => return Ok(false),
                read => filled += read,
            }
        }
        Ok(true)
    }

    /// Whether every byte has a place.
    pub(super) fn is_covered(&self) -> bool {
        let end = self.extents.iter().try_fold(0, |end, extent| {
            (extent.at == end).then(|| end.saturating_add(extent.bytes))
        });
        end.is_some_and(|end| end >= self.bytes)
    }

    fn first(&self) -> u64 {
        self.extents
            .iter()
            .find_map(|it| it.start)
            .unwrap_or_default()
    }
}

/// What a node holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Data {
    Nothing,
    /// The target of a link that has no place of its own.
    Text(Vec<u8>),
    Fork(Fork),
    Packed(Box<Packed>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Folder,
    File,
    Link,
    Device,
}

impl Kind {
    /// By its mode (POSIX `<sys/stat.h>`). A volume need not state one.
    pub(super) fn of_mode(mode: u16) -> Option<Self> {
        match mode & 0o170_000 {
            0 => None,
            0o040_000 => Some(Self::Folder),
            0o100_000 => Some(Self::File),
            0o120_000 => Some(Self::Link),
            _ => Some(Self::Device),
        }
    }
}

/// What has a name, or several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) kind: Kind,
    pub(super) is_executable: Option<bool>,
    pub(super) data: Data,
}

impl Node {
    fn first(&self) -> u64 {
        match &self.data {
            Data::Nothing | Data::Text(_) => 0,
            Data::Fork(fork) => fork.first(),
            Data::Packed(packed) => packed.resource().map_or(0, Fork::first),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Name {
    folder: u64,
    name: String,
    node: u64,
}

/// All files of a volume.
#[derive(Debug, Default)]
pub(super) struct Files {
    names: Vec<Name>,
    nodes: BTreeMap<u64, Node>,
    name_bytes: usize,
    extents: usize,
}

impl Files {
    /// Takes a name in, of a node that need not be known yet.
    pub(super) fn name(&mut self, folder: u64, name: String, node: u64) -> io::Result<()> {
        self.name_bytes += name.len();
        if self.names.len() >= NAMES_MAX || self.name_bytes > NAMES_BYTES_MAX {
            return Err(room::limit(
                "there are more files on the volume than are read",
            ));
        }
        self.names.push(Name { folder, name, node });
        Ok(())
    }

    /// Takes a node in.
    pub(super) fn node(&mut self, id: u64, node: Node) -> io::Result<()> {
        self.count(&node.data)?;
        match self.nodes.insert(id, node) {
            None if self.nodes.len() <= NAMES_MAX => Ok(()),
            None => Err(room::limit(
                "there are more files on the volume than are read",
            )),
            Some(_) => Err(room::refused(FilesError::TwoThings(id))),
        }
    }

    fn count(&mut self, data: &Data) -> io::Result<()> {
        self.extents += match data {
            Data::Fork(fork) => fork.extents.len(),
            Data::Packed(packed) => packed.resource().map_or(0, |it| it.extents.len()),
            // Bytes that are held count as places do.
            Data::Text(text) => text.len() / size_of::<Extent>(),
            Data::Nothing => 0,
        };
        match self.extents <= EXTENTS_MAX {
            true => Ok(()),
            false => Err(room::limit(
                "the files of the volume lie in more pieces than are read",
            )),
        }
    }

    /// Hands every file on, below the folder that is the root.
    pub(super) fn hand_on(self, root: u64, part: &mut Part<'_>, each: Each<'_>) -> io::Result<()> {
        let mut folders = BTreeMap::new();
        for (index, name) in self.names.iter().enumerate() {
            let node = self.nodes.get(&name.node);
            let node = node.ok_or_else(|| FilesError::Nothing(printable(&name.name)));
            let is_folder = node.map_err(room::refused)?.kind == Kind::Folder;
            if is_folder && folders.insert(name.node, index).is_some() {
                return Err(room::refused(FilesError::TwoNames(printable(&name.name))));
            }
        }
        let mut order: Vec<_> = self
            .names
            .iter()
            .filter_map(|it| Some((it, self.nodes.get(&it.node)?)))
            .collect();
        let of_kind = |node: &Node| match node.kind {
            Kind::Folder => 0,
            Kind::Link => 1,
            Kind::File | Kind::Device => 2,
        };
        // Stable, so that what is equal stays in the order of the volume.
        order.sort_by_key(|(_, node)| (of_kind(node), node.first()));
        for (name, node) in order {
            let path = self.path(name, root, &folders)?;
            pass(path, node, part, each)?;
        }
        Ok(())
    }

    fn path(&self, name: &Name, root: u64, folders: &BTreeMap<u64, usize>) -> io::Result<String> {
        let lost = || room::refused(FilesError::Lost(printable(&name.name)));
        let mut parts = vec![name.name.as_str()];
        let mut folder = name.folder;
        while folder != root {
            let above = folders.get(&folder).and_then(|at| self.names.get(*at));
            let above = above.filter(|_| parts.len() < DEPTH_MAX).ok_or_else(lost)?;
            parts.push(&above.name);
            folder = above.folder;
        }
        parts.reverse();
        let path = parts.join("/");
        let refused = |error| {
            let path = printable(&path);
            room::refused(FilesError::Name { path, error })
        };
        let is_plain = parts
            .iter()
            .all(|part| !matches!(*part, "" | "." | "..") && !part.contains('/'));
        if !is_plain {
            return Err(refused(NameError::Path(printable(&name.name))));
        }
        relative(path.as_bytes()).map_err(refused)
    }
}

fn pass(path: String, node: &Node, part: &mut Part<'_>, each: Each<'_>) -> io::Result<()> {
    let entry = |kind| Entry {
        path: path.clone(),
        kind,
        is_executable: node.is_executable,
    };
    let shown = || printable(&path);
    let file = entry(EntryKind::File);
    match (node.kind, &node.data) {
        (Kind::Folder, _) => each(&entry(EntryKind::Folder), &mut io::empty()),
        (Kind::Device, _) => Err(room::refused(FilesError::Device(shown()))),
        (Kind::Link, data) => {
            let target = target(data, part)?;
            let target = target.ok_or_else(|| room::refused(FilesError::Target(shown())))?;
            each(&entry(EntryKind::Link(target)), &mut io::empty())
        }
        (Kind::File, Data::Nothing) => each(&file, &mut io::empty()),
        (Kind::File, Data::Text(text)) => each(&file, &mut text.as_slice()),
        (Kind::File, Data::Fork(fork)) if !fork.is_covered() => {
            Err(room::refused(FilesError::Short(shown())))
        }
        (Kind::File, Data::Fork(fork)) => each(&file, &mut Content { fork, part, at: 0 }),
        (Kind::File, Data::Packed(packed)) => {
            let refused = |error| {
                let path = shown();
                room::refused(FilesError::Packed { path, error })
            };
            each(&file, &mut packed.content(part, &refused)?)
        }
    }
}

/// What a link says.
fn target(data: &Data, part: &mut Part<'_>) -> io::Result<Option<String>> {
    let bytes = match data {
        Data::Text(text) => text.clone(),
        Data::Fork(fork) if fork.bytes <= PATH_BYTES_MAX as u64 && fork.is_covered() => {
            let mut bytes = vec![0; usize::try_from(fork.bytes).unwrap_or_default()];
            fork.fill(part, 0, &mut bytes)?;
            bytes
        }
        Data::Nothing | Data::Fork(_) | Data::Packed(_) => return Ok(None),
    };
    let text = String::from_utf8(bytes).ok();
    Ok(text.filter(|it| !it.is_empty() && it.len() <= PATH_BYTES_MAX && !it.contains('\0')))
}

/// A file's bytes as they pass.
struct Content<'a, 'd> {
    fork: &'a Fork,
    part: &'a mut Part<'d>,
    at: u64,
}

impl Read for Content<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fork.read(self.part, self.at, buffer)?;
        self.at += read as u64;
        Ok(read)
    }
}
