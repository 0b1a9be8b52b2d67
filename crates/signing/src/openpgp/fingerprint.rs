//! Fingerprints of keys, by which policies pin them.

use std::fmt;
use std::str::FromStr;

use pgp::types::KeyDetails;
use release::name::printable;
use thiserror::Error;

use crate::digest::hex;

/// The fingerprint of a primary key. A key id is none: its 64 bits, and 32 all the more, can be had on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fingerprint {
    /// Of a version 4 key: SHA-1 (RFC 9580 section 5.5.4.2).
    V4([u8; 20]),
    /// Of a version 6 key: SHA-256 (RFC 9580 section 5.5.4.3).
    V6([u8; 32]),
}

/// A text that is no fingerprint.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "`{found}` is not the fingerprint of an OpenPGP key; expected 40 hexadecimal digits, or 64 of a version 6 key, as `gpg --fingerprint` prints them (a key id is not enough)"
)]
pub struct FingerprintError {
    found: String,
}

impl Fingerprint {
    /// Of a key; none where its version is not one that is accepted.
    pub(crate) fn of(key: &impl KeyDetails) -> Option<Self> {
        match key.fingerprint() {
            pgp::types::Fingerprint::V4(bytes) => Some(Self::V4(bytes)),
            pgp::types::Fingerprint::V6(bytes) => Some(Self::V6(bytes)),
            _ => None,
        }
    }

    /// Its bytes.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::V4(bytes) => bytes,
            Self::V6(bytes) => bytes,
        }
    }
}

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    /// Takes digits of either case, in groups with spaces between as well.
    fn from_str(text: &str) -> Result<Self, FingerprintError> {
        let wrong = || FingerprintError {
            found: printable(text),
        };
        let digits: Option<Vec<u8>> = text
            .chars()
            .filter(|it| *it != ' ')
            .map(|it| u8::try_from(it.to_digit(16)?).ok())
            .collect();
        let digits = digits.ok_or_else(wrong)?;
        let (pairs, rest) = digits.as_chunks::<2>();
        let bytes: Vec<u8> = pairs.iter().map(|[high, low]| high << 4 | low).collect();
        match bytes.len() {
            20 if rest.is_empty() => bytes.try_into().map(Self::V4).map_err(|_| wrong()),
            32 if rest.is_empty() => bytes.try_into().map(Self::V6).map_err(|_| wrong()),
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(self.as_bytes()).to_uppercase())
    }
}
