//! What a file is compressed with, and its bytes without that: gzip (RFC 1952), xz, zstd (RFC 8878), bzip2, the older lzma,
//! and Apple's pbzx.
//!
//! The stream is read to its end with its checksums; what follows it must be another stream of the same kind. Windows and
//! dictionaries are bounded, as a header may claim any.

pub(crate) mod bzip2;
pub(crate) mod exact;

use std::io::{self, BufRead, BufReader, Read};

use ::bzip2::bufread::MultiBzDecoder;
use flate2::bufread::GzDecoder;
use lzma_rust2::{LzmaReader, XzReader};
use ruzstd::decoding::StreamingDecoder;

use crate::pbzx::{self, PbzxReader};

/// What is taken of memory at most while one stream is read.
struct Limits;

impl Limits {
    /// Bytes of a window of zstd: what `zstd --ultra -22` makes is 128 MiB, what `-19` makes is 8 MiB.
    const ZSTD_WINDOW_BYTES: u64 = 128 * 1024 * 1024;
    /// KiB for the dictionary of xz and lzma: `xz -9` needs 65 MiB.
    const XZ_MEMORY_KIB: u32 = 80 * 1024;
}

/// How a block of bzip2 begins, and how a stream ends that has none.
const BZIP2_BLOCK: [u8; 6] = [0x31, 0x41, 0x59, 0x26, 0x53, 0x59];
const BZIP2_END: [u8; 6] = [0x17, 0x72, 0x45, 0x38, 0x50, 0x90];

/// What a file is compressed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Packing {
    Gzip,
    Xz,
    Zstd,
    Bzip2,
    /// What xz replaced. Its beginning says too little to know it by.
    Lzma,
    Pbzx,
}

impl Packing {
    /// By the first bytes.
    pub(crate) fn of_head(head: &[u8]) -> Option<Self> {
        match head {
            [0x1f, 0x8b, 8, ..] => Some(Self::Gzip),
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Some(Self::Xz),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Self::Zstd),
            [b'B', b'Z', b'h', b'1'..=b'9', rest @ ..]
                if rest.starts_with(&BZIP2_BLOCK) || rest.starts_with(&BZIP2_END) =>
            {
                Some(Self::Bzip2)
            }
            _ if pbzx::is_pbzx(head) => Some(Self::Pbzx),
            _ => None,
        }
    }

    /// The bytes without it. Whatever is wrong with the stream is an error of the reader.
    pub(crate) fn unpacked<'a>(self, packed: impl Read + 'a) -> Box<dyn Read + 'a> {
        let packed = BufReader::new(packed);
        match self {
            Self::Gzip => Box::new(Streams::new(packed, open_gzip, close_gzip)),
            Self::Xz => Box::new(XzReader::new_mem_limit(packed, true, Limits::XZ_MEMORY_KIB)),
            Self::Zstd => Box::new(Streams::new(packed, open_zstd, close_zstd)),
            Self::Bzip2 => Box::new(MultiBzDecoder::new(packed)),
            Self::Lzma => Box::new(Lzma::Before(packed)),
            Self::Pbzx => Box::new(PbzxReader::new(packed)),
        }
    }
}

/// Streams one behind the other, to the end of the file.
struct Streams<R, D> {
    state: State<R, D>,
    open: fn(R) -> io::Result<D>,
    close: fn(D) -> io::Result<R>,
}

enum State<R, D> {
    Between(R),
    Inside(D),
    Ended,
}

impl<R: BufRead, D: Read> Streams<R, D> {
    fn new(packed: R, open: fn(R) -> io::Result<D>, close: fn(D) -> io::Result<R>) -> Self {
        let state = State::Between(packed);
        Self { state, open, close }
    }
}

impl<R: BufRead, D: Read> Read for Streams<R, D> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match std::mem::replace(&mut self.state, State::Ended) {
                State::Between(mut packed) => {
                    if packed.fill_buf()?.is_empty() {
                        return Ok(0);
                    }
                    self.state = State::Inside((self.open)(packed)?);
                }
                State::Inside(mut stream) => {
                    let read = stream.read(buffer)?;
                    if read > 0 || buffer.is_empty() {
                        self.state = State::Inside(stream);
                        return Ok(read);
                    }
                    self.state = State::Between((self.close)(stream)?);
                }
                State::Ended => return Ok(0),
            }
        }
    }
}

fn open_gzip<R: BufRead>(packed: R) -> io::Result<GzDecoder<R>> {
    Ok(GzDecoder::new(packed))
}

fn close_gzip<R: BufRead>(stream: GzDecoder<R>) -> io::Result<R> {
    Ok(stream.into_inner())
}

fn open_zstd<R: BufRead>(
    packed: R,
) -> io::Result<StreamingDecoder<R, ruzstd::decoding::FrameDecoder>> {
    StreamingDecoder::new_with_max_window_size(packed, Limits::ZSTD_WINDOW_BYTES)
        .map_err(|error| invalid(&error.to_string()))
}

/// The library computes the checksum and leaves it to us to compare.
fn close_zstd<R: BufRead>(
    stream: StreamingDecoder<R, ruzstd::decoding::FrameDecoder>,
) -> io::Result<R> {
    let (packed, decoder) = stream.into_parts();
    let said = decoder.get_checksum_from_data();
    if said.is_some() && said != decoder.get_calculated_checksum() {
        return Err(invalid("a frame does not have the checksum that it states"));
    }
    Ok(packed)
}

/// A stream of lzma. It has no checksum, so that it ends where the file does is what can be known of it.
enum Lzma<R> {
    Before(R),
    Inside(Box<LzmaReader<R>>),
    Ended,
}

impl<R: BufRead> Read for Lzma<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match std::mem::replace(self, Self::Ended) {
                Self::Before(packed) => {
                    let mut stream =
                        LzmaReader::new_mem_limit(packed, Limits::XZ_MEMORY_KIB, None)?;
                    stream.set_relaxed_end_condition(false);
                    *self = Self::Inside(Box::new(stream));
                }
                Self::Inside(mut stream) => {
                    let read = stream.read(buffer)?;
                    if read > 0 || buffer.is_empty() {
                        *self = Self::Inside(stream);
                        return Ok(read);
                    }
                    let (mut packed, ahead) = stream.into_parts();
                    if !ahead.is_empty() || !packed.fill_buf()?.is_empty() {
                        return Err(invalid("something stands behind the stream"));
                    }
                }
                Self::Ended => return Ok(0),
            }
        }
    }
}

fn invalid(reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason.to_owned())
}

#[cfg(test)]
mod tests;
