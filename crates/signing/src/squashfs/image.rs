//! An image: its blocks, unpacked, and its tables as texts that run over blocks.

use std::collections::{HashMap, VecDeque};
use std::io::{self, SeekFrom};
use std::rc::Rc;

use crate::reading::{read_at, u16_le_at, u32_le_at, u64_le_at};
use crate::verify::Bytes;
use crate::walk::room;

use super::packing::Unpacker;
use super::superblock::{self, Superblock};
use super::{Limits, SquashfsError};

/// Bytes of a block of a table, unpacked; only the last one of a table has fewer.
const TABLE_BLOCK_BYTES: usize = 8192;
/// Set in the length of a block of a table that is not packed, and in that of a block of a file.
const TABLE_PLAIN: u16 = 1 << 15;
pub(super) const PLAIN: u32 = 1 << 24;
/// Bytes of an entry of the table of fragments, and how many of them a block has.
const FRAGMENT_BYTES: usize = 16;
const FRAGMENTS_PER_BLOCK: u32 = 512;

/// A place in a table: a block, by its offset in the image, and bytes into that, unpacked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) block: u64,
    pub(super) offset: usize,
}

impl Place {
    /// Of a reference from the beginning of a table: 48 bits of a block, 16 of bytes into it.
    pub(super) fn of_reference(table: u64, reference: u64) -> Self {
        Self {
            block: table.saturating_add(reference >> 16),
            offset: usize::from(u16::try_from(reference & 0xffff).unwrap_or_default()),
        }
    }
}

/// A block of a table, unpacked, and where the next one begins.
#[derive(Clone)]
struct TableBlock {
    plain: Rc<[u8]>,
    next: u64,
}

pub(super) struct Image<'a> {
    bytes: &'a mut dyn Bytes,
    /// Where it begins in the file.
    start: u64,
    pub(super) superblock: Superblock,
    unpacker: Unpacker,
    /// Bytes that may still be unpacked of what is needed more than once.
    left: u64,
    tables: HashMap<u64, TableBlock>,
    /// The same, oldest first.
    held: VecDeque<u64>,
    /// The last block of ends of files, by its number.
    fragment: Option<(u32, Rc<[u8]>)>,
}

impl<'a> Image<'a> {
    pub(super) fn open(bytes: &'a mut dyn Bytes, start: u64) -> io::Result<Self> {
        let end = bytes.seek(SeekFrom::End(0))?;
        let size = end.checked_sub(start).ok_or(SquashfsError::Truncated)?;
        let mut bytes = bytes;
        let head = read_at(&mut bytes, start, superblock::BYTES)?;
        let superblock = Superblock::parse(&head.unwrap_or_default())?;
        let behind = size.checked_sub(superblock.bytes);
        let behind = behind.ok_or(SquashfsError::Truncated)?;
        if behind > Limits::FILL_BYTES {
            return Err(SquashfsError::Behind.into());
        }
        let fill = read_at(&mut bytes, start + superblock.bytes, behind)?;
        if fill.is_none_or(|fill| fill.iter().any(|byte| *byte != 0)) {
            return Err(SquashfsError::Behind.into());
        }
        let ratio = superblock.bytes.saturating_mul(Limits::UNPACKED_RATIO);
        Ok(Self {
            bytes,
            start,
            superblock,
            unpacker: Unpacker::new(superblock.packing),
            left: Limits::UNPACKED_BYTES.max(ratio),
            tables: HashMap::new(),
            held: VecDeque::new(),
            fragment: None,
        })
    }

    /// Bytes of the image as they are.
    fn raw(&mut self, at: u64, bytes: usize) -> io::Result<Vec<u8>> {
        let end = at.checked_add(bytes as u64);
        let is_inside = end.is_some_and(|end| end <= self.superblock.bytes);
        if at < superblock::BYTES || !is_inside {
            return Err(SquashfsError::Outside.into());
        }
        let found = read_at(&mut self.bytes, self.start + at, bytes as u64)?;
        Ok(found.ok_or(SquashfsError::Truncated)?)
    }

    /// A block of files that is not of zeros: `length` as tables have it, with the bit of those that are not packed.
    pub(super) fn block(&mut self, at: u64, length: u32) -> io::Result<Vec<u8>> {
        let packed = length & !PLAIN;
        if packed == 0 || packed > self.superblock.block_bytes {
            return Err(SquashfsError::Table("the length of a block").into());
        }
        let found = self.raw(at, packed as usize)?;
        match length & PLAIN {
            0 => {
                let most = self.superblock.block_bytes as usize;
                Ok(self.unpacker.unpack(&found, most)?)
            }
            _ => Ok(found),
        }
    }

    /// Counts what was unpacked of what is needed more than once.
    fn count(&mut self, bytes: usize) -> io::Result<()> {
        let left = self.left.checked_sub(bytes as u64);
        self.left = left.ok_or_else(|| {
            room::limit("its tables and shared blocks are needed more often than they are read")
        })?;
        Ok(())
    }

    fn table_block(&mut self, at: u64) -> io::Result<TableBlock> {
        if let Some(known) = self.tables.get(&at) {
            return Ok(known.clone());
        }
        let head = self.raw(at, 2)?;
        let head = u16_le_at(&head, 0).ok_or(SquashfsError::Truncated)?;
        let packed = usize::from(head & !TABLE_PLAIN);
        if packed == 0 || packed > TABLE_BLOCK_BYTES {
            return Err(SquashfsError::Table("the length of a block").into());
        }
        let found = self.raw(at.saturating_add(2), packed)?;
        let plain = match head & TABLE_PLAIN {
            0 => self.unpacker.unpack(&found, TABLE_BLOCK_BYTES)?,
            _ => found,
        };
        self.count(TABLE_BLOCK_BYTES)?;
        let block = TableBlock {
            plain: plain.into(),
            next: at.saturating_add(2 + packed as u64),
        };
        if self.held.len() >= Limits::HELD_BYTES / TABLE_BLOCK_BYTES {
            let oldest = self.held.pop_front();
            oldest.and_then(|oldest| self.tables.remove(&oldest));
        }
        self.held.push_back(at);
        self.tables.insert(at, block.clone());
        Ok(block)
    }

    /// Bytes of a table, from a place on, which is moved behind them.
    pub(super) fn table(&mut self, place: &mut Place, bytes: usize) -> io::Result<Vec<u8>> {
        let mut found = Vec::new();
        loop {
            let block = self.table_block(place.block)?;
            let rest = block.plain.get(place.offset..);
            let rest = rest.ok_or(SquashfsError::Table("it begins behind its block"))?;
            let wanted = bytes.saturating_sub(found.len());
            let piece = rest.get(..wanted).unwrap_or(rest);
            found.extend_from_slice(piece);
            place.offset += piece.len();
            if found.len() == bytes {
                return Ok(found);
            }
            if block.plain.len() != TABLE_BLOCK_BYTES {
                return Err(SquashfsError::Table("its table ends in it").into());
            }
            *place = Place {
                block: block.next,
                offset: 0,
            };
        }
    }

    /// A block of ends of files.
    pub(super) fn fragment(&mut self, number: u32) -> io::Result<Rc<[u8]>> {
        if let Some((known, plain)) = &self.fragment
            && *known == number
        {
            return Ok(Rc::clone(plain));
        }
        if number >= self.superblock.fragments {
            return Err(SquashfsError::Table("a fragment that is not there").into());
        }
        let pointer = u64::from(number / FRAGMENTS_PER_BLOCK) * 8;
        let at = self.superblock.fragment_table.saturating_add(pointer);
        let pointer = self.raw(at, 8)?;
        let mut place = Place {
            block: u64_le_at(&pointer, 0).ok_or(SquashfsError::Truncated)?,
            offset: (number % FRAGMENTS_PER_BLOCK) as usize * FRAGMENT_BYTES,
        };
        let entry = self.table(&mut place, FRAGMENT_BYTES)?;
        let (at, length) = u64_le_at(&entry, 0)
            .zip(u32_le_at(&entry, 8))
            .ok_or(SquashfsError::Truncated)?;
        let plain: Rc<[u8]> = self.block(at, length)?.into();
        self.count(self.superblock.block_bytes as usize)?;
        self.fragment = Some((number, Rc::clone(&plain)));
        Ok(plain)
    }
}
