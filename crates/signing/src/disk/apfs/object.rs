//! Blocks of a container, and the header that each object begins with:
//!
//! ```text
//! u64 checksum | u64 identifier | u64 transaction | u32 type and how it is stored | u32 type of what is in it
//! ```

use std::io;

use crate::disk::apfs::ApfsError;
use crate::disk::plain::Part;
use crate::walk::room;

/// Bytes of a block.
const BLOCK_BYTES: std::ops::RangeInclusive<u32> = 4096..=65536;

/// What an object is, in the low half of its type; the other says how it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Container,
    TreeRoot,
    TreeNode,
    Map,
    Volume,
}

impl Kind {
    pub(super) fn number(self) -> u16 {
        match self {
            Self::Container => 1,
            Self::TreeRoot => 2,
            Self::TreeNode => 3,
            Self::Map => 11,
            Self::Volume => 13,
        }
    }
}

/// An object whose checksum holds.
pub(super) struct Object {
    pub(super) block: u64,
    pub(super) id: u64,
    pub(super) transaction: u64,
    pub(super) kind: u16,
    pub(super) bytes: Vec<u8>,
}

impl Object {
    pub(super) fn u32(&self, at: usize) -> io::Result<u32> {
        u32_at(&self.bytes, at).ok_or_else(|| room::refused(ApfsError::Object(self.block)))
    }

    pub(super) fn u64(&self, at: usize) -> io::Result<u64> {
        u64_at(&self.bytes, at).ok_or_else(|| room::refused(ApfsError::Object(self.block)))
    }
}

/// The blocks of a container.
pub(super) struct Blocks<'a, 'd> {
    pub(super) part: &'a mut Part<'d>,
    pub(super) block_bytes: u64,
    pub(super) count: u64,
}

impl<'a, 'd> Blocks<'a, 'd> {
    pub(super) fn open(part: &'a mut Part<'d>) -> io::Result<Self> {
        let head = part.exactly(0, 64)?;
        let wrong = || room::refused(ApfsError::Container);
        let block_bytes =
            u32_at(&head, 36).filter(|it| BLOCK_BYTES.contains(it) && it.is_power_of_two());
        let block_bytes = block_bytes.ok_or_else(wrong)?;
        let count = u64_at(&head, 40).ok_or_else(wrong)?;
        let bytes = count.checked_mul(block_bytes.into());
        if bytes.is_none_or(|bytes| bytes > part.bytes) {
            return Err(wrong());
        }
        Ok(Self {
            part,
            block_bytes: block_bytes.into(),
            count,
        })
    }

    /// The object of a block. None where it has not its checksum, or there is no such block.
    pub(super) fn read(&mut self, block: u64) -> io::Result<Option<Object>> {
        if block >= self.count {
            return Ok(None);
        }
        let length = usize::try_from(self.block_bytes).unwrap_or_default();
        let bytes = self.part.exactly(block * self.block_bytes, length)?;
        let numbers = u64_at(&bytes, 0).zip(u64_at(&bytes, 8));
        let more = u64_at(&bytes, 16).zip(u32_at(&bytes, 24));
        let Some(((stated, id), (transaction, kind))) = numbers.zip(more) else {
            return Ok(None);
        };
        if checksum(bytes.get(8..).unwrap_or_default()) != stated {
            return Ok(None);
        }
        let kind = u16::try_from(kind & 0xffff).unwrap_or_default();
        Ok(Some(Object {
            block,
            id,
            transaction,
            kind,
            bytes,
        }))
    }
}

/// Fletcher's checksum of words of 32 bits, so that the sums over all with it are zero.
pub(in crate::disk) fn checksum(bytes: &[u8]) -> u64 {
    const MODULUS: u64 = u32::MAX as u64;
    let (mut first, mut second) = (0_u64, 0_u64);
    for word in bytes.as_chunks::<4>().0 {
        first = (first + u64::from(u32::from_le_bytes(*word))) % MODULUS;
        second = (second + first) % MODULUS;
    }
    let low = MODULUS - (first + second) % MODULUS;
    let high = MODULUS - (first + low) % MODULUS;
    high << 32 | low
}

pub(in crate::disk) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let bytes = bytes.get(at..)?.first_chunk::<2>()?;
    Some(u16::from_le_bytes(*bytes))
}

pub(in crate::disk) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..)?.first_chunk::<4>()?;
    Some(u32::from_le_bytes(*bytes))
}

pub(in crate::disk) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    let bytes = bytes.get(at..)?.first_chunk::<8>()?;
    Some(u64::from_le_bytes(*bytes))
}
