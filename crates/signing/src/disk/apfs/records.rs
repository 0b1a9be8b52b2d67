//! The tree of a volume: what its files are, how they are called, and where their bytes lie.
//!
//! ```text
//! key: u64 number of the file, and the type in its upper four bits | what the type says
//! inode (3):  u64 parent | u64 number of its bytes | at 68: u32 flags | at 80: u16 mode | at 92: fields
//! attribute (4): key u16 bytes | name, NUL    value: u16 flags | u16 bytes | the bytes, or u64 number and u64 bytes of them
//! extent (8): key u64 offset                  value: u64 bytes, 56 bits of it | u64 block, 0 for a hole
//! name (9):   key u16 bytes, or u32 of which ten bits are | name, NUL   value: u64 number | u64 date | u16 type
//! fields: u16 count | u16 bytes | each: u8 type, u8 flags, u16 bytes | the values, each filled up to eight bytes
//! ```

use std::collections::BTreeMap;
use std::io;

use crate::disk::apfs::map::Map;
use crate::disk::apfs::object::{Blocks, u16_at, u32_at, u64_at};
use crate::disk::apfs::{ApfsError, btree, refused};
use crate::disk::decmpfs::{self, DecmpfsError, Packed};
use crate::disk::files::{Data, Extent, Files, FilesError, Fork, Kind, Node};
use crate::walk::room;

const INODE: u64 = 3;
const ATTRIBUTE: u64 = 4;
const EXTENT: u64 = 8;
const NAME: u64 = 9;

/// The field of an inode that says how many bytes it has.
const STREAM: u8 = 8;
/// A flag of a file's owner: the file system compresses it.
const COMPRESSED: u32 = 0x20;
const IN_STREAM: u16 = 0x1;
const IN_RECORD: u16 = 0x2;
const LINK: &str = "com.apple.fs.symlink";
const RESOURCE: &str = "com.apple.ResourceFork";
/// Records of files that are held: their names, inodes, and pieces.
const RECORDS_MAX: usize = 1_000_000;
/// Bytes of attributes that are held.
const HELD_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Types of names (`DT_DIR` and so on of `<dirent.h>`).
const TYPES: [(u16, Kind); 3] = [(4, Kind::Folder), (8, Kind::File), (10, Kind::Link)];
/// The parent of the root, and of the private folder beside it.
const ABOVE_ROOT: u64 = 1;

struct Inode {
    mode: u16,
    flags: u32,
    /// Number and length of its bytes.
    stream: u64,
    bytes: u64,
}

#[derive(Default)]
struct Attributes {
    link: Option<Vec<u8>>,
    packed: Option<Vec<u8>>,
    resource: Option<(u64, u64)>,
}

#[derive(Default)]
struct Records {
    has_hashes: bool,
    block_bytes: u64,
    blocks: u64,
    /// The last key, by which records are sorted.
    last: (u64, u64),
    count: usize,
    held: usize,
    inodes: BTreeMap<u64, Inode>,
    attributes: BTreeMap<u64, Attributes>,
    extents: BTreeMap<u64, Vec<Extent>>,
    /// What names say that things are.
    types: Vec<(u64, u16)>,
    files: Files,
}

/// Reads the tree whose root is an object of the map.
pub(super) fn read(
    blocks: &mut Blocks<'_, '_>,
    map: &Map,
    root: u64,
    has_hashes: bool,
) -> io::Result<Files> {
    let mut records = Records {
        has_hashes,
        block_bytes: blocks.block_bytes,
        blocks: blocks.count,
        ..Records::default()
    };
    let mut take = |key: &[u8], value: &[u8]| records.record(key, value);
    btree::read(blocks, Some(map), root, None, &mut take)?;
    records.finish()
}

impl Records {
    fn record(&mut self, key: &[u8], value: &[u8]) -> io::Result<()> {
        let head = u64_at(key, 0).ok_or_else(|| room::refused(ApfsError::Record(0)))?;
        let (id, kind) = (head & (u64::MAX >> 4), head >> 60);
        if (id, kind) < self.last {
            return refused(ApfsError::Tree("its records are not in order"));
        }
        self.last = (id, kind);
        self.count += 1;
        if self.count > RECORDS_MAX {
            return Err(room::limit(
                "there are more files on the volume than are read",
            ));
        }
        let rest = key.get(8..).unwrap_or_default();
        match kind {
            INODE => {
                let read = self.inode(id, value);
                read.ok_or_else(|| room::refused(ApfsError::Record(id)))
            }
            ATTRIBUTE => self.attribute(id, rest, value),
            EXTENT => self.extent(id, rest, value),
            NAME => self.name(id, rest, value),
            _ => Ok(()),
        }
    }

    fn inode(&mut self, id: u64, value: &[u8]) -> Option<()> {
        let inode = Inode {
            stream: u64_at(value, 8)?,
            flags: u32_at(value, 68)?,
            mode: u16_at(value, 80)?,
            bytes: field(value.get(92..)?, STREAM)?.map_or(Some(0), |it| u64_at(it, 0))?,
        };
        self.inodes.insert(id, inode).is_none().then_some(())
    }

    fn attribute(&mut self, id: u64, key: &[u8], value: &[u8]) -> io::Result<()> {
        let wrong = || room::refused(ApfsError::Record(id));
        let length = u16_at(key, 0).map(usize::from);
        let name = key.get(2..).filter(|it| Some(it.len()) == length);
        let name = name.and_then(<[u8]>::split_last).filter(|it| *it.0 == 0);
        let name = name.ok_or_else(wrong)?.1;
        let is_resource = name == RESOURCE.as_bytes();
        let is_link = name == LINK.as_bytes();
        if !is_resource && !is_link && name != decmpfs::ATTRIBUTE.as_bytes() {
            return Ok(());
        }
        let (flags, length) = u16_at(value, 0).zip(u16_at(value, 2)).ok_or_else(wrong)?;
        let bytes = value.get(4..).and_then(|it| it.get(..length.into()));
        let bytes = bytes.ok_or_else(wrong)?;
        self.held += bytes.len() + size_of::<Attributes>();
        if self.held > HELD_BYTES_MAX {
            return Err(room::limit(
                "there are more attributes of files than are read",
            ));
        }
        let found = self.attributes.entry(id).or_default();
        let is_new = match (is_resource, flags & (IN_STREAM | IN_RECORD)) {
            (true, IN_STREAM) => {
                let stream = u64_at(bytes, 0).zip(u64_at(bytes, 8)).ok_or_else(wrong)?;
                found.resource.replace(stream).is_none()
            }
            // A fork that is so small holds no compressed file.
            (true, IN_RECORD) => true,
            (false, IN_RECORD) if is_link => found.link.replace(bytes.to_vec()).is_none(),
            (false, IN_RECORD) => found.packed.replace(bytes.to_vec()).is_none(),
            _ => false,
        };
        match is_new {
            true => Ok(()),
            false => Err(wrong()),
        }
    }

    fn extent(&mut self, id: u64, key: &[u8], value: &[u8]) -> io::Result<()> {
        let wrong = || room::refused(ApfsError::Pieces(id));
        let (at, length) = u64_at(key, 0).zip(u64_at(value, 0)).ok_or_else(wrong)?;
        let block = u64_at(value, 8).ok_or_else(wrong)?;
        let bytes = length & (u64::MAX >> 8);
        let is_whole = at % self.block_bytes == 0 && bytes % self.block_bytes == 0 && bytes > 0;
        let end = block.checked_add(bytes / self.block_bytes);
        if !is_whole || end.is_none_or(|end| end > self.blocks) {
            return Err(wrong());
        }
        let start = (block != 0).then(|| block * self.block_bytes);
        let extents = self.extents.entry(id).or_default();
        // They are sorted, so that none overlaps another.
        let behind = extents
            .last()
            .map_or(0, |last| last.at.saturating_add(last.bytes));
        if at < behind || at.checked_add(bytes).is_none() {
            return Err(wrong());
        }
        extents.push(Extent { at, start, bytes });
        Ok(())
    }

    fn name(&mut self, folder: u64, key: &[u8], value: &[u8]) -> io::Result<()> {
        let wrong = || room::refused(ApfsError::Record(folder));
        let name = match self.has_hashes {
            true => u32_at(key, 0).zip(key.get(4..)),
            false => u16_at(key, 0).map(u32::from).zip(key.get(2..)),
        };
        let (length, name) = name.ok_or_else(wrong)?;
        let length = usize::try_from(length & 0x3ff).unwrap_or_default();
        let name = Some(name).filter(|it| it.len() == length);
        let name = name.and_then(<[u8]>::split_last).filter(|it| *it.0 == 0);
        let name = std::str::from_utf8(name.ok_or_else(wrong)?.1);
        let name = name.map_err(|_| room::refused(ApfsError::Name(folder)))?;
        let (id, flags) = u64_at(value, 0).zip(u16_at(value, 16)).ok_or_else(wrong)?;
        if folder == ABOVE_ROOT {
            return Ok(());
        }
        self.types.push((id, flags & 0xf));
        self.files.name(folder, name.to_owned(), id)
    }

    fn finish(mut self) -> io::Result<Files> {
        for (id, kind) in std::mem::take(&mut self.types) {
            let found = self.inodes.get(&id);
            let mode = found.and_then(|inode| Kind::of_mode(inode.mode));
            // A device is refused by its name, which is shown.
            let named = TYPES.iter().find(|(number, _)| *number == kind);
            if found.is_some() && named.is_some_and(|(_, named)| Some(*named) != mode) {
                return Err(room::refused(FilesError::TwoThings(id)));
            }
        }
        for (id, inode) in std::mem::take(&mut self.inodes) {
            let attributes = self.attributes.remove(&id).unwrap_or_default();
            let kind = Kind::of_mode(inode.mode);
            let kind = kind.ok_or_else(|| room::refused(ApfsError::Record(id)))?;
            let data = match kind {
                Kind::Folder | Kind::Device => Data::Nothing,
                Kind::Link => {
                    let text = attributes.link.unwrap_or_default();
                    let text = text.strip_suffix(&[0]).map(<[u8]>::to_vec);
                    text.map_or(Data::Nothing, Data::Text)
                }
                Kind::File => self.content(id, &inode, attributes)?,
            };
            let node = Node {
                kind,
                is_executable: Some(inode.mode & 0o100 != 0),
                data,
            };
            self.files.node(id, node)?;
        }
        Ok(self.files)
    }

    fn content(&self, id: u64, inode: &Inode, attributes: Attributes) -> io::Result<Data> {
        let is_compressed = inode.flags & COMPRESSED != 0;
        match (is_compressed, attributes.packed) {
            (false, None) => Ok(Data::Fork(self.fork(inode.stream, inode.bytes))),
            (true, Some(attribute)) => {
                let resource = attributes.resource;
                let resource = resource.map(|(stream, bytes)| self.fork(stream, bytes));
                let packed = match inode.bytes {
                    0 => Packed::parse(&attribute, resource),
                    _ => Err(DecmpfsError::Both),
                };
                let refused = |error| {
                    let path = format!("file {id}");
                    room::refused(FilesError::Packed { path, error })
                };
                Ok(Data::Packed(Box::new(packed.map_err(refused)?)))
            }
            _ => refused(ApfsError::Compression(id)),
        }
    }

    /// Bytes by their number. A hole has an extent too, so that what no extent is about is missing.
    fn fork(&self, stream: u64, bytes: u64) -> Fork {
        let known = self.extents.get(&stream).map(Vec::as_slice);
        Fork {
            bytes,
            extents: known.unwrap_or_default().into(),
        }
    }
}

/// A field of an inode. None within where there is none.
fn field(bytes: &[u8], wanted: u8) -> Option<Option<&[u8]>> {
    // Inodes without fields end before them.
    if bytes.is_empty() {
        return Some(None);
    }
    let count = usize::from(u16_at(bytes, 0)?);
    let (described, mut values) = bytes.get(4..)?.split_at_checked(count.checked_mul(4)?)?;
    for field in described.as_chunks::<4>().0 {
        let length = usize::from(u16_at(field, 2)?);
        let value = values.get(..length)?;
        if field.first() == Some(&wanted) {
            return Some(Some(value));
        }
        values = values.get(length.next_multiple_of(8)..).unwrap_or_default();
    }
    Some(None)
}
