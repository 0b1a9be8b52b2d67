//! The certificate table (PE/COFF, "The Attribute Certificate Table"): entries of a length, a revision, a type, and a
//! PKCS #7, each aligned to 8 bytes.
//!
//! Nothing in the table is covered by the digest, so nothing may stand there that is not a signature. Windows accepts
//! foreign bytes behind the PKCS #7 unless told otherwise (CVE-2013-3900, opt-in), and malware lives there.

use thiserror::Error;

use crate::cms::SignedData;
use crate::der::DerError;
use crate::pe::{u16_at, u32_at};

/// How many entries a table may have.
const ENTRIES_MAX: usize = 8;
/// WIN_CERT_REVISION_2_0.
const REVISION: u16 = 0x0200;
/// WIN_CERT_TYPE_PKCS_SIGNED_DATA.
const PKCS_SIGNED_DATA: u16 = 2;
const HEADER_BYTES: usize = 8;

/// What is wrong with a certificate table.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum TableError {
    #[error("the certificate table is said to lie inside the headers, or to be empty")]
    Place,
    #[error(
        "the certificate table is said to end at byte {end}, but the file has {size}; it was cut short"
    )]
    Truncated { end: u64, size: u64 },
    #[error(
        "the certificate table is larger than {} bytes",
        super::TABLE_BYTES_MAX
    )]
    TooLarge,
    #[error(
        "entry {number} of the certificate table says it has {length} bytes, which it cannot have"
    )]
    Length { number: usize, length: u32 },
    #[error(
        "entry {number} of the certificate table has revision {revision:#06x} and type {kind}, expected a PKCS #7 signature"
    )]
    Kind {
        number: usize,
        revision: u16,
        kind: u16,
    },
    #[error("entry {number} of the certificate table is no PKCS #7 signature: {error}")]
    NoSignature { number: usize, error: DerError },
    #[error(
        "entry {number} of the certificate table has {bytes} bytes behind the signature, which nobody signed (CVE-2013-3900)"
    )]
    Padding { number: usize, bytes: usize },
    #[error("the certificate table has more than {ENTRIES_MAX} entries")]
    TooMany,
}

impl TableError {
    /// Whether an entry has foreign bytes behind its signature.
    pub(crate) fn is_padding(&self) -> bool {
        matches!(self, Self::Padding { .. })
    }
}

/// The signatures in a table, and everything that is wrong with it.
pub(crate) fn certificates(table: &[u8]) -> (Vec<SignedData<'_>>, Vec<TableError>) {
    let (mut found, mut wrong) = (Vec::new(), Vec::new());
    let mut rest = table;
    let mut number = 0;
    while !rest.is_empty() {
        number += 1;
        if number > ENTRIES_MAX {
            wrong.push(TableError::TooMany);
            break;
        }
        let length = u32_at(rest, 0).unwrap_or(0);
        let whole = usize::try_from(length)
            .ok()
            .filter(|whole| *whole > HEADER_BYTES)
            .and_then(|whole| rest.get(..whole));
        let Some(entry) = whole else {
            wrong.push(TableError::Length { number, length });
            break;
        };
        let aligned = entry.len().next_multiple_of(8).min(rest.len());
        let (entry_and_gap, behind) = rest.split_at(aligned);
        read_entry(number, entry, entry_and_gap, &mut found, &mut wrong);
        rest = behind;
    }
    (found, wrong)
}

fn read_entry<'a>(
    number: usize,
    entry: &'a [u8],
    entry_and_gap: &'a [u8],
    found: &mut Vec<SignedData<'a>>,
    wrong: &mut Vec<TableError>,
) {
    let (revision, kind) = (u16_at(entry, 4).unwrap_or(0), u16_at(entry, 6).unwrap_or(0));
    if (revision, kind) != (REVISION, PKCS_SIGNED_DATA) {
        wrong.push(TableError::Kind {
            number,
            revision,
            kind,
        });
        return;
    }
    let signature = entry.get(HEADER_BYTES..).unwrap_or_default();
    match SignedData::parse(signature) {
        Ok((signed, used)) => {
            let padding = entry_and_gap.get(HEADER_BYTES + used..).unwrap_or_default();
            // Both the length and the entry may be aligned to 8 bytes, in either case with less than 8 zeros.
            if padding.len() > 7 || padding.iter().any(|byte| *byte != 0) {
                let bytes = padding.len();
                wrong.push(TableError::Padding { number, bytes });
            }
            found.push(signed);
        }
        Err(error) => wrong.push(TableError::NoSignature { number, error }),
    }
}
