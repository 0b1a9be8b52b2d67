//! What is read of a compound file at most, and why one is refused.

use std::io;

use thiserror::Error;

/// What is read of a compound file at most. Whatever needs more is refused.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Sectors: 4 GiB of 512 bytes each, 32 GiB of 4,096. The FAT takes 4 bytes for each.
    pub(super) sectors: u64,
    /// Directory entries, 128 bytes each. Large packages have some thousands.
    pub(super) entries: usize,
    /// How deep storages may lie in one another. Packages with embedded transforms have 2.
    pub(super) depth: usize,
    /// The stream of the signature, in bytes. Real ones have 2 to 50 KiB.
    pub(super) signature_bytes: u64,
}

/// The limits.
pub(super) const LIMITS: Limits = Limits {
    sectors: 8 * 1024 * 1024,
    entries: 64 * 1024,
    depth: 32,
    signature_bytes: 16 * 1024 * 1024,
};

/// Why a file is no compound file that can be judged.
#[derive(Debug, Error)]
pub(super) enum CompoundError {
    /// Not the file is wrong but its reader.
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("the file ends inside its header")]
    NoHeader,
    #[error("the file does not begin as a compound file does")]
    Magic,
    #[error("the header has a {0} that no compound file has")]
    Header(&'static str),
    #[error("the file is larger than can be judged: more than {0} sectors")]
    TooLarge(u64),
    #[error("the file has no allocation table, or one of an impossible length")]
    Fat,
    #[error("the allocation table speaks of sectors behind the end of the file; it was cut short")]
    FatPastEnd,
    #[error("a chain of sectors leads to {0:#010x}, where there is none")]
    Broken(u32),
    #[error("sector {0} belongs to two chains, or to one twice")]
    Shared(u32),
    #[error("the file ends inside a sector that is in use")]
    Truncated,
    #[error("the directory is empty, or has more than {0} entries")]
    Entries(usize),
    #[error("entry {entry} of the directory {why}")]
    Entry { entry: u32, why: &'static str },
    #[error("a stream lies in more than {0} pieces")]
    Pieces(usize),
    #[error("storages lie more than {0} deep in one another")]
    Depth(usize),
}
