//! The blocks that the list of files lies in (`TCompressedBlockReader`): pieces of 4 KiB with checksums, and LZMA in them.

use std::io::{self, Read};

use lzma_rust2::LzmaReader;

use crate::inno::layout::Layout;
use crate::inno::loader::{crc32, read_at};
use crate::inno::{InnoError, Limits, exactly, refused};
use crate::verify::Bytes;

/// Bytes of a piece, but for the last.
const PIECE_BYTES: u64 = 4096;

/// Where a block stands, and what follows its header.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    at: u64,
    bytes: u64,
    is_packed: bool,
}

impl Place {
    /// Reads the header of a block.
    pub(super) fn read(bytes: &mut dyn Bytes, at: u64, layout: &Layout) -> io::Result<Self> {
        let size_bytes = if layout.has_long_blocks { 8 } else { 4 };
        let mut header = [0; 13];
        let header = header.get_mut(..size_bytes + 5).unwrap_or_default();
        read_at(bytes, at, header)?;
        let Some((sum, rest)) = header.split_first_chunk::<4>() else {
            return Err(refused(InnoError::Truncated));
        };
        if u32::from_le_bytes(*sum) != crc32(rest) {
            return Err(refused(InnoError::Checksum));
        }
        let Some((is_packed, size)) = rest.split_last() else {
            return Err(refused(InnoError::Truncated));
        };
        let size = size.iter().rev();
        Ok(Self {
            at: at + header.len() as u64,
            bytes: size.fold(0, |size, byte| size << 8 | u64::from(*byte)),
            is_packed: match is_packed {
                0 => false,
                1 => true,
                _ => return Err(refused(InnoError::List)),
            },
        })
    }

    /// Where the next one begins.
    pub(super) fn end(self) -> io::Result<u64> {
        let end = self.at.checked_add(self.bytes);
        end.ok_or_else(|| refused(InnoError::Truncated))
    }

    /// What is in it.
    pub(super) fn open<'a>(self, bytes: &'a mut dyn Bytes) -> io::Result<Box<dyn Read + 'a>> {
        let pieces = Pieces {
            bytes,
            at: self.at,
            left: self.bytes,
            piece: Vec::new(),
            read: 0,
        };
        if !self.is_packed {
            return Ok(Box::new(pieces));
        }
        Ok(Box::new(lzma(pieces, u64::MAX, InnoError::List)?))
    }
}

/// What LZMA unpacks to, whose header is one byte of properties and four of the size of its window. A window is never larger
/// than all that is unpacked.
pub(super) fn lzma<R: Read>(
    mut packed: R,
    plain: u64,
    wrong: InnoError,
) -> io::Result<LzmaReader<R>> {
    let mut header = [0; 5];
    exactly(&mut packed, &mut header, InnoError::Truncated)?;
    let [properties, window @ ..] = header;
    let window = window_bytes(u32::from_le_bytes(window).into(), plain)?;
    LzmaReader::new_with_props(packed, u64::MAX, properties, window, None)
        .map_err(|_| refused(wrong))
}

/// How large the window must be.
pub(super) fn window_bytes(stated: u64, plain: u64) -> io::Result<u32> {
    let needed = stated.min(plain).max(PIECE_BYTES);
    let needed = Some(needed).filter(|it| *it <= Limits::WINDOW_BYTES);
    needed
        .and_then(|it| u32::try_from(it).ok())
        .ok_or_else(|| refused(InnoError::Large))
}

/// A block, piece by piece.
struct Pieces<'a> {
    bytes: &'a mut dyn Bytes,
    at: u64,
    left: u64,
    piece: Vec<u8>,
    read: usize,
}

impl Pieces<'_> {
    /// Four bytes of a checksum, and what it is of.
    fn load(&mut self) -> io::Result<()> {
        let with_sum = self.left.min(PIECE_BYTES + 4);
        let size = with_sum.checked_sub(5).map(|rest| rest + 1);
        let size = size.ok_or_else(|| refused(InnoError::Truncated))?;
        let mut sum = [0; 4];
        read_at(self.bytes, self.at, &mut sum)?;
        // At most PIECE_BYTES.
        self.piece.resize(usize::try_from(size).unwrap_or(0), 0);
        exactly(self.bytes, &mut self.piece, InnoError::Truncated)?;
        if u32::from_le_bytes(sum) != crc32(&self.piece) {
            return Err(refused(InnoError::Checksum));
        }
        self.at += with_sum;
        self.left -= with_sum;
        self.read = 0;
        Ok(())
    }
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.read == self.piece.len() {
            if self.left == 0 {
                return Ok(0);
            }
            self.load()?;
        }
        let mut rest = self.piece.get(self.read..).unwrap_or_default();
        let read = rest.read(buffer)?;
        self.read += read;
        Ok(read)
    }
}
