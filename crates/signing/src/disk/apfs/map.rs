//! Object maps: which block an identifier stands for.
//!
//! ```text
//! map: header | u32 flags | u32 snapshots | u32 type of the tree | u32 | u64 block of the tree
//! key: u64 identifier | u64 transaction      value: u32 flags | u32 bytes | u64 block
//! ```

use std::collections::BTreeMap;
use std::io;

use crate::disk::apfs::object::{Blocks, Kind, Object, u32_at, u64_at};
use crate::disk::apfs::{ApfsError, btree, refused};
use crate::walk::room;

/// Objects of a map: nodes of the tree of a volume.
const OBJECTS_MAX: usize = 500_000;
const DELETED: u32 = 0x1;
const ENCRYPTED: u32 = 0x4;

/// Identifiers, and transaction and block of the newest object of each.
pub(super) struct Map(BTreeMap<u64, (u64, Option<u64>)>);

impl Map {
    /// Reads the map at a block, as it was after a transaction.
    pub(super) fn read(blocks: &mut Blocks<'_, '_>, at: u64, until: u64) -> io::Result<Self> {
        let map = blocks.read(at)?;
        let map = map.filter(|it| it.kind == Kind::Map.number() && it.id == at);
        let map = map.ok_or_else(|| room::refused(ApfsError::Object(at)))?;
        let tree = map.u64(48)?;
        let mut found: BTreeMap<u64, (u64, Option<u64>)> = BTreeMap::new();
        let mut count = 0;
        let mut take = |key: &[u8], value: &[u8]| {
            let wrong = "a record of an object map cannot be read";
            let wrong = || room::refused(ApfsError::Tree(wrong));
            let (id, transaction) = u64_at(key, 0).zip(u64_at(key, 8)).ok_or_else(wrong)?;
            let (flags, block) = u32_at(value, 0).zip(u64_at(value, 8)).ok_or_else(wrong)?;
            count += 1;
            if count > OBJECTS_MAX {
                return Err(room::limit("the volume has more nodes than are read"));
            }
            if transaction > until {
                return refused(ApfsError::Unmapped(id));
            }
            if flags & ENCRYPTED != 0 {
                return refused(ApfsError::Encrypted);
            }
            let block = (flags & DELETED == 0).then_some(block);
            match found.get(&id) {
                Some((known, _)) if *known == transaction => return refused(ApfsError::Mapped(id)),
                Some((known, _)) if *known > transaction => {}
                _ => drop(found.insert(id, (transaction, block))),
            }
            Ok(())
        };
        btree::read(blocks, None, tree, Some((16, 16)), &mut take)?;
        Ok(Self(found))
    }

    /// The object of an identifier.
    pub(super) fn object(
        &self,
        blocks: &mut Blocks<'_, '_>,
        id: u64,
        kind: Kind,
    ) -> io::Result<Object> {
        let block = self.0.get(&id).and_then(|(_, block)| *block);
        let block = block.ok_or_else(|| room::refused(ApfsError::Unmapped(id)))?;
        let object = blocks.read(block)?;
        let object = object.filter(|it| it.id == id && it.kind == kind.number());
        object.ok_or_else(|| room::refused(ApfsError::Object(block)))
    }
}
