//! The end of a disk image, which says where everything lies. 512 bytes, big-endian, those that count here:
//!
//! ```text
//! 0x000 "koly" | u32 version = 4 | u32 length = 512 | u32 flags | u64 running offset
//! 0x018 u64 offset and length of the data | u64 offset and length of a resource fork | u32 segment | u32 segments
//! 0x050 u32 kind, u32 bits, and 128 bytes of the checksum of the data
//! 0x0d8 u64 offset and length of the property list
//! 0x128 u64 offset and length of the signature
//! 0x160 u32 kind, u32 bits, and 128 bytes of the checksum of checksums
//! 0x1ec u64 sectors of the disk
//! ```

use std::io::{self, Read, Seek, SeekFrom};

use crate::dmg::{DmgError, Limits};
use crate::reading::{read_at, u32_at, u64_at};

/// Its length.
const KOLY_BYTES: u64 = 512;

const MAGIC: &[u8] = b"koly";
const SIGNATURE_AT: usize = 0x128;

/// Where a part lies in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) offset: u64,
    pub(crate) bytes: u64,
}

impl Place {
    fn end(self) -> u64 {
        self.offset.saturating_add(self.bytes)
    }
}

/// A checksum: what kind it is of, and its bytes, of which there are at most 128.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Checksum {
    pub(crate) kind: u32,
    pub(crate) value: Vec<u8>,
}

impl Checksum {
    /// Reads one: kind, length in bits, and the place of the longest.
    pub(crate) fn read(bytes: &[u8], at: usize) -> Option<Self> {
        let (kind, bits) = u32_at(bytes, at).zip(u32_at(bytes, at.checked_add(4)?))?;
        let place = bytes.get(at.checked_add(8)?..)?.get(..128)?;
        let length = usize::try_from(bits / 8).ok().filter(|_| bits % 8 == 0)?;
        let value = place.get(..length)?.to_vec();
        Some(Self { kind, value })
    }
}

/// The end of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Koly {
    raw: Vec<u8>,
    /// Where it lies itself.
    offset: u64,
    pub(crate) data: Place,
    /// Of images that were made before there were property lists.
    resources: Place,
    pub(crate) list: Place,
    /// None where nobody signed.
    pub(crate) signature: Option<Place>,
    /// Of the data, and of the checksums in the property list; none where one cannot be read.
    pub(crate) data_checksum: Option<Checksum>,
    pub(crate) master_checksum: Option<Checksum>,
    /// Sectors of the disk that the data unpacks to.
    pub(crate) sectors: u64,
}

/// Whether a file ends as a disk image does.
pub(crate) fn is_at_end(reader: &mut (impl Read + Seek + ?Sized)) -> io::Result<bool> {
    let size = reader.seek(SeekFrom::End(0))?;
    let Some(offset) = size.checked_sub(KOLY_BYTES) else {
        return Ok(false);
    };
    reader.seek(SeekFrom::Start(offset))?;
    let mut head = Vec::new();
    reader.take(MAGIC.len() as u64).read_to_end(&mut head)?;
    Ok(head == MAGIC)
}

impl Koly {
    pub(crate) fn read(reader: &mut (impl Read + Seek)) -> io::Result<Result<Self, DmgError>> {
        let size = reader.seek(SeekFrom::End(0))?;
        let Some(offset) = size.checked_sub(KOLY_BYTES) else {
            return Ok(Err(DmgError::Magic));
        };
        let raw = read_at(reader, offset, KOLY_BYTES)?;
        Ok(raw.map_or(Err(DmgError::Magic), |raw| Self::parse(raw, offset)))
    }

    fn parse(raw: Vec<u8>, offset: u64) -> Result<Self, DmgError> {
        let number = |at| u32_at(&raw, at).ok_or(DmgError::Version);
        let place = |at| {
            let found = u64_at(&raw, at).zip(u64_at(&raw, at + 8));
            let (start, bytes) = found.ok_or(DmgError::Version)?;
            let place = Place {
                offset: start,
                bytes,
            };
            let is_inside = start.checked_add(bytes).is_some_and(|end| end <= offset);
            match bytes {
                0 => Ok(place),
                _ if is_inside => Ok(place),
                _ => Err(DmgError::Place),
            }
        };
        if !raw.starts_with(MAGIC) {
            return Err(DmgError::Magic);
        }
        if number(4)? != 4 || u64::from(number(8)?) != KOLY_BYTES {
            return Err(DmgError::Version);
        }
        // Where there are several, the data of the others lies in other files.
        if number(0x3c)? > 1 || u64_at(&raw, 0x10) != Some(0) {
            return Err(DmgError::Segments);
        }
        let signature = place(SIGNATURE_AT)?;
        let signature = match (signature.offset, signature.bytes) {
            (0, 0) => None,
            (_, 0) => return Err(DmgError::Place),
            (_, bytes) if bytes > Limits::SIGNATURE_BYTES => {
                return Err(DmgError::SignatureSize(bytes));
            }
            _ => Some(signature),
        };
        Ok(Self {
            offset,
            data: place(0x18)?,
            resources: place(0x28)?,
            list: place(0xd8)?,
            signature,
            data_checksum: Checksum::read(&raw, 0x50),
            master_checksum: Checksum::read(&raw, 0x160),
            sectors: u64_at(&raw, 0x1ec).ok_or(DmgError::Version)?,
            raw,
        })
    }

    /// It as it was when it was signed (`DiskImageRep::component`): the signature had a place and no length yet.
    pub(crate) fn as_signed(&self, signature: Place) -> Vec<u8> {
        let before = self.raw.iter().take(SIGNATURE_AT);
        let behind = self.raw.iter().skip(SIGNATURE_AT + 16);
        let offset = signature.offset.to_be_bytes();
        let length = [0; 8];
        before
            .chain(&offset)
            .chain(&length)
            .chain(behind)
            .copied()
            .collect()
    }

    /// Nothing lies where no part is: the data begins the file, and each part begins where the one before it ends.
    pub(crate) fn laid_out(&self) -> Result<(), String> {
        let mut parts = [
            ("data", self.data),
            ("resource fork", self.resources),
            ("property list", self.list),
        ];
        parts.sort_by_key(|(_, place)| place.offset);
        let signature = self.signature.map(|place| ("signature", place));
        let mut end = 0;
        for (what, place) in parts.into_iter().chain(signature) {
            if place.bytes == 0 {
                continue;
            }
            if place.offset != end {
                return Err(format!(
                    "the {what} begins at {}, and what lies before it ends at {end}",
                    place.offset
                ));
            }
            end = place.end();
        }
        match self.offset.checked_sub(end) {
            Some(0) => Ok(()),
            _ => Err(format!(
                "the parts of the image end at {end}, and its end begins at {}",
                self.offset
            )),
        }
    }
}
