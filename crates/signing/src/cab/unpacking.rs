//! How the blocks of a folder are unpacked: stored, MSZIP ([MS-MCI]), and LZX.

use thiserror::Error;
use zlib_rs::{Inflate, InflateFlush, Status};

use crate::cab::lzx::Lzx;

/// How far back MSZIP and every deflate stream may refer, in bytes.
const HISTORY_BYTES: usize = 32 * 1024;

/// Why a block cannot be unpacked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(super) enum UnpackError {
    #[error("it is packed with Quantum, which is not read")]
    Quantum,
    #[error("it is packed in a way that no cabinet is: {0:#06x}")]
    Packing(u16),
    #[error("a stored block does not have the bytes that it is said to have")]
    Stored,
    #[error("what is packed with MSZIP is damaged, or followed by something")]
    MsZip,
    #[error("what is packed with LZX is damaged")]
    Lzx,
}

/// What is known from block to block of one folder.
pub(super) enum Unpacker {
    Stored,
    MsZip {
        inflate: Box<Inflate>,
        history: Vec<u8>,
    },
    Lzx(Box<Lzx>),
}

impl Unpacker {
    /// [MS-CAB] 2.2: the kind, and for LZX the number of bits of its window in the higher byte.
    pub(super) fn new(packing: u16) -> Result<Self, UnpackError> {
        let [kind, window] = packing.to_le_bytes();
        Ok(match (kind, window) {
            (0, 0) => Self::Stored,
            (1, 0) => Self::MsZip {
                inflate: Box::new(Inflate::new(false, 15)),
                history: Vec::new(),
            },
            // Of Quantum, the level stands in the same byte.
            _ if kind & 0xf == 2 => return Err(UnpackError::Quantum),
            (3, bits) => Self::Lzx(Box::new(
                Lzx::new(bits).ok_or(UnpackError::Packing(packing))?,
            )),
            _ => return Err(UnpackError::Packing(packing)),
        })
    }

    /// What a block unpacks to, of which the length is known.
    pub(super) fn block(&mut self, packed: &[u8], bytes: usize) -> Result<Vec<u8>, UnpackError> {
        match self {
            Self::Stored if packed.len() == bytes => Ok(packed.to_vec()),
            Self::Stored => Err(UnpackError::Stored),
            Self::MsZip { inflate, history } => ms_zip(inflate, history, packed, bytes),
            Self::Lzx(lzx) => lzx.block(packed, bytes).map_err(|_| UnpackError::Lzx),
        }
    }
}

/// [MS-MCI] 2: `CK` and a deflate stream of its own, which may refer to what the blocks before it unpacked to.
fn ms_zip(
    inflate: &mut Inflate,
    history: &mut Vec<u8>,
    packed: &[u8],
    bytes: usize,
) -> Result<Vec<u8>, UnpackError> {
    let stream = packed.strip_prefix(b"CK").ok_or(UnpackError::MsZip)?;
    inflate.reset(false);
    if !history.is_empty() {
        inflate
            .set_dictionary(history)
            .map_err(|_| UnpackError::MsZip)?;
    }
    let (input, output) = (inflate.total_in(), inflate.total_out());
    let mut plain = vec![0; bytes];
    let status = inflate.decompress(stream, &mut plain, InflateFlush::Finish);
    let is_whole = inflate.total_in() - input == stream.len() as u64
        && inflate.total_out() - output == bytes as u64;
    if status != Ok(Status::StreamEnd) || !is_whole {
        return Err(UnpackError::MsZip);
    }
    history.extend_from_slice(&plain);
    let old = history.len().saturating_sub(HISTORY_BYTES);
    history.drain(..old);
    Ok(plain)
}
