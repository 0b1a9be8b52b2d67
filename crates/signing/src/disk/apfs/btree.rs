//! A B-tree of a container: every record of its leaves, once, in order.
//!
//! ```text
//! node: header | u16 flags | u16 level | u32 records | u16 offset and bytes of the table | three more such places | at 56:
//!       table | keys, offsets from the end of the table | values, offsets from the end of the node, or of the root's footer
//! table: u16 key, u16 value, where their lengths are fixed; else u16 offset and u16 bytes of the key, and of the value
//! ```

use std::collections::BTreeSet;
use std::io;

use crate::disk::apfs::map::Map;
use crate::disk::apfs::object::{Blocks, Kind, Object, u16_at, u32_at, u64_at};
use crate::disk::apfs::{ApfsError, refused};
use crate::walk::room;

const LEVELS_MAX: u16 = 12;
const NODES_MAX: usize = 500_000;
const IS_ROOT: u16 = 0x1;
const IS_LEAF: u16 = 0x2;
const IS_FIXED: u16 = 0x4;
const TABLE_AT: usize = 56;
/// What stands at the end of a root.
const FOOTER_BYTES: usize = 40;
/// The offset of a value that is not there.
const NO_VALUE: usize = 0xffff;

/// Takes a key and what stands for it.
pub(super) type Take<'a> = &'a mut dyn FnMut(&[u8], &[u8]) -> io::Result<()>;

/// Hands every record on. Nodes are blocks, or objects of a map; `fixed` has the lengths of keys and values that have one.
pub(super) fn read(
    blocks: &mut Blocks<'_, '_>,
    map: Option<&Map>,
    root: u64,
    fixed: Option<(usize, usize)>,
    take: Take<'_>,
) -> io::Result<()> {
    let mut reading = Reading {
        map,
        fixed,
        seen: BTreeSet::new(),
        records: 0,
        take,
    };
    let wrong = |wrong| room::refused(ApfsError::Tree(wrong));
    let object = reading.object(blocks, root, Kind::TreeRoot)?;
    let level = u16_at(&object.bytes, 34).filter(|it| *it <= LEVELS_MAX);
    let level = level.ok_or_else(|| wrong("it is deeper than trees are"))?;
    let footer = object.bytes.len().saturating_sub(FOOTER_BYTES);
    let stated = u64_at(&object.bytes, footer + 24);
    reading.node(blocks, &object, level)?;
    match stated == Some(reading.records) {
        true => Ok(()),
        false => Err(wrong("it has another number of records than it states")),
    }
}

struct Reading<'a> {
    map: Option<&'a Map>,
    fixed: Option<(usize, usize)>,
    seen: BTreeSet<u64>,
    records: u64,
    take: Take<'a>,
}

impl Reading<'_> {
    fn object(&mut self, blocks: &mut Blocks<'_, '_>, id: u64, kind: Kind) -> io::Result<Object> {
        if self.seen.len() >= NODES_MAX {
            return Err(room::limit("the volume has more nodes than are read"));
        }
        if !self.seen.insert(id) {
            return refused(ApfsError::Tree("a node of it is there twice"));
        }
        let Some(map) = self.map else {
            let object = blocks.read(id)?;
            let object = object.filter(|it| it.id == id && it.kind == kind.number());
            return object.ok_or_else(|| room::refused(ApfsError::Object(id)));
        };
        map.object(blocks, id, kind)
    }

    fn node(&mut self, blocks: &mut Blocks<'_, '_>, object: &Object, level: u16) -> io::Result<()> {
        let wrong = |wrong| room::refused(ApfsError::Tree(wrong));
        let node = Node::parse(object, self.fixed);
        let node = node.ok_or_else(|| wrong("a node of it cannot be read"))?;
        let is_root = object.kind == Kind::TreeRoot.number();
        let root_flag = if is_root { IS_ROOT } else { 0 };
        let leaf_flag = if level == 0 { IS_LEAF } else { 0 };
        if node.flags & (IS_ROOT | IS_LEAF) != root_flag | leaf_flag || node.level != level {
            return Err(wrong("a node of it is at another level"));
        }
        for index in 0..node.count {
            let record = node.record(index, level == 0);
            let (key, value) =
                record.ok_or_else(|| wrong("a record of it lies outside its node"))?;
            if level == 0 {
                self.records += 1;
                (self.take)(key, value)?;
                continue;
            }
            let below = u64_at(value, 0).ok_or_else(|| wrong("a record of it leads nowhere"))?;
            let below = self.object(blocks, below, Kind::TreeNode)?;
            self.node(blocks, &below, level - 1)?;
        }
        Ok(())
    }
}

struct Node<'a> {
    flags: u16,
    level: u16,
    count: usize,
    table: &'a [u8],
    keys: &'a [u8],
    /// Up to where values are counted from.
    values: &'a [u8],
    fixed: Option<(usize, usize)>,
}

impl<'a> Node<'a> {
    fn parse(object: &'a Object, fixed: Option<(usize, usize)>) -> Option<Self> {
        let bytes = &object.bytes;
        let short = |at| u16_at(bytes, at);
        let flags = short(32)?;
        let count = usize::try_from(u32_at(bytes, 36)?).ok()?;
        let table_at = TABLE_AT + usize::from(short(40)?);
        let keys_at = table_at + usize::from(short(42)?);
        let end = match flags & IS_ROOT {
            0 => bytes.len(),
            _ => bytes.len().checked_sub(FOOTER_BYTES)?,
        };
        // The flag and what the tree is agree, or lengths would be read in two ways.
        (fixed.is_some() == (flags & IS_FIXED != 0)).then_some(Self {
            flags,
            level: short(34)?,
            count,
            table: bytes.get(table_at..keys_at)?,
            keys: bytes.get(keys_at..end)?,
            values: bytes.get(..end)?,
            fixed,
        })
    }

    /// A key, and its value or the node below it.
    fn record(&self, index: usize, is_leaf: bool) -> Option<(&'a [u8], &'a [u8])> {
        let short = |at| u16_at(self.table, at).map(usize::from);
        let (key_at, key_bytes, value_at, value_bytes) = match self.fixed {
            Some((key, value)) => {
                let at = index.checked_mul(4)?;
                (short(at)?, key, short(at + 2)?, value)
            }
            None => {
                let at = index.checked_mul(8)?;
                (short(at)?, short(at + 2)?, short(at + 4)?, short(at + 6)?)
            }
        };
        let value_bytes = if is_leaf { value_bytes } else { 8 };
        let key = self.keys.get(key_at..)?.get(..key_bytes)?;
        if value_at == NO_VALUE {
            return is_leaf.then_some((key, &[]));
        }
        let start = self.values.len().checked_sub(value_at)?;
        let value = self.values.get(start..)?.get(..value_bytes)?;
        Some((key, value))
    }
}
