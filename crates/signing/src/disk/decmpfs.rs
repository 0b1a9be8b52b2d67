//! Files that the file system compresses: an attribute `com.apple.decmpfs`, and behind its header, or in the resource fork,
//! blocks of 64 KiB, each compressed by itself or as it is.
//!
//! ```text
//! "fpmc" | u32 type | u64 bytes | the bytes, for types with an odd number
//! resource fork of zlib: u32 offset of the data, big-endian | there: u32 | u32 blocks | each: u32 offset, u32 bytes
//! of the others: u32 offset of each block, and of the end
//! ```
//!
//! Little-endian where nothing else is said. Source: `decmpfs.h` of Apple's open kernel, and files that macOS makes.

use std::io::{self, Read};

use thiserror::Error;

use crate::disk::chunk::{self, Compression};
use crate::disk::files::Fork;
use crate::disk::plain::Part;

/// The name of the attribute.
pub(super) const ATTRIBUTE: &str = "com.apple.decmpfs";
/// Plain bytes of a block.
const BLOCK_BYTES: u64 = 64 * 1024;
/// Bytes that a block is compressed to, where that makes it longer.
const PACKED_BYTES_MAX: usize = 128 * 1024;
/// Bytes of a file that lies in its attribute.
const INLINE_BYTES_MAX: u64 = 1024 * 1024;

/// Why a compressed file is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum DecmpfsError {
    #[error("how cannot be read")]
    Header,
    #[error("in a way that is not read (type {0})")]
    Type(u32),
    #[error("it has no resource fork that its bytes could lie in")]
    NoResource,
    #[error("it has bytes that are not compressed too")]
    Both,
    #[error("the table of its blocks cannot be read")]
    Table,
    #[error("block {block}: {wrong}")]
    Block { block: u64, wrong: String },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Codec {
    Zlib,
    Lzvn,
    Lzfse,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Attribute(Vec<u8>),
    Resource(Fork),
}

/// A compressed file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Packed {
    codec: Codec,
    bytes: u64,
    place: Place,
}

impl Packed {
    /// Reads an attribute. `resource` is the resource fork of the file.
    pub(super) fn parse(attribute: &[u8], resource: Option<Fork>) -> Result<Self, DecmpfsError> {
        let (header, inline) = attribute
            .split_first_chunk::<16>()
            .ok_or(DecmpfsError::Header)?;
        let kind = u32_le(header, 4).filter(|_| header.starts_with(b"fpmc"));
        let bytes = header.last_chunk::<8>().map(|it| u64::from_le_bytes(*it));
        let (kind, bytes) = kind.zip(bytes).ok_or(DecmpfsError::Header)?;
        let codec = match kind {
            3 | 4 => Codec::Zlib,
            7 | 8 => Codec::Lzvn,
            11 | 12 => Codec::Lzfse,
            other => return Err(DecmpfsError::Type(other)),
        };
        let place = match kind % 2 {
            1 if bytes > INLINE_BYTES_MAX => return Err(DecmpfsError::Header),
            1 => Place::Attribute(inline.to_vec()),
            _ if !inline.is_empty() => return Err(DecmpfsError::Header),
            _ => Place::Resource(
                resource
                    .filter(Fork::is_covered)
                    .ok_or(DecmpfsError::NoResource)?,
            ),
        };
        Ok(Self {
            codec,
            bytes,
            place,
        })
    }

    pub(super) fn resource(&self) -> Option<&Fork> {
        match &self.place {
            Place::Resource(fork) => Some(fork),
            Place::Attribute(_) => None,
        }
    }

    /// Its plain bytes.
    pub(super) fn content<'a, 'd>(
        &'a self,
        part: &'a mut Part<'d>,
        refused: &'a dyn Fn(DecmpfsError) -> io::Error,
    ) -> io::Result<Content<'a, 'd>> {
        let table = self.table(part)?.map_err(refused)?;
        Ok(Content {
            packed: self,
            part,
            refused,
            table,
            block: 0,
            plain: io::Cursor::default(),
        })
    }

    fn blocks(&self) -> u64 {
        match self.place {
            Place::Attribute(_) => u64::from(self.bytes > 0),
            Place::Resource(_) => self.bytes.div_ceil(BLOCK_BYTES),
        }
    }

    /// Where the table of blocks begins in the resource fork. It is read one block at a time.
    fn table(&self, part: &mut Part<'_>) -> io::Result<Result<u64, DecmpfsError>> {
        let wrong = Ok(Err(DecmpfsError::Table));
        let Place::Resource(fork) = &self.place else {
            return Ok(Ok(0));
        };
        let mut head = [0; 4];
        if !fork.fill(part, 0, &mut head)? {
            return wrong;
        }
        if self.codec != Codec::Zlib {
            let first = u64::from(u32::from_le_bytes(head));
            let is_table = first == (self.blocks() + 1) * 4;
            return if is_table { Ok(Ok(0)) } else { wrong };
        }
        let data = u64::from(u32::from_be_bytes(head));
        let mut count = [0; 4];
        if !fork.fill(part, data + 4, &mut count)?
            || u64::from(u32::from_le_bytes(count)) != self.blocks()
        {
            return wrong;
        }
        Ok(Ok(data + 4))
    }

    /// One block as it lies in the file.
    fn packed(&self, part: &mut Part<'_>, table: u64, block: u64) -> io::Result<Option<Vec<u8>>> {
        let fork = match &self.place {
            Place::Attribute(bytes) => return Ok(Some(bytes.clone())),
            Place::Resource(fork) => fork,
        };
        let mut place = [0; 8];
        let (first, step) = match self.codec {
            Codec::Zlib => (table + 4, 8),
            Codec::Lzvn | Codec::Lzfse => (table, 4),
        };
        if !fork.fill(part, first + block * step, &mut place)? {
            return Ok(None);
        }
        let (one, other) = (
            u32_le(&place, 0).unwrap_or_default(),
            u32_le(&place, 4).unwrap_or_default(),
        );
        let length = match self.codec {
            Codec::Zlib => Some(other),
            Codec::Lzvn | Codec::Lzfse => other.checked_sub(one),
        };
        let length = length.and_then(|it| usize::try_from(it).ok());
        let Some(length) = length.filter(|it| *it <= PACKED_BYTES_MAX) else {
            return Ok(None);
        };
        let mut packed = vec![0; length];
        let is_there = fork.fill(part, table + u64::from(one), &mut packed)?;
        Ok(is_there.then_some(packed))
    }

    /// A block without compression. One that would not have become shorter is as it is, behind a byte that begins no stream.
    fn unpack(&self, packed: &[u8], bytes: usize) -> Result<Vec<u8>, String> {
        let (first, rest) = packed.split_first().ok_or("it is empty")?;
        let is_plain = match self.codec {
            Codec::Zlib => first & 0x0f == 0x0f,
            Codec::Lzvn => *first == 0x06,
            Codec::Lzfse => *first == 0xff,
        };
        match (is_plain, self.codec) {
            (true, _) if rest.len() == bytes => Ok(rest.to_vec()),
            (true, _) => Err("it has another length than it states".to_owned()),
            (_, Codec::Zlib) => chunk::unpack(packed, Compression::Zlib, bytes),
            (_, Codec::Lzvn) => chunk::unpack_lzvn(packed, bytes),
            (_, Codec::Lzfse) => chunk::unpack(packed, Compression::Lzfse, bytes),
        }
    }
}

fn u32_le(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..)?.first_chunk::<4>()?;
    Some(u32::from_le_bytes(*bytes))
}

/// The plain bytes as they pass, one block at a time.
pub(super) struct Content<'a, 'd> {
    packed: &'a Packed,
    part: &'a mut Part<'d>,
    refused: &'a dyn Fn(DecmpfsError) -> io::Error,
    table: u64,
    block: u64,
    plain: io::Cursor<Vec<u8>>,
}

impl Read for Content<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.plain.read(buffer)?;
            if read > 0 || buffer.is_empty() || self.block >= self.packed.blocks() {
                return Ok(read);
            }
            let block = self.block;
            let before = block * BLOCK_BYTES;
            let bytes = match self.packed.place {
                Place::Attribute(_) => self.packed.bytes,
                Place::Resource(_) => BLOCK_BYTES.min(self.packed.bytes - before),
            };
            let packed = self.packed.packed(self.part, self.table, block)?;
            let packed = packed.ok_or_else(|| (self.refused)(DecmpfsError::Table))?;
            let wrong = |wrong| (self.refused)(DecmpfsError::Block { block, wrong });
            let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
            self.plain = io::Cursor::new(self.packed.unpack(&packed, bytes).map_err(wrong)?);
            self.block += 1;
        }
    }
}
