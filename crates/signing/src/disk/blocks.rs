//! The blocks of a disk, as the property list of an image describes them: tables, one for each partition and each gap. In
//! each, big-endian:
//!
//! ```text
//! 0x00 "mish" | u32 version = 1 | u64 first sector | u64 sectors | u64 offset of its data | u32 buffers | u32 descriptors
//! 0x40 u32 kind, u32 bits, and 128 bytes of the checksum of what it unpacks to
//! 0xc8 u32 blocks: u32 kind | u32 comment | u64 sector in the table | u64 sectors | u64 offset in the data | u64 bytes
//! ```

use release::name::printable;

use crate::apple::plist::Value;
use crate::disk::DiskError;
use crate::disk::chunk::Compression;
use crate::dmg::{Checksum, Limits as ImageLimits};
use crate::reading::{u32_at, u64_at};

/// Bytes of a sector.
pub(super) const SECTOR_BYTES: u64 = 512;
/// Sectors of a block that is compressed: 8 MiB. `hdiutil` writes 256 KiB or 1 MiB.
const SECTORS_MAX: u64 = 16 * 1024;
/// Bytes that such a block is compressed to, where that makes it longer.
const PACKED_BYTES_MAX: u64 = 9 * 1024 * 1024;
/// Sectors of a disk, so that every offset is one.
const DISK_SECTORS_MAX: u64 = 1 << 48;

const CHECKSUM_AT: usize = 0x40;
const COUNT_AT: usize = 0xc8;
const BLOCKS_AT: usize = 0xcc;
const BLOCK_BYTES: usize = 40;

const ZERO: u32 = 0;
const RAW: u32 = 1;
const IGNORED: u32 = 2;
const ADC: u32 = 0x8000_0004;
const ZLIB: u32 = 0x8000_0005;
const BZIP2: u32 = 0x8000_0006;
const LZFSE: u32 = 0x8000_0007;
const LZMA: u32 = 0x8000_0008;
const COMMENT: u32 = 0x7fff_fffe;
const END: u32 = 0xffff_ffff;

/// What a block is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Zero,
    /// Zeros that the checksum is not about: space that no file has.
    Ignored,
    Raw,
    Packed(Compression),
}

/// A block: where it lies on the disk, and in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) sector: u64,
    pub(super) sectors: u64,
    pub(super) kind: Kind,
    pub(super) offset: u64,
    pub(super) bytes: u64,
}

impl Block {
    pub(super) fn end(&self) -> u64 {
        self.sector.saturating_add(self.sectors)
    }
}

/// A table.
#[derive(Debug)]
pub(super) struct Table {
    /// What it is called, safe to print.
    pub(super) name: String,
    /// CRC-32 of what it unpacks to; none where nothing is stated.
    pub(super) crc32: Option<u32>,
    /// First and last, in blocks of the disk.
    pub(super) blocks: std::ops::Range<usize>,
}

/// Every table of a property list, and all blocks in the order of the disk. `data` is where the data lies in the file.
pub(super) fn parse(list: &[u8], data: (u64, u64)) -> Result<(Vec<Table>, Vec<Block>), DiskError> {
    let list = Value::parse(list).map_err(|_| DiskError::List("it is none"))?;
    let pieces = list.get("resource-fork").and_then(|it| it.get("blkx"));
    let Some(Value::Array(pieces)) = pieces else {
        return Err(DiskError::List(
            "it has no array `blkx` under `resource-fork`",
        ));
    };
    if pieces.len() > ImageLimits::PIECES {
        return Err(DiskError::List(
            "it describes more pieces of data than are read",
        ));
    }
    let mut found = Vec::new();
    for piece in pieces {
        let name = ["CFName", "Name"]
            .iter()
            .find_map(|key| piece.get(key)?.text());
        let name = printable(name.unwrap_or_default());
        let bytes = piece.get("Data").and_then(Value::data).unwrap_or_default();
        let table = table(bytes, data).map_err(|wrong| DiskError::Blocks {
            piece: name.clone(),
            wrong,
        })?;
        found.push((name, table));
    }
    // Tables without a block have no place on the disk.
    found.sort_by_key(|(_, (first, ..))| *first);
    let (mut tables, mut blocks) = (Vec::new(), Vec::<Block>::new());
    for (name, (first, crc32, mut own)) in found {
        if blocks.last().is_some_and(|last| last.end() > first) {
            return Err(DiskError::Overlap);
        }
        let start = blocks.len();
        blocks.append(&mut own);
        let blocks = start..blocks.len();
        tables.push(Table {
            name,
            crc32,
            blocks,
        });
    }
    match is_apart(&blocks) {
        true => Ok((tables, blocks)),
        false => Err(DiskError::Shared),
    }
}

/// Whether no two blocks lie in one place of the file: some readers take the one, and few bytes would unpack to many.
fn is_apart(blocks: &[Block]) -> bool {
    let mut places: Vec<_> = blocks.iter().filter(|it| it.bytes > 0).collect();
    places.sort_unstable_by_key(|it| it.offset);
    places.windows(2).all(|pair| match pair {
        [one, next] => one.offset.saturating_add(one.bytes) <= next.offset,
        _ => true,
    })
}

type Parsed = (u64, Option<u32>, Vec<Block>);

fn table(bytes: &[u8], data: (u64, u64)) -> Result<Parsed, &'static str> {
    let head = "they are described in a way that is not known";
    let wide = |at| u64_at(bytes, at).ok_or(head);
    if !bytes.starts_with(b"mish") || u32_at(bytes, 4) != Some(1) {
        return Err(head);
    }
    let (first, sectors, offset) = (wide(8)?, wide(16)?, wide(24)?);
    let is_small = first
        .checked_add(sectors)
        .is_some_and(|end| end <= DISK_SECTORS_MAX);
    if !is_small {
        return Err("they lie further than any disk");
    }
    let crc32 = match Checksum::read(bytes, CHECKSUM_AT) {
        Some(Checksum { kind: 0, .. }) => None,
        Some(Checksum { kind: 2, value }) => {
            let value = value.first_chunk::<4>().filter(|_| value.len() == 4);
            Some(u32::from_be_bytes(*value.ok_or(head)?))
        }
        _ => return Err("their checksum is of a kind that is not computed"),
    };
    let count = u32_at(bytes, COUNT_AT).ok_or(head)?;
    let (described, rest) = bytes
        .get(BLOCKS_AT..)
        .ok_or(head)?
        .as_chunks::<BLOCK_BYTES>();
    if u32::try_from(described.len()) != Ok(count) || !rest.is_empty() {
        return Err("there are more or fewer of them than are stated");
    }
    let (last, described) = described.split_last().ok_or("none ends them")?;
    if u32_at(last, 0) != Some(END) {
        return Err("none ends them");
    }
    let mut blocks = Vec::with_capacity(described.len());
    let mut next = 0;
    for block in described {
        let Some(block) = read_block(block, offset, data)? else {
            continue;
        };
        if block.sector != next {
            return Err("they do not lie one behind the other");
        }
        next = block.end();
        if next > sectors {
            return Err("they are longer than what they are part of");
        }
        if block.sectors > 0 {
            let sector = first + block.sector;
            blocks.push(Block { sector, ..block });
        }
    }
    match next == sectors {
        true => Ok((first, crc32, blocks)),
        false => Err("they are shorter than what they are part of"),
    }
}

/// A block; none where it is a comment.
fn read_block(
    bytes: &[u8],
    table: u64,
    (start, length): (u64, u64),
) -> Result<Option<Block>, &'static str> {
    let head = "one cannot be read";
    let wide = |at| u64_at(bytes, at).ok_or(head);
    let (sector, sectors, offset, packed) = (wide(8)?, wide(16)?, wide(24)?, wide(32)?);
    let kind = match u32_at(bytes, 0).ok_or(head)? {
        COMMENT => return Ok(None),
        ZERO => Kind::Zero,
        IGNORED => Kind::Ignored,
        RAW => Kind::Raw,
        ZLIB => Kind::Packed(Compression::Zlib),
        BZIP2 => Kind::Packed(Compression::Bzip2),
        LZFSE => Kind::Packed(Compression::Lzfse),
        LZMA => Kind::Packed(Compression::Xz),
        ADC => {
            return Err(
                "one is compressed with ADC, which is not read (`hdiutil convert -format UDZO` makes an image that is)",
            );
        }
        END => return Err("one ends them and is not the last"),
        _ => return Err("one is of a kind that is not known"),
    };
    let plain = sectors.checked_mul(SECTOR_BYTES).ok_or(head)?;
    let bytes = match kind {
        Kind::Zero | Kind::Ignored => 0,
        Kind::Raw if packed == plain => packed,
        Kind::Raw => return Err("one that is not compressed has another length in the file"),
        Kind::Packed(_) if sectors <= SECTORS_MAX && packed <= PACKED_BYTES_MAX => packed,
        Kind::Packed(_) => return Err("one is larger than what is unpacked at once"),
    };
    let inside = table.checked_add(offset).ok_or(head)?;
    let end = inside.checked_add(bytes).ok_or(head)?;
    if bytes > 0 && end > length {
        return Err("one does not lie in the data of the image");
    }
    let offset = start.checked_add(inside).ok_or(head)?;
    Ok(Some(Block {
        sector,
        sectors,
        kind,
        offset,
        bytes,
    }))
}
