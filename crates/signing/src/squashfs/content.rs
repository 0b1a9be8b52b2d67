//! The content of a file: its blocks one behind the other, and its end, which may share a block with others.

use std::io::{self, Read};

use crate::reading::u32_le_at;

use super::SquashfsError;
use super::image::{Image, Place};
use super::inode::File;

/// One block at a time is held.
pub(super) struct Content<'i, 'a> {
    image: &'i mut Image<'a>,
    /// Where the next block is, and where its length stands.
    at: u64,
    lengths: Place,
    /// Whole blocks, the last of which may be short where there is no fragment.
    blocks: u64,
    /// Bytes that are not handed out yet.
    left: u64,
    fragment: Option<(u32, u32)>,
    held: io::Cursor<Vec<u8>>,
}

impl<'i, 'a> Content<'i, 'a> {
    pub(super) fn new(image: &'i mut Image<'a>, file: &File) -> Result<Self, SquashfsError> {
        let block_bytes = u64::from(image.superblock.block_bytes);
        let blocks = match file.fragment {
            Some(_) if file.bytes.is_multiple_of(block_bytes) => {
                return Err(SquashfsError::Table("a fragment without anything in it"));
            }
            Some(_) => file.bytes / block_bytes,
            None => file.bytes.div_ceil(block_bytes),
        };
        Ok(Self {
            image,
            at: file.start,
            lengths: file.lengths,
            blocks,
            left: file.bytes,
            fragment: file.fragment,
            held: io::Cursor::default(),
        })
    }

    /// The next block, or the end.
    fn next(&mut self) -> io::Result<Vec<u8>> {
        let block_bytes = self.image.superblock.block_bytes;
        let expected = self.left.min(block_bytes.into());
        self.left -= expected;
        // Bounded by a block.
        let expected = usize::try_from(expected).map_err(|_| SquashfsError::Outside)?;
        let left = self.blocks.checked_sub(1);
        let Some(left) = left else {
            return self.end(expected);
        };
        self.blocks = left;
        let length = self.image.table(&mut self.lengths, 4)?;
        let length = u32_le_at(&length, 0).ok_or(SquashfsError::Truncated)?;
        // A hole.
        if length == 0 {
            return Ok(vec![0; expected]);
        }
        let block = self.image.block(self.at, length)?;
        let packed = length & !super::image::PLAIN;
        self.at = self.at.saturating_add(packed.into());
        let found = block.len();
        match found == expected {
            true => Ok(block),
            false => Err(SquashfsError::Length { expected, found }.into()),
        }
    }

    fn end(&mut self, expected: usize) -> io::Result<Vec<u8>> {
        let (number, offset) = self.fragment.ok_or(SquashfsError::Outside)?;
        let fragment = self.image.fragment(number)?;
        let end = fragment.get(offset as usize..);
        let end = end.and_then(|end| end.get(..expected));
        Ok(end.ok_or(SquashfsError::Outside)?.to_vec())
    }
}

impl Read for Content<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.held.read(buffer)?;
            if read > 0 || buffer.is_empty() || self.left == 0 {
                return Ok(read);
            }
            self.held = io::Cursor::new(self.next()?);
        }
    }
}
