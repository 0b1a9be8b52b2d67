//! How the blocks of a folder are unpacked: stored, MSZIP ([MS-MCI]), and LZX ([MS-PATCH] 2, in the form of cabinets).

use lzxd::{Lzxd, WindowSize};
use thiserror::Error;
use zlib_rs::{Inflate, InflateFlush, Status};

/// How far back MSZIP and every deflate stream may refer, in bytes.
const HISTORY_BYTES: usize = 32 * 1024;
/// LZX translates the targets of calls in the first GiB only ([MS-PATCH] 2.2).
const TRANSLATED_BYTES: u64 = 1 << 30;

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
    pub(super) fn block(
        &mut self,
        packed: &mut [u8],
        bytes: usize,
    ) -> Result<Vec<u8>, UnpackError> {
        match self {
            Self::Stored if packed.len() == bytes => Ok(packed.to_vec()),
            Self::Stored => Err(UnpackError::Stored),
            Self::MsZip { inflate, history } => ms_zip(inflate, history, packed, bytes),
            Self::Lzx(lzx) => lzx.block(packed, bytes),
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

/// LZX, as the library unpacks it, but for the translation of calls: the library takes the target 0 for a negative one, so
/// it is told to translate nothing, and that is done here.
pub(super) struct Lzx {
    decoder: Lzxd,
    /// The bytes that the first block says to translate in; none before it was read, and where nothing is translated.
    translated: Option<i32>,
    /// How many bytes were unpacked.
    at: u64,
}

impl Lzx {
    fn new(window_bits: u8) -> Option<Self> {
        // [MS-CAB] 2.2: 32 KiB to 2 MiB.
        let window = match window_bits {
            15 => WindowSize::KB32,
            16 => WindowSize::KB64,
            17 => WindowSize::KB128,
            18 => WindowSize::KB256,
            19 => WindowSize::KB512,
            20 => WindowSize::MB1,
            21 => WindowSize::MB2,
            _ => return None,
        };
        Some(Self {
            decoder: Lzxd::new(window),
            translated: None,
            at: 0,
        })
    }

    fn block(&mut self, packed: &mut [u8], bytes: usize) -> Result<Vec<u8>, UnpackError> {
        if self.at == 0 {
            self.translated = take_translation(packed);
        }
        let plain = self.decoder.decompress_next(packed, bytes);
        let mut plain = plain.map_err(|_| UnpackError::Lzx)?.to_vec();
        if plain.len() != bytes {
            return Err(UnpackError::Lzx);
        }
        if let Some(size) = self.translated.filter(|_| self.at < TRANSLATED_BYTES) {
            translate(&mut plain, self.at, size);
        }
        self.at += bytes as u64;
        Ok(plain)
    }
}

/// The first bit of the stream says whether calls were translated, and the next 32 in how many bytes ([MS-PATCH] 2.2). Bits
/// stand in words of 16, highest first. The number is made zero, with which nothing is translated.
fn take_translation(packed: &mut [u8]) -> Option<i32> {
    let head = packed.first_chunk_mut::<6>()?;
    let [a, b, c, d, e, f] = *head;
    let words = [[a, b], [c, d], [e, f]].map(u16::from_le_bytes);
    let bits = words
        .iter()
        .fold(0_u64, |bits, word| bits << 16 | u64::from(*word));
    if bits >> 47 == 0 {
        return None;
    }
    let kept = bits & (1 << 47 | 0x7fff);
    let [_, _, b, a, d, c, f, e] = kept.to_be_bytes();
    *head = [a, b, c, d, e, f];
    let number = u32::try_from(bits >> 15 & 0xffff_ffff).ok()?;
    Some(number.cast_signed())
}

/// Calls (0xe8) have the place that they lead to in place of the distance. What has no room for one before the last 10 bytes
/// of a block was left alone.
fn translate(plain: &mut [u8], at: u64, size: i32) {
    let end = plain.len().saturating_sub(10);
    let mut next = 0;
    while let Some(found) = plain
        .get(next..end)
        .and_then(|rest| rest.iter().position(|byte| *byte == 0xe8))
    {
        let call = next + found;
        next = call + 5;
        let (Ok(here), Some(target)) = (
            i32::try_from(at + call as u64),
            plain
                .get_mut(call + 1..)
                .and_then(|rest| rest.first_chunk_mut::<4>()),
        ) else {
            return;
        };
        let absolute = i32::from_le_bytes(*target);
        if absolute >= -here && absolute < size {
            let relative = match absolute >= 0 {
                true => absolute.wrapping_sub(here),
                false => absolute.wrapping_add(size),
            };
            *target = relative.to_le_bytes();
        }
    }
}
