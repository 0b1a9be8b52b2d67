//! Inodes: what a file, folder, or link is, and where its parts are.

use std::io;

use crate::reading::{u16_le_at, u32_le_at, u64_le_at};

use super::image::{Image, Place};
use super::{Limits, SquashfsError};

/// Kinds, as folders list them. Inodes have seven more, which say more of the same things.
pub(super) const FOLDER: u16 = 1;
const FILE: u16 = 2;
const LINK: u16 = 3;
/// Block and character devices, pipes, and sockets.
const OTHERS: std::ops::RangeInclusive<u16> = 4..=7;
const EXTENDED: u16 = 7;
/// The number of the block of its end that a file has which has no such block.
const NO_FRAGMENT: u32 = u32::MAX;

pub(super) struct Inode {
    /// As folders list it.
    pub(super) kind: u16,
    pub(super) mode: u16,
    pub(super) number: u32,
    pub(super) what: What,
}

pub(super) enum What {
    Folder {
        /// From the beginning of the table of folders.
        block: u32,
        offset: u16,
        /// Three more than its list has.
        bytes: u32,
    },
    File(File),
    Link {
        target: String,
    },
    Other,
}

/// Where the parts of a file are.
pub(super) struct File {
    /// Where its first block is.
    pub(super) start: u64,
    pub(super) bytes: u64,
    /// How many names it has.
    pub(super) links: u32,
    /// The block that has its end, and where in that.
    pub(super) fragment: Option<(u32, u32)>,
    /// Where the lengths of its blocks stand.
    pub(super) lengths: Place,
}

impl Inode {
    /// Reads the inode that a reference points to.
    pub(super) fn read(image: &mut Image<'_>, reference: u64) -> io::Result<Self> {
        let mut place = Place::of_reference(image.superblock.inodes, reference);
        // type, mode, user, group, time, number
        let head = image.table(&mut place, 16)?;
        let short = || SquashfsError::Table("an inode");
        let kind = u16_le_at(&head, 0).ok_or_else(short)?;
        let mode = u16_le_at(&head, 2).ok_or_else(short)?;
        let number = u32_le_at(&head, 12).ok_or_else(short)?;
        let is_extended = kind > EXTENDED;
        let kind = if is_extended { kind - EXTENDED } else { kind };
        let what = match (kind, is_extended) {
            (FOLDER, false) => folder(&image.table(&mut place, 16)?),
            (FOLDER, true) => extended_folder(&image.table(&mut place, 24)?),
            (FILE, false) => {
                let body = image.table(&mut place, 16)?;
                file(&body, place)
            }
            (FILE, true) => {
                let body = image.table(&mut place, 40)?;
                extended_file(&body, place)
            }
            (LINK, _) => Some(link(image, &mut place)?),
            (kind, _) if OTHERS.contains(&kind) => Some(What::Other),
            _ => return Err(SquashfsError::Table("an inode of a kind that is not known").into()),
        };
        Ok(Self {
            kind,
            mode,
            number,
            what: what.ok_or_else(short)?,
        })
    }
}

/// block, links, u16 bytes, u16 offset, parent
fn folder(body: &[u8]) -> Option<What> {
    Some(What::Folder {
        block: u32_le_at(body, 0)?,
        bytes: u16_le_at(body, 8)?.into(),
        offset: u16_le_at(body, 10)?,
    })
}

/// links, bytes, block, parent, u16 count of an index, u16 offset, attributes
fn extended_folder(body: &[u8]) -> Option<What> {
    Some(What::Folder {
        block: u32_le_at(body, 8)?,
        bytes: u32_le_at(body, 4)?,
        offset: u16_le_at(body, 18)?,
    })
}

/// start, fragment, offset in it, bytes
fn file(body: &[u8], lengths: Place) -> Option<What> {
    Some(What::File(File {
        start: u32_le_at(body, 0)?.into(),
        bytes: u32_le_at(body, 12)?.into(),
        links: 1,
        fragment: fragment(u32_le_at(body, 4)?, u32_le_at(body, 8)?),
        lengths,
    }))
}

/// u64 start, u64 bytes, u64 bytes that are not there, links, fragment, offset in it, attributes
fn extended_file(body: &[u8], lengths: Place) -> Option<What> {
    Some(What::File(File {
        start: u64_le_at(body, 0)?,
        bytes: u64_le_at(body, 8)?,
        links: u32_le_at(body, 24)?,
        fragment: fragment(u32_le_at(body, 28)?, u32_le_at(body, 32)?),
        lengths,
    }))
}

fn fragment(number: u32, offset: u32) -> Option<(u32, u32)> {
    (number != NO_FRAGMENT).then_some((number, offset))
}

/// links, bytes, target
fn link(image: &mut Image<'_>, place: &mut Place) -> io::Result<What> {
    let body = image.table(place, 8)?;
    let bytes = u32_le_at(&body, 4).filter(|bytes| (1..=Limits::TARGET_BYTES).contains(bytes));
    let bytes = bytes.ok_or(SquashfsError::Table("the length of the target of a link"))?;
    let target = image.table(place, bytes as usize)?;
    let target = String::from_utf8(target)
        .ok()
        .filter(|it| !it.contains('\0'));
    let target = target.ok_or(SquashfsError::Table("the target of a link"))?;
    Ok(What::Link { target })
}
