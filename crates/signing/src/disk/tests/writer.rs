//! Writes files into a container of `mkapfs`: the records of its volume, the map that leads to them, and their bytes. The
//! manager of free space stays as it was, and names get no hashes, as no reader here asks for either.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::image::{APFS, Described, FIRST, Form, Table, crc32, guid_table, of_tables};
use super::*;
use crate::disk::apfs::object::{checksum, u16_at, u32_at, u64_at};
use crate::tests::skipped;

pub(super) const BLOCK: usize = 4096;
/// The smallest container that `mkapfs` makes; most of it is a hole.
const BYTES: u64 = 512 << 20;
/// Blocks that nothing lies in.
const FREE: u64 = 40_000;

type Record = (Vec<u8>, Vec<u8>);

/// A container that is written to.
pub(super) struct Writer {
    pub(super) path: PathBuf,
    pub(super) file: File,
    next: u64,
    /// Sorted by number and type where the tree is written.
    pub(super) records: Vec<Record>,
    id: u64,
}

pub(super) fn key(id: u64, kind: u64, rest: &[u8]) -> Vec<u8> {
    [&(id | kind << 60).to_le_bytes(), rest].concat()
}

fn order(key: &[u8]) -> (u64, u64, Vec<u8>) {
    let head = u64_at(key, 0).expect("a key");
    // Offsets of extents are sorted as numbers.
    let rest = match head >> 60 {
        8 => key[8..].iter().rev().copied().collect(),
        _ => key[8..].to_vec(),
    };
    (head & u64::MAX >> 4, head >> 60, rest)
}

impl Writer {
    /// An empty container. None where `mkapfs` is not installed.
    pub(super) fn new(folder: &Path) -> Option<Self> {
        let path = folder.join("apfs.img");
        File::create(&path)
            .expect("a file")
            .set_len(BYTES)
            .expect("a hole");
        let made = ["mkapfs", "/usr/sbin/mkapfs"]
            .into_iter()
            .find_map(|it| Command::new(it).arg(&path).output().ok());
        let Some(made) = made else {
            skipped("`mkapfs` is not installed; on Debian it is in apfsprogs");
            return None;
        };
        assert!(
            made.status.success(),
            "{}",
            String::from_utf8_lossy(&made.stderr)
        );
        let file = File::options()
            .read(true)
            .write(true)
            .open(&path)
            .expect("the file");
        Some(Self {
            path,
            file,
            next: FREE,
            records: Vec::new(),
            id: 16,
        })
    }

    /// The blocks of what leads to the files.
    pub(super) fn objects(&self) -> Vec<u64> {
        let leaves = (FREE..self.next).rev().take(3);
        [0, 2, 20_000, 20_001, 20_002, 20_003, 20_004, 20_005]
            .into_iter()
            .chain(leaves)
            .collect()
    }

    pub(super) fn block(&self, at: u64) -> Vec<u8> {
        let mut bytes = vec![0; BLOCK];
        self.file
            .read_exact_at(&mut bytes, at * BLOCK as u64)
            .expect("a block");
        bytes
    }

    /// Writes a block with its checksum.
    pub(super) fn put(&self, at: u64, mut bytes: Vec<u8>) {
        let sum = checksum(&bytes[8..]);
        bytes[..8].copy_from_slice(&sum.to_le_bytes());
        self.file
            .write_all_at(&bytes, at * BLOCK as u64)
            .expect("a block");
    }

    /// Changes an object of a type, wherever it lies.
    pub(super) fn change(&self, kind: u16, subtype: u16, change: impl Fn(&mut [u8])) {
        let mut changed = 0;
        for at in (0..200).chain(20_000..20_100).chain(FREE..self.next) {
            let mut bytes = self.block(at);
            if u16_at(&bytes, 24) == Some(kind)
                && u16_at(&bytes, 28) == Some(subtype)
                && bytes[..8] != [0; 8]
            {
                change(&mut bytes);
                self.put(at, bytes);
                changed += 1;
            }
        }
        assert!(changed > 0, "no object of type {kind}");
    }

    /// Changes a byte of a block, and not its checksum.
    pub(super) fn spoil(&self, at: u64) {
        self.file
            .write_all_at(b"x", at * BLOCK as u64 + 2000)
            .expect("a block");
    }

    /// Gives the last inode another mode.
    pub(super) fn mode(&mut self, mode: u16) {
        let mut inodes = self.records.iter_mut().rev();
        let inode = inodes.find(|(key, _)| key.len() == 8).expect("one");
        inode.1[80..82].copy_from_slice(&mode.to_le_bytes());
    }

    /// Blocks of data; gives the first one.
    fn data(&mut self, bytes: &[u8]) -> u64 {
        let at = self.next;
        self.file
            .write_all_at(bytes, at * BLOCK as u64)
            .expect("a block");
        self.next += bytes.len().div_ceil(BLOCK) as u64;
        at
    }

    fn extent(&mut self, id: u64, at: usize, bytes: &[u8]) {
        let block = self.data(bytes);
        let length = bytes.len().next_multiple_of(BLOCK) as u64;
        let value = [length, block, 0].map(u64::to_le_bytes).concat();
        self.records
            .push((key(id, 8, &(at as u64).to_le_bytes()), value));
    }

    pub(super) fn name(&mut self, folder: u64, name: &str, id: u64, kind: u16) {
        let length = u32::try_from(name.len() + 1).expect("short");
        let rest = [&length.to_le_bytes(), name.as_bytes(), &[0]].concat();
        let value = [&id.to_le_bytes()[..], &[0; 8], &kind.to_le_bytes()].concat();
        self.records.push((key(folder, 9, &rest), value));
    }

    fn inode(&mut self, id: u64, folder: u64, mode: u16, flags: u32, stream: Option<u64>) {
        let mut value = [folder, id].map(u64::to_le_bytes).concat();
        value.resize(56, 0);
        value.extend(1_u32.to_le_bytes());
        value.resize(68, 0);
        value.extend(flags.to_le_bytes());
        value.resize(80, 0);
        value.extend(mode.to_le_bytes());
        value.resize(92, 0);
        if let Some(bytes) = stream {
            value.extend([1, 0, 40, 0, 8, 0x20, 40, 0]);
            for number in [bytes, bytes.next_multiple_of(BLOCK as u64), 0, bytes, 0] {
                value.extend(number.to_le_bytes());
            }
        }
        self.records.push((key(id, 3, &[]), value));
    }

    pub(super) fn attribute(&mut self, id: u64, name: &str, flags: u16, bytes: &[u8]) {
        let short = |length: usize| u16::try_from(length).expect("short").to_le_bytes();
        let rest = [&short(name.len() + 1), name.as_bytes(), &[0]].concat();
        let value = [&flags.to_le_bytes()[..], &short(bytes.len()), bytes].concat();
        self.records.push((key(id, 4, &rest), value));
    }

    fn id(&mut self) -> u64 {
        self.id += 1;
        self.id
    }

    pub(super) fn folder(&mut self, folder: u64, name: &str) -> u64 {
        let id = self.id();
        self.name(folder, name, id, 4);
        self.inode(id, folder, 0o040_755, 0, None);
        id
    }

    /// A file whose bytes lie in so many pieces.
    pub(super) fn file(
        &mut self,
        folder: u64,
        name: &str,
        mode: u16,
        bytes: &[u8],
        pieces: usize,
    ) -> u64 {
        let id = self.id();
        self.name(folder, name, id, 8);
        self.inode(id, folder, 0o100_000 | mode, 0, Some(bytes.len() as u64));
        let piece = bytes.len().div_ceil(pieces).next_multiple_of(BLOCK);
        for (index, piece_bytes) in bytes.chunks(piece.max(1)).enumerate() {
            self.extent(id, index * piece, piece_bytes);
            self.next += 1;
        }
        id
    }

    pub(super) fn link(&mut self, folder: u64, name: &str, target: &str) {
        let id = self.id();
        self.name(folder, name, id, 10);
        self.inode(id, folder, 0o120_755, 0, None);
        self.attribute(
            id,
            "com.apple.fs.symlink",
            2,
            &[target.as_bytes(), &[0]].concat(),
        );
    }

    /// A compressed file, in its attribute or in its resource fork.
    pub(super) fn packed(
        &mut self,
        folder: u64,
        name: &str,
        attribute: &[u8],
        resource: Option<&[u8]>,
    ) -> u64 {
        let id = self.id();
        self.name(folder, name, id, 8);
        self.inode(id, folder, 0o100_644, 0x20, None);
        // Which has its length too, by which 7-Zip goes.
        let (_, value) = self.records.last_mut().expect("the inode");
        value[48..56].copy_from_slice(&0x4_0000_u64.to_le_bytes());
        value[84..92].copy_from_slice(&attribute[8..16]);
        if let Some(resource) = resource {
            let stream = self.id();
            let bytes = resource.len() as u64;
            let numbers = [
                stream,
                bytes,
                bytes.next_multiple_of(BLOCK as u64),
                0,
                bytes,
                0,
            ];
            self.attribute(
                id,
                "com.apple.ResourceFork",
                1,
                &numbers.map(u64::to_le_bytes).concat(),
            );
            self.extent(stream, 0, resource);
        }
        self.attribute(id, "com.apple.decmpfs", 2, attribute);
        id
    }

    /// All that is in a folder.
    pub(super) fn tree(&mut self, folder: u64, from: &Path) {
        for entry in std::fs::read_dir(from).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path
                .file_name()
                .and_then(|it| it.to_str())
                .expect("a name")
                .to_owned();
            let about = path.symlink_metadata().expect("metadata");
            let mode = std::os::unix::fs::PermissionsExt::mode(&about.permissions());
            if about.is_symlink() {
                let target = path.read_link().expect("a link");
                self.link(folder, &name, target.to_str().expect("a text"));
            } else if about.is_dir() {
                let id = self.folder(folder, &name);
                self.tree(id, &path);
            } else {
                let bytes = std::fs::read(&path).expect("a file");
                let mode = u16::try_from(mode & 0o777).expect("short");
                self.file(folder, &name, mode, &bytes, 3);
            }
        }
    }

    /// Writes the tree of records, of as many leaves as they need, and the map that leads to them.
    pub(super) fn finish(&mut self) {
        // The root of the tree of the volume, and of its map, where `mkapfs` puts them.
        let (root_at, map_at) = (20_005, 20_004);
        let own = self.block(root_at);
        let mut records = records_of(&own);
        records.append(&mut self.records);
        records.sort_by_key(|(key, _)| order(key));
        let mut leaves: Vec<Vec<Record>> = vec![Vec::new()];
        let mut used = 0;
        for record in records.clone() {
            let bytes = record.0.len() + record.1.len() + 8;
            if used + bytes > BLOCK - 200 {
                leaves.push(Vec::new());
                used = 0;
            }
            used += bytes;
            leaves.last_mut().expect("one").push(record);
        }
        let (mut index, mut map) = (Vec::new(), records_of(&self.block(map_at)));
        for leaf in &leaves {
            let (at, id) = (self.next, self.id() + 5000);
            self.next += 1;
            self.put(at, node(&own[..32], Some((id, 3)), 2, 0, leaf, None));
            index.push((leaf[0].0.clone(), id.to_le_bytes().to_vec()));
            let value = [
                &0_u32.to_le_bytes()[..],
                &4096_u32.to_le_bytes(),
                &at.to_le_bytes(),
            ]
            .concat();
            map.push(([id, 1].map(u64::to_le_bytes).concat(), value));
        }
        let mut footer = own[BLOCK - 40..].to_vec();
        let longest = |lengths: &mut dyn Iterator<Item = usize>| {
            u32::try_from(lengths.max().expect("some")).expect("short")
        };
        footer[16..20]
            .copy_from_slice(&longest(&mut records.iter().map(|it| it.0.len())).to_le_bytes());
        footer[20..24]
            .copy_from_slice(&longest(&mut records.iter().map(|it| it.1.len())).to_le_bytes());
        footer[24..32].copy_from_slice(&(records.len() as u64).to_le_bytes());
        footer[32..].copy_from_slice(&(leaves.len() as u64 + 1).to_le_bytes());
        self.put(root_at, node(&own[..32], None, 1, 1, &index, Some(&footer)));
        let own = self.block(map_at);
        let mut footer = own[BLOCK - 40..].to_vec();
        footer[24..32].copy_from_slice(&(map.len() as u64).to_le_bytes());
        self.put(map_at, node(&own[..32], None, 7, 0, &map, Some(&footer)));
    }

    /// What is read of the volume, without an image around it.
    pub(super) fn look(&self) -> Result<Vec<(String, Shown)>, String> {
        let mut file = File::open(&self.path).expect("the file");
        let mut part = Part::new(&mut file, 0, BYTES);
        shown(|each| crate::disk::apfs::walk(&mut part, each))
    }

    /// An image of the container: of its blocks that are no holes.
    pub(super) fn image(&self) -> Vec<u8> {
        let sectors = BYTES / 512;
        let table = guid_table(&[(APFS, FIRST, FIRST + sectors - 1)], FIRST + sectors + 40);
        let mut file = File::open(&self.path).expect("the file");
        let (mut blocks, mut plain) = (Vec::new(), Vec::new());
        let written = [(0, 128), (19_968, 1280), (FREE, self.next - FREE)];
        let mut sector = 0;
        let gap = |from, to: u64| Described {
            kind: 2,
            sector: from,
            sectors: to - from,
            packed: Vec::new(),
            offset: None,
        };
        for (first, count) in written {
            blocks.push(gap(sector, first * 8));
            file.seek(SeekFrom::Start(first * BLOCK as u64))
                .expect("a place");
            let mut bytes = vec![0; usize::try_from(count).expect("small") * BLOCK];
            file.read_exact(&mut bytes).expect("blocks");
            for mut block in Table::new("", 0, &bytes, Form::Lzfse).blocks {
                block.sector += first * 8;
                blocks.push(block);
            }
            sector = (first + count) * 8;
            plain.extend(bytes);
        }
        blocks.push(gap(sector, sectors));
        let tables = [
            Table::new("GUID table", 0, &table, Form::Zlib),
            Table {
                name: "disk image",
                first: FIRST,
                sectors,
                crc32: crc32(&plain),
                blocks,
            },
        ];
        of_tables(&tables, FIRST + sectors + 40)
    }
}

/// The records of a root that is a leaf.
fn records_of(node: &[u8]) -> Vec<Record> {
    let short = |at| usize::from(u16_at(node, at).expect("there"));
    let is_fixed = short(32) & 4 != 0;
    let keys = 56 + short(42);
    let count = u32_at(node, 36).expect("there") as usize;
    let record = |index: usize| {
        let (key, length, value, bytes) = match is_fixed {
            true => (short(56 + 4 * index), 16, short(58 + 4 * index), 16),
            false => {
                let at = 56 + 8 * index;
                (short(at), short(at + 2), short(at + 4), short(at + 6))
            }
        };
        let value = node.len() - 40 - value;
        (
            node[keys + key..][..length].to_vec(),
            node[value..][..bytes].to_vec(),
        )
    };
    (0..count).map(record).collect()
}

/// A node: with another identifier and type than the header has, where they are given.
fn node(
    header: &[u8],
    own: Option<(u64, u16)>,
    flags: u16,
    level: u16,
    records: &[Record],
    footer: Option<&[u8]>,
) -> Vec<u8> {
    let mut bytes = header.to_vec();
    if let Some((id, kind)) = own {
        bytes[8..16].copy_from_slice(&id.to_le_bytes());
        bytes[24..26].copy_from_slice(&kind.to_le_bytes());
    }
    bytes.resize(BLOCK, 0);
    let is_fixed = flags & 4 != 0;
    let table = (records.len() * if is_fixed { 4 } else { 8 }).next_multiple_of(64);
    let short = |value: usize| u16::try_from(value).expect("short").to_le_bytes();
    let end = BLOCK - footer.map_or(0, <[u8]>::len);
    let (mut key_at, mut value_at) = (0, 0);
    for (index, (key, value)) in records.iter().enumerate() {
        bytes[56 + table + key_at..][..key.len()].copy_from_slice(key);
        value_at += value.len();
        bytes[end - value_at..][..value.len()].copy_from_slice(value);
        let entry = match is_fixed {
            true => [short(key_at), short(value_at)].concat(),
            false => [
                short(key_at),
                short(key.len()),
                short(value_at),
                short(value.len()),
            ]
            .concat(),
        };
        bytes[56 + entry.len() * index..][..entry.len()].copy_from_slice(&entry);
        key_at += key.len();
    }
    let free = end - value_at - 56 - table - key_at;
    bytes[32..34].copy_from_slice(&flags.to_le_bytes());
    bytes[34..36].copy_from_slice(&level.to_le_bytes());
    bytes[36..40].copy_from_slice(&u32::try_from(records.len()).expect("short").to_le_bytes());
    bytes[40..56].copy_from_slice(
        &[
            short(0),
            short(table),
            short(key_at),
            short(free),
            [0xff; 2],
            [0; 2],
            [0xff; 2],
            [0; 2],
        ]
        .concat(),
    );
    if let Some(footer) = footer {
        bytes[end..].copy_from_slice(footer);
    }
    bytes
}
