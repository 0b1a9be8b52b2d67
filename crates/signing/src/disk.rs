//! What a disk image of macOS holds: the disk that its data unpacks to, the volume on it, and the files on that.
//!
//! [`crate::dmg`] judges the signature of an image, and the checksum of its data as it lies in the file. Here the checksums of
//! what it unpacks to are compared, before any file is handed on. Encrypted images and volumes, images of several segments,
//! and file systems other than HFS+ and APFS are refused.

mod apfs;
mod blocks;
mod chunk;
mod decmpfs;
mod files;
mod hfs;
mod partitions;
mod plain;

use std::io;

use thiserror::Error;

use crate::verify::Bytes;
use crate::walk::entry::Each;
use crate::walk::room;

use partitions::FileSystem;
use plain::Disk;

/// Why the disk of an image is not read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum DiskError {
    #[error("{0}")]
    Image(#[from] crate::dmg::DmgError),
    #[error("the property list of the image: {0}")]
    List(&'static str),
    #[error("the blocks of `{piece}`: {wrong}")]
    Blocks { piece: String, wrong: &'static str },
    #[error("two blocks of the image unpack to one place of the disk")]
    Overlap,
    #[error("two blocks of the image are unpacked from one place of its data")]
    Shared,
    #[error("the image says that its disk has {stated} sectors, and its blocks end at {found}")]
    Size { stated: u64, found: u64 },
    #[error("the block of the disk that begins at sector {sector}: {wrong}")]
    Chunk { sector: u64, wrong: String },
    #[error("`{0}` unpacks to bytes that do not have the checksum that is stated of it")]
    Checksum(String),
    #[error("its partitions: {0}")]
    Partitions(&'static str),
    #[error("it has {0} volumes, and images with one are read")]
    Volumes(usize),
    #[error("the volume is none that is read (HFS+, APFS)")]
    FileSystem,
    #[error("the disk ends before what lies at {0}")]
    End(u64),
}

/// Reads the files of an image, and hands each with its content on.
///
/// # Errors
/// Where the image or its volume is refused, and those of the reader below and of `each`.
pub(crate) fn walk(bytes: &mut dyn Bytes, each: Each<'_>) -> io::Result<()> {
    let mut disk = Disk::open(bytes)?;
    disk.check()?;
    let mut volumes = partitions::volumes(&mut disk)?;
    let volume = volumes
        .pop()
        .ok_or(DiskError::FileSystem)
        .map_err(room::refused)?;
    if !volumes.is_empty() {
        return Err(room::refused(DiskError::Volumes(volumes.len() + 1)));
    }
    let mut part = volume.part(&mut disk);
    match volume.file_system {
        FileSystem::HfsPlus => hfs::walk(&mut part, each),
        FileSystem::Apfs => apfs::walk(&mut part, each),
    }
}

#[cfg(test)]
pub(crate) mod tests;
