//! OpenPGP (RFC 9580): signatures that stand beside an artifact, and texts that are signed in place.
//!
//! Packets are read, and numbers verified, by the crate `pgp`. What is signed, by whom, and whether they could sign then is
//! decided here, stricter than the RFC allows to be: a primary key is pinned by its whole fingerprint, and what two readers
//! could take for two things is refused. Encryption, trust between keys, and names of people are none of it.

mod bare;
mod certificate;
mod cleartext;
mod fingerprint;
mod packets;
mod signature;
mod subpackets;
mod validity;

use release::Timestamp;
use thiserror::Error;

use crate::checks::{Check, OPENPGP_KEY, OPENPGP_PRESENT};
use crate::digest::Hasher;

pub(crate) use bare::BareKey;
pub use certificate::OpenPgpKeys;
pub use cleartext::verify_cleartext;
pub use fingerprint::{Fingerprint, FingerprintError};

use packets::{Block, dearmour, packets};
use signature::{DataSignature, Judged, Over, Wanted};

/// What is read at most. Nothing of it is streamed but the artifact.
pub(crate) struct Limits;

impl Limits {
    /// Bytes of a file of keys. A certificate has some KiB, with many signatures of others up to a MiB.
    pub(crate) const KEYS_BYTES: usize = 4 * 1024 * 1024;
    /// Certificates in such a file.
    pub(crate) const CERTIFICATES: usize = 64;
    /// Bytes of a signature file. A signature has 100 to 600.
    pub(crate) const SIGNATURE_BYTES: usize = 64 * 1024;
    /// Signatures in such a file. Each is another digest over the artifact.
    pub(crate) const SIGNATURES: usize = 16;
    /// Packets in any file.
    pub(crate) const PACKETS: usize = 8192;
    /// Bytes of a text that is signed in place. A large `InRelease` has 300 KiB.
    pub(crate) const CLEARTEXT_BYTES: usize = 16 * 1024 * 1024;
}

/// Why bytes are no keys or no signature.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum OpenPgpError {
    /// Too much of it.
    #[error("larger than {0} bytes")]
    TooLarge(usize),
    /// Too many packets, certificates, or signatures.
    #[error("it has more packets, keys, or signatures than are read")]
    TooManyPackets,
    /// Not OpenPGP, or cut short.
    #[error("it is not a sequence of OpenPGP packets with definite lengths, or it was cut short")]
    Packet,
    /// Text that is not the armour that is expected.
    #[error("expected `{0}` in the first line, and nothing outside of such blocks")]
    Begin(String),
    /// Armour that cannot be read.
    #[error("the armour cannot be read: {0}")]
    Armour(&'static str),
    /// A secret key, where a public one belongs.
    #[error(
        "it holds a secret key; export the public one with `gpg --armor --export`, and revoke this one if anybody saw it"
    )]
    Secret,
    /// A packet of another kind.
    #[error("it holds a packet that does not belong there")]
    Foreign,
    /// A signature that cannot be read.
    #[error("it holds a signature that cannot be read")]
    Signature,
    /// No key of a version that is known.
    #[error(
        "it holds no public key of version 4 or 6 that can be read; expected what `gpg --armor --export` writes"
    )]
    NoKeys,
    /// A certificate that stands there twice.
    #[error("it holds key {} twice; import both copies into one keyring and export that", .0.map(|it| it.to_string()).unwrap_or_default())]
    Twice(Option<Fingerprint>),
    /// The key that is wanted is not among them.
    #[error("key {0} is not among the keys that were given")]
    Missing(Fingerprint),
}

/// The signatures over an artifact that were read, or the check that failed already.
#[derive(Debug)]
pub struct Opened<'k> {
    signatures: Result<Vec<DataSignature>, Check>,
    keys: &'k OpenPgpKeys,
    /// Whose signature counts; none where each of the keys will do.
    pinned: Option<Fingerprint>,
    over: Over,
}

/// What is fed with an artifact's bytes.
#[derive(Debug)]
pub struct Verifier(Vec<Option<Hasher>>);

impl Verifier {
    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.update_from(0, bytes);
    }

    /// Bytes that only the signatures from some number on cover.
    pub(crate) fn update_from(&mut self, first: usize, bytes: &[u8]) {
        let hashers = self.0.iter_mut().skip(first).flatten();
        hashers.for_each(|hasher| hasher.update(bytes));
    }
}

/// Reads the signature file of an artifact, before any byte of that is read.
pub fn open<'k>(
    signature: Option<&[u8]>,
    keys: &'k OpenPgpKeys,
    fingerprint: Fingerprint,
    name: &str,
) -> Opened<'k> {
    let absent = || {
        let how = format!("sign with `gpg --detach-sign --armor {name}`");
        Check::fail(
            OPENPGP_PRESENT,
            format!("`{name}.asc` or `{name}.sig` is not there; {how}"),
        )
    };
    let unreadable = |error: OpenPgpError| {
        let reason = format!("the signature beside `{name}` is no OpenPGP signature: {error}");
        Check::fail(OPENPGP_PRESENT, reason)
    };
    let signatures = signature.ok_or_else(absent);
    Opened {
        signatures: signatures.and_then(|bytes| signatures_of(bytes).map_err(unreadable)),
        keys,
        pinned: Some(fingerprint),
        over: Over::Binary,
    }
}

/// Verifies a document that is in memory already, such as `SHA256SUMS` or `Release`.
pub fn verify_document(
    document: &[u8],
    signature: Option<&[u8]>,
    keys: &OpenPgpKeys,
    fingerprint: Fingerprint,
    name: &str,
    at: Timestamp,
) -> Vec<Check> {
    let opened = open(signature, keys, fingerprint, name);
    let mut verifier = opened.verifier();
    if let Some(verifier) = &mut verifier {
        verifier.update(document);
    }
    opened.checks(verifier, name, at)
}

/// The signatures of a file.
fn signatures_of(bytes: &[u8]) -> Result<Vec<DataSignature>, OpenPgpError> {
    if bytes.len() > Limits::SIGNATURE_BYTES {
        return Err(OpenPgpError::TooLarge(Limits::SIGNATURE_BYTES));
    }
    let bytes = dearmour(bytes, Block::Signatures)?;
    let packets = packets(&bytes)?;
    match packets.len() {
        0 => Err(OpenPgpError::Packet),
        found if found > Limits::SIGNATURES => Err(OpenPgpError::TooManyPackets),
        _ => packets.into_iter().map(DataSignature::parse).collect(),
    }
}

impl<'k> Opened<'k> {
    /// Of signatures that stand inside a file, each in a part of its own; any of the keys will do.
    pub(crate) fn inside(parts: &[impl AsRef<[u8]>], keys: &'k OpenPgpKeys, what: &str) -> Self {
        let one = |bytes: &[u8]| {
            let found = signatures_of(bytes)?;
            let found: [DataSignature; 1] = found.try_into().map_err(|_| OpenPgpError::Foreign)?;
            Ok(found)
        };
        let found = parts.iter().map(|part| one(part.as_ref()));
        let found: Result<Vec<_>, OpenPgpError> = found.collect();
        let unreadable = |error: OpenPgpError| {
            let reason = format!("{what} is no OpenPGP signature: {error}");
            Check::fail(OPENPGP_PRESENT, reason)
        };
        Self {
            signatures: found.map(|it| it.concat()).map_err(unreadable),
            keys,
            pinned: None,
            over: Over::Binary,
        }
    }

    /// The same over a text of one line without an end, which may be signed as bytes or as text.
    pub(crate) fn over_one_line(self) -> Self {
        let over = Over::OneLine;
        Self { over, ..self }
    }

    /// The digests that the signatures rest on, each once.
    pub(crate) fn digest_names(&self) -> String {
        let signatures = self.signatures.iter().flatten();
        let mut names: Vec<_> = signatures.map(DataSignature::digest_name).collect();
        names.sort_unstable();
        names.dedup();
        names.join(", ")
    }

    /// What is to be fed with the bytes that are signed, where there is something to check.
    pub fn verifier(&self) -> Option<Verifier> {
        let signatures = self.signatures.as_ref().ok()?;
        let hashers = signatures.iter().map(DataSignature::hasher);
        Some(Verifier(hashers.collect()))
    }

    /// The checks, after the last byte.
    pub fn checks(&self, verifier: Option<Verifier>, name: &str, at: Timestamp) -> Vec<Check> {
        let wanted = Wanted {
            keys: self.keys,
            pinned: self.pinned,
            over: self.over,
            at,
        };
        match &self.signatures {
            Ok(signatures) => conclude(signatures, verifier, wanted, name),
            Err(check) => vec![check.clone()],
        }
    }
}

/// At least one signature is good and by whom it must be, and none is bad. Those of others do not count.
fn conclude(
    signatures: &[DataSignature],
    verifier: Option<Verifier>,
    wanted: Wanted<'_>,
    name: &str,
) -> Vec<Check> {
    let hashers = verifier.map(|it| it.0).unwrap_or_default();
    let hashers = hashers.into_iter().chain(std::iter::repeat(None));
    let count = signatures.len();
    let mut checks = vec![Check::pass(
        OPENPGP_PRESENT,
        format!("signatures over `{name}`: {count}"),
    )];
    let (mut good, mut others) = (false, Vec::new());
    for (signature, hasher) in signatures.iter().zip(hashers) {
        match signature.judge(hasher, wanted) {
            Judged::Good(passed) => {
                good = true;
                checks.extend(passed);
            }
            Judged::Other(whose) => others.push(whose),
            Judged::Bad(check) => checks.push(check),
        }
    }
    let is_bad = checks.iter().any(|check| !check.is_pass());
    let others = others.join(", ");
    if good && !others.is_empty() {
        let reason = format!("signed by others too, which does not count: {others}");
        checks.push(Check::pass(OPENPGP_KEY, reason));
    }
    // What is bad says enough where nobody else signed.
    let is_settled = good || is_bad && others.is_empty();
    if !is_settled {
        let expected = wanted.pinned.map_or_else(
            || "one of the keys that were given".to_owned(),
            |it| format!("key {it}"),
        );
        let known = wanted
            .pinned
            .is_none_or(|pinned| wanted.keys.fingerprints().any(|it| it == pinned));
        let missing = if known {
            ""
        } else {
            ", which is not among the keys that were given"
        };
        let reason = format!("signed by {others}, expected {expected}{missing}");
        checks.push(Check::fail(OPENPGP_KEY, reason));
    }
    checks
}

/// A time as people read it.
fn when(seconds: u64) -> String {
    let time = i64::try_from(seconds).ok();
    let time = time.and_then(|it| Timestamp::from_unix(it).ok());
    time.map_or_else(|| format!("second {seconds}"), |it| it.to_string())
}

#[cfg(test)]
pub(crate) mod tests;
