//! The content of a file in an archive, in pieces, with its length and checksum.

use std::io::{self, Read, Take};

use flate2::read::DeflateDecoder;
use release::name::printable;
use thiserror::Error;

use crate::walk::room;
use crate::zip::{Entry, Method};

/// Why a content cannot be read.
#[derive(Debug, Error)]
enum ContentError {
    #[error("`{0}` is packed by method {1}; stored and deflated files are read")]
    Method(String, u16),
    #[error("`{0}` does not have the length and the checksum that the directory says")]
    Contradiction(String),
}

/// A content. Where it is not what the directory says, its end is an error.
pub(crate) struct Content<'a, R> {
    packed: Packed<'a, R>,
    crc32: crc_fast::Digest,
    expected: u32,
    left: u64,
    ending: Ending,
    shown: String,
}

/// Whether what is deflated must say itself where it ends (RFC 1951 section 3.2.3, BFINAL).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Required,
    MayBeMissing,
}

enum Packed<'a, R> {
    Stored(Take<&'a mut R>),
    Deflated(DeflateDecoder<Take<&'a mut R>>, u64),
}

impl<'a, R: Read> Content<'a, R> {
    pub(super) fn new(reader: &'a mut R, entry: &Entry) -> io::Result<Self> {
        let shown = printable(&entry.path);
        let data = reader.take(entry.packed);
        let packed = match entry.method {
            Method::Stored => Packed::Stored(data),
            Method::Deflated => Packed::Deflated(DeflateDecoder::new(data), entry.packed),
            Method::Other(method) => {
                return Err(room::refused(ContentError::Method(shown, method)));
            }
        };
        Ok(Self {
            packed,
            crc32: crc_fast::Digest::new(crc_fast::CrcAlgorithm::Crc32IsoHdlc),
            expected: entry.crc32,
            left: entry.size,
            ending: Ending::Required,
            shown,
        })
    }

    /// The same where what is deflated may end with the bytes that it has: old packagers of Windows wrote no last block. What
    /// comes out must have the length and the checksum all the same.
    pub(crate) fn or_without_last_block(self) -> Self {
        Self {
            ending: Ending::MayBeMissing,
            ..self
        }
    }

    /// Whether everything was read, and is what it must be.
    fn is_whole(&self) -> bool {
        let is_used_up = match &self.packed {
            Packed::Stored(data) => data.limit() == 0,
            Packed::Deflated(data, packed) => data.total_in() == *packed,
        };
        self.left == 0 && is_used_up && self.crc32.finalize() == u64::from(self.expected)
    }
}

impl<R: Read> Read for Content<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = match &mut self.packed {
            Packed::Stored(data) => data.read(buffer),
            Packed::Deflated(data, _) => data.read(buffer),
        };
        let read = match (self.ending, read) {
            (Ending::MayBeMissing, Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => 0,
            (_, read) => read?,
        };
        let contradiction = || room::refused(ContentError::Contradiction(self.shown.clone()));
        if read == 0 && !buffer.is_empty() && !self.is_whole() {
            return Err(contradiction());
        }
        self.left = self
            .left
            .checked_sub(read as u64)
            .ok_or_else(contradiction)?;
        self.crc32.update(buffer.get(..read).unwrap_or_default());
        Ok(read)
    }
}
