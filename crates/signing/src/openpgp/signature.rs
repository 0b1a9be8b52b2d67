//! One signature over data: what it covers besides the data, and whether it holds.

use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{PublicKey, Signature, SignatureType, SignatureVersionSpecific};
use pgp::types::{Tag, VerifyingKey as _};
use release::Timestamp;

use super::certificate::{OpenPgpKeys, whole};
use super::fingerprint::Fingerprint;
use super::packets::Packet;
use super::subpackets::{created, expires, is_strong, refused};
use super::{OpenPgpError, when};
use crate::checks::{
    Check, OPENPGP_KEY, OPENPGP_KEY_VALIDITY, OPENPGP_SIGNATURE, OPENPGP_TIME, OPENPGP_WEAK_DIGEST,
};
use crate::digest::{DigestAlgorithm, Hasher, hex};

/// What kind of data a signature must be over (RFC 9580 section 5.2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Over {
    /// Bytes as they are.
    Binary,
    /// Lines, of the cleartext framework.
    Text,
    /// A line without an end, which is the same as bytes and as text.
    OneLine,
}

/// A signature as it was found.
#[derive(Debug, Clone)]
pub(super) struct DataSignature {
    /// None where it is of a version that is not known.
    packet: Option<Signature>,
    /// What is hashed behind the data: the signature's own fields as found, and their length (section 5.2.4).
    trailer: Vec<u8>,
}

/// Whose signatures count, and when they are looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'k> {
    pub(super) keys: &'k OpenPgpKeys,
    /// The one whose signature counts; none where each of the keys will do.
    pub(super) pinned: Option<Fingerprint>,
    pub(super) over: Over,
    pub(super) at: Timestamp,
}

/// What came of one signature.
pub(super) enum Judged {
    /// It holds, and is by a key that counts.
    Good(Vec<Check>),
    /// It is by nobody who counts; the text says by whom.
    Other(String),
    Bad(Check),
}

impl DataSignature {
    pub(super) fn parse(packet: Packet<'_>) -> Result<Self, OpenPgpError> {
        if packet.tag != Tag::Signature {
            return Err(OpenPgpError::Foreign);
        }
        let found = whole(packet, |header, body| {
            Signature::try_from_reader(header, body)
        })
        .ok_or(OpenPgpError::Signature)?;
        if found.config().is_none() {
            let (packet, trailer) = (None, Vec::new());
            return Ok(Self { packet, trailer });
        }
        Ok(Self {
            packet: Some(found),
            trailer: trailer(packet.body).unwrap_or_default(),
        })
    }

    /// What hashes the data for it; none where it cannot count anyway.
    pub(super) fn hasher(&self) -> Option<Hasher> {
        let config = self.packet.as_ref()?.config()?;
        let algorithm = match config.hash_alg {
            HashAlgorithm::Sha256 => DigestAlgorithm::Sha256,
            HashAlgorithm::Sha384 => DigestAlgorithm::Sha384,
            HashAlgorithm::Sha512 => DigestAlgorithm::Sha512,
            _ => return None,
        };
        let mut hasher = Hasher::new(algorithm);
        if let SignatureVersionSpecific::V6 { salt } = &config.version_specific {
            hasher.update(salt);
        }
        Some(hasher)
    }

    /// The name of the digest that it rests on.
    pub(super) fn digest_name(&self) -> String {
        let hash = self.packet.as_ref().and_then(Signature::hash_alg);
        hash.map_or_else(|| "unknown".to_owned(), name_of)
    }

    /// Judges it after the last byte of the data.
    pub(super) fn judge(&self, hasher: Option<Hasher>, wanted: Wanted<'_>) -> Judged {
        let Some(packet) = &self.packet else {
            return Judged::Other("one of a version that is not known here".to_owned());
        };
        let issuers: Vec<_> = wanted.keys.issuers(packet).collect();
        if issuers.is_empty() {
            return Judged::Other(issuer(packet));
        }
        let (bytes, time) = match self.refuse(packet, wanted.over) {
            Ok(found) => found,
            Err(check) => return Judged::Bad(check),
        };
        let hash = packet.hash_alg();
        let (Some(mut hasher), Some(hash)) = (hasher, hash.filter(|it| is_strong(Some(*it))))
        else {
            let reason = format!(
                "the signature rests on {}; sign with SHA-256 or SHA-512",
                self.digest_name()
            );
            return Judged::Bad(Check::fail(OPENPGP_WEAK_DIGEST, reason));
        };
        hasher.update(&self.trailer);
        let digest = hasher.finish();
        // RFC 9580 section 5.2.4: the first two bytes of the digest stand in the signature, and must be the same.
        let is_same = packet.signed_hash_value().as_ref() == digest.first_chunk::<2>();
        let made = issuers
            .iter()
            .filter(|it| is_same && it.verifies(hash, &digest, bytes));
        // Several keys may claim it; one for which everything holds is enough.
        let found: Vec<_> = made.map(|it| (it, it.judge(time))).collect();
        let best = found.iter().find(|(_, judged)| judged.is_ok());
        let Some((key, judged)) = best.or(found.first()) else {
            if let Some(unknown) = issuers.iter().find(|it| !it.is_verifiable()) {
                let reason = format!("{} is of a kind that is not known here", unknown.name());
                return Judged::Bad(Check::fail(OPENPGP_KEY_VALIDITY, reason));
            }
            let names: Vec<_> = issuers.iter().map(|it| it.name()).collect();
            let reason = format!(
                "the signature of {} does not cover these bytes; they were changed after signing, or the signature was",
                names.join(", ")
            );
            return Judged::Bad(Check::fail(OPENPGP_SIGNATURE, reason));
        };
        let name = key.name();
        if let Err(why) = judged {
            let reason = format!("{name} could not sign on {}: {why}", when(time));
            return Judged::Bad(Check::fail(OPENPGP_KEY_VALIDITY, reason));
        }
        if let Some(reason) = untimely(packet, time, wanted.at) {
            return Judged::Bad(Check::fail(OPENPGP_TIME, reason));
        }
        let fingerprint = key.certificate.fingerprint;
        if wanted.pinned.is_some_and(|pinned| pinned != fingerprint) {
            return Judged::Other(name);
        }
        let time = when(time);
        Judged::Good(vec![
            Check::pass(OPENPGP_KEY, format!("signed by {name}")),
            Check::pass(OPENPGP_SIGNATURE, "the signature covers these bytes"),
            Check::pass(OPENPGP_KEY_VALIDITY, format!("the key was good on {time}")),
            Check::pass(
                OPENPGP_WEAK_DIGEST,
                format!("the signature rests on {}", name_of(hash)),
            ),
            Check::pass(OPENPGP_TIME, format!("made on {time}")),
        ])
    }

    /// Why a key that stands alone did not make it over these bytes; when it did.
    pub(super) fn is_by(&self, key: &PublicKey, data: &[u8]) -> Result<u64, String> {
        let packet = self.packet.as_ref();
        let packet = packet.ok_or("it is of a version that is not known here")?;
        let refused = self.refuse(packet, Over::Binary);
        let (bytes, time) = refused.map_err(|check| check.reason)?;
        let hash = packet.hash_alg().filter(|it| is_strong(Some(*it)));
        let (Some(mut hasher), Some(hash)) = (self.hasher(), hash) else {
            return Err(format!("it rests on {}", self.digest_name()));
        };
        hasher.update(data);
        hasher.update(&self.trailer);
        match key.verify(hash, &hasher.finish(), bytes) {
            Ok(()) => Ok(time),
            Err(_) => Err("it does not cover these bytes".to_owned()),
        }
    }

    /// Refuses what is no signature over such data; gives its number and its time.
    fn refuse<'s>(
        &'s self,
        packet: &'s Signature,
        over: Over,
    ) -> Result<(&'s pgp::types::SignatureBytes, u64), Check> {
        let why = match (packet.typ(), over) {
            _ if self.trailer.is_empty() => Some("it is of a version before 4"),
            (Some(SignatureType::Binary), Over::Binary | Over::OneLine) => None,
            (Some(SignatureType::Text), Over::Text | Over::OneLine) => None,
            (Some(SignatureType::Text), Over::Binary) => Some(
                "it is over text, where other line ends are the same; sign without `--textmode`",
            ),
            _ => Some("it is not a signature over such data"),
        };
        match (
            why.or_else(|| refused(packet)),
            packet.signature(),
            created(packet),
        ) {
            (None, Some(bytes), Some(time)) => Ok((bytes, time)),
            (why, ..) => {
                let why = why.unwrap_or("it cannot be read");
                let reason = format!("the signature of {} is refused: {why}", issuer(packet));
                Err(Check::fail(OPENPGP_SIGNATURE, reason))
            }
        }
    }
}

/// A digest as other formats name it here.
fn name_of(hash: HashAlgorithm) -> String {
    let name = hash.to_string();
    match name.strip_prefix("SHA").filter(|it| !it.starts_with("3-")) {
        Some(bits) => format!("SHA-{bits}"),
        None => name,
    }
}

/// Why a signature does not hold at a time, by its own times.
fn untimely(packet: &Signature, time: u64, at: Timestamp) -> Option<String> {
    let now = u64::try_from(at.unix()).unwrap_or_default();
    match expires(packet) {
        _ if now < time => Some(format!(
            "the signature was made on {}, which is after {at}",
            when(time)
        )),
        Some(end) if end <= now => Some(format!("the signature expired on {}", when(end))),
        _ => None,
    }
}

/// Who a signature says made it.
fn issuer(packet: &Signature) -> String {
    let fingerprints = packet.issuer_fingerprint();
    let ids = packet.issuer_key_id();
    match (fingerprints.first(), ids.first()) {
        (Some(fingerprint), _) => {
            format!("key {}", hex(fingerprint.as_bytes()).to_uppercase())
        }
        (None, Some(id)) => format!("key id {}", hex(id.as_ref()).to_uppercase()),
        (None, None) => "a key that it does not name".to_owned(),
    }
}

/// RFC 9580 section 5.2.4: the fields up to the end of the hashed subpackets, as found, then the version, 0xFF, and their
/// length. None for versions before 4.
fn trailer(body: &[u8]) -> Option<Vec<u8>> {
    let (version, length) = match body.first()? {
        4 => {
            let length = body.get(4..)?.first_chunk::<2>()?;
            (4, 6 + usize::from(u16::from_be_bytes(*length)))
        }
        6 => {
            let length = body.get(4..)?.first_chunk::<4>()?;
            let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
            (6, length.checked_add(8)?)
        }
        _ => return None,
    };
    let mut trailer = body.get(..length)?.to_vec();
    trailer.extend([version, 0xff]);
    trailer.extend(u32::try_from(length).ok()?.to_be_bytes());
    Some(trailer)
}
