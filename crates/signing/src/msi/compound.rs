//! OLE compound files ([MS-CFB]): sectors, the chains that they form, and reading along them.
//!
//! A compound file is a small file system: a header, an allocation table of sectors, a directory, and streams. Short
//! streams share one, the mini stream, in sectors of 64 bytes with a table of their own.

use std::io::{self, Read, Seek, SeekFrom};

use crate::msi::chains::{Chains, FREE, REGULAR_MAX};
use crate::msi::limits::{CompoundError, Limits};

/// [MS-CFB] 2.2: header fields that have one value only.
pub(super) const MAGIC: [u8; 8] = [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1];
const HEADER_BYTES: usize = 512;
/// How many places of FAT sectors the header holds.
const HEADER_DIFAT: usize = 109;
pub(super) const MINI_SECTOR_BYTES: u64 = 64;
/// Streams below this length lie in the mini stream.
pub(super) const MINI_CUTOFF: u64 = 4096;

/// Bytes read at a time.
pub(super) const CHUNK_BYTES: u64 = 512 * 1024;

/// A stream: where it starts, and its length in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) start: u32,
    pub(super) bytes: u64,
}

/// A compound file whose header and tables were read.
#[derive(Debug)]
pub(super) struct Compound<'r, R> {
    pub(super) reader: &'r mut R,
    pub(super) size: u64,
    pub(super) is_version_3: bool,
    pub(super) sector_bytes: u64,
    pub(super) chains: Chains,
    pub(super) mini: Chains,
    /// The sectors of the mini stream, in order.
    pub(super) mini_sectors: Vec<u32>,
    first_directory: u32,
    /// How many sectors the directory is said to have; 0 in version 3.
    directory_sectors: u64,
    first_mini_fat: u32,
    pub(super) slack: u64,
    buffer: Vec<u8>,
}

pub(super) fn u16_at(bytes: &[u8], at: usize) -> u16 {
    let found = bytes.get(at..).and_then(|rest| rest.first_chunk::<2>());
    found.map_or(0, |found| u16::from_le_bytes(*found))
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let found = bytes.get(at..).and_then(|rest| rest.first_chunk::<4>());
    found.map_or(0, |found| u32::from_le_bytes(*found))
}

fn numbers(bytes: &[u8]) -> impl Iterator<Item = u32> {
    bytes.chunks_exact(4).map(|number| u32_at(number, 0))
}

pub(super) fn count_non_zero(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte != 0).count() as u64
}

impl<'r, R: Read + Seek> Compound<'r, R> {
    /// Reads the header and the allocation table.
    pub(super) fn open(reader: &'r mut R, limits: Limits) -> Result<Self, CompoundError> {
        let size = reader.seek(SeekFrom::End(0))?;
        if size < HEADER_BYTES as u64 {
            return Err(CompoundError::NoHeader);
        }
        reader.seek(SeekFrom::Start(0))?;
        let mut header = [0; HEADER_BYTES];
        reader.read_exact(&mut header)?;
        if !header.starts_with(&MAGIC) {
            return Err(CompoundError::Magic);
        }
        // [MS-CFB] 2.2: major version 3 has sectors of 512 bytes, 4 of 4,096; the rest never varies.
        let sector_bytes: u64 = match (u16_at(&header, 26), u16_at(&header, 30)) {
            (3, 9) => 512,
            (4, 12) => 4096,
            _ => return Err(CompoundError::Header("version or sector size")),
        };
        if u16_at(&header, 28) != 0xfffe {
            return Err(CompoundError::Header("byte order"));
        }
        if u16_at(&header, 32) != 6 || u64::from(u32_at(&header, 56)) != MINI_CUTOFF {
            return Err(CompoundError::Header("mini stream"));
        }
        let sectors = size.saturating_sub(sector_bytes).div_ceil(sector_bytes);
        if sectors > limits.sectors {
            return Err(CompoundError::TooLarge(limits.sectors));
        }
        let count = usize::try_from(sectors).unwrap_or(usize::MAX);
        let mut compound = Self {
            reader,
            size,
            is_version_3: sector_bytes == 512,
            sector_bytes,
            chains: Chains::new(Vec::new(), count),
            mini: Chains::default(),
            mini_sectors: Vec::new(),
            first_directory: u32_at(&header, 48),
            directory_sectors: u64::from(u32_at(&header, 40)),
            first_mini_fat: u32_at(&header, 60),
            slack: 0,
            buffer: Vec::new(),
        };
        compound.read_fat(&header, count)?;
        Ok(compound)
    }

    /// The FAT lies in sectors that the DIFAT lists: first the header, then a chain of sectors whose last number is the
    /// place of the next ([MS-CFB] 2.3 and 2.5).
    fn read_fat(&mut self, header: &[u8], sectors: usize) -> Result<(), CompoundError> {
        let count = u32_at(header, 44) as usize;
        if count == 0 || count > sectors {
            return Err(CompoundError::Fat);
        }
        let in_header = header.get(76..).unwrap_or_default();
        let mut places: Vec<u32> = numbers(in_header).take(count.min(HEADER_DIFAT)).collect();
        let mut at = u32_at(header, 68);
        while places.len() < count {
            self.chains.take(at)?;
            let sector = self.sector(at)?;
            let (listed, next) = sector.split_at(sector.len().saturating_sub(4));
            places.extend(numbers(listed).take(count - places.len()));
            at = u32_at(next, 0);
        }
        let mut next: Vec<u32> = Vec::new();
        for place in places {
            self.chains.take(place)?;
            let sector = self.sector(place)?;
            let room = sectors - next.len();
            next.extend(numbers(sector).take(room));
            // [MS-CFB] 2.3: what is not allocated is FREESECT. A table that says more has lost its sectors, or is a place
            // to hide in.
            if numbers(sector).skip(room).any(|it| it != FREE) {
                return Err(CompoundError::FatPastEnd);
            }
        }
        self.chains.next = next;
        Ok(())
    }

    pub(super) fn offset(&self, sector: u32) -> u64 {
        // The header takes the place of a sector ([MS-CFB] 2.2).
        (u64::from(sector) + 1) * self.sector_bytes
    }

    /// All bytes of one sector.
    fn sector(&mut self, sector: u32) -> Result<&[u8], CompoundError> {
        let offset = self.offset(sector);
        self.read_at(offset, self.sector_bytes)
    }

    pub(super) fn read_at(&mut self, offset: u64, bytes: u64) -> Result<&[u8], CompoundError> {
        if offset.saturating_add(bytes) > self.size {
            return Err(CompoundError::Truncated);
        }
        // At most CHUNK_BYTES.
        self.buffer.resize(usize::try_from(bytes).unwrap_or(0), 0);
        self.reader.seek(SeekFrom::Start(offset))?;
        match self.reader.read_exact(&mut self.buffer) {
            Ok(()) => Ok(&self.buffer),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Err(CompoundError::Truncated)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The whole directory ([MS-CFB] 2.6), up to a number of entries.
    pub(super) fn read_directory(&mut self, entries: usize) -> Result<Vec<u8>, CompoundError> {
        let mut sectors = Vec::new();
        let start = self.first_directory;
        self.chains.claim(start, None, |it| sectors.push(it))?;
        let most = (entries as u64 * 128).div_ceil(self.sector_bytes);
        if sectors.is_empty() || sectors.len() as u64 > most {
            return Err(CompoundError::Entries(entries));
        }
        // [MS-CFB] 2.2: version 3 does not count them. In version 4 Windows Installer reads no more than are counted
        // (ebourg/jsign#88), so another number would show it another package.
        let counted = match self.is_version_3 {
            true => 0,
            false => sectors.len() as u64,
        };
        if self.directory_sectors != counted {
            return Err(CompoundError::Header("number of directory sectors"));
        }
        let mut directory = Vec::new();
        for sector in sectors {
            directory.extend(self.sector(sector)?);
        }
        Ok(directory)
    }

    /// The mini stream, which holds what is short in sectors of 64 bytes, and its own table ([MS-CFB] 2.4).
    pub(super) fn read_mini(&mut self, root: Place, limits: Limits) -> Result<(), CompoundError> {
        let count = root.bytes.div_ceil(MINI_SECTOR_BYTES);
        let most = limits.entries as u64 * MINI_CUTOFF;
        if root.bytes > most.min(self.size) {
            return Err(CompoundError::Entry {
                entry: 0,
                why: "has a mini stream longer than all that could lie in it",
            });
        }
        let sectors = root.bytes.div_ceil(self.sector_bytes);
        let mut list = Vec::new();
        let claimed = self
            .chains
            .claim(root.start, Some(sectors), |it| list.push(it));
        claimed?;
        self.mini_sectors = list;
        let table_sectors = (count * 4).div_ceil(self.sector_bytes);
        let (mut list, start) = (Vec::new(), self.first_mini_fat);
        let claimed = self
            .chains
            .claim(start, Some(table_sectors), |it| list.push(it));
        claimed?;
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let mut next = Vec::new();
        for sector in list {
            let room = count - next.len();
            next.extend(numbers(self.sector(sector)?).take(room));
        }
        self.mini = Chains::new(next, count);
        Ok(())
    }

    /// Takes the sectors of a stream.
    pub(super) fn claim(&mut self, place: Place) -> Result<(), CompoundError> {
        let Place { start, bytes } = place;
        if bytes > self.size {
            return Err(CompoundError::Truncated);
        }
        if bytes < MINI_CUTOFF {
            let count = bytes.div_ceil(MINI_SECTOR_BYTES);
            self.mini.claim(start, Some(count), |_| {})
        } else {
            let count = bytes.div_ceil(self.sector_bytes);
            self.chains.claim(start, Some(count), |_| {})
        }
    }

    /// Where a sector of a stream lies in the file; a mini sector lies in one of the mini stream.
    pub(super) fn offset_in(&self, is_mini: bool, sector: u32) -> Result<u64, CompoundError> {
        if !is_mini {
            return Ok(self.offset(sector));
        }
        let within = u64::from(sector) * MINI_SECTOR_BYTES;
        let index = usize::try_from(within / self.sector_bytes).unwrap_or(usize::MAX);
        let outer = self.mini_sectors.get(index);
        let outer = *outer.ok_or(CompoundError::Broken(sector))?;
        Ok(self.offset(outer) + within % self.sector_bytes)
    }

    /// Reads a stream that was claimed, in pieces.
    pub(super) fn read(
        &mut self,
        place: Place,
        sink: &mut dyn FnMut(&[u8]),
    ) -> Result<(), CompoundError> {
        let is_mini = place.bytes < MINI_CUTOFF;
        let unit = if is_mini {
            MINI_SECTOR_BYTES
        } else {
            self.sector_bytes
        };
        let (mut missing, mut at) = (place.bytes, place.start);
        while missing > 0 {
            let offset = self.offset_in(is_mini, at)?;
            let mut run = 0;
            // Sectors that stand behind one another are read at once.
            loop {
                run += unit;
                let chains = if is_mini { &self.mini } else { &self.chains };
                at = chains.after(at)?;
                let is_done = run >= missing || run >= CHUNK_BYTES || at > REGULAR_MAX;
                if is_done || self.offset_in(is_mini, at)? != offset + run {
                    break;
                }
            }
            let wanted = run.min(missing);
            // The last sector of the file may be cut where its stream ends.
            let there = run.min(self.size.saturating_sub(offset)).max(wanted);
            let read = self.read_at(offset, there)?;
            let (contents, rest) = read.split_at(usize::try_from(wanted).unwrap_or(0));
            sink(contents);
            let rest = count_non_zero(rest);
            self.slack += rest;
            missing -= wanted;
        }
        Ok(())
    }
}
