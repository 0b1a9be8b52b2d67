//! A folder of a cabinet as it is unpacked: block after block ([MS-CAB] 2.4), each with a checksum.

use std::io::{self, Read};

use thiserror::Error;

use crate::cab::header::{BLOCK_BYTES, CabError, Folder, read_at, u16_at, u32_at};
use crate::cab::unpacking::{UnpackError, Unpacker};
use crate::verify::Bytes;
use crate::walk::room;

/// [MS-CAB] 2.4: a block unpacks to at most 32 KiB.
const PLAIN_BYTES_MAX: usize = 32 * 1024;
/// A block has at most 6,144 bytes more than it unpacks to; so libmspack has it.
const PACKED_BYTES_MAX: usize = PLAIN_BYTES_MAX + 6144;

/// Why a folder is not read on.
#[derive(Debug, Error)]
enum FolderError {
    #[error("a block of data does not have the checksum that is stated")]
    Checksum,
    #[error("a block of data has more bytes than one has, or continues in another cabinet")]
    Size,
    #[error("a folder ends inside a file")]
    Ended,
    #[error("a block of data cannot be unpacked: {0}")]
    Unpack(#[from] UnpackError),
}

/// What a folder unpacks to, from its beginning.
pub(super) struct FolderReader<'a> {
    bytes: &'a mut dyn Bytes,
    /// Where the next block stands.
    at: u64,
    blocks: u16,
    reserve: u64,
    unpacker: Unpacker,
    /// What the last block unpacked to, and how much of that was read.
    plain: Vec<u8>,
    read: usize,
}

impl<'a> FolderReader<'a> {
    pub(super) fn open(bytes: &'a mut dyn Bytes, folder: &Folder, reserve: u8) -> io::Result<Self> {
        Ok(Self {
            bytes,
            at: folder.data.start,
            blocks: folder.blocks,
            reserve: u64::from(reserve),
            unpacker: Unpacker::new(folder.packing).map_err(room::refused)?,
            plain: Vec::new(),
            read: 0,
        })
    }

    /// The next bytes, which are those of a file.
    pub(super) fn file<'b>(&'b mut self, size: u64) -> Content<'b, 'a> {
        Content {
            folder: self,
            left: size,
        }
    }

    /// Whether all was read.
    pub(super) fn is_at_end(&self) -> bool {
        self.blocks == 0 && self.read == self.plain.len()
    }

    fn load(&mut self) -> io::Result<()> {
        let Some(blocks) = self.blocks.checked_sub(1) else {
            return Err(room::refused(FolderError::Ended));
        };
        self.blocks = blocks;
        let mut header = [0; 8];
        self.exactly(self.at, &mut header)?;
        let sum = u32_at(&header, 0).map_err(room::refused)?;
        let packed_bytes = usize::from(u16_at(&header, 4).map_err(room::refused)?);
        let plain_bytes = usize::from(u16_at(&header, 6).map_err(room::refused)?);
        if packed_bytes > PACKED_BYTES_MAX || plain_bytes > PLAIN_BYTES_MAX || plain_bytes == 0 {
            return Err(room::refused(FolderError::Size));
        }
        // What is reserved is summed too.
        let reserve = usize::try_from(self.reserve).unwrap_or(0);
        let mut packed = vec![0; reserve + packed_bytes];
        self.exactly(self.at + BLOCK_BYTES, &mut packed)?;
        let sizes = header.get(4..).unwrap_or_default();
        // [MS-CAB] 2.4: zero where none was computed.
        if sum != 0 && sum != u64::from(checksum(&packed, checksum(sizes, 0))) {
            return Err(room::refused(FolderError::Checksum));
        }
        self.at += BLOCK_BYTES + packed.len() as u64;
        let packed = packed.get(reserve..).unwrap_or_default();
        self.plain = self
            .unpacker
            .block(packed, plain_bytes)
            .map_err(|error| room::refused(FolderError::from(error)))?;
        self.read = 0;
        Ok(())
    }

    fn exactly(&mut self, at: u64, bytes: &mut [u8]) -> io::Result<()> {
        read_at(&mut self.bytes, at, bytes).map_err(|error| match error {
            CabError::Io(error) => error,
            error => room::refused(error),
        })
    }
}

/// [MS-CAB] 3.1: words of four bytes, little-endian, each over the other; of the bytes that remain the first is the highest.
fn checksum(bytes: &[u8], seed: u32) -> u32 {
    let words = bytes.chunks_exact(4);
    let rest = words.remainder().iter();
    let rest = rest.fold(0, |sum, byte| sum << 8 | u32::from(*byte));
    let words = words.filter_map(|word| word.first_chunk().copied());
    words
        .map(u32::from_le_bytes)
        .fold(seed ^ rest, |sum, word| sum ^ word)
}

/// The content of one file.
pub(super) struct Content<'b, 'a> {
    folder: &'b mut FolderReader<'a>,
    left: u64,
}

impl Read for Content<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 || buffer.is_empty() {
            return Ok(0);
        }
        if self.folder.read == self.folder.plain.len() {
            self.folder.load()?;
        }
        let plain = self
            .folder
            .plain
            .get(self.folder.read..)
            .unwrap_or_default();
        let most = usize::try_from(self.left).unwrap_or(usize::MAX);
        let mut plain = plain.get(..most).unwrap_or(plain);
        let read = plain.read(buffer)?;
        self.folder.read += read;
        self.left -= read as u64;
        Ok(read)
    }
}
