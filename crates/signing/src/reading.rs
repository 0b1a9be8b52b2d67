//! Reading by offsets, as formats need whose parts point at one another. Nothing is allocated that is not in the file.

use std::cell::RefCell;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

/// Bytes read at a time.
const CHUNK_BYTES: usize = 512 * 1024;

/// A big-endian number at an offset; none past the end.
pub(crate) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..)?.first_chunk::<4>()?;
    Some(u32::from_be_bytes(*bytes))
}

/// The same of 64 bits.
pub(crate) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    let bytes = bytes.get(at..)?.first_chunk::<8>()?;
    Some(u64::from_be_bytes(*bytes))
}

/// A little-endian number at an offset; none past the end.
pub(crate) fn u16_le_at(bytes: &[u8], at: usize) -> Option<u16> {
    let bytes = bytes.get(at..)?.first_chunk::<2>()?;
    Some(u16::from_le_bytes(*bytes))
}

/// The same of 32 bits.
pub(crate) fn u32_le_at(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..)?.first_chunk::<4>()?;
    Some(u32::from_le_bytes(*bytes))
}

/// The same of 64 bits.
pub(crate) fn u64_le_at(bytes: &[u8], at: usize) -> Option<u64> {
    let bytes = bytes.get(at..)?.first_chunk::<8>()?;
    Some(u64::from_le_bytes(*bytes))
}

/// The last offset that a file can have: off_t is signed. Seeking further is an error, and offsets are hostile.
const OFFSET_MAX: u64 = i64::MAX.unsigned_abs();

/// Bytes at an offset; none where the file is shorter.
pub(crate) fn read_at(
    reader: &mut (impl Read + Seek),
    offset: u64,
    bytes: u64,
) -> io::Result<Option<Vec<u8>>> {
    if offset > OFFSET_MAX {
        return Ok(None);
    }
    reader.seek(SeekFrom::Start(offset))?;
    let mut found = Vec::new();
    reader.by_ref().take(bytes).read_to_end(&mut found)?;
    Ok((found.len() as u64 == bytes).then_some(found))
}

/// Passes the bytes between two offsets on, in pieces. Says whether all were there.
pub(crate) fn pass(
    reader: &mut (impl Read + Seek),
    start: u64,
    end: u64,
    mut to: impl FnMut(&[u8]),
) -> io::Result<bool> {
    if start > OFFSET_MAX {
        return Ok(false);
    }
    reader.seek(SeekFrom::Start(start))?;
    let mut left = end.saturating_sub(start);
    let mut buffer = vec![0; CHUNK_BYTES.min(usize::try_from(left).unwrap_or(CHUNK_BYTES))];
    while left > 0 {
        let wanted = buffer
            .len()
            .min(usize::try_from(left).unwrap_or(usize::MAX));
        match reader.read(buffer.get_mut(..wanted).unwrap_or_default()) {
            Ok(0) => return Ok(false),
            Ok(read) => {
                to(buffer.get(..read).unwrap_or_default());
                left = left.saturating_sub(read as u64);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(true)
}

/// Whether all bytes between two offsets are there and zero.
pub(crate) fn is_zero(reader: &mut (impl Read + Seek), start: u64, end: u64) -> io::Result<bool> {
    let mut is_zero = true;
    let was_there = pass(reader, start, end, |piece| {
        is_zero &= piece.iter().all(|byte| *byte == 0);
    })?;
    Ok(is_zero && was_there)
}

/// A file that several readers read in turns. Each of them seeks before it reads.
pub(crate) struct Shared<'s, R>(&'s RefCell<R>);

impl<'s, R> Shared<'s, R> {
    pub(crate) fn new(reader: &'s RefCell<R>) -> Self {
        Self(reader)
    }
}

impl<R: Read> Read for Shared<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.borrow_mut().read(buffer)
    }
}

impl<R: Seek> Seek for Shared<'_, R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.borrow_mut().seek(to)
    }
}

/// A part of a file, as a file of its own.
pub(crate) struct Part<R> {
    reader: R,
    range: Range<u64>,
    at: u64,
}

impl<R: Read + Seek> Part<R> {
    pub(crate) fn new(reader: R, range: Range<u64>) -> Self {
        Self {
            reader,
            range,
            at: 0,
        }
    }
}

impl<R: Read + Seek> Read for Part<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let at = self.range.start.saturating_add(self.at);
        let left = self.range.end.saturating_sub(at);
        if left == 0 {
            return Ok(0);
        }
        let wanted = usize::try_from(left).map_or(buffer.len(), |left| left.min(buffer.len()));
        self.reader.seek(SeekFrom::Start(at))?;
        let read = self
            .reader
            .read(buffer.get_mut(..wanted).unwrap_or_default())?;
        self.at = self.at.saturating_add(read as u64);
        Ok(read)
    }
}

impl<R: Read + Seek> Seek for Part<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let size = self.range.end.saturating_sub(self.range.start);
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => size.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}
