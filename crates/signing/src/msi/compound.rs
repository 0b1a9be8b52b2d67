//! OLE compound files ([MS-CFB]): sectors, the chains that they form, and reading along them.
//!
//! A compound file is a small file system: the FAT says of each sector which one follows. Every sector may belong to one
//! thing only, so whoever follows a chain marks what it passes. That ends every cycle, keeps two streams from sharing
//! bytes, and bounds all work by the length of the file. What no chain passes is signed by nobody, and is counted.

use std::io::{self, Read, Seek, SeekFrom};

use thiserror::Error;

/// What is read of a compound file at most. Whatever needs more is refused.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Sectors: 4 GiB of 512 bytes each, 32 GiB of 4,096. The FAT takes 4 bytes for each.
    pub(super) sectors: u64,
    /// Directory entries, 128 bytes each. Large packages have some thousands.
    pub(super) entries: usize,
    /// How deep storages may lie in one another. Packages with embedded transforms have 2.
    pub(super) depth: usize,
    /// The stream of the signature, in bytes. Real ones have 2 to 50 KiB.
    pub(super) signature_bytes: u64,
}

/// The limits.
pub(super) const LIMITS: Limits = Limits {
    sectors: 8 * 1024 * 1024,
    entries: 64 * 1024,
    depth: 32,
    signature_bytes: 16 * 1024 * 1024,
};

/// [MS-CFB] 2.1: sectors have numbers up to MAXREGSECT; what is above has a meaning of its own.
const REGULAR_MAX: u32 = 0xffff_fffa;
pub(super) const END_OF_CHAIN: u32 = 0xffff_fffe;
pub(super) const FREE: u32 = 0xffff_ffff;

/// [MS-CFB] 2.2: header fields that have one value only.
const MAGIC: [u8; 8] = [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1];
const HEADER_BYTES: usize = 512;
/// How many places of FAT sectors the header holds.
const HEADER_DIFAT: usize = 109;
const MINI_SECTOR_BYTES: u64 = 64;
/// Streams below this length lie in the mini stream.
pub(super) const MINI_CUTOFF: u64 = 4096;

/// Bytes read at a time.
const CHUNK_BYTES: u64 = 512 * 1024;

/// Why a file is no compound file that can be judged.
#[derive(Debug, Error)]
pub(super) enum CompoundError {
    /// Not the file is wrong but its reader.
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("the file ends inside its header")]
    NoHeader,
    #[error("the file does not begin as a compound file does")]
    Magic,
    #[error("the header has a {0} that no compound file has")]
    Header(&'static str),
    #[error("the file is larger than can be judged: more than {0} sectors")]
    TooLarge(u64),
    #[error("the file has no allocation table, or one of an impossible length")]
    Fat,
    #[error("the allocation table speaks of sectors behind the end of the file; it was cut short")]
    FatPastEnd,
    #[error("a chain of sectors leads to {0:#010x}, where there is none")]
    Broken(u32),
    #[error("sector {0} belongs to two chains, or to one twice")]
    Shared(u32),
    #[error("the file ends inside a sector that is in use")]
    Truncated,
    #[error("the directory is empty, or has more than {0} entries")]
    Entries(usize),
    #[error("entry {entry} of the directory {why}")]
    Entry { entry: u32, why: &'static str },
    #[error("storages lie more than {0} deep in one another")]
    Depth(usize),
}

/// What follows each sector, and which belong to something.
#[derive(Debug, Default)]
pub(super) struct Chains {
    next: Vec<u32>,
    used: Vec<bool>,
}

impl Chains {
    fn new(next: Vec<u32>, count: usize) -> Self {
        let used = vec![false; count];
        Self { next, used }
    }

    /// Takes one sector.
    fn take(&mut self, sector: u32) -> Result<(), CompoundError> {
        match self.used.get_mut(sector as usize) {
            Some(true) => Err(CompoundError::Shared(sector)),
            Some(used) => {
                *used = true;
                Ok(())
            }
            None => Err(CompoundError::Broken(sector)),
        }
    }

    fn after(&self, sector: u32) -> Result<u32, CompoundError> {
        let next = self.next.get(sector as usize);
        next.copied().ok_or(CompoundError::Broken(sector))
    }

    /// Takes a chain: so many sectors of it, or all. Links behind the last that is wanted are not followed.
    fn claim(
        &mut self,
        start: u32,
        count: Option<u64>,
        mut each: impl FnMut(u32),
    ) -> Result<(), CompoundError> {
        let (mut at, mut taken) = (start, 0);
        while count.map_or(at != END_OF_CHAIN, |count| taken < count) {
            self.take(at)?;
            each(at);
            taken += 1;
            at = self.after(at)?;
        }
        Ok(())
    }

    /// Runs of sectors that belong to nothing: the first, and behind the last.
    fn unused(&self) -> impl Iterator<Item = (usize, usize)> {
        let mut at = 0;
        std::iter::from_fn(move || {
            let from = at + self.used.get(at..)?.iter().position(|used| !used)?;
            let length = self.used.get(from..)?.iter().position(|used| *used);
            at = length.map_or(self.used.len(), |length| from + length);
            Some((from, at))
        })
    }
}

/// A stream: where it starts, and its length in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) start: u32,
    pub(super) bytes: u64,
}

/// Bytes that are signed by nobody.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Unsigned {
    /// Bytes other than zero in sectors that belong to nothing, and behind the ends of streams in their last sectors.
    pub(super) slack: u64,
    /// Bytes behind the last sector in use that are not sectors of zeros.
    pub(super) trailing: u64,
}

/// A compound file whose header and tables were read.
#[derive(Debug)]
pub(super) struct Compound<'r, R> {
    reader: &'r mut R,
    size: u64,
    pub(super) is_version_3: bool,
    sector_bytes: u64,
    chains: Chains,
    mini: Chains,
    /// The sectors of the mini stream, in order.
    mini_sectors: Vec<u32>,
    first_directory: u32,
    first_mini_fat: u32,
    slack: u64,
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

fn count_non_zero(bytes: &[u8]) -> u64 {
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

    fn offset(&self, sector: u32) -> u64 {
        // The header takes the place of a sector ([MS-CFB] 2.2).
        (u64::from(sector) + 1) * self.sector_bytes
    }

    /// All bytes of one sector.
    fn sector(&mut self, sector: u32) -> Result<&[u8], CompoundError> {
        let offset = self.offset(sector);
        self.read_at(offset, self.sector_bytes)
    }

    fn read_at(&mut self, offset: u64, bytes: u64) -> Result<&[u8], CompoundError> {
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
    fn offset_in(&self, is_mini: bool, sector: u32) -> Result<u64, CompoundError> {
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

    /// What of the file nobody signs, after everything was claimed and read.
    pub(super) fn unsigned(&mut self) -> Result<Unsigned, CompoundError> {
        let last = self.chains.used.iter().rposition(|used| *used);
        let end = last.map_or(0, |last| last as u64 + 1) + 1;
        let end = (end * self.sector_bytes).min(self.size);
        let mut trailing = 0;
        let runs: Vec<_> = self.chains.unused().collect();
        for (from, to) in runs {
            let offset = |sector: usize| (sector as u64 + 1) * self.sector_bytes;
            let (from, to) = (offset(from), offset(to).min(self.size));
            let found = self.count(from, to)?;
            if from >= end {
                trailing += found;
            } else {
                self.slack += found;
            }
        }
        // Zeros that fill no sector are no part of any compound file.
        let is_cut = !(self.size - end).is_multiple_of(self.sector_bytes);
        if trailing > 0 || is_cut {
            trailing = self.size - end;
        }
        self.count_unused_mini()?;
        Ok(Unsigned {
            slack: self.slack,
            trailing,
        })
    }

    fn count(&mut self, mut from: u64, to: u64) -> Result<u64, CompoundError> {
        let mut found = 0;
        while from < to {
            let bytes = (to - from).min(CHUNK_BYTES);
            found += count_non_zero(self.read_at(from, bytes)?);
            from += bytes;
        }
        Ok(found)
    }

    /// Mini sectors that belong to nothing, and what is behind the last in the mini stream's last sector.
    fn count_unused_mini(&mut self) -> Result<(), CompoundError> {
        let in_sector = usize::try_from(self.sector_bytes / MINI_SECTOR_BYTES).unwrap_or(1);
        for (index, sector) in self.mini_sectors.clone().into_iter().enumerate() {
            let first = index * in_sector;
            let used = self.mini.used.get(first..).unwrap_or_default();
            let used = used.get(..in_sector).unwrap_or(used).to_vec();
            if used.len() == in_sector && used.iter().all(|used| *used) {
                continue;
            }
            let sector = self.sector(sector)?.chunks_exact(64);
            let unused = sector.zip(used.iter().copied().chain(std::iter::repeat(false)));
            let found = unused.filter(|(_, used)| !used);
            let found: u64 = found.map(|(bytes, _)| count_non_zero(bytes)).sum();
            self.slack += found;
        }
        Ok(())
    }
}
