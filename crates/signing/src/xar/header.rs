//! The header of an archive and its table of contents, which zlib compressed (`include/xar.h`). Big-endian.

use std::io::{self, Read, Seek};

use zlib_rs::{Inflate, InflateFlush, Status};

use crate::digest::DigestAlgorithm;
use crate::reading::{read_at, u32_at, u64_at};
use crate::xar::{Limits, XarError};

const MAGIC: u32 = 0x7861_7221;
/// `u32 magic | u16 size | u16 version | u64 compressed | u64 plain | u32 kind of checksum`
const HEADER_BYTES: u32 = 28;
const VERSION: u32 = 1;

/// The table of contents.
#[derive(Debug)]
pub(crate) struct Table {
    /// As it lies in the file, which is what signatures cover.
    pub(crate) compressed: Vec<u8>,
    pub(crate) plain: Vec<u8>,
    /// The kind of its checksum, by the header.
    pub(crate) checksum: Option<DigestAlgorithm>,
    /// Where the heap begins, from which the table counts offsets.
    pub(crate) heap_at: u64,
}

impl Table {
    pub(crate) fn read(reader: &mut (impl Read + Seek)) -> io::Result<Result<Self, XarError>> {
        let Some(header) = read_at(reader, 0, u64::from(HEADER_BYTES))? else {
            return Ok(Err(XarError::Truncated));
        };
        let number = |at| u32_at(&header, at).unwrap_or_default();
        let wide = |at| u64_at(&header, at).unwrap_or_default();
        if number(0) != MAGIC {
            return Ok(Err(XarError::Magic));
        }
        if number(4) != HEADER_BYTES << 16 | VERSION {
            return Ok(Err(XarError::Header));
        }
        let (compressed, plain) = (wide(8), wide(16));
        if compressed > Limits::TABLE_BYTES || plain > Limits::TABLE_BYTES_PLAIN {
            return Ok(Err(XarError::TableSize));
        }
        let checksum = match number(24) {
            1 => Some(DigestAlgorithm::Sha1),
            3 => Some(DigestAlgorithm::Sha256),
            4 => Some(DigestAlgorithm::Sha512),
            _ => return Ok(Err(XarError::Header)),
        };
        let heap_at = u64::from(HEADER_BYTES) + compressed;
        let Some(compressed) = read_at(reader, u64::from(HEADER_BYTES), compressed)? else {
            return Ok(Err(XarError::Truncated));
        };
        Ok(inflate(&compressed, plain).map(|plain| Self {
            compressed,
            plain,
            checksum,
            heap_at,
        }))
    }
}

/// Decompresses a zlib stream (RFC 1950) that must take all bytes and give just as many as were said.
fn inflate(compressed: &[u8], plain: u64) -> Result<Vec<u8>, XarError> {
    /// The window of zlib: 2^15.
    const WINDOW_BITS: u8 = 15;
    // Bounded by Limits::TABLE_BYTES_PLAIN; one byte more shows a stream that does not end there.
    let plain = usize::try_from(plain).map_err(|_| XarError::TableSize)?;
    let mut output = vec![0; plain + 1];
    let mut stream = Inflate::new(true, WINDOW_BITS);
    let status = stream.decompress(compressed, &mut output, InflateFlush::Finish);
    let is_whole = matches!(status, Ok(Status::StreamEnd))
        && stream.total_in() == compressed.len() as u64
        && stream.total_out() == plain as u64;
    output.truncate(plain);
    is_whole.then_some(output).ok_or(XarError::Compression)
}
