//! Digests as RPM states them, and those that are found.

use std::fmt;

use crate::digest::{DigestAlgorithm, Hasher, hex};

/// The algorithms that RPM uses. MD5 and SHA-1 are computed because a package with a wrong one is broken for its users; that
/// they are right proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Algorithm {
    Md5,
    Sha1,
    Sha256,
    Sha512,
    Sha3_256,
}

impl Algorithm {
    /// By the numbers of OpenPGP (RFC 9580 section 9.5).
    pub(super) fn of_number(number: u64) -> Option<Self> {
        match number {
            1 => Some(Self::Md5),
            2 => Some(Self::Sha1),
            8 => Some(Self::Sha256),
            10 => Some(Self::Sha512),
            12 => Some(Self::Sha3_256),
            _ => None,
        }
    }

    fn len(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha256 | Self::Sha3_256 => 32,
            Self::Sha512 => 64,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Md5 => "MD5",
            Self::Sha1 => "SHA-1",
            Self::Sha256 => "SHA-256",
            Self::Sha512 => "SHA-512",
            Self::Sha3_256 => "SHA3-256",
        })
    }
}

/// A digest that a package states.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stated {
    algorithm: Algorithm,
    digest: String,
}

impl Stated {
    /// From hexadecimal digits.
    pub(super) fn parse(algorithm: Algorithm, text: &[u8]) -> Option<Self> {
        let is_whole = text.len() == algorithm.len() * 2;
        let is_hex = text.iter().all(u8::is_ascii_hexdigit);
        let digest = std::str::from_utf8(text).ok()?.to_ascii_lowercase();
        (is_whole && is_hex).then_some(Self { algorithm, digest })
    }

    pub(super) fn of(algorithm: Algorithm, bytes: Vec<u8>) -> Option<Self> {
        let digest = hex(&bytes);
        (bytes.len() == algorithm.len()).then_some(Self { algorithm, digest })
    }
}

#[derive(Clone)]
enum Computing {
    Md5(md5::Md5),
    Sha3(sha3::Sha3_256),
    Other(Hasher),
}

/// Digests being computed, beside what they are to be.
pub(super) struct Digests(Vec<(Stated, Computing)>);

impl Digests {
    pub(super) fn new(stated: &[Stated]) -> Self {
        use md5::Digest as _;
        let computing = |it: &Stated| match it.algorithm {
            Algorithm::Md5 => Computing::Md5(md5::Md5::new()),
            Algorithm::Sha3_256 => Computing::Sha3(sha3::Sha3_256::new()),
            Algorithm::Sha1 => Computing::Other(Hasher::new(DigestAlgorithm::Sha1)),
            Algorithm::Sha256 => Computing::Other(Hasher::new(DigestAlgorithm::Sha256)),
            Algorithm::Sha512 => Computing::Other(Hasher::new(DigestAlgorithm::Sha512)),
        };
        Self(
            stated
                .iter()
                .map(|it| (it.clone(), computing(it)))
                .collect(),
        )
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        use md5::Digest as _;
        for (_, computing) in &mut self.0 {
            match computing {
                Computing::Md5(hasher) => hasher.update(bytes),
                Computing::Sha3(hasher) => hasher.update(bytes),
                Computing::Other(hasher) => hasher.update(bytes),
            }
        }
    }

    /// What is not as stated.
    pub(super) fn wrong(&self, what: &str) -> Vec<String> {
        use md5::Digest as _;
        let found = self.0.iter().filter_map(|(stated, computing)| {
            let found = match computing.clone() {
                Computing::Md5(hasher) => hex(&hasher.finalize()),
                Computing::Sha3(hasher) => hex(&hasher.finalize()),
                Computing::Other(hasher) => hex(&hasher.finish()),
            };
            let Stated { algorithm, digest } = stated;
            (found != *digest)
                .then(|| format!("the {what} has {algorithm} {found}, and {digest} is stated"))
        });
        found.collect()
    }
}
