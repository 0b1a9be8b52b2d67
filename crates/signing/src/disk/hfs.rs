//! HFS+ and HFSX: the header of a volume, and where its forks lie. All numbers are big-endian.
//!
//! Not read: the wrapper of HFS that old volumes lie in, hard links of folders, extended attributes other than that of
//! compressed files, and the names that resource forks would have as files. Threads and the bitmap of free blocks say nothing
//! that the records of files do not say.
//!
//! Source: Apple, technical note TN1150, and `hfs_format.h` of its open HFS.

mod attributes;
pub(super) mod btree;
mod catalog;

use std::collections::BTreeMap;
use std::io;

use thiserror::Error;

use crate::disk::files::{Extent, Fork};
use crate::disk::plain::Part;
use crate::reading::{u32_at, u64_at};
use crate::walk::entry::Each;
use crate::walk::room;

/// Where the header stands, in bytes of the volume.
const HEADER_AT: u64 = 1024;
const HEADER_BYTES: usize = 512;
/// Bytes of a block.
const BLOCK_BYTES: std::ops::RangeInclusive<u32> = 512..=1024 * 1024;
/// Descriptions of forks: of eight pieces each.
const FORK_BYTES: usize = 80;
/// Pieces of forks that have more than eight.
const OVERFLOW_MAX: usize = 500_000;

/// Attributes of a volume: it was written to when it was not to be, and it has a journal.
const INCONSISTENT: u32 = 1 << 11;
const JOURNALED: u32 = 1 << 13;
/// A journal that is made when the volume is first mounted.
const JOURNAL_TO_BE_MADE: u32 = 1 << 2;
const JOURNAL_ON_OTHER_DEVICE: u32 = 1 << 1;

const FILE_EXTENTS: u32 = 3;
const FILE_CATALOG: u32 = 4;
const FILE_ATTRIBUTES: u32 = 8;
const ROOT: u64 = 2;

/// Why a volume is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(super) enum HfsError {
    #[error(
        "the header of the volume cannot be read, or says that the volume is larger than where it lies"
    )]
    Header,
    #[error("the volume was not whole when it was last used")]
    Inconsistent,
    #[error("the volume has a journal of changes that were not made yet")]
    Journal,
    #[error("the pieces of file {0} are fewer or more than are stated, or lie outside the volume")]
    Pieces(u32),
    #[error("the B-tree of the {tree}: {wrong}")]
    Tree {
        tree: &'static str,
        wrong: &'static str,
    },
    #[error("a record of the {0} cannot be read")]
    Record(&'static str),
    #[error("the records of the catalog are not in order")]
    Order,
    #[error("a name of the catalog is no text")]
    Name,
    #[error("`{0}` is a hard link to nothing, or is one to some readers alone")]
    HardLink(String),
    #[error("`{0}` is a hard link to a folder, which is not read")]
    FolderLink(String),
    #[error("`{0}` is marked as compressed, and does not say how, or the other way round")]
    Compression(String),
}

/// Which fork of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Which {
    Data,
    Resource,
}

/// A piece: first block, and how many.
type Piece = (u32, u32);

/// Pieces behind the eighth one, by file and fork: block in the file, and place.
type Overflow = BTreeMap<(u32, Which), Vec<(u32, [Piece; 8])>>;

/// A fork as its record describes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Described {
    bytes: u64,
    blocks: u32,
    pieces: [Piece; 8],
}

impl Described {
    fn parse(bytes: &[u8]) -> Option<Self> {
        Some(Self {
            bytes: u64_at(bytes, 0)?,
            blocks: u32_at(bytes, 12)?,
            pieces: pieces(bytes.get(16..)?)?,
        })
    }
}

fn pieces(bytes: &[u8]) -> Option<[Piece; 8]> {
    let mut found = [(0, 0); 8];
    let described = bytes.get(..64)?.as_chunks::<8>().0;
    for (piece, bytes) in found.iter_mut().zip(described) {
        *piece = (u32_at(bytes, 0)?, u32_at(bytes, 4)?);
    }
    Some(found)
}

/// The header of a volume.
struct Header {
    block_bytes: u64,
    blocks: u32,
    extents: Described,
    catalog: Described,
    attributes: Described,
}

impl Header {
    fn read(part: &mut Part<'_>) -> io::Result<Self> {
        let bytes = part.exactly(HEADER_AT, HEADER_BYTES)?;
        let refused = |error| Err(room::refused(error));
        let number = |at| u32_at(&bytes, at).ok_or_else(|| room::refused(HfsError::Header));
        let fork = |at: usize| {
            let described = bytes.get(at..at + FORK_BYTES).and_then(Described::parse);
            described.ok_or_else(|| room::refused(HfsError::Header))
        };
        let is_known = matches!(bytes.first_chunk::<4>(), Some(b"H+\0\x04" | b"HX\0\x05"));
        let (block_bytes, blocks) = (number(40)?, number(44)?);
        let is_power = BLOCK_BYTES.contains(&block_bytes) && block_bytes.is_power_of_two();
        let length = u64::from(blocks) * u64::from(block_bytes);
        if !is_known || !is_power || length > part.bytes {
            return refused(HfsError::Header);
        }
        let attributes = number(4)?;
        if attributes & INCONSISTENT != 0 {
            return refused(HfsError::Inconsistent);
        }
        if attributes & JOURNALED != 0 && !is_journal_empty(part, number(12)?, block_bytes)? {
            return refused(HfsError::Journal);
        }
        Ok(Self {
            block_bytes: u64::from(block_bytes),
            blocks,
            extents: fork(192)?,
            catalog: fork(272)?,
            attributes: fork(352)?,
        })
    }

    /// Where a fork lies.
    fn fork(
        &self,
        described: &Described,
        id: u32,
        which: Which,
        overflow: &Overflow,
    ) -> io::Result<Fork> {
        let wrong = || room::refused(HfsError::Pieces(id));
        let mut extents: Vec<Extent> = Vec::new();
        let mut found = 0_u32;
        let own = [(0, described.pieces)];
        let more = overflow.get(&(id, which)).into_iter().flatten();
        let mut was_full = true;
        for (first, pieces) in own.iter().chain(more).copied() {
            if !was_full || first != found {
                return Err(wrong());
            }
            for (start, count) in pieces {
                // Behind the last piece stand zeros.
                if count == 0 {
                    was_full = false;
                    continue;
                }
                let end = start.checked_add(count).filter(|end| *end <= self.blocks);
                if end.is_none() || !was_full {
                    return Err(wrong());
                }
                let (at, start) = (
                    u64::from(found) * self.block_bytes,
                    u64::from(start) * self.block_bytes,
                );
                let bytes = u64::from(count) * self.block_bytes;
                found = found.checked_add(count).ok_or_else(wrong)?;
                match extents.last_mut() {
                    Some(last) if last.start.map(|it| it + last.bytes) == Some(start) => {
                        last.bytes += bytes
                    }
                    _ => extents.push(Extent {
                        at,
                        start: Some(start),
                        bytes,
                    }),
                }
            }
        }
        let fork = Fork {
            bytes: described.bytes,
            extents: extents.into(),
        };
        match found == described.blocks && fork.is_covered() {
            true => Ok(fork),
            false => Err(wrong()),
        }
    }
}

/// Whether no change stands in the journal that would be made when the volume is mounted.
fn is_journal_empty(part: &mut Part<'_>, block: u32, block_bytes: u32) -> io::Result<bool> {
    let info = part.exactly(u64::from(block) * u64::from(block_bytes), 52)?;
    let flags = u32_at(&info, 0).unwrap_or_default();
    if flags & JOURNAL_TO_BE_MADE != 0 {
        return Ok(true);
    }
    if flags & JOURNAL_ON_OTHER_DEVICE != 0 {
        return Ok(false);
    }
    let journal = part.exactly(u64_at(&info, 36).unwrap_or(u64::MAX), 24)?;
    // In the byte order of the machine that wrote it.
    let is_one = journal.starts_with(b"xLNJ\x78\x56\x34\x12")
        || journal.starts_with(b"JNLx\x12\x34\x56\x78");
    Ok(is_one && journal.get(8..16) == journal.get(16..24))
}

/// Reads the files of a volume, and hands each with its content on.
pub(super) fn walk(part: &mut Part<'_>, each: Each<'_>) -> io::Result<()> {
    let header = Header::read(part)?;
    let mut overflow = Overflow::new();
    if header.extents.bytes > 0 {
        let fork = header.fork(&header.extents, FILE_EXTENTS, Which::Data, &overflow)?;
        overflow = read_overflow(part, &fork)?;
    }
    let mut packed = BTreeMap::new();
    if header.attributes.bytes > 0 {
        let fork = header.fork(&header.attributes, FILE_ATTRIBUTES, Which::Data, &overflow)?;
        packed = attributes::read(part, &fork)?;
    }
    let catalog = header.fork(&header.catalog, FILE_CATALOG, Which::Data, &overflow)?;
    let files = catalog::Catalog::new(&header, &overflow, packed).read(part, &catalog)?;
    files.hand_on(ROOT, part, each)
}

/// The tree of pieces behind the eighth ones.
fn read_overflow(part: &mut Part<'_>, fork: &Fork) -> io::Result<Overflow> {
    const TREE: &str = "extents";
    let mut overflow = Overflow::new();
    let mut count = 0;
    btree::read(part, fork, TREE, &mut |key, record| {
        let wrong = || room::refused(HfsError::Record(TREE));
        let which = match key.first() {
            Some(0) => Which::Data,
            Some(0xff) => Which::Resource,
            _ => return Err(wrong()),
        };
        let (id, first) = u32_at(key, 2).zip(u32_at(key, 6)).ok_or_else(wrong)?;
        let pieces = pieces(record)
            .filter(|_| key.len() == 10)
            .ok_or_else(wrong)?;
        count += 1;
        if count > OVERFLOW_MAX {
            return Err(room::limit(
                "the files of the volume lie in more pieces than are read",
            ));
        }
        overflow
            .entry((id, which))
            .or_default()
            .push((first, pieces));
        Ok(())
    })?;
    Ok(overflow)
}
