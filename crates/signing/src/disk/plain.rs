//! The disk of an image, which can be read at any offset. Blocks are unpacked as they are asked for, and few are kept.

use std::collections::VecDeque;
use std::io::{self, Read, Seek, SeekFrom};

use crc_fast::{CrcAlgorithm, Digest};

use crate::disk::DiskError;
use crate::disk::blocks::{self, Block, Kind, SECTOR_BYTES, Table};
use crate::disk::chunk;
use crate::dmg::{Koly, Limits as ImageLimits};
use crate::reading::read_at;
use crate::verify::Bytes;
use crate::walk::Limits as WalkLimits;
use crate::walk::room;

/// Bytes of unpacked blocks that are kept: several of those that tools write, and at least one of any.
const KEPT_BYTES: usize = 12 * 1024 * 1024;
/// How often all of a disk may be unpacked: once for its checksums, and files that lie in small parts need more than one.
const PASSES: u64 = 8;

/// A disk, by its image.
pub(super) struct Disk<'a> {
    image: &'a mut dyn Bytes,
    tables: Vec<Table>,
    /// In the order of the disk.
    blocks: Vec<Block>,
    /// Its length in bytes.
    pub(super) bytes: u64,
    at: u64,
    /// Unpacked blocks by their index, the one that was used last at the end.
    kept: VecDeque<(usize, Vec<u8>)>,
    /// Bytes that may still be unpacked.
    left: u64,
    /// Zeros that may still be summed.
    zeros: u64,
}

impl<'a> Disk<'a> {
    /// Opens an image by its end and property list.
    pub(super) fn open(mut image: &'a mut dyn Bytes) -> io::Result<Self> {
        let size = image.seek(SeekFrom::End(0))?;
        let koly =
            Koly::read(&mut image)?.map_err(|error| room::refused(DiskError::Image(error)))?;
        if koly.list.bytes > ImageLimits::LIST_BYTES {
            return Err(room::limit(
                "the property list of the image is larger than what is read",
            ));
        }
        let list = read_at(&mut image, koly.list.offset, koly.list.bytes)?;
        let list = list
            .ok_or(DiskError::List("it ends early"))
            .map_err(room::refused)?;
        let data = (koly.data.offset, koly.data.bytes);
        let (tables, blocks) = blocks::parse(&list, data).map_err(room::refused)?;
        let found = blocks.last().map_or(0, Block::end);
        let stated = koly.sectors;
        if found > stated {
            return Err(room::refused(DiskError::Size { stated, found }));
        }
        let bytes = stated.saturating_mul(SECTOR_BYTES);
        // What is zero takes no time to unpack, and files there are counted as they are read.
        let packed = blocks
            .iter()
            .filter(|it| matches!(it.kind, Kind::Packed(_)));
        let packed: u64 = packed.map(|it| it.sectors * SECTOR_BYTES).sum();
        let max = WalkLimits::BYTES.max(size.saturating_mul(WalkLimits::RATIO));
        if packed > max {
            return Err(room::limit(
                "its disk has far more bytes than the image, and more than are read",
            ));
        }
        Ok(Self {
            image,
            tables,
            blocks,
            bytes,
            at: 0,
            kept: VecDeque::new(),
            left: packed.saturating_mul(PASSES),
            zeros: max,
        })
    }

    /// Compares the checksum of each table with what it unpacks to.
    pub(super) fn check(&mut self) -> io::Result<()> {
        for at in 0..self.tables.len() {
            let Some(Table { crc32, blocks, .. }) = self.tables.get(at) else {
                continue;
            };
            let Some(stated) = *crc32 else { continue };
            let mut digest = Digest::new(CrcAlgorithm::Crc32IsoHdlc);
            for block in blocks.clone() {
                self.pass(block, &mut digest)?;
            }
            let name = self.tables.get(at).map(|it| it.name.clone());
            if u64::from(stated) != digest.finalize() {
                return Err(room::refused(DiskError::Checksum(name.unwrap_or_default())));
            }
        }
        Ok(())
    }

    fn pass(&mut self, index: usize, digest: &mut Digest) -> io::Result<()> {
        const ZEROS: &[u8] = &[0; 64 * 1024];
        let Some(block) = self.blocks.get(index).copied() else {
            return Ok(());
        };
        let mut left = block.sectors.saturating_mul(SECTOR_BYTES);
        match block.kind {
            Kind::Ignored => {}
            Kind::Packed(_) => digest.update(self.unpacked(index, block)?),
            Kind::Raw => {
                let mut buffer = vec![0; 64 * 1024];
                self.image.seek(SeekFrom::Start(block.offset))?;
                while left > 0 {
                    let piece = buffer
                        .len()
                        .min(usize::try_from(left).unwrap_or(usize::MAX));
                    let piece = buffer.get_mut(..piece).unwrap_or_default();
                    self.image.read_exact(piece)?;
                    digest.update(piece);
                    left -= piece.len() as u64;
                }
            }
            Kind::Zero => {
                // Zeros take time here, and no room in the image.
                let zeros = self.zeros.checked_sub(left);
                let many = || room::limit("its disk has more zeros than are summed");
                self.zeros = zeros.ok_or_else(many)?;
                while left > 0 {
                    let piece = ZEROS.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                    digest.update(ZEROS.get(..piece).unwrap_or_default());
                    left -= piece as u64;
                }
            }
        }
        Ok(())
    }

    /// A compressed block, from what is kept or from the image.
    fn unpacked(&mut self, index: usize, block: Block) -> io::Result<&[u8]> {
        let Kind::Packed(compression) = block.kind else {
            return Ok(&[]);
        };
        let known = self.kept.iter().position(|(kept, _)| *kept == index);
        if let Some(known) = known {
            let used = self.kept.remove(known);
            self.kept.extend(used);
        } else {
            let bytes = block.sectors.saturating_mul(SECTOR_BYTES);
            let left = self.left.checked_sub(bytes);
            let scattered = || {
                room::limit(
                    "its files lie in so many parts that its disk would be unpacked again and again",
                )
            };
            self.left = left.ok_or_else(scattered)?;
            let wrong = |wrong| {
                let sector = block.sector;
                room::refused(DiskError::Chunk { sector, wrong })
            };
            let packed = read_at(&mut self.image, block.offset, block.bytes)?;
            let packed = packed.ok_or_else(|| wrong("it is not there".to_owned()))?;
            let length = usize::try_from(bytes).map_err(|error| wrong(error.to_string()))?;
            let plain = chunk::unpack(&packed, compression, length).map_err(wrong)?;
            let mut held: usize = self.kept.iter().map(|(_, bytes)| bytes.len()).sum();
            while held + plain.len() > KEPT_BYTES
                && let Some((_, bytes)) = self.kept.pop_front()
            {
                held -= bytes.len();
            }
            self.kept.push_back((index, plain));
        }
        Ok(self.kept.back().map_or(&[], |(_, bytes)| bytes))
    }

    /// The index of the block that a sector lies in, or of the one behind it.
    fn block_of(&self, sector: u64) -> usize {
        self.blocks.partition_point(|block| block.end() <= sector)
    }
}

impl Read for Disk<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.bytes.saturating_sub(self.at);
        if left == 0 {
            return Ok(0);
        }
        let index = self.block_of(self.at / SECTOR_BYTES);
        // Where no block is, nothing was written.
        let (block, until) = match self.blocks.get(index).copied() {
            Some(block) if block.sector * SECTOR_BYTES <= self.at => {
                (Some(block), block.end() * SECTOR_BYTES)
            }
            Some(block) => (None, block.sector * SECTOR_BYTES),
            None => (None, self.bytes),
        };
        let most = until.saturating_sub(self.at).min(left);
        let most = buffer
            .len()
            .min(usize::try_from(most).unwrap_or(usize::MAX));
        let buffer = buffer.get_mut(..most).unwrap_or_default();
        let inside = block.map_or(0, |block| self.at - block.sector * SECTOR_BYTES);
        let read = match block.map(|block| (block, block.kind)) {
            None | Some((_, Kind::Zero | Kind::Ignored)) => {
                buffer.fill(0);
                most
            }
            Some((block, Kind::Raw)) => {
                self.image.seek(SeekFrom::Start(block.offset + inside))?;
                self.image.read(buffer)?
            }
            Some((block, Kind::Packed(_))) => {
                let plain = self.unpacked(index, block)?;
                let start = usize::try_from(inside).unwrap_or(usize::MAX);
                let mut plain = plain.get(start..).unwrap_or_default();
                plain.read(buffer)?
            }
        };
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for Disk<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let wanted = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.bytes.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = wanted.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

/// A part of a disk: where a volume lies.
pub(super) struct Part<'a> {
    disk: &'a mut dyn Bytes,
    start: u64,
    pub(super) bytes: u64,
}

impl<'a> Part<'a> {
    pub(super) fn new(disk: &'a mut dyn Bytes, start: u64, bytes: u64) -> Self {
        Self { disk, start, bytes }
    }

    /// Fills a buffer from an offset of the part on.
    pub(super) fn read(&mut self, at: u64, buffer: &mut [u8]) -> io::Result<()> {
        let wanted = buffer.len() as u64;
        let beyond = || room::refused(DiskError::End(at));
        let end = at.checked_add(wanted).filter(|end| *end <= self.bytes);
        end.ok_or_else(beyond)?;
        let start = self.start.checked_add(at).ok_or_else(beyond)?;
        self.disk.seek(SeekFrom::Start(start))?;
        let mut filled = 0;
        while let Some(rest) = buffer.get_mut(filled..).filter(|it| !it.is_empty()) {
            match self.disk.read(rest) {
                Ok(0) => return Err(beyond()),
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// So many bytes, which callers have bounded.
    pub(super) fn exactly(&mut self, at: u64, bytes: usize) -> io::Result<Vec<u8>> {
        let mut found = vec![0; bytes];
        self.read(at, &mut found)?;
        Ok(found)
    }
}
