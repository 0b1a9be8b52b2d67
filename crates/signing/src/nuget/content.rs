//! What is signed: a short text with the digest of the package.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use thiserror::Error;

use crate::digest::{DigestAlgorithm, hex};
use crate::oid;

/// The digest that is stated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stated {
    pub(super) algorithm: DigestAlgorithm,
    hash: Vec<u8>,
}

/// Why a text is not that of a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(super) enum ContentError {
    #[error("what is signed is no text of the form `Version:1`, empty line, digest, empty line")]
    Form,
    #[error("the digest that is signed is of an algorithm that packages may not have")]
    Algorithm,
    #[error("the digest that is signed is not base64, or of another length than its algorithm has")]
    Digest,
}

impl Stated {
    /// How a digest differs from this one.
    pub(super) fn difference(&self, found: &[u8]) -> Option<String> {
        let Self { algorithm, hash } = self;
        (found != hash).then(|| {
            format!(
                "signed is {algorithm} {}, found {}; the package was changed after signing",
                hex(hash),
                hex(found)
            )
        })
    }
}

/// Reads the text. Lines end as on Windows or on Unix; NuGet takes further lines too, and nobody has written any.
pub(super) fn parse(content: &[u8]) -> Result<Stated, ContentError> {
    let text = std::str::from_utf8(content).map_err(|_| ContentError::Form)?;
    let lines: Vec<_> = text
        .split('\n')
        .map(|line| line.strip_suffix('\r').unwrap_or(line))
        .collect();
    let ["Version:1", "", digest, "", ""] = lines[..] else {
        return Err(ContentError::Form);
    };
    let (algorithm, hash) = digest.split_once("-Hash:").ok_or(ContentError::Form)?;
    let known = [
        (oid::SHA256, DigestAlgorithm::Sha256),
        (oid::SHA384, DigestAlgorithm::Sha384),
        (oid::SHA512, DigestAlgorithm::Sha512),
    ];
    let known = known.iter().find(|(oid, _)| oid.to_string() == algorithm);
    let (_, algorithm) = *known.ok_or(ContentError::Algorithm)?;
    let hash = BASE64.decode(hash).map_err(|_| ContentError::Digest)?;
    if hash.len() != algorithm.len() {
        return Err(ContentError::Digest);
    }
    Ok(Stated { algorithm, hash })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_digest_is_read_and_nothing_else() {
        let hash = "A".repeat(43) + "=";
        let good = format!("Version:1\n\n2.16.840.1.101.3.4.2.1-Hash:{hash}\n\n");
        let parsed = |text: &str| parse(text.as_bytes());
        assert_eq!(parsed(&good).map(|it| it.hash), Ok(vec![0; 32]));
        assert_eq!(parsed(&good.replace('\n', "\r\n")), parsed(&good));
        for (from, to, error) in [
            ("Version:1", "Version:2", ContentError::Form),
            ("\n\n2", "\n2", ContentError::Form),
            ("=\n\n", "=\n", ContentError::Form),
            ("=\n\n", "=\n\nmore", ContentError::Form),
            ("-Hash", "-hash", ContentError::Form),
            ("2.1-Hash", "2.9-Hash", ContentError::Algorithm),
            ("2.1-Hash", "2.2-Hash", ContentError::Digest),
            (
                "2.16.840.1.101.3.4.2.1",
                "1.3.14.3.2.26",
                ContentError::Algorithm,
            ),
            ("=\n", "\n", ContentError::Digest),
        ] {
            assert_eq!(parsed(&good.replacen(from, to, 1)), Err(error), "{to}");
        }
    }
}
