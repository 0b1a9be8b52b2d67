//! A stream of a compound file, read at any offset.

use std::io::{self, Read, Seek, SeekFrom};

use crate::msi::chains::REGULAR_MAX;
use crate::msi::compound::{Compound, MINI_CUTOFF, MINI_SECTOR_BYTES, Place};
use crate::msi::limits::CompoundError;
use crate::walk::room;

/// Pieces that a stream may lie in. Writers leave a handful.
const PIECES_MAX: usize = 256 * 1024;

/// Sectors that stand behind one another.
#[derive(Debug, Clone, Copy)]
struct Piece {
    /// Where it begins in the stream, and in the file.
    at: u64,
    offset: u64,
}

/// A stream that was claimed.
pub(super) struct Stream<'a, R> {
    reader: &'a mut R,
    pieces: Vec<Piece>,
    bytes: u64,
    at: u64,
}

impl<R: Read + Seek> Compound<'_, R> {
    /// Opens a stream at its beginning.
    pub(super) fn stream(&mut self, place: Place) -> Result<Stream<'_, R>, CompoundError> {
        let is_mini = place.bytes < MINI_CUTOFF;
        let unit = match is_mini {
            true => MINI_SECTOR_BYTES,
            false => self.sector_bytes,
        };
        let (mut pieces, mut at, mut sector) = (Vec::<Piece>::new(), 0, place.start);
        while at < place.bytes {
            if sector > REGULAR_MAX {
                return Err(CompoundError::Broken(sector));
            }
            let offset = self.offset_in(is_mini, sector)?;
            let last = pieces.last();
            if last.is_none_or(|last| last.offset + (at - last.at) != offset) {
                if pieces.len() == PIECES_MAX {
                    return Err(CompoundError::Pieces(PIECES_MAX));
                }
                pieces.push(Piece { at, offset });
            }
            at += unit;
            sector = match is_mini {
                true => self.mini.after(sector)?,
                false => self.chains.after(sector)?,
            };
        }
        Ok(Stream {
            reader: self.reader,
            pieces,
            bytes: place.bytes,
            at: 0,
        })
    }
}

impl<R: Read + Seek> Read for Stream<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let next = self.pieces.partition_point(|piece| piece.at <= self.at);
        let piece = next.checked_sub(1).and_then(|it| self.pieces.get(it));
        let (Some(piece), true) = (piece, self.at < self.bytes) else {
            return Ok(0);
        };
        let end = self.pieces.get(next).map_or(self.bytes, |piece| piece.at);
        self.reader
            .seek(SeekFrom::Start(piece.offset + (self.at - piece.at)))?;
        let read = self.reader.by_ref().take(end - self.at).read(buffer)?;
        if read == 0 && !buffer.is_empty() {
            return Err(room::refused(CompoundError::Truncated));
        }
        self.at += read as u64;
        Ok(read)
    }
}

impl<R: Read + Seek> Seek for Stream<'_, R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.bytes.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}
