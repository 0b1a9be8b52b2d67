//! One read of an artifact: its digests, its checksum, and its signature's hash, all in one pass.

use std::io::{self, Read};

use release::{Crc64, Sha256, Sha512};
use sha2::Digest as _;
use thiserror::Error;

use crate::format::Format;

/// Bytes read at a time.
const CHUNK_BYTES: usize = 512 * 1024;

/// What the bytes of an artifact are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measured {
    /// Length in bytes.
    pub size: u64,
    /// Its name.
    pub sha256: Sha256,
    /// Where a feed needs it.
    pub sha512: Option<Sha512>,
    /// What S3 checks on arrival.
    pub crc64nvme: Crc64,
    /// What it is.
    pub format: Format,
}

/// Why the bytes could not be measured.
#[derive(Debug, Error)]
pub enum MeasureError {
    /// They cannot be read.
    #[error("cannot read `{path}`: {source}")]
    Unreadable {
        /// The artifact.
        path: String,
        /// What the reader said.
        source: io::Error,
    },
    /// They are fewer or more than there were when the artifact was found.
    #[error("`{path}` changed while it was read: expected {expected} bytes, found {found}")]
    Changed {
        /// The artifact.
        path: String,
        /// The length when it was found.
        expected: u64,
        /// The length that was read.
        found: u64,
    },
}

/// The digest of a file, read in pieces.
///
/// # Errors
/// Where the reader fails.
pub fn sha256_of(reader: &mut dyn Read) -> io::Result<Sha256> {
    let measured = measure(reader, release::Kind::File, false, |_| {}, &mut |_| {})?;
    Ok(measured.sha256)
}

/// Reads to the end once. `also` sees every byte in order.
pub(crate) fn measure(
    reader: &mut dyn Read,
    kind: release::Kind,
    wants_sha512: bool,
    mut also: impl FnMut(&[u8]),
    progress: &mut dyn FnMut(u64),
) -> io::Result<Measured> {
    let (mut short, mut long) = (sha2::Sha256::new(), wants_sha512.then(sha2::Sha512::new));
    let mut crc = crc_fast::Digest::new(crc_fast::CrcAlgorithm::Crc64Nvme);
    let (mut head, mut tail) = (Vec::with_capacity(Format::HEAD_BYTES), Vec::new());
    let mut buffer = vec![0; CHUNK_BYTES];
    let mut size = 0;
    loop {
        let read = match reader.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let chunk = &buffer[..read];
        head.extend(chunk.iter().take(Format::HEAD_BYTES - head.len()));
        tail.extend_from_slice(
            chunk
                .get(chunk.len().saturating_sub(Format::TAIL_BYTES)..)
                .unwrap_or(chunk),
        );
        tail.drain(..tail.len().saturating_sub(Format::TAIL_BYTES));
        short.update(chunk);
        if let Some(long) = &mut long {
            long.update(chunk);
        }
        crc.update(chunk);
        also(chunk);
        size += read as u64;
        progress(read as u64);
    }
    Ok(Measured {
        size,
        sha256: Sha256::from_bytes(short.finalize().into()),
        sha512: long.map(|long| Sha512::from_bytes(long.finalize().into())),
        crc64nvme: Crc64::from_value(crc.finalize()),
        format: Format::detect(&head, &tail, kind),
    })
}
