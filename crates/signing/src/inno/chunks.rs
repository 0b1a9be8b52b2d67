//! What files are packed as: chunks, each of which holds one file or, in solid installers, many.

use std::io::{self, BufReader, Read, SeekFrom};

use lzma_rust2::Lzma2Reader;
use release::name::printable;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use crate::inno::blocks::{lzma, window_bytes};
use crate::inno::calls;
use crate::inno::layout::Sum;
use crate::inno::list::{List, Location, Packing};
use crate::inno::{InnoError, exactly, refused};
use crate::verify::Bytes;

/// How a chunk begins (`ZLIBID`); what it is packed as follows.
const MAGIC: [u8; 4] = *b"zlb\x1a";

/// Where a chunk ends.
pub(super) fn end(first: &Location) -> Option<u64> {
    first
        .start
        .checked_add(MAGIC.len() as u64)?
        .checked_add(first.packed)
}

/// What a chunk unpacks to, from its beginning.
pub(super) struct Chunk<'a> {
    plain: Box<dyn Read + 'a>,
    at: u64,
    sum: Sum,
}

/// Opens a chunk, in which these contents lie.
pub(super) fn open<'a>(
    bytes: &'a mut dyn Bytes,
    data_at: u64,
    list: &List,
    contents: &[(usize, &Location)],
) -> io::Result<Chunk<'a>> {
    let Some((_, first)) = contents.first() else {
        return Err(refused(InnoError::Chunk));
    };
    if first.flags.is_encrypted {
        return Err(refused(InnoError::Encrypted));
    }
    let end = end(first).and_then(|it| it.checked_add(data_at));
    if end.is_none_or(|end| end > i64::MAX.unsigned_abs()) {
        return Err(refused(InnoError::Truncated));
    }
    bytes.seek(SeekFrom::Start(data_at + first.start))?;
    let mut magic = [0; 4];
    exactly(bytes, &mut magic, InnoError::Truncated)?;
    if magic != MAGIC {
        return Err(refused(InnoError::Chunk));
    }
    let total = contents
        .iter()
        .map(|(_, it)| it.at.saturating_add(it.bytes))
        .max();
    let total = total.unwrap_or(0);
    let mut packed = BufReader::new(bytes.take(first.packed));
    let packing = match first.flags.is_packed {
        true => list.packing,
        false => Packing::Stored,
    };
    let plain: Box<dyn Read + 'a> = match packing {
        Packing::Stored => Box::new(packed),
        Packing::Zip => Box::new(flate2::bufread::ZlibDecoder::new(packed)),
        Packing::Bzip2 => Box::new(bzip2::bufread::BzDecoder::new(packed)),
        Packing::Lzma => Box::new(lzma(packed, total, InnoError::Chunk)?),
        Packing::Lzma2 => {
            let mut window = [0];
            exactly(&mut packed, &mut window, InnoError::Truncated)?;
            let [window] = window;
            let window = window_bytes(lzma2_window(window)?, total)?;
            Box::new(Lzma2Reader::new(packed, window, None))
        }
    };
    Ok(Chunk {
        plain,
        at: 0,
        sum: list.sum,
    })
}

/// The size of a window, as LZMA2 states it (xz, "The .xz File Format", 5.3.1).
fn lzma2_window(stated: u8) -> io::Result<u64> {
    match stated {
        0..=39 => Ok((2 | u64::from(stated & 1)) << (stated / 2 + 11)),
        40 => Ok(u64::from(u32::MAX)),
        _ => Err(refused(InnoError::Chunk)),
    }
}

impl<'a> Chunk<'a> {
    /// The next content, which begins where the one before it ended.
    pub(super) fn file<'b>(
        &'b mut self,
        location: &Location,
        path: &'b str,
    ) -> io::Result<Content<'b, 'a>> {
        if location.at != self.at {
            let reason = "files overlap, or room lies between that no file has";
            return Err(refused(InnoError::Entry(reason)));
        }
        let end = self.at.checked_add(location.bytes);
        self.at = end.ok_or_else(|| refused(InnoError::Truncated))?;
        let digest = match self.sum {
            Sum::Sha1 => Digest::Sha1(Sha1::default()),
            Sum::Sha256 => Digest::Sha256(Sha256::new()),
        };
        Ok(Content {
            path,
            chunk: self,
            left: location.bytes,
            has_calls: location.flags.has_calls,
            offset: 0,
            piece: Vec::new(),
            read: 0,
            digest: Some(digest),
            expected: location.sum,
        })
    }

    /// Nothing may follow.
    pub(super) fn end(&mut self) -> io::Result<()> {
        match self.plain.read(&mut [0])? {
            0 => Ok(()),
            _ => Err(refused(InnoError::Chunk)),
        }
    }
}

enum Digest {
    Sha1(Sha1),
    Sha256(Sha256),
}

/// The content of one file; its digest is compared at its end.
pub(super) struct Content<'b, 'a> {
    path: &'b str,
    chunk: &'b mut Chunk<'a>,
    /// Bytes that were not read of the chunk.
    left: u64,
    has_calls: bool,
    /// Where the next piece begins.
    offset: u64,
    piece: Vec<u8>,
    read: usize,
    digest: Option<Digest>,
    expected: [u8; 32],
}

impl Content<'_, '_> {
    fn load(&mut self) -> io::Result<()> {
        let size = self.left.min(calls::PIECE_BYTES as u64);
        self.piece.resize(usize::try_from(size).unwrap_or(0), 0);
        exactly(&mut self.chunk.plain, &mut self.piece, InnoError::Chunk)?;
        if self.has_calls {
            calls::undo(&mut self.piece, self.offset);
        }
        match &mut self.digest {
            Some(Digest::Sha1(digest)) => digest.update(&self.piece),
            Some(Digest::Sha256(digest)) => digest.update(&self.piece),
            None => {}
        }
        self.offset += size;
        self.left -= size;
        self.read = 0;
        Ok(())
    }

    fn compare(&mut self) -> io::Result<()> {
        let is_same = match self.digest.take() {
            None => true,
            Some(Digest::Sha1(digest)) => self.expected.starts_with(&digest.finalize()),
            Some(Digest::Sha256(digest)) => self.expected.starts_with(&digest.finalize()),
        };
        match is_same {
            true => Ok(()),
            false => Err(refused(InnoError::Digest(printable(self.path)))),
        }
    }
}

impl Read for Content<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        if self.read == self.piece.len() {
            if self.left == 0 {
                self.compare()?;
                return Ok(0);
            }
            self.load()?;
        }
        let mut rest = self.piece.get(self.read..).unwrap_or_default();
        let read = rest.read(buffer)?;
        self.read += read;
        Ok(read)
    }
}
