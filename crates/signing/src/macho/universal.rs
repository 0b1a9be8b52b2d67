//! The slices of a universal file, one for each processor (`<mach-o/fat.h>`); a thin file is one slice.

use std::fmt;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

use crate::macho::{Limits, MachoError};
use crate::reading::{read_at, u32_at, u64_at};

const FAT_MAGIC: u32 = 0xcafe_babe;
const FAT_MAGIC_64: u32 = 0xcafe_babf;
/// The largest alignment of a slice, as a power of two. The kernel takes up to 2^15.
const ALIGNMENT_MAX: u32 = 15;

/// Which processor a slice is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cpu {
    pub(crate) kind: u32,
    /// Without the bits that say what it is able to do.
    pub(crate) sub: u32,
}

impl Cpu {
    pub(crate) fn new(kind: u32, sub: u32) -> Self {
        /// CPU_SUBTYPE_MASK of `<mach/machine.h>`.
        const CAPABILITIES: u32 = 0xff00_0000;
        Self {
            kind,
            sub: sub & !CAPABILITIES,
        }
    }
}

impl fmt::Display for Cpu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.kind, self.sub) {
            (0x0100_0007, 8) => f.write_str("x86_64h"),
            (0x0100_0007, _) => f.write_str("x86_64"),
            (0x0100_000c, 2) => f.write_str("arm64e"),
            (0x0100_000c, _) => f.write_str("arm64"),
            (7, _) => f.write_str("i386"),
            (12, _) => f.write_str("arm"),
            (kind, sub) => write!(f, "cpu {kind:#x}/{sub:#x}"),
        }
    }
}

/// Where a slice lies in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slice {
    pub(crate) offset: u64,
    pub(crate) bytes: u64,
    pub(crate) cpu: Cpu,
}

/// All slices, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Universal {
    pub(crate) is_universal: bool,
    pub(crate) slices: Vec<Slice>,
    /// What lies between the header and the slices.
    pub(crate) gaps: Vec<Range<u64>>,
    /// Bytes behind the last slice.
    pub(crate) behind: u64,
}

impl Universal {
    pub(crate) fn read(reader: &mut (impl Read + Seek)) -> io::Result<Result<Self, MachoError>> {
        let size = reader.seek(SeekFrom::End(0))?;
        let Some(head) = read_at(reader, 0, 12.min(size))? else {
            return Ok(Err(MachoError::Truncated));
        };
        let is_wide = match u32_at(&head, 0) {
            Some(FAT_MAGIC) => false,
            Some(FAT_MAGIC_64) => true,
            Some(_) => return Ok(Self::thin(&head, size)),
            None => return Ok(Err(MachoError::Truncated)),
        };
        let count = u32_at(&head, 4).unwrap_or_default();
        if count == 0 || count > Limits::SLICES {
            return Ok(Err(MachoError::Slices(count)));
        }
        let entry: usize = if is_wide { 32 } else { 20 };
        let table_bytes = u64::from(count) * entry as u64;
        let Some(table) = read_at(reader, 8, table_bytes)? else {
            return Ok(Err(MachoError::Truncated));
        };
        let slices = table.chunks_exact(entry).map(|entry| {
            let numbers = if is_wide {
                (u64_at(entry, 8)?, u64_at(entry, 16)?, u32_at(entry, 24)?)
            } else {
                let (offset, bytes) = (u32_at(entry, 8)?, u32_at(entry, 12)?);
                (u64::from(offset), u64::from(bytes), u32_at(entry, 16)?)
            };
            let (offset, bytes, alignment) = numbers;
            let is_aligned = alignment <= ALIGNMENT_MAX && offset.trailing_zeros() >= alignment;
            let cpu = Cpu::new(u32_at(entry, 0)?, u32_at(entry, 4)?);
            is_aligned.then_some(Slice { offset, bytes, cpu })
        });
        let slices: Option<Vec<_>> = slices.collect();
        let slices = slices.ok_or(MachoError::SlicePlace);
        Ok(slices.and_then(|slices| Self::ordered(slices, 8 + table_bytes, size)))
    }

    /// A file that is one slice. Its header is read with it.
    fn thin(head: &[u8], size: u64) -> Result<Self, MachoError> {
        let little = |at: usize| u32_at(head, at).map(u32::swap_bytes);
        let (kind, sub) = little(4).zip(little(8)).ok_or(MachoError::Truncated)?;
        let slice = Slice {
            offset: 0,
            bytes: size,
            cpu: Cpu::new(kind, sub),
        };
        Ok(Self {
            is_universal: false,
            slices: vec![slice],
            gaps: Vec::new(),
            behind: 0,
        })
    }

    /// Slices that lie one behind the other, and what is between them.
    fn ordered(mut slices: Vec<Slice>, table_end: u64, size: u64) -> Result<Self, MachoError> {
        slices.sort_by_key(|slice| slice.offset);
        let (mut gaps, mut end) = (Vec::new(), table_end);
        for (index, slice) in slices.iter().enumerate() {
            let slice_end = slice.offset.checked_add(slice.bytes);
            let slice_end = slice_end.filter(|it| *it <= size && slice.offset >= end);
            let slice_end = slice_end.ok_or(MachoError::SlicePlace)?;
            let before = slices.get(..index).unwrap_or_default();
            if before.iter().any(|it| it.cpu == slice.cpu) {
                return Err(MachoError::SliceTwice);
            }
            gaps.push(end..slice.offset);
            end = slice_end;
        }
        Ok(Self {
            is_universal: true,
            slices,
            gaps,
            behind: size.saturating_sub(end),
        })
    }
}
