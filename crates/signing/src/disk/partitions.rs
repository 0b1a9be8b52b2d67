//! Where the volume lies on a disk: in a partition of a GUID table (UEFI specification 2.10, section 5.3) or of an Apple
//! partition map (Apple, "Inside Macintosh: Devices", chapter 3), or on all of it.

use std::io;

use crc_fast::{CrcAlgorithm, checksum};

use crate::disk::DiskError;
use crate::disk::blocks::SECTOR_BYTES;
use crate::disk::plain::{Disk, Part};
use crate::reading::u32_at;
use crate::walk::room;

/// Entries of a table: what every tool writes.
const ENTRIES_MAX: u32 = 128;
const GUID_ENTRY_BYTES: usize = 128;
/// Where a volume of ISO 9660 or UDF says what it is.
const ISO_AT: u64 = 0x8001;

/// Types of partitions in the byte order of the table.
const TYPE_HFS: [u8; 16] = *b"\0SFH\0\0\xaa\x11\xaa\x11\0\x30\x65\x43\xec\xac";
const TYPE_APFS: [u8; 16] = *b"\xef\x57\x34\x7c\0\0\xaa\x11\xaa\x11\0\x30\x65\x43\xec\xac";

/// A file system that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileSystem {
    HfsPlus,
    Apfs,
}

/// A volume, and where it lies in bytes of the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Volume {
    pub(super) file_system: FileSystem,
    start: u64,
    bytes: u64,
}

impl Volume {
    pub(super) fn part<'a>(&self, disk: &'a mut Disk<'_>) -> Part<'a> {
        Part::new(disk, self.start, self.bytes)
    }
}

/// Every volume of a disk. What is in a partition and is no volume is refused.
pub(super) fn volumes(disk: &mut Disk<'_>) -> io::Result<Vec<Volume>> {
    let bytes = disk.bytes;
    let mut whole = Part::new(disk, 0, bytes);
    let head = whole.exactly(0, 2 * 512)?;
    let is_guid = head
        .get(512..)
        .is_some_and(|it| it.starts_with(b"EFI PART"));
    let is_apple = head.starts_with(b"ER") && head.get(512..514) == Some(b"PM");
    let places = match (is_guid, is_apple) {
        (true, false) => guid(&mut whole, &head)?,
        (false, true) => apple(&mut whole)?,
        (false, false) => vec![(0, bytes)],
        (true, true) => return Err(wrong("they are described in two ways")),
    };
    // Which one is opened depends on the system.
    if is_iso(&mut whole)? {
        return Err(wrong("it is a disk of ISO 9660 or UDF too"));
    }
    if (is_guid || is_apple) && file_system(&mut whole)?.is_some() {
        return Err(wrong("there is a volume where they are described"));
    }
    let mut sorted = places.clone();
    sorted.sort_unstable();
    let is_apart = sorted.windows(2).all(|pair| match pair {
        [(start, bytes), (next, _)] => start.saturating_add(*bytes) <= *next,
        _ => true,
    });
    let is_inside =
        |(start, length): &(u64, u64)| start.checked_add(*length).is_some_and(|end| end <= bytes);
    if !is_apart || !places.iter().all(is_inside) {
        return Err(wrong("they overlap, or lie outside the disk"));
    }
    let mut volumes = Vec::new();
    for (start, bytes) in places {
        let found = file_system(&mut Part::new(disk, start, bytes))?;
        let file_system = found.ok_or(DiskError::FileSystem).map_err(room::refused)?;
        volumes.push(Volume {
            file_system,
            start,
            bytes,
        });
    }
    Ok(volumes)
}

fn wrong(wrong: &'static str) -> io::Error {
    room::refused(DiskError::Partitions(wrong))
}

/// What a volume is, by its first bytes. None where it is none that is read.
fn file_system(part: &mut Part<'_>) -> io::Result<Option<FileSystem>> {
    if part.bytes < 2048 {
        return Ok(None);
    }
    let head = part.exactly(0, 2048)?;
    let is_apfs = head.get(32..36) == Some(b"NXSB");
    let is_hfs = matches!(head.get(1024..1026), Some(b"H+" | b"HX"));
    match (is_apfs, is_hfs) {
        (true, true) => Err(wrong("a volume is HFS+ and APFS at once")),
        (true, false) => Ok(Some(FileSystem::Apfs)),
        (false, true) => Ok(Some(FileSystem::HfsPlus)),
        (false, false) => Ok(None),
    }
}

fn is_iso(whole: &mut Part<'_>) -> io::Result<bool> {
    if whole.bytes < ISO_AT + 5 {
        return Ok(false);
    }
    let mark = whole.exactly(ISO_AT, 5)?;
    Ok(mark == b"CD001" || mark == b"BEA01")
}

/// The partitions of a GUID table that hold something: offset and length in bytes.
fn guid(whole: &mut Part<'_>, head: &[u8]) -> io::Result<Vec<(u64, u64)>> {
    let broken = || wrong("the header of the GUID table cannot be read");
    let header = head.get(512..512 + 92).ok_or_else(broken)?;
    let u32_le = |bytes: &[u8], at: usize| u32_at(bytes, at).map(u32::swap_bytes);
    let u64_le = |bytes: &[u8], at: usize| {
        let found = bytes.get(at..).and_then(|it| it.first_chunk::<8>());
        found.map(|it| u64::from_le_bytes(*it)).ok_or_else(broken)
    };
    let crc = |bytes: &[u8]| u32::try_from(checksum(CrcAlgorithm::Crc32IsoHdlc, bytes)).ok();
    let mut summed = header.to_vec();
    summed.get_mut(16..20).unwrap_or_default().fill(0);
    let count = u32_le(header, 80).filter(|count| *count <= ENTRIES_MAX);
    let is_known = u32_le(header, 12) == Some(92) && u32_le(header, 84) == Some(128);
    if u32_le(header, 16) != crc(&summed) || !is_known || u64_le(header, 24)? != 1 {
        return Err(broken());
    }
    let count = usize::try_from(count.ok_or_else(broken)?).map_err(|_| broken())?;
    let at = u64_le(header, 72)?
        .checked_mul(SECTOR_BYTES)
        .ok_or_else(broken)?;
    let entries = whole.exactly(at, count * GUID_ENTRY_BYTES)?;
    if u32_le(header, 88) != crc(&entries) {
        return Err(wrong("the GUID table does not have its checksum"));
    }
    let mut found = Vec::new();
    for entry in entries.as_chunks::<GUID_ENTRY_BYTES>().0 {
        let kind = entry.first_chunk::<16>().copied().unwrap_or_default();
        if kind == [0; 16] {
            continue;
        }
        if kind != TYPE_HFS && kind != TYPE_APFS {
            return Err(wrong("one is of a type that is not read"));
        }
        let (first, last) = (u64_le(entry, 32)?, u64_le(entry, 40)?);
        let sectors = last.checked_sub(first).and_then(|it| it.checked_add(1));
        found.push(sectors.and_then(|it| place(first, it)).ok_or_else(broken)?);
    }
    Ok(found)
}

/// The partitions of an Apple map that hold something.
fn apple(whole: &mut Part<'_>) -> io::Result<Vec<(u64, u64)>> {
    let broken = || wrong("the Apple partition map cannot be read");
    let mut found = Vec::new();
    let mut count = 1;
    let mut at = 0;
    while at < count {
        at += 1;
        let entry = whole.exactly(u64::from(at) * SECTOR_BYTES, 512)?;
        let number = |at| u32_at(&entry, at).ok_or_else(broken);
        let stated = number(4)?;
        let is_entry = entry.starts_with(b"PM") && (1..=ENTRIES_MAX).contains(&stated);
        if !is_entry || (at > 1 && stated != count) {
            return Err(broken());
        }
        count = stated;
        let kind = entry.get(48..80).unwrap_or_default();
        let kind = kind.split(|byte| *byte == 0).next().unwrap_or_default();
        match kind {
            b"Apple_partition_map" | b"Apple_Free" | b"Apple_Void" | b"Apple_Patches" => {}
            driver if driver.starts_with(b"Apple_Driver") => {}
            b"Apple_HFS" | b"Apple_HFSX" | b"Apple_APFS" => {
                let (first, sectors) = (number(8)?, number(12)?);
                found.push(place(first.into(), sectors.into()).ok_or_else(broken)?);
            }
            _ => return Err(wrong("one is of a type that is not read")),
        }
    }
    Ok(found)
}

fn place(first: u64, sectors: u64) -> Option<(u64, u64)> {
    first
        .checked_mul(SECTOR_BYTES)
        .zip(sectors.checked_mul(SECTOR_BYTES))
}
