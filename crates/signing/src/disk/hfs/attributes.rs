//! The tree of extended attributes, of which one is read: how a file is compressed.
//!
//! ```text
//! key: u16 | u32 file | u32 first block | u16 units | name in UTF-16
//! record: u32 kind = 0x10 | u32 | u32 | u32 bytes | the bytes
//! ```

use std::collections::BTreeMap;
use std::io;

use crate::disk::decmpfs;
use crate::disk::files::Fork;
use crate::disk::hfs::btree::u16_at;
use crate::disk::hfs::{HfsError, btree};
use crate::disk::plain::Part;
use crate::reading::u32_at;
use crate::walk::room;

const TREE: &str = "attributes";
/// An attribute whose bytes stand in its record.
const INLINE: u32 = 0x10;
/// Bytes of attributes that are held.
const HELD_BYTES_MAX: usize = 16 * 1024 * 1024;

/// How each compressed file is compressed, by its number.
pub(super) fn read(part: &mut Part<'_>, fork: &Fork) -> io::Result<BTreeMap<u32, Vec<u8>>> {
    let mut found = BTreeMap::new();
    let mut held = 0;
    btree::read(part, fork, TREE, &mut |key, record| {
        let wrong = || room::refused(HfsError::Record(TREE));
        let id = u32_at(key, 2).ok_or_else(wrong)?;
        let units = u16_at(key, 10).ok_or_else(wrong)?;
        let name = key.get(12..).unwrap_or_default();
        if name.len() != usize::from(units) * 2 {
            return Err(wrong());
        }
        let is_ours = decmpfs::ATTRIBUTE
            .bytes()
            .flat_map(|byte| [0, byte])
            .eq(name.iter().copied());
        if !is_ours {
            return Ok(());
        }
        let length = u32_at(record, 12).and_then(|it| usize::try_from(it).ok());
        let bytes = length.and_then(|length| record.get(16..)?.get(..length));
        let bytes = bytes.filter(|_| u32_at(record, 0) == Some(INLINE));
        let bytes = bytes.ok_or_else(wrong)?.to_vec();
        held += bytes.len() + 64;
        if held > HELD_BYTES_MAX {
            return Err(room::limit("there are more compressed files than are read"));
        }
        match found.insert(id, bytes) {
            None => Ok(()),
            Some(_) => Err(wrong()),
        }
    })?;
    Ok(found)
}
