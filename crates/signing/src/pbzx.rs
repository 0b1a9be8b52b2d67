//! pbzx: what Apple's `pkgbuild` compresses large payloads with. Chunks, each of them a whole xz stream, or as it is:
//!
//! ```text
//! "pbzx" | u64 bytes of a full chunk | chunks: u64 plain bytes | u64 packed bytes | xz stream, or the plain bytes
//! ```
//!
//! Big-endian; there is no specification. A chunk is as it is where both its lengths are the same. Only the last one may be
//! shorter than a full one.

use std::io::{self, Read};

use lzma_rust2::XzReader;

/// What is taken of memory at most.
struct Limits;

impl Limits {
    /// Bytes of a full chunk. Apple's tools write 16 MiB.
    const CHUNK_BYTES: u64 = 64 * 1024 * 1024;
    /// KiB for the dictionary of xz, which need not be larger than a chunk.
    const XZ_MEMORY_KIB: u32 = 80 * 1024;
}

const MAGIC: &[u8] = b"pbzx";

/// The bytes without compression.
pub(crate) struct PbzxReader<R> {
    packed: R,
    state: State,
}

enum State {
    Beginning,
    /// Between chunks; full ones have so many bytes.
    Between {
        full: u64,
    },
    /// In a chunk that was unpacked. One at a time is held.
    Inside {
        full: u64,
        chunk: io::Cursor<Vec<u8>>,
    },
    /// Behind a chunk that was the last one.
    Behind,
}

/// Whether a file begins as one of these.
pub(crate) fn is_pbzx(head: &[u8]) -> bool {
    head.starts_with(MAGIC)
}

impl<R: Read> PbzxReader<R> {
    pub(crate) fn new(packed: R) -> Self {
        let state = State::Beginning;
        Self { packed, state }
    }

    /// A number; none at the end of the file.
    fn number(&mut self) -> io::Result<Option<u64>> {
        let mut bytes = Vec::new();
        self.packed.by_ref().take(8).read_to_end(&mut bytes)?;
        match bytes.first_chunk::<8>() {
            Some(bytes) => Ok(Some(u64::from_be_bytes(*bytes))),
            None if bytes.is_empty() => Ok(None),
            None => Err(invalid("it ends inside a header of pbzx")),
        }
    }

    fn beginning(&mut self) -> io::Result<State> {
        let mut magic = Vec::new();
        let bytes = MAGIC.len() as u64;
        self.packed.by_ref().take(bytes).read_to_end(&mut magic)?;
        let full = self.number()?.filter(|_| magic == MAGIC);
        match full {
            Some(full) if (1..=Limits::CHUNK_BYTES).contains(&full) => Ok(State::Between { full }),
            _ => Err(invalid("the header of pbzx cannot be read")),
        }
    }

    fn chunk(&mut self, full: u64) -> io::Result<Option<Vec<u8>>> {
        let Some(plain) = self.number()? else {
            return Ok(None);
        };
        let packed = self.number()?;
        let packed = packed.filter(|packed| (1..=full).contains(&plain) && *packed <= plain);
        let packed = packed.ok_or_else(|| invalid("a chunk of pbzx is larger than it may be"))?;
        let mut piece = self.packed.by_ref().take(packed);
        let mut chunk = Vec::new();
        if packed == plain {
            piece.read_to_end(&mut chunk)?;
        } else {
            let xz = XzReader::new_mem_limit(&mut piece, false, Limits::XZ_MEMORY_KIB);
            // One byte more than there may be, so that more is seen.
            xz.take(plain + 1).read_to_end(&mut chunk)?;
        }
        match chunk.len() as u64 == plain && piece.limit() == 0 {
            true => Ok(Some(chunk)),
            false => Err(invalid("a chunk of pbzx has not the length that it states")),
        }
    }
}

impl<R: Read> Read for PbzxReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match &mut self.state {
                State::Beginning => self.state = self.beginning()?,
                State::Inside { full, chunk } => {
                    let read = chunk.read(buffer)?;
                    if read > 0 || buffer.is_empty() {
                        return Ok(read);
                    }
                    let is_last = (chunk.get_ref().len() as u64) < *full;
                    self.state = match is_last {
                        true => State::Behind,
                        false => State::Between { full: *full },
                    };
                }
                State::Between { full } => {
                    let full = *full;
                    self.state = match self.chunk(full)? {
                        Some(chunk) => State::Inside {
                            full,
                            chunk: io::Cursor::new(chunk),
                        },
                        None => State::Behind,
                    };
                }
                State::Behind => {
                    return match self.number()? {
                        None => Ok(0),
                        Some(_) => Err(invalid("something stands behind the last chunk of pbzx")),
                    };
                }
            }
        }
    }
}

fn invalid(reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason.to_owned())
}

#[cfg(test)]
mod tests;
