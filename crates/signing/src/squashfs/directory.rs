//! The list of a folder: headers, and up to 256 entries behind each.

use std::io;

use release::name::printable;

use crate::reading::{u16_le_at, u32_le_at};

use super::SquashfsError;
use super::image::{Image, Place};
use super::inode::FOLDER;

/// What the length of an empty list is: `.` and `..` count, and stand nowhere.
const EMPTY_BYTES: u32 = 3;
const HEADER_BYTES: usize = 12;
const ENTRY_BYTES: usize = 8;
const ENTRIES_MAX: u32 = 256;
const NAME_BYTES_MAX: usize = 256;

/// What is left of a list. Nothing of it is held.
pub(super) struct Listing {
    place: Place,
    bytes: usize,
    header: Option<Header>,
    last: Vec<u8>,
}

struct Header {
    /// Entries that still belong to it.
    left: u32,
    /// The block of their inodes.
    block: u32,
    /// What the numbers of their inodes are counted from.
    number: u32,
}

/// What a folder says of one thing in it.
pub(super) struct Listed {
    pub(super) name: Vec<u8>,
    pub(super) kind: u16,
    /// Where its inode is.
    pub(super) inode: u64,
    pub(super) number: u32,
}

impl Listing {
    pub(super) fn new(
        image: &Image<'_>,
        block: u32,
        offset: u16,
        bytes: u32,
    ) -> Result<Self, SquashfsError> {
        let bytes = bytes.checked_sub(EMPTY_BYTES);
        let bytes = bytes.ok_or(SquashfsError::Table("the length of a folder"))?;
        let block = image.superblock.directories.saturating_add(block.into());
        Ok(Self {
            place: Place {
                block,
                offset: offset.into(),
            },
            bytes: bytes as usize,
            header: None,
            last: Vec::new(),
        })
    }

    /// The next entry; none behind the last.
    pub(super) fn next(&mut self, image: &mut Image<'_>) -> io::Result<Option<Listed>> {
        let header = match self.header.take().filter(|it| it.left > 0) {
            Some(header) => header,
            None if self.bytes == 0 => return Ok(None),
            None => self.header(image)?,
        };
        let listed = self.entry(image, &header)?;
        self.header = Some(Header {
            left: header.left - 1,
            ..header
        });
        if self.last >= listed.name {
            let name = String::from_utf8_lossy(&listed.name);
            return Err(SquashfsError::Order(printable(&name)).into());
        }
        self.last.clone_from(&listed.name);
        Ok(Some(listed))
    }

    /// count less one, block, number
    fn header(&mut self, image: &mut Image<'_>) -> io::Result<Header> {
        let found = self.take(image, HEADER_BYTES)?;
        let header = |at| u32_le_at(&found, at).ok_or(SquashfsError::Truncated);
        let left = header(0)?.saturating_add(1);
        if left > ENTRIES_MAX {
            return Err(
                SquashfsError::Table("more entries behind a header than there may be").into(),
            );
        }
        Ok(Header {
            left,
            block: header(4)?,
            number: header(8)?,
        })
    }

    /// u16 offset, i16 number less the header's, u16 kind, u16 length of the name less one, name
    fn entry(&mut self, image: &mut Image<'_>, header: &Header) -> io::Result<Listed> {
        let found = self.take(image, ENTRY_BYTES)?;
        let field = |at| u16_le_at(&found, at).ok_or(SquashfsError::Truncated);
        let (offset, number, kind) = (field(0)?, field(2)?, field(4)?);
        let name_bytes = usize::from(field(6)?).saturating_add(1);
        if name_bytes > NAME_BYTES_MAX {
            return Err(SquashfsError::Table("the length of a name").into());
        }
        if !(FOLDER..=7).contains(&kind) {
            return Err(SquashfsError::Table("an entry of a kind that is not known").into());
        }
        Ok(Listed {
            name: self.take(image, name_bytes)?,
            kind,
            inode: u64::from(header.block) << 16 | u64::from(offset),
            number: header
                .number
                .wrapping_add_signed(i32::from(number.cast_signed())),
        })
    }

    fn take(&mut self, image: &mut Image<'_>, bytes: usize) -> io::Result<Vec<u8>> {
        let left = self.bytes.checked_sub(bytes);
        self.bytes = left.ok_or(SquashfsError::Table("a folder ends inside an entry"))?;
        image.table(&mut self.place, bytes)
    }
}
