//! Keys, and how many of them signed.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::TufError;
use super::json::{Json, Object, field};
use crate::der::Cursor;
use crate::digest::DigestAlgorithm;
use crate::ed25519;
use crate::key::{self, Curve, RSA_BITS_MIN, Scheme};

/// Keys of one document at most.
const KEYS_MAX: usize = 1024;
/// Keys of one role at most.
const KEY_IDS_MAX: usize = 64;
/// Bytes of a key or signature as text at most.
const TEXT_BYTES_MAX: usize = 8 * 1024;

/// A key that is known here.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    Ed25519(Vec<u8>),
    /// A SubjectPublicKeyInfo, and its scheme.
    EcdsaP256(Vec<u8>),
    RsaPss(Vec<u8>),
}

/// Keys by their ids. Those of kinds that are not known here sign nothing.
pub(super) type Keys = BTreeMap<String, Key>;

/// Who signs for a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Role {
    pub(super) key_ids: Vec<String>,
    pub(super) threshold: u64,
}

/// Reads the keys of a document.
pub(super) fn keys(json: &Json) -> Result<Keys, TufError> {
    let object = json.object("keys")?;
    if object.len() > KEYS_MAX {
        return Err(TufError::TooMany("keys"));
    }
    let mut keys = Keys::new();
    for (id, key) in object {
        if let Some(key) = read(key.object("keys")?)? {
            keys.insert(id.clone(), key);
        }
    }
    Ok(keys)
}

fn read(object: &Object) -> Result<Option<Key>, TufError> {
    let kind = field(object, "keytype")?.text("keytype")?;
    let scheme = field(object, "scheme")?.text("scheme")?;
    let values = field(object, "keyval")?.object("keyval")?;
    let public = field(values, "public").and_then(|it| it.text("public"));
    Ok(match (kind, scheme) {
        ("ed25519", "ed25519") => unhex(public?).map(Key::Ed25519),
        ("ecdsa" | "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256") => {
            pem(public?).map(Key::EcdsaP256)
        }
        ("rsa", "rsassa-pss-sha256") => pem(public?).map(Key::RsaPss),
        // Specification 4.2: clients ignore what they do not know, and count it for nothing.
        _ => None,
    })
}

/// The bytes in a PEM of a public key (RFC 7468).
fn pem(text: &str) -> Option<Vec<u8>> {
    let text = text.trim();
    let body = text.strip_prefix("-----BEGIN PUBLIC KEY-----")?;
    let body = body.strip_suffix("-----END PUBLIC KEY-----")?;
    let body: String = body.split_ascii_whitespace().collect();
    let bytes = BASE64.decode(body).ok();
    bytes.filter(|_| text.len() <= TEXT_BYTES_MAX)
}

pub(super) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() || text.len() > TEXT_BYTES_MAX {
        return None;
    }
    let pairs = pairs.iter();
    pairs
        .map(|[high, low]| u8::try_from(digit(*high)? * 16 + digit(*low)?).ok())
        .collect()
}

impl Key {
    fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let hash = || DigestAlgorithm::Sha256.hash(&[message]);
        match self {
            Self::Ed25519(bytes) => {
                let key = ed25519::PublicKey::from_bytes(bytes);
                key.is_some_and(|key| key.verify(message, signature))
            }
            Self::EcdsaP256(bytes) => public(bytes).is_some_and(|key| {
                let is_p256 = matches!(
                    key,
                    key::PublicKey::Ec {
                        curve: Curve::P256,
                        ..
                    }
                );
                let scheme = Scheme::Ecdsa(DigestAlgorithm::Sha256);
                is_p256 && key.verify(scheme, &hash(), signature).is_ok()
            }),
            Self::RsaPss(bytes) => public(bytes).is_some_and(|key| {
                let is_long = key.rsa_bits().is_some_and(|bits| bits >= RSA_BITS_MIN);
                is_long && key.verify_pss_sha256(&hash(), signature).is_ok()
            }),
        }
    }
}

fn public(bytes: &[u8]) -> Option<key::PublicKey<'_>> {
    let mut cursor = Cursor::new(bytes);
    let key = key::PublicKey::read(&mut cursor).ok()?;
    cursor.end().ok().map(|()| key)
}

impl Role {
    /// Reads `keyids` and `threshold`.
    pub(super) fn read(object: &Object) -> Result<Self, TufError> {
        let ids = field(object, "keyids")?.list("keyids")?;
        if ids.len() > KEY_IDS_MAX {
            return Err(TufError::TooMany("keyids"));
        }
        let ids = ids.iter().map(|id| id.text("keyids").map(str::to_owned));
        let key_ids: Vec<String> = ids.collect::<Result<_, _>>()?;
        let distinct: BTreeSet<_> = key_ids.iter().collect();
        if distinct.len() != key_ids.len() {
            return Err(TufError::Twice("a key in `keyids`"));
        }
        let threshold = field(object, "threshold")?.number("threshold")?;
        if threshold == 0 {
            return Err(TufError::Shape("threshold"));
        }
        Ok(Self { key_ids, threshold })
    }

    /// Whether enough keys signed. One key counts once, whatever ids it has.
    pub(super) fn verify(
        &self,
        keys: &Keys,
        message: &[u8],
        signatures: &BTreeMap<String, Vec<u8>>,
    ) -> Result<(), TufError> {
        let mut signed = BTreeSet::new();
        for id in &self.key_ids {
            let (Some(key), Some(signature)) = (keys.get(id), signatures.get(id)) else {
                continue;
            };
            if !signed.contains(key) && key.verifies(message, signature) {
                signed.insert(key);
            }
        }
        match signed.len() as u64 {
            enough if enough >= self.threshold => Ok(()),
            found => Err(TufError::Threshold {
                found,
                expected: self.threshold,
            }),
        }
    }
}
