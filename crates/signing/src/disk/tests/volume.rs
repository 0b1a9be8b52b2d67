//! A volume of HFS+ that is written to: what xorriso does not write, and what is wrong.

use super::image::{Form, HFS, Map, of_volume};
use crate::disk::hfs::btree::u16_at;
use crate::reading::u32_at;

/// A volume, and what is put behind it and changed in it.
#[derive(Clone)]
pub(super) struct Volume {
    pub(super) bytes: Vec<u8>,
}

pub(super) const HEADER: usize = 1024;

impl Volume {
    fn number(&self, at: usize) -> usize {
        u32_at(&self.bytes, at).expect("there") as usize
    }

    pub(super) fn put(&mut self, at: usize, bytes: &[u8]) {
        crate::tests::put(&mut self.bytes, at, bytes);
    }

    pub(super) fn block(&self) -> usize {
        self.number(HEADER + 40)
    }

    /// Where the catalog begins.
    fn catalog(&self) -> usize {
        self.number(HEADER + 272 + 16) * self.block()
    }

    /// Where a node of the catalog begins.
    fn node(&self, index: usize) -> usize {
        let bytes = u16_at(&self.bytes, self.catalog() + 32);
        self.catalog() + index * usize::from(bytes.expect("there"))
    }

    /// Writes into a node of the catalog.
    pub(super) fn at_node(&mut self, index: usize, at: usize, bytes: &[u8]) {
        self.put(self.node(index) + at, bytes);
    }

    /// Writes into its first leaf.
    pub(super) fn at_leaf(&mut self, at: usize, bytes: &[u8]) {
        let first = self.number(self.node(0) + 24);
        self.at_node(first, at, bytes);
    }

    /// Writes into the record of a file that has a content.
    pub(super) fn at_file(&mut self, at: usize, bytes: &[u8]) {
        self.put(self.record("Info.plist") + at, bytes);
    }

    /// Writes into that of a file that has none.
    pub(super) fn at_empty(&mut self, at: usize, bytes: &[u8]) {
        self.put(self.record("empty") + at, bytes);
    }

    /// Where a name stands in the catalog, behind its length: in keys, of nodes too, and in threads.
    pub(super) fn names(&self, name: &str) -> Vec<usize> {
        let name: Vec<_> = name.encode_utf16().flat_map(u16::to_be_bytes).collect();
        let length = u16::try_from(name.len() / 2).expect("short").to_be_bytes();
        let needle = [&length[..], &name].concat();
        let windows = self.bytes.windows(needle.len()).enumerate();
        windows
            .filter(|it| it.1 == needle)
            .map(|it| it.0 + 2)
            .collect()
    }

    /// Where the record of a file begins.
    pub(super) fn record(&self, name: &str) -> usize {
        let ends = self.names(name).into_iter().map(|at| at + name.len() * 2);
        let mut files = ends.filter(|at| self.bytes[*at..].starts_with(&[0, 2]));
        files.next().expect("a file")
    }

    /// Puts bytes behind the volume; gives the first block, and how many.
    pub(super) fn append(&mut self, bytes: &[u8]) -> (usize, usize) {
        let (block, first) = (self.block(), self.number(HEADER + 44));
        self.bytes.truncate(first * block);
        let count = bytes.len().div_ceil(block);
        self.bytes.extend(bytes);
        self.bytes.resize((first + count) * block, 0);
        let number = u32::try_from(first + count).expect("small");
        self.put(HEADER + 44, &number.to_be_bytes());
        (first, count)
    }

    /// A description of a fork of one piece that lies there.
    pub(super) fn fork(bytes: usize, pieces: &[(usize, usize)]) -> Vec<u8> {
        let number = |value: usize| u32::try_from(value).expect("small").to_be_bytes();
        let blocks = pieces.iter().map(|it| it.1).sum();
        let mut fork = [&(bytes as u64).to_be_bytes()[..], &[0; 4], &number(blocks)].concat();
        for (first, count) in pieces.iter().take(8) {
            fork.extend([number(*first), number(*count)].concat());
        }
        fork.resize(80, 0);
        fork
    }

    pub(super) fn append_fork(&mut self, bytes: &[u8]) -> Vec<u8> {
        let piece = self.append(bytes);
        Self::fork(bytes.len(), &[piece])
    }

    pub(super) fn image(&self) -> Vec<u8> {
        of_volume(&self.bytes, HFS, Map::Guid, Form::Lzfse)
    }
}

/// A B-tree of one leaf.
pub(super) fn tree(records: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
    const NODE: usize = 4096;
    let node = |kind: u8, height: u8, records: &[Vec<u8>]| {
        let mut node = vec![0; NODE];
        node[8..10].copy_from_slice(&[kind, height]);
        let short = |value: usize| u16::try_from(value).expect("short").to_be_bytes();
        node[10..12].copy_from_slice(&short(records.len()));
        let mut at = 14;
        for (index, record) in records.iter().chain([&Vec::new()]).enumerate() {
            node[at..at + record.len()].copy_from_slice(record);
            let table = NODE - 2 * (index + 1);
            node[table..table + 2].copy_from_slice(&short(at));
            at += record.len();
        }
        node
    };
    let leaf: Vec<_> = records
        .iter()
        .map(|(key, data)| {
            let length = u16::try_from(key.len()).expect("short").to_be_bytes();
            let mut record = [&length[..], key].concat();
            record.resize(record.len().next_multiple_of(2), 0);
            record.extend(data);
            record.resize(record.len().next_multiple_of(2), 0);
            record
        })
        .collect();
    let count = u32::try_from(records.len()).expect("small");
    let mut header = 1_u16.to_be_bytes().to_vec();
    for number in [1, count, 1, 1] {
        header.extend(number.to_be_bytes());
    }
    header.extend([
        0x10, 0, 0x0a, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0x10, 0, 0, 0xbc, 0, 0, 0, 6,
    ]);
    header.resize(106, 0);
    let header = node(1, 0, &[header, vec![0; 128], vec![0xc0; 256]]);
    [header, node(0xff, 1, &leaf)].concat()
}
