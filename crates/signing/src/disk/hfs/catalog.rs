//! The catalog: what lies in which folder.
//!
//! ```text
//! key: u32 folder | u16 units | name in UTF-16
//! folder: u16 1 | u16 flags | u32 valence | u32 number | dates | owner, flags, and mode at 32
//! file: u16 2 | u16 flags | u32 | u32 number | dates | owner, flags, and mode at 32 | type and creator at 48 | forks at 88, 168
//! ```
//!
//! A hard link is a file of a type of its own whose content lies in a private folder, by a number. Names are handed on as they
//! are stored, which is decomposed; a colon stands for the slash of the Finder, as in every program but that.

use std::collections::BTreeMap;
use std::io;

use release::name::printable;

use crate::disk::decmpfs::Packed;
use crate::disk::files::{Data, Files, FilesError, Fork, Kind, Node};
use crate::disk::hfs::btree::u16_at;
use crate::disk::hfs::{Described, Header, HfsError, Overflow, ROOT, Which, btree};
use crate::disk::plain::Part;
use crate::reading::u32_at;
use crate::walk::room;

const TREE: &str = "catalog";
const FOLDER: u16 = 1;
const FILE: u16 = 2;
const THREADS: [u16; 2] = [3, 4];
/// Where the files of hard links lie, and where folders of such would.
const PRIVATE: &str = "\0\0\0\0HFS+ Private Data";
const PRIVATE_FOLDERS: &str = ".HFS+ Private Directory Data\r";
/// Type and creator of a hard link.
const HARD_LINK: &[u8] = b"hlnkhfs+";
/// A flag of a file's owner: the file system compresses it.
const COMPRESSED: u8 = 0x20;

/// What was read so far.
pub(super) struct Catalog<'a> {
    header: &'a Header,
    overflow: &'a Overflow,
    /// Attributes of compressed files.
    packed: BTreeMap<u32, Vec<u8>>,
    files: Files,
    /// The folder of the last record.
    folder: u32,
    private: Option<u32>,
    private_folders: Option<u32>,
    /// The files of hard links, by the number in their name.
    targets: BTreeMap<u32, u32>,
    links: Vec<Link>,
    /// When the root and the private folder were made, which a hard link says of itself too.
    made: Vec<u32>,
}

struct Link {
    folder: u32,
    name: String,
    number: u32,
    made: u32,
}

impl<'a> Catalog<'a> {
    pub(super) fn new(
        header: &'a Header,
        overflow: &'a Overflow,
        packed: BTreeMap<u32, Vec<u8>>,
    ) -> Self {
        Self {
            header,
            overflow,
            packed,
            files: Files::default(),
            folder: 0,
            private: None,
            private_folders: None,
            targets: BTreeMap::new(),
            links: Vec::new(),
            made: Vec::new(),
        }
    }

    /// Reads every record.
    pub(super) fn read(mut self, part: &mut Part<'_>, fork: &Fork) -> io::Result<Files> {
        btree::read(part, fork, TREE, &mut |key, record| {
            self.record(key, record)
        })?;
        for Link {
            folder,
            name,
            number,
            made,
        } in std::mem::take(&mut self.links)
        {
            let target = self.targets.get(&number).copied();
            // Of another date it is an empty file to macOS.
            let target = target.filter(|_| self.made.contains(&made));
            let target =
                target.ok_or_else(|| room::refused(HfsError::HardLink(printable(&name))))?;
            self.files.name(folder.into(), name, target.into())?;
        }
        Ok(self.files)
    }

    fn record(&mut self, key: &[u8], record: &[u8]) -> io::Result<()> {
        let wrong = || room::refused(HfsError::Record(TREE));
        let (folder, units) = u32_at(key, 0).zip(u16_at(key, 4)).ok_or_else(wrong)?;
        let name = key
            .get(6..)
            .filter(|it| it.len() == usize::from(units) * 2)
            .ok_or_else(wrong)?;
        if folder < self.folder {
            return Err(room::refused(HfsError::Order));
        }
        self.folder = folder;
        let name: Vec<_> = name
            .as_chunks::<2>()
            .0
            .iter()
            .map(|unit| u16::from_be_bytes(*unit))
            .collect();
        let name = String::from_utf16(&name).map_err(|_| room::refused(HfsError::Name))?;
        match u16_at(record, 0) {
            Some(FOLDER) => self.folder(folder, name, record),
            Some(FILE) => self.file(folder, name, record),
            Some(kind) if THREADS.contains(&kind) => Ok(()),
            _ => Err(wrong()),
        }
    }

    fn folder(&mut self, folder: u32, name: String, record: &[u8]) -> io::Result<()> {
        let wrong = || room::refused(HfsError::Record(TREE));
        let (id, mode) = u32_at(record, 8)
            .zip(u16_at(record, 42))
            .ok_or_else(wrong)?;
        if !matches!(Kind::of_mode(mode), None | Some(Kind::Folder)) {
            return Err(room::refused(FilesError::Kind(printable(&name))));
        }
        if self.is_private(folder) {
            return Err(room::refused(HfsError::FolderLink(printable(&name))));
        }
        let is_in_root = u64::from(folder) == ROOT;
        if u64::from(id) == ROOT || is_in_root && name == PRIVATE {
            self.made.extend(u32_at(record, 12));
        }
        if is_in_root && name == PRIVATE {
            return only(&mut self.private, id);
        }
        if is_in_root && name == PRIVATE_FOLDERS {
            return only(&mut self.private_folders, id);
        }
        self.files.node(
            id.into(),
            Node {
                kind: Kind::Folder,
                is_executable: None,
                data: Data::Nothing,
            },
        )?;
        match u64::from(id) == ROOT {
            true if folder == 1 => Ok(()),
            true => Err(wrong()),
            false => self.files.name(folder.into(), plain(name), id.into()),
        }
    }

    fn is_private(&self, folder: u32) -> bool {
        [self.private, self.private_folders].contains(&Some(folder))
    }

    fn file(&mut self, folder: u32, name: String, record: &[u8]) -> io::Result<()> {
        let wrong = || room::refused(HfsError::Record(TREE));
        let (id, mode) = u32_at(record, 8)
            .zip(u16_at(record, 42))
            .ok_or_else(wrong)?;
        let owner_flags = *record.get(41).ok_or_else(wrong)?;
        let fork = |at: usize| {
            record
                .get(at..)
                .and_then(Described::parse)
                .ok_or_else(wrong)
        };
        let (data, resource) = (fork(88)?, fork(168)?);
        if self.private_folders == Some(folder) {
            return Err(room::refused(HfsError::FolderLink(printable(&name))));
        }
        if record.get(48..56) == Some(HARD_LINK) && self.private != Some(folder) {
            // What a reader would see that knows nothing of hard links.
            if data.bytes > 0 {
                return Err(room::refused(HfsError::HardLink(printable(&name))));
            }
            let (number, made) = u32_at(record, 44)
                .zip(u32_at(record, 12))
                .ok_or_else(wrong)?;
            let name = plain(name);
            self.links.push(Link {
                folder,
                name,
                number,
                made,
            });
            return Ok(());
        }
        if self.private == Some(folder) {
            // Others are files that were deleted while they were open.
            let number = name.strip_prefix("iNode").and_then(|it| it.parse().ok());
            let Some(number) = number else { return Ok(()) };
            if self.targets.insert(number, id).is_some() {
                return Err(wrong());
            }
        }
        let kind = Kind::of_mode(mode);
        let is_compressed = owner_flags & COMPRESSED != 0;
        let attribute = self.packed.remove(&id);
        let data = match (is_compressed, attribute) {
            (false, None) => Data::Fork(self.header.fork(&data, id, Which::Data, self.overflow)?),
            (true, Some(attribute)) => {
                let resource = self
                    .header
                    .fork(&resource, id, Which::Resource, self.overflow)?;
                let packed = match data.bytes {
                    0 => Packed::parse(&attribute, Some(resource)),
                    _ => Err(crate::disk::decmpfs::DecmpfsError::Both),
                };
                let refused = |error| {
                    let path = printable(&name);
                    room::refused(FilesError::Packed { path, error })
                };
                Data::Packed(Box::new(packed.map_err(refused)?))
            }
            _ => return Err(room::refused(HfsError::Compression(printable(&name)))),
        };
        let kind = match kind {
            Some(Kind::Folder) => return Err(room::refused(FilesError::Kind(printable(&name)))),
            other => other.unwrap_or(Kind::File),
        };
        let node = Node {
            kind,
            is_executable: (mode & 0o170_000 != 0).then_some(mode & 0o100 != 0),
            data,
        };
        self.files.node(id.into(), node)?;
        match self.private == Some(folder) {
            true => Ok(()),
            false => self.files.name(folder.into(), plain(name), id.into()),
        }
    }
}

/// A folder of which there is one.
fn only(known: &mut Option<u32>, id: u32) -> io::Result<()> {
    match known.replace(id) {
        None => Ok(()),
        Some(_) => Err(room::refused(HfsError::Record(TREE))),
    }
}

/// A name as programs see it.
fn plain(name: String) -> String {
    match name.contains('/') {
        true => name.replace('/', ":"),
        false => name,
    }
}
