//! The checksums of an image: of its data as it lies in the file, and of the checksums that the property list has for what
//! the data unpacks to. They are no proof of anything, but what does not have them does not open.
//!
//! The list has an array `blkx` under `resource-fork`. In each, behind "mish", stand at 0x40 the kind, the bits, and the
//! value of a checksum.

use std::io::{self, Read, Seek};

use crc_fast::{CrcAlgorithm, Digest};

use crate::apple::plist::Value;
use crate::checks::{Check, DMG_DATA_CHECKSUM, Outcome};
use crate::dmg::Limits;
use crate::dmg::koly::{Checksum, Koly};
use crate::judging::outcome;
use crate::reading::{pass, read_at};

/// No checksum.
const NONE: u32 = 0;
/// CRC-32, which is all that `hdiutil` writes.
const CRC32: u32 = 2;
/// Where the checksum of a piece stands.
const PIECE_CHECKSUM_AT: usize = 0x40;

/// What a checksum is to be compared with.
enum Stated {
    Nothing,
    Crc32(Vec<u8>),
    /// Of this kind, or of one that cannot be read.
    Unknown(Option<u32>),
}

impl Stated {
    fn of(checksum: Option<&Checksum>) -> Self {
        match checksum {
            Some(Checksum { kind: NONE, .. }) => Self::Nothing,
            Some(Checksum { kind: CRC32, value }) if value.len() == 4 => Self::Crc32(value.clone()),
            other => Self::Unknown(other.map(|it| it.kind)),
        }
    }
}

/// Computes both, where they are stated.
pub(super) fn judge(reader: &mut (impl Read + Seek), koly: &Koly) -> io::Result<Vec<Check>> {
    let data = match Stated::of(koly.data_checksum.as_ref()) {
        Stated::Crc32(stated) => {
            let mut digest = Digest::new(CrcAlgorithm::Crc32IsoHdlc);
            let end = koly.data.offset.saturating_add(koly.data.bytes);
            let is_there = pass(reader, koly.data.offset, end, |piece| digest.update(piece))?;
            let failure = match is_there && value(&digest) == stated {
                true => None,
                false => {
                    Some("the data does not have the checksum that the end of the image states")
                }
            };
            outcome(DMG_DATA_CHECKSUM, failure, "the data has its checksum")
        }
        other => not_compared(&other, "the data"),
    };
    let master = match Stated::of(koly.master_checksum.as_ref()) {
        Stated::Crc32(stated) => {
            let failure = match of_list(reader, koly)? {
                Ok(found) if found == stated => None,
                Ok(_) => Some("the checksums in the property list do not have the checksum that the end of the image states".to_owned()),
                Err(reason) => Some(format!("the property list: {reason}")),
            };
            let passes = "the checksums in the property list have their checksum";
            outcome(DMG_DATA_CHECKSUM, failure, passes)
        }
        other => not_compared(&other, "what the data unpacks to"),
    };
    Ok(vec![data, master])
}

fn not_compared(stated: &Stated, of: &str) -> Check {
    let (outcome, reason) = match stated {
        Stated::Nothing | Stated::Crc32(_) => (Outcome::Pass, format!("none is stated of {of}")),
        Stated::Unknown(Some(kind)) => (
            Outcome::Unsupported,
            format!("the checksum of {of} is of kind {kind}, which this version does not compute"),
        ),
        Stated::Unknown(None) => (
            Outcome::Fail,
            format!("the checksum of {of} cannot be read"),
        ),
    };
    Check::new(DMG_DATA_CHECKSUM, outcome, reason)
}

/// The checksum over those in the property list.
fn of_list(
    reader: &mut (impl Read + Seek),
    koly: &Koly,
) -> io::Result<Result<Vec<u8>, &'static str>> {
    if koly.list.bytes > Limits::LIST_BYTES {
        return Ok(Err("it is larger than what is read"));
    }
    let bytes = read_at(reader, koly.list.offset, koly.list.bytes)?;
    Ok(bytes.ok_or("it ends early").and_then(|bytes| over(&bytes)))
}

fn over(list: &[u8]) -> Result<Vec<u8>, &'static str> {
    let list = Value::parse(list).map_err(|_| "it is none")?;
    let pieces = list.get("resource-fork").and_then(|it| it.get("blkx"));
    let Some(Value::Array(pieces)) = pieces else {
        return Err("it has no array `blkx` under `resource-fork`");
    };
    if pieces.len() > Limits::PIECES {
        return Err("it describes more pieces of data than are read");
    }
    let mut digest = Digest::new(CrcAlgorithm::Crc32IsoHdlc);
    for piece in pieces {
        let bytes = piece.get("Data").and_then(Value::data);
        let bytes = bytes.filter(|bytes| bytes.starts_with(b"mish"));
        let checksum = bytes.and_then(|bytes| Checksum::read(bytes, PIECE_CHECKSUM_AT));
        let checksum = checksum.ok_or("it describes a piece of data in a way that is not known")?;
        digest.update(&checksum.value);
    }
    Ok(value(&digest))
}

/// CRC-32 as it stands in an image: big-endian.
fn value(digest: &Digest) -> Vec<u8> {
    let sum = u32::try_from(digest.finalize()).unwrap_or_default();
    sum.to_be_bytes().to_vec()
}
