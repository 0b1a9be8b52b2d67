//! The headers of a cabinet ([MS-CAB] 2): where its signature stands, what that covers, and that all data is inside.

use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

use thiserror::Error;

/// How far the headers up to the first file may reach, in bytes. Real ones end before 4,096.
const HEADERS_BYTES_MAX: u64 = 1024 * 1024;
/// How many blocks of data a cabinet may have: of at most 32 KiB each, unpacked.
const BLOCKS_MAX: u32 = 1024 * 1024;
/// The largest signature that is read, in bytes. Real ones have 5 to 50 KiB.
pub(super) const SIGNATURE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// [MS-CAB] 2.1: CFHEADER without its optional fields, and with the lengths of the reserves.
const HEADER_BYTES: usize = 36;
const RESERVE_AT: usize = 40;
const FOLDER_BYTES: u64 = 8;
pub(super) const BLOCK_BYTES: u64 = 8;
const HAS_PREVIOUS: u16 = 1;
const HAS_NEXT: u16 = 2;
const HAS_RESERVE: u16 = 4;
/// [MS-CAB] 2.1: names of other cabinets have up to 255 bytes and a NUL.
const NAME_BYTES_MAX: usize = 256;

/// Why a file is no cabinet that can be judged.
#[derive(Debug, Error)]
pub(super) enum CabError {
    /// Not the file is wrong but its reader.
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("the file does not begin with `MSCF`")]
    Magic,
    #[error("the file ends inside its headers, or where they say that data is")]
    Truncated,
    #[error("the header has a {0} that no cabinet has")]
    Header(&'static str),
    #[error("the headers reach further than {HEADERS_BYTES_MAX} bytes")]
    HeadersTooLarge,
    #[error("the list of files does not follow the list of folders")]
    Files,
    #[error("the reserved part of the header {0}")]
    Reserve(&'static str),
    #[error(
        "the data of the folders ends at byte {found}, but the cabinet is said to end at {expected}"
    )]
    Data { found: u64, expected: u64 },
    #[error("there are more than {BLOCKS_MAX} blocks of data")]
    TooManyBlocks,
    #[error("the cabinet is said to end at byte {end}, but its signature to begin at {start}")]
    SignatureStart { end: u64, start: u64 },
    #[error(
        "the signature is said to end at byte {end}, but the file has {size}; it was cut short"
    )]
    SignatureEnd { end: u64, size: u64 },
    #[error("the signature is said to have {0} bytes, which none has")]
    SignatureTooLarge(u64),
}

/// Files that lie behind one another, and are packed as one ([MS-CAB] 2.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Folder {
    /// Where its blocks of data stand.
    pub(super) data: Range<u64>,
    pub(super) blocks: u16,
    /// How it is packed: the kind, and what that needs to know.
    pub(super) packing: u16,
}

/// What a cabinet says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cabinet {
    /// Bytes of the whole file.
    pub(super) size: u64,
    /// Where the cabinet itself ends; its signature follows.
    pub(super) end: u64,
    pub(super) folders: Vec<Folder>,
    /// Where the list of files begins, behind that of the folders, and how many there are.
    pub(super) files: (u64, u16),
    /// Bytes that are reserved in each block of data.
    pub(super) block_reserve: u8,
    /// Its number in a set, from 0, where it is part of one.
    pub(super) part: Option<u16>,
    /// None where the file is not signed.
    pub(super) signature: Option<Range<u64>>,
    /// What the digest covers, in order.
    pub(super) covered: Vec<Range<u64>>,
}

pub(super) fn u16_at(bytes: &[u8], at: usize) -> Result<u16, CabError> {
    let found = bytes.get(at..).and_then(|rest| rest.first_chunk::<2>());
    found.map_or(Err(CabError::Truncated), |it| Ok(u16::from_le_bytes(*it)))
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> Result<u64, CabError> {
    let found = bytes.get(at..).and_then(|rest| rest.first_chunk::<4>());
    let found = found.map_or(Err(CabError::Truncated), |it| Ok(u32::from_le_bytes(*it)));
    found.map(u64::from)
}

/// Reads so many bytes at an offset.
pub(super) fn read_at(
    reader: &mut (impl Read + Seek),
    at: u64,
    bytes: &mut [u8],
) -> Result<(), CabError> {
    reader.seek(SeekFrom::Start(at))?;
    match reader.read_exact(bytes) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(CabError::Truncated),
        read => Ok(read?),
    }
}

impl Cabinet {
    /// Reads all headers.
    pub(super) fn read(reader: &mut (impl Read + Seek)) -> Result<Self, CabError> {
        let size = reader.seek(SeekFrom::End(0))?;
        let mut fixed = [0; HEADER_BYTES];
        read_at(reader, 0, &mut fixed)?;
        if !fixed.starts_with(b"MSCF") {
            return Err(CabError::Magic);
        }
        // [MS-CAB] 2.1: reserved1 is zero. The digest leaves it out.
        if u32_at(&fixed, 4)? != 0 {
            return Err(CabError::Header("reserved field"));
        }
        if u16_at(&fixed, 24)? != 0x0103 {
            return Err(CabError::Header("version"));
        }
        let (end, files, folders) = (
            u32_at(&fixed, 8)?,
            u32_at(&fixed, 16)?,
            u64::from(u16_at(&fixed, 26)?),
        );
        let flags = u16_at(&fixed, 30)?;
        if flags & !(HAS_PREVIOUS | HAS_NEXT | HAS_RESERVE) != 0 {
            return Err(CabError::Header("flag"));
        }
        if files > end || end > size {
            return Err(CabError::Truncated);
        }
        if files > HEADERS_BYTES_MAX {
            return Err(CabError::HeadersTooLarge);
        }
        // At most HEADERS_BYTES_MAX.
        let mut head = vec![0; usize::try_from(files).unwrap_or(0)];
        read_at(reader, 0, &mut head)?;

        let reserves = match flags & HAS_RESERVE {
            0 => Reserves::default(),
            _ => Reserves::read(&head)?,
        };
        let behind = if flags & HAS_RESERVE == 0 {
            HEADER_BYTES
        } else {
            RESERVE_AT + reserves.header.len()
        };
        let mut at = behind;
        for flag in [HAS_PREVIOUS, HAS_NEXT] {
            if flags & flag != 0 {
                // The names of a cabinet and of its disk.
                at = skip_name(&head, skip_name(&head, at)?)?;
            }
        }
        let folder_bytes = FOLDER_BYTES + u64::from(reserves.folder);
        if at as u64 + folders * folder_bytes != files {
            return Err(CabError::Files);
        }
        let step = usize::try_from(folder_bytes).unwrap_or(usize::MAX);
        let list = head.get(at..).unwrap_or_default().chunks_exact(step);
        let folders = find_folders(reader, list, reserves.data, end)?;
        let found = folders.iter().map(|folder| folder.data.end).max();
        if let Some(found) = found.filter(|found| *found != end) {
            let expected = end;
            return Err(CabError::Data { found, expected });
        }

        let signature = reserves.signature.filter(|range| *range != (0..0));
        if let Some(Range { start, end: last }) = signature.clone() {
            if start != end {
                return Err(CabError::SignatureStart { end, start });
            }
            if last > size {
                return Err(CabError::SignatureEnd { end: last, size });
            }
            if last - start > SIGNATURE_BYTES_MAX {
                return Err(CabError::SignatureTooLarge(last - start));
            }
        }
        let is_part = flags & (HAS_PREVIOUS | HAS_NEXT) != 0;
        Ok(Self {
            size,
            end,
            folders,
            files: (files, u16_at(&fixed, 28)?),
            block_reserve: reserves.data,
            part: is_part.then_some(u16_at(&fixed, 34)?),
            signature,
            covered: covered(reserves.covered, behind as u64, end),
        })
    }
}

/// What the digest covers. No specification is published; this is what signtool signs, as jsign documents it: all but
/// `reserved1`, the lengths of the reserves, and the place of the signature. osslsigncode leaves the number in the set out
/// and takes the end of the reserve instead, which comes to the same bytes where both are zero.
fn covered(reserve: usize, behind: u64, end: u64) -> Vec<Range<u64>> {
    let reserve_at = RESERVE_AT as u64;
    vec![
        0..4,
        8..HEADER_BYTES as u64,
        reserve_at..reserve_at + 2,
        reserve_at + 4..reserve_at + 4 + reserve as u64,
        behind..end,
    ]
}

/// What is reserved for others than the cabinet's reader.
#[derive(Debug, Default)]
struct Reserves {
    header: Vec<u8>,
    /// Bytes in each folder, and in each block of data. The digest leaves both numbers out; where they are wrong the
    /// folders do not end where the files begin, or the data not where the cabinet does.
    folder: u8,
    data: u8,
    signature: Option<Range<u64>>,
    /// How many bytes of the reserve the digest covers, behind the two lengths.
    covered: usize,
}

impl Reserves {
    /// The reserve of the header is two lengths (u16) and as many bytes; the second are the place of the signature
    /// (offset and length, u32 each) and 8 bytes of zeros.
    fn read(head: &[u8]) -> Result<Self, CabError> {
        let length = usize::from(u16_at(head, HEADER_BYTES)?);
        let [folder, data] = u16_at(head, HEADER_BYTES + 2)?.to_le_bytes();
        let header = head.get(RESERVE_AT..).and_then(|rest| rest.get(..length));
        let header = header.ok_or(CabError::Truncated)?;
        let mut reserves = Self {
            header: header.to_vec(),
            folder,
            data,
            signature: None,
            covered: 0,
        };
        let Ok(place) = u16_at(header, 2) else {
            return Ok(reserves);
        };
        let covered = usize::from(u16_at(header, 0)?);
        if place == 0 {
            return Ok(reserves);
        }
        if place != 16 {
            return Err(CabError::Reserve("holds no place of a signature"));
        }
        let rest = header.get(4 + covered..).ok_or(CabError::Truncated)?;
        let (start, bytes) = (u32_at(rest, 0)?, u32_at(rest, 4)?);
        if rest.len() < 16 || rest.iter().skip(8).any(|byte| *byte != 0) {
            return Err(CabError::Reserve(
                "holds more than the place of the signature, which nobody signs",
            ));
        }
        reserves.covered = covered;
        reserves.signature = Some(start..start + bytes);
        Ok(reserves)
    }
}

fn skip_name(head: &[u8], at: usize) -> Result<usize, CabError> {
    let rest = head.get(at..).unwrap_or_default();
    let end = rest.iter().take(NAME_BYTES_MAX).position(|byte| *byte == 0);
    let end = end.ok_or(CabError::Header("name of another cabinet"))?;
    Ok(at + end + 1)
}

/// Where the data of each folder stands: CFDATA after CFDATA ([MS-CAB] 2.4).
fn find_folders<'a>(
    reader: &mut (impl Read + Seek),
    list: impl Iterator<Item = &'a [u8]>,
    reserve: u8,
    end: u64,
) -> Result<Vec<Folder>, CabError> {
    let (mut count, mut folders) = (0_u32, Vec::new());
    for folder in list {
        let start = u32_at(folder, 0)?;
        let blocks = u16_at(folder, 4)?;
        let mut at = start;
        for _ in 0..blocks {
            count += 1;
            if count > BLOCKS_MAX {
                return Err(CabError::TooManyBlocks);
            }
            let mut block = [0; 8];
            read_at(reader, at, &mut block)?;
            at += BLOCK_BYTES + u64::from(reserve) + u64::from(u16_at(&block, 4)?);
            if at > end {
                return Err(CabError::Truncated);
            }
        }
        folders.push(Folder {
            data: start..at,
            blocks,
            packing: u16_at(folder, 6)?,
        });
    }
    Ok(folders)
}
