//! The arithmetic that `sigstore-verify` asks for, by RustCrypto: this crate's own keys, and Ed25519 of the logs.
//!
//! The crate would bring C along for it, or takes it from whoever installs a provider. It keeps one for the whole process.

use std::sync::LazyLock;

use sha2::Digest as _;
use sigstore_verify::crypto::{
    CryptoProvider, Error, HashContext, SigningScheme, install_default_provider,
};
use sigstore_verify::types::HashAlgorithm;

use crate::der::{Cursor, INTEGER, SEQUENCE};
use crate::digest::DigestAlgorithm;
use crate::ed25519;
use crate::key::{Curve, PublicKey, Scheme};

/// Makes sure that the crate computes by this file. Must come before anything is asked of it.
pub(super) fn install() {
    static INSTALLED: LazyLock<()> = LazyLock::new(|| {
        // Fails only where somebody in this process was faster; then there is a provider, and that is all that is needed.
        let _ = install_default_provider(&RustCrypto);
    });
    LazyLock::force(&INSTALLED);
}

#[derive(Debug)]
struct RustCrypto;

struct Hash<D>(D);

impl<D: sha2::Digest + Send> HashContext for Hash<D> {
    fn update(&mut self, data: &[u8]) {
        self.0.update(data);
    }

    fn finalize(self: Box<Self>) -> Vec<u8> {
        self.0.finalize().to_vec()
    }
}

impl CryptoProvider for RustCrypto {
    fn hash(&self, algorithm: HashAlgorithm) -> Result<Box<dyn HashContext>, Error> {
        Ok(match algorithm {
            HashAlgorithm::Sha2256 => Box::new(Hash(sha2::Sha256::new())),
            HashAlgorithm::Sha2384 => Box::new(Hash(sha2::Sha384::new())),
            HashAlgorithm::Sha2512 => Box::new(Hash(sha2::Sha512::new())),
            other => return Err(Error::UnsupportedAlgorithm(other.to_string())),
        })
    }

    fn verify_raw(
        &self,
        scheme: SigningScheme,
        key: &[u8],
        data: &[u8],
        signature: &[u8],
    ) -> Result<(), Error> {
        if scheme == SigningScheme::Ed25519 {
            let key = ed25519::PublicKey::from_bytes(key);
            let key = key.filter(|key| key.verify(data, signature));
            return key
                .map(|_| ())
                .ok_or_else(|| wrong(scheme, "it does not hold"));
        }
        let digest = scheme_of(scheme)?.digest();
        self.verify_prehashed(scheme, key, &digest.hash(&[data]), signature)
    }

    fn verify_prehashed(
        &self,
        scheme: SigningScheme,
        key: &[u8],
        digest: &[u8],
        signature: &[u8],
    ) -> Result<(), Error> {
        let ours = scheme_of(scheme)?;
        if digest.len() != ours.digest().len() {
            return Err(wrong(scheme, "the digest has another length"));
        }
        key_of(scheme, key)
            .ok_or_else(|| wrong(scheme, "the public key is not well formed"))?
            .verify(ours, digest, signature)
            .map_err(|error| wrong(scheme, &error.to_string()))
    }
}

fn wrong(scheme: SigningScheme, why: &str) -> Error {
    Error::Verification(format!("{} signature invalid: {why}", scheme.name()))
}

fn scheme_of(scheme: SigningScheme) -> Result<Scheme, Error> {
    let pss = |digest: DigestAlgorithm| Scheme::RsaPss {
        digest,
        // RFC 8017 section 9.1: usually as long as the digest, and here always so.
        salt_bytes: digest.len(),
    };
    Ok(match scheme {
        SigningScheme::EcdsaP256Sha256 | SigningScheme::EcdsaP384Sha256 => {
            Scheme::Ecdsa(DigestAlgorithm::Sha256)
        }
        SigningScheme::EcdsaP256Sha384 | SigningScheme::EcdsaP384Sha384 => {
            Scheme::Ecdsa(DigestAlgorithm::Sha384)
        }
        SigningScheme::RsaPkcs1Sha256 => Scheme::RsaPkcs1(DigestAlgorithm::Sha256),
        SigningScheme::RsaPkcs1Sha384 => Scheme::RsaPkcs1(DigestAlgorithm::Sha384),
        SigningScheme::RsaPkcs1Sha512 => Scheme::RsaPkcs1(DigestAlgorithm::Sha512),
        SigningScheme::RsaPssSha256 => pss(DigestAlgorithm::Sha256),
        SigningScheme::RsaPssSha384 => pss(DigestAlgorithm::Sha384),
        SigningScheme::RsaPssSha512 => pss(DigestAlgorithm::Sha512),
        other => return Err(Error::UnsupportedAlgorithm(other.name().to_owned())),
    })
}

/// The contents of a subjectPublicKey: a point (RFC 5480 section 2.2), or RSAPublicKey (RFC 8017 appendix A.1.1).
fn key_of(scheme: SigningScheme, key: &[u8]) -> Option<PublicKey<'_>> {
    let curve = match scheme {
        SigningScheme::EcdsaP256Sha256 | SigningScheme::EcdsaP256Sha384 => Curve::P256,
        SigningScheme::EcdsaP384Sha256 | SigningScheme::EcdsaP384Sha384 => Curve::P384,
        _ => {
            let mut numbers = Cursor::new(key).enter(SEQUENCE).ok()?;
            return Some(PublicKey::Rsa {
                modulus: numbers.expect(INTEGER).ok()?.unsigned().ok()?,
                exponent: numbers.expect(INTEGER).ok()?.unsigned().ok()?,
            });
        }
    };
    Some(PublicKey::Ec { curve, point: key })
}
