//! A CodeDirectory: what a signature says of the code, and the digests of its pages (`cs_blobs.h`, CS_CodeDirectory).

use thiserror::Error;

use crate::digest::DigestAlgorithm;
use crate::macho::Limits;
use crate::reading::{u32_at, u64_at};

/// CS_ADHOC: nobody signed.
const FLAG_AD_HOC: u32 = 0x2;
/// CS_RUNTIME: the hardened runtime.
const FLAG_RUNTIME: u32 = 0x1_0000;
/// CS_LINKER_SIGNED: the linker made it, so that the code runs on the machine that built it.
const FLAG_LINKER_SIGNED: u32 = 0x2_0000;
/// How long a code directory hash is, whatever made it: CS_CDHASH_LEN.
const CODE_HASH_BYTES: usize = 20;

/// How digests in a code directory are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HashKind {
    pub(crate) algorithm: DigestAlgorithm,
    /// How much of each digest is kept.
    pub(crate) bytes: usize,
}

impl HashKind {
    fn of(kind: u8) -> Option<Self> {
        use DigestAlgorithm::{Sha1, Sha256, Sha384, Sha512};
        let (algorithm, bytes) = match kind {
            1 => (Sha1, 20),
            2 => (Sha256, 32),
            3 => (Sha256, 20),
            4 => (Sha384, 48),
            5 => (Sha512, 64),
            _ => return None,
        };
        Some(Self { algorithm, bytes })
    }

    pub(crate) fn hash(self, pieces: &[&[u8]]) -> Vec<u8> {
        self.cut(self.algorithm.hash(pieces))
    }

    pub(crate) fn cut(self, mut hash: Vec<u8>) -> Vec<u8> {
        hash.truncate(self.bytes);
        hash
    }
}

/// One code directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CodeDirectory<'a> {
    pub(crate) raw: &'a [u8],
    pub(crate) flags: u32,
    pub(crate) identifier: &'a [u8],
    pub(crate) team: Option<&'a [u8]>,
    pub(crate) hash: HashKind,
    /// Bytes of a page; none where everything is one page.
    pub(crate) page_bytes: Option<u64>,
    /// How many bytes of the slice it covers.
    pub(crate) code_bytes: u64,
    /// Digests of pages, one behind the other.
    pub(crate) pages: &'a [u8],
    /// Digests of special slots, the last slot first.
    special: &'a [u8],
    /// Base, limit, and flags of the executable segment.
    execution: Option<[u64; 3]>,
}

/// Why a code directory cannot be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum CodeDirectoryError {
    #[error("a code directory ends early")]
    Truncated,
    #[error("a code directory has the version {0:#x}, which is not known")]
    Version(u32),
    #[error("a code directory has digests of a kind that is not known")]
    Hash,
    #[error("a code directory has pages of a size that is not accepted")]
    PageSize,
    #[error("a code directory covers scattered places, which is not accepted")]
    Scatter,
    #[error("a code directory has {found} digests of pages, expected {expected}")]
    Pages { found: u32, expected: u64 },
    #[error("a code directory has its digests or texts where they cannot be")]
    Place,
}

impl<'a> CodeDirectory<'a> {
    pub(crate) fn parse(raw: &'a [u8]) -> Result<Self, CodeDirectoryError> {
        let number = |at| u32_at(raw, at).ok_or(CodeDirectoryError::Truncated);
        let wide = |at| u64_at(raw, at).ok_or(CodeDirectoryError::Truncated);
        let size = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        let version = number(8)?;
        // The fields of each version come behind those of the one before; the kernel looks at the major part alone.
        let fixed = match version {
            0x20001..0x20100 => 44,
            0x20100..0x20200 => 48,
            0x20200..0x20300 => 52,
            0x20300..0x20400 => 64,
            0x20400..0x20500 => 88,
            0x20500..0x20600 => 96,
            0x20600..0x20700 => 108,
            _ => return Err(CodeDirectoryError::Version(version)),
        };
        let byte = |at: usize| raw.get(at).copied().ok_or(CodeDirectoryError::Truncated);
        let hash = HashKind::of(byte(37)?).ok_or(CodeDirectoryError::Hash)?;
        if usize::from(byte(36)?) != hash.bytes {
            return Err(CodeDirectoryError::Hash);
        }
        let page_bytes = match byte(39)? {
            0 => None,
            // 4 KiB to 64 KiB.
            shift @ 12..=16 => Some(1_u64 << shift),
            _ => return Err(CodeDirectoryError::PageSize),
        };
        if version >= 0x20100 && number(44)? != 0 {
            return Err(CodeDirectoryError::Scatter);
        }
        let code_bytes = match version {
            0x20300.. if wide(56)? != 0 => wide(56)?,
            _ => u64::from(number(32)?),
        };
        let expected = page_bytes.map_or(1, |page| code_bytes.div_ceil(page));
        let (special, found) = (number(24)?, number(28)?);
        if u64::from(found) != expected {
            return Err(CodeDirectoryError::Pages { found, expected });
        }
        if special > Limits::SPECIAL_SLOTS {
            return Err(CodeDirectoryError::Place);
        }
        let special_bytes = size(special) * hash.bytes;
        let hashes_at = size(number(16)?);
        let special_at = hashes_at.checked_sub(special_bytes);
        let special_at = special_at.filter(|at| *at >= fixed);
        let special_at = special_at.ok_or(CodeDirectoryError::Place)?;
        let special = raw.get(special_at..hashes_at);
        let pages = raw.get(hashes_at..).and_then(|pages| {
            // The digests end the code directory.
            let bytes = size(found).checked_mul(hash.bytes)?;
            (pages.len() == bytes).then_some(pages)
        });
        let (special, pages) = special.zip(pages).ok_or(CodeDirectoryError::Place)?;
        // Texts lie between the fields and the digests.
        let text = |at: u32| {
            let at = size(at);
            let bytes = raw.get(at..special_at).filter(|_| at >= fixed)?;
            let end = bytes.iter().position(|byte| *byte == 0)?;
            bytes.get(..end)
        };
        let identifier = text(number(20)?).ok_or(CodeDirectoryError::Place)?;
        let team = match version {
            0x20200.. if number(48)? != 0 => {
                Some(text(number(48)?).ok_or(CodeDirectoryError::Place)?)
            }
            _ => None,
        };
        let execution = match version {
            0x20400.. => Some([wide(64)?, wide(72)?, wide(80)?]),
            _ => None,
        };
        Ok(Self {
            raw,
            flags: number(12)?,
            identifier,
            team,
            hash,
            page_bytes,
            code_bytes,
            pages,
            special,
            execution,
        })
    }

    /// Slots from 1 on, each with its digest; one that is all zeros is not used.
    pub(crate) fn special(&self) -> impl Iterator<Item = (u32, &'a [u8])> {
        (1..).zip(self.special.rchunks_exact(self.hash.bytes))
    }

    /// What macOS and notarization know the code by.
    pub(crate) fn code_hash(&self) -> Vec<u8> {
        let mut hash = self.hash.algorithm.hash(&[self.raw]);
        hash.truncate(CODE_HASH_BYTES);
        hash
    }

    /// Whether another one says the same of the same code, only with other digests.
    pub(crate) fn agrees_with(&self, other: &Self) -> bool {
        self.flags == other.flags
            && self.identifier == other.identifier
            && self.team == other.team
            && self.code_bytes == other.code_bytes
            && self.execution == other.execution
    }

    /// Which of Apple's systems the code is a part of; 0 for none.
    pub(crate) fn platform(&self) -> u8 {
        self.raw.get(38).copied().unwrap_or_default()
    }

    pub(crate) fn is_ad_hoc(&self) -> bool {
        self.flags & FLAG_AD_HOC != 0
    }

    pub(crate) fn is_linker_signed(&self) -> bool {
        self.flags & FLAG_LINKER_SIGNED != 0
    }

    pub(crate) fn has_hardened_runtime(&self) -> bool {
        self.flags & FLAG_RUNTIME != 0
    }
}
