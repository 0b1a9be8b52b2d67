//! APFS: the container, its newest checkpoint, and the volume in it. All numbers are little-endian.
//!
//! Every object has a checksum, and an identifier that is either the number of its block or is given one by an object map. The
//! newest checkpoint that is whole says where the map of the container lies, that leads to the volume, whose own map leads to
//! the tree of its records. Not read: what is encrypted, sealed, or on two devices, snapshots, and the manager of free space.
//!
//! Source: Apple, "Apple File System Reference" (2020-06-22).

mod btree;
mod map;
pub(super) mod object;
mod records;

use std::io;

use thiserror::Error;

use crate::disk::plain::Part;
use crate::walk::entry::Each;
use crate::walk::room;

use map::Map;
use object::{Blocks, Kind, Object};

/// Blocks in which checkpoints stand.
const CHECKPOINT_BLOCKS_MAX: u32 = 4096;
/// Slots for volumes.
const VOLUMES_MAX: usize = 100;
const ROOT: u64 = 2;

/// Features that change how a container or a volume is read, as far as they are known here.
const CONTAINER_FEATURES: u64 = 0x2;
const CASE_INSENSITIVE: u64 = 0x1;
const DATALESS_SNAPSHOTS: u64 = 0x2;
const NORMALIZATION_INSENSITIVE: u64 = 0x8;
const VOLUME_FEATURES: u64 = CASE_INSENSITIVE | DATALESS_SNAPSHOTS | NORMALIZATION_INSENSITIVE;
const UNENCRYPTED: u64 = 0x1;

/// Why a volume is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(super) enum ApfsError {
    #[error("the container has no checkpoint that is whole")]
    Checkpoint,
    #[error(
        "the container says that it is larger than where it lies, or has blocks of a size that is not known"
    )]
    Container,
    #[error("the {0} has features that are not read: sealed, of two devices, or newer")]
    Features(&'static str),
    #[error("the container has {0} volumes, and those with one are read")]
    Volumes(usize),
    #[error("the volume is encrypted")]
    Encrypted,
    #[error("the volume would go back to an older state when it is mounted")]
    Revert,
    #[error("block {0} does not have its checksum, or is not what it was looked up as")]
    Object(u64),
    #[error("the object {0} is in no map, or was deleted")]
    Unmapped(u64),
    #[error("the object {0} is in its map twice")]
    Mapped(u64),
    #[error("a B-tree: {0}")]
    Tree(&'static str),
    #[error("a record of the file {0} cannot be read")]
    Record(u64),
    #[error("a name of the file {0} is no text")]
    Name(u64),
    #[error("the pieces of file {0} overlap, or lie outside the volume")]
    Pieces(u64),
    #[error("the file {0} is marked as compressed, and does not say how, or the other way round")]
    Compression(u64),
}

fn refused<T>(error: ApfsError) -> io::Result<T> {
    Err(room::refused(error))
}

/// Reads the files of the one volume, and hands each with its content on.
pub(super) fn walk(part: &mut Part<'_>, each: Each<'_>) -> io::Result<()> {
    let mut blocks = Blocks::open(part)?;
    let container = newest(&mut blocks)?;
    let of = |at| container.u64(at);
    if of(64)? & !CONTAINER_FEATURES != 0 {
        return refused(ApfsError::Features("container"));
    }
    let slots = (0..VOLUMES_MAX).map(|slot| of(184 + 8 * slot));
    let volumes: Vec<_> = slots
        .collect::<io::Result<Vec<_>>>()?
        .into_iter()
        .filter(|it| *it != 0)
        .collect();
    let [volume] = volumes[..] else {
        return refused(ApfsError::Volumes(volumes.len()));
    };
    let transaction = container.transaction;
    let map = Map::read(&mut blocks, of(160)?, transaction)?;
    let volume = map.object(&mut blocks, volume, Kind::Volume)?;
    if volume.bytes.get(32..36) != Some(b"APSB") {
        return refused(ApfsError::Object(volume.block));
    }
    let features = volume.u64(56)?;
    if features & !VOLUME_FEATURES != 0 {
        return refused(ApfsError::Features("volume"));
    }
    if volume.u64(264)? & UNENCRYPTED == 0 {
        return refused(ApfsError::Encrypted);
    }
    if volume.u64(160)? != 0 || volume.u64(168)? != 0 {
        return refused(ApfsError::Revert);
    }
    // By what names are compared, keys have a hash of them.
    let has_hashes = features & (CASE_INSENSITIVE | NORMALIZATION_INSENSITIVE) != 0;
    let map = Map::read(&mut blocks, volume.u64(128)?, transaction)?;
    let files = records::read(&mut blocks, &map, volume.u64(136)?, has_hashes)?;
    files.hand_on(ROOT, blocks.part, each)
}

/// The superblock of the newest checkpoint. That of block 0 need not be, but says where they stand.
fn newest(blocks: &mut Blocks<'_, '_>) -> io::Result<Object> {
    let first = blocks.read(0)?;
    let is_one = |object: &Object| {
        object.kind == Kind::Container.number() && object.bytes.get(32..36) == Some(b"NXSB")
    };
    let first = first
        .filter(is_one)
        .ok_or_else(|| room::refused(ApfsError::Checkpoint))?;
    let (count, base) = (first.u32(104)?, first.u64(112)?);
    // A set first bit says that they stand in a tree, as they do not lie in one piece.
    if count > CHECKPOINT_BLOCKS_MAX {
        return refused(ApfsError::Features("container"));
    }
    let mut newest: Option<Object> = None;
    for at in 0..u64::from(count) {
        let Some(found) = blocks.read(base.saturating_add(at))?.filter(is_one) else {
            continue;
        };
        match newest
            .as_ref()
            .map(|it| it.transaction.cmp(&found.transaction))
        {
            None | Some(std::cmp::Ordering::Less) => newest = Some(found),
            Some(std::cmp::Ordering::Greater) => {}
            Some(std::cmp::Ordering::Equal) => return refused(ApfsError::Checkpoint),
        }
    }
    let newest = newest.ok_or_else(|| room::refused(ApfsError::Checkpoint))?;
    let is_same = [36, 40, 104, 112]
        .iter()
        .all(|at| newest.u64(*at).ok() == first.u64(*at).ok());
    match is_same {
        true => Ok(newest),
        false => refused(ApfsError::Checkpoint),
    }
}
