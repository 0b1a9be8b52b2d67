//! Public keys as certificates hold them, and checking a signature with one.
//!
//! RSA by PKCS #1 v1.5 and PSS (RFC 8017), ECDSA over P-256, P-384, and P-521 (RFC 5480). The arithmetic is RustCrypto's.
//! Curves that are spelled out instead of named are recognised and refused (CVE-2020-0601).

use p256::ecdsa::signature::hazmat::PrehashVerifier as _;
use rsa::{BoxedUint, Pkcs1v15Sign, Pss};
use thiserror::Error;

use crate::der::{Cursor, DerError, INTEGER, OBJECT_IDENTIFIER, SEQUENCE, context};
use crate::digest::DigestAlgorithm;
use crate::oid::{self, Oid};

/// Keys shorter than this are refused: NIST SP 800-131A, CA/B code signing requirements 6.1.5.
pub(crate) const RSA_BITS_MIN: usize = 2048;
/// The shortest RSA keys that old timestamps are believed from, where the caller asked for that.
pub(crate) const RSA_BITS_MIN_LEGACY: usize = 1024;
/// The longest RSA keys that are worked with. Real ones end at 4096.
const RSA_BITS_MAX: usize = 8192;

/// A public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PublicKey<'a> {
    Rsa {
        modulus: &'a [u8],
        exponent: &'a [u8],
    },
    Ec {
        curve: Curve,
        point: &'a [u8],
    },
    /// A curve by its numbers. Whoever may choose those makes any key fit.
    ExplicitCurve,
    Unknown(Oid<'a>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Curve {
    P256,
    P384,
    P521,
}

impl Curve {
    /// Bytes of a number modulo the order of the curve.
    fn scalar_bytes(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }
}

/// How a signature was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    RsaPkcs1(DigestAlgorithm),
    /// RSASSA-PSS with MGF1 over the same digest.
    RsaPss {
        digest: DigestAlgorithm,
        salt_bytes: usize,
    },
    Ecdsa(DigestAlgorithm),
}

/// Why a signature does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum KeyError {
    #[error("the signature does not hold")]
    Wrong,
    #[error("the signature algorithm and the kind of key do not belong together")]
    Mismatch,
    #[error("the curve of the key is given by explicit parameters instead of its name")]
    ExplicitCurve,
    #[error("the key or signature algorithm {0} is not supported")]
    Unsupported(String),
    #[error("the public key is not well formed")]
    Malformed,
}

impl<'a> PublicKey<'a> {
    /// Reads a SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7).
    pub(crate) fn read(cursor: &mut Cursor<'a>) -> Result<Self, DerError> {
        let mut info = cursor.enter(SEQUENCE)?;
        let mut algorithm = info.enter(SEQUENCE)?;
        let bits = info.any()?.bits()?;
        let oid = Oid::read(&mut algorithm)?;
        match oid {
            oid::RSA_ENCRYPTION | oid::RSASSA_PSS => {
                let mut key = Cursor::new(bits).enter(SEQUENCE)?;
                let modulus = key.expect(INTEGER)?.unsigned()?;
                let exponent = key.expect(INTEGER)?.unsigned()?;
                Ok(Self::Rsa { modulus, exponent })
            }
            oid::EC_PUBLIC_KEY => {
                // RFC 5480 section 2.1.1: `namedCurve` and nothing else.
                if algorithm.peek() != Some(OBJECT_IDENTIFIER) {
                    return Ok(Self::ExplicitCurve);
                }
                let curve = match Oid::read(&mut algorithm)? {
                    oid::P256 => Curve::P256,
                    oid::P384 => Curve::P384,
                    oid::P521 => Curve::P521,
                    other => return Ok(Self::Unknown(other)),
                };
                Ok(Self::Ec { curve, point: bits })
            }
            other => Ok(Self::Unknown(other)),
        }
    }

    /// The length of an RSA key in bits.
    pub(crate) fn rsa_bits(&self) -> Option<usize> {
        match self {
            Self::Rsa { modulus, .. } => {
                let unused = modulus.first().map_or(0, |first| first.leading_zeros());
                Some(modulus.len() * 8 - unused as usize)
            }
            _ => None,
        }
    }

    /// Checks a signature over the digest of a message.
    pub(crate) fn verify(
        &self,
        scheme: Scheme,
        hash: &[u8],
        signature: &[u8],
    ) -> Result<(), KeyError> {
        match (self, scheme) {
            (Self::Rsa { modulus, exponent }, Scheme::RsaPkcs1(digest)) => {
                let padding = Pkcs1v15Sign {
                    hash_len: Some(digest.len()),
                    prefix: digest.info_prefix().into(),
                };
                rsa_key(modulus, exponent)?
                    .verify(padding, hash, signature)
                    .map_err(|_| KeyError::Wrong)
            }
            (Self::Rsa { modulus, exponent }, Scheme::RsaPss { digest, salt_bytes }) => {
                let key = rsa_key(modulus, exponent)?;
                match digest {
                    DigestAlgorithm::Sha1 => {
                        key.verify(pss::<sha1::Sha1>(salt_bytes), hash, signature)
                    }
                    DigestAlgorithm::Sha256 => {
                        key.verify(pss::<sha2::Sha256>(salt_bytes), hash, signature)
                    }
                    DigestAlgorithm::Sha384 => {
                        key.verify(pss::<sha2::Sha384>(salt_bytes), hash, signature)
                    }
                    DigestAlgorithm::Sha512 => {
                        key.verify(pss::<sha2::Sha512>(salt_bytes), hash, signature)
                    }
                }
                .map_err(|_| KeyError::Wrong)
            }
            (Self::Ec { curve, point }, Scheme::Ecdsa(_)) => {
                verify_ecdsa(*curve, point, hash, signature)
            }
            (Self::ExplicitCurve, _) => Err(KeyError::ExplicitCurve),
            (Self::Unknown(oid), _) => Err(KeyError::Unsupported(oid.to_string())),
            (Self::Rsa { .. } | Self::Ec { .. }, _) => Err(KeyError::Mismatch),
        }
    }

    /// Checks an RSASSA-PSS signature over a SHA-256 digest, whatever the length of its salt: where nothing states it, signers
    /// take that of the digest, or the longest that fits.
    pub(crate) fn verify_pss_sha256(&self, hash: &[u8], signature: &[u8]) -> Result<(), KeyError> {
        let Self::Rsa { modulus, exponent } = self else {
            return Err(KeyError::Mismatch);
        };
        let mut padding = pss::<sha2::Sha256>(0);
        padding.salt_len = None;
        rsa_key(modulus, exponent)?
            .verify(padding, hash, signature)
            .map_err(|_| KeyError::Wrong)
    }

    /// Checks an RSA signature over a bare digest, without the DigestInfo around it. Some countersignatures of VeriSign's
    /// and Symantec's old timestamp services are made so (osslsigncode#243, #283).
    pub(crate) fn verify_bare(&self, hash: &[u8], signature: &[u8]) -> Result<(), KeyError> {
        let Self::Rsa { modulus, exponent } = self else {
            return Err(KeyError::Mismatch);
        };
        let padding = Pkcs1v15Sign {
            hash_len: Some(hash.len()),
            prefix: Box::new([]),
        };
        rsa_key(modulus, exponent)?
            .verify(padding, hash, signature)
            .map_err(|_| KeyError::Wrong)
    }
}

fn pss<D: sha2::Digest>(salt_bytes: usize) -> Pss<D> {
    Pss::new_with_salt(salt_bytes)
}

fn rsa_key(modulus: &[u8], exponent: &[u8]) -> Result<rsa::PublicKey, KeyError> {
    // Bounded before any arithmetic is set up for it.
    if modulus.len() > RSA_BITS_MAX / 8 || exponent.len() > 8 {
        return Err(KeyError::Malformed);
    }
    let modulus = BoxedUint::from_be_slice_vartime(modulus);
    let exponent = BoxedUint::from_be_slice_vartime(exponent);
    rsa::PublicKey::new(modulus, exponent).map_err(|_| KeyError::Malformed)
}

/// Checks an ECDSA signature: SEQUENCE { r INTEGER, s INTEGER } (RFC 3279 section 2.2.3).
fn verify_ecdsa(curve: Curve, point: &[u8], hash: &[u8], signature: &[u8]) -> Result<(), KeyError> {
    let fixed = fixed_width(curve, signature).ok_or(KeyError::Wrong)?;
    macro_rules! verify {
        ($curve:ident) => {{
            let key = $curve::ecdsa::VerifyingKey::from_sec1_bytes(point)
                .map_err(|_| KeyError::Malformed)?;
            let signature = $curve::ecdsa::Signature::from_slice(&fixed);
            let signature = signature.map_err(|_| KeyError::Wrong)?;
            key.verify_prehash(hash, &signature)
        }};
    }
    match curve {
        Curve::P256 => verify!(p256),
        Curve::P384 => verify!(p384),
        Curve::P521 => verify!(p521),
    }
    .map_err(|_| KeyError::Wrong)
}

/// r and s side by side, each as long as the order of the curve. Only DER is taken: any other way to write the same
/// numbers would make a second signature out of one.
fn fixed_width(curve: Curve, signature: &[u8]) -> Option<Vec<u8>> {
    let mut numbers = Cursor::new(signature).enter(SEQUENCE).ok()?;
    let mut fixed = Vec::with_capacity(2 * curve.scalar_bytes());
    let mut contents = Vec::new();
    for _ in 0..2 {
        let number = numbers.expect(INTEGER).ok()?.unsigned().ok()?;
        let padding = curve.scalar_bytes().checked_sub(number.len())?;
        fixed.extend(std::iter::repeat_n(0, padding));
        fixed.extend_from_slice(number);
        let sign = number.first().is_none_or(|first| first & 0x80 != 0);
        contents.extend([INTEGER, u8::try_from(number.len()).ok()? + u8::from(sign)]);
        contents.extend(sign.then_some(0));
        contents.extend_from_slice(number);
    }
    // At most 2 * (66 + 3) bytes.
    let length = u8::try_from(contents.len()).ok()?;
    let mut strict = vec![SEQUENCE];
    strict.extend((length >= 0x80).then_some(0x81));
    strict.push(length);
    strict.extend(contents);
    (strict == signature).then_some(fixed)
}

impl Scheme {
    /// Reads the AlgorithmIdentifier of a signature. Some name the digest, some leave it to be said elsewhere; `stated` is
    /// what was said there, and must be the same where both say it.
    pub(crate) fn read(
        cursor: &mut Cursor<'_>,
        stated: Option<DigestAlgorithm>,
    ) -> Result<Result<Self, KeyError>, DerError> {
        let mut algorithm = cursor.enter(SEQUENCE)?;
        let oid = Oid::read(&mut algorithm)?;
        let unsupported = || Ok(Err(KeyError::Unsupported(oid.to_string())));
        let scheme = match oid {
            oid::SHA1_WITH_RSA | oid::SHA1_WITH_RSA_OIW => Self::RsaPkcs1(DigestAlgorithm::Sha1),
            oid::SHA256_WITH_RSA => Self::RsaPkcs1(DigestAlgorithm::Sha256),
            oid::SHA384_WITH_RSA => Self::RsaPkcs1(DigestAlgorithm::Sha384),
            oid::SHA512_WITH_RSA => Self::RsaPkcs1(DigestAlgorithm::Sha512),
            oid::ECDSA_WITH_SHA1 => Self::Ecdsa(DigestAlgorithm::Sha1),
            oid::ECDSA_WITH_SHA256 => Self::Ecdsa(DigestAlgorithm::Sha256),
            oid::ECDSA_WITH_SHA384 => Self::Ecdsa(DigestAlgorithm::Sha384),
            oid::ECDSA_WITH_SHA512 => Self::Ecdsa(DigestAlgorithm::Sha512),
            oid::RSASSA_PSS => match pss_parameters(&mut algorithm)? {
                Some((digest, salt_bytes)) => Self::RsaPss { digest, salt_bytes },
                None => return unsupported(),
            },
            oid::RSA_ENCRYPTION | oid::EC_PUBLIC_KEY => match stated {
                Some(digest) if oid == oid::RSA_ENCRYPTION => Self::RsaPkcs1(digest),
                Some(digest) => Self::Ecdsa(digest),
                None => return unsupported(),
            },
            _ => return unsupported(),
        };
        // RSASSA-PSS has parameters, which were read. With `id-ecPublicKey` some signers repeat the curve of the key.
        if !matches!(oid, oid::RSASSA_PSS | oid::EC_PUBLIC_KEY) {
            algorithm.null_or_end()?;
        }
        if stated.is_some_and(|stated| stated != scheme.digest()) {
            return Ok(Err(KeyError::Mismatch));
        }
        Ok(Ok(scheme))
    }

    pub(crate) fn digest(self) -> DigestAlgorithm {
        match self {
            Self::RsaPkcs1(digest) | Self::RsaPss { digest, .. } | Self::Ecdsa(digest) => digest,
        }
    }
}

/// RSASSA-PSS-params (RFC 4055 section 3.1); none where they ask for what nobody uses.
fn pss_parameters(
    algorithm: &mut Cursor<'_>,
) -> Result<Option<(DigestAlgorithm, usize)>, DerError> {
    const SALT_BYTES_MAX: u32 = 64;
    let Some(parameters) = algorithm.optional(SEQUENCE)? else {
        return Ok(None);
    };
    let mut parameters = parameters.inside()?;
    let digest = match parameters.optional(context(0))? {
        Some(digest) => DigestAlgorithm::read(&mut digest.inside()?)?.ok(),
        None => Some(DigestAlgorithm::Sha1),
    };
    let mask_digest = match parameters.optional(context(1))? {
        Some(mask) => {
            let mut mask = mask.inside()?.enter(SEQUENCE)?;
            if Oid::read(&mut mask)? != oid::MGF1 {
                return Ok(None);
            }
            DigestAlgorithm::read(&mut mask)?.ok()
        }
        None => Some(DigestAlgorithm::Sha1),
    };
    let salt_bytes = match parameters.optional(context(2))? {
        Some(salt) => salt.inside()?.any()?.small()?,
        None => 20,
    };
    let trailer = match parameters.optional(context(3))? {
        Some(trailer) => trailer.inside()?.any()?.small()?,
        None => 1,
    };
    parameters.end()?;
    let usual = digest == mask_digest && trailer == 1 && salt_bytes <= SALT_BYTES_MAX;
    Ok(digest
        .filter(|_| usual)
        .and_then(|digest| Some((digest, usize::try_from(salt_bytes).ok()?))))
}

#[cfg(test)]
pub(crate) mod tests;
