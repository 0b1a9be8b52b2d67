//! Reading by offsets, as formats need whose parts point at one another. Nothing is allocated that is not in the file.

use std::io::{self, Read, Seek, SeekFrom};

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
