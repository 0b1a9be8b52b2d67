//! The first 96 bytes of an image, all little-endian.

use crate::reading::{u16_le_at, u32_le_at, u64_le_at};

use super::SquashfsError;
use super::packing::Packing;

pub(super) const MAGIC: &[u8] = b"hsqs";
pub(super) const BYTES: u64 = 96;

/// How large blocks may be: 4 KiB to 1 MiB.
const BLOCK_BITS: std::ops::RangeInclusive<u16> = 12..=20;

/// What counts of the header. Offsets are from the beginning of the image.
#[derive(Debug, Clone, Copy)]
pub(super) struct Superblock {
    pub(super) packing: Packing,
    pub(super) block_bytes: u32,
    pub(super) fragments: u32,
    /// Bytes of the image, without what fills it up.
    pub(super) bytes: u64,
    /// Where the inode of the root is, as folders say it of theirs.
    pub(super) root: u64,
    pub(super) inodes: u64,
    pub(super) directories: u64,
    pub(super) fragment_table: u64,
}

impl Superblock {
    pub(super) fn parse(head: &[u8]) -> Result<Self, SquashfsError> {
        let header = SquashfsError::Header;
        let short = || SquashfsError::Magic;
        let number = |at| u32_le_at(head, at).ok_or_else(short);
        let small = |at| u16_le_at(head, at).ok_or_else(short);
        let large = |at| u64_le_at(head, at).ok_or_else(short);
        if !head.starts_with(MAGIC) || (small(28)?, small(30)?) != (4, 0) {
            return Err(SquashfsError::Magic);
        }
        let (block_bytes, bits) = (number(12)?, small(22)?);
        if !BLOCK_BITS.contains(&bits) || block_bytes != 1 << bits {
            return Err(header("the size of its blocks"));
        }
        let packing = Packing::of_number(small(20)?)?;
        let found = Self {
            packing,
            block_bytes,
            fragments: number(16)?,
            root: large(32)?,
            bytes: large(40)?,
            inodes: large(64)?,
            directories: large(72)?,
            fragment_table: large(80)?,
        };
        let is_ordered = BYTES <= found.inodes
            && found.inodes < found.directories
            && found.directories <= found.bytes;
        match is_ordered {
            true => Ok(found),
            false => Err(header("where its tables are")),
        }
    }
}
