//! Certificates: a primary key, its names and subkeys, and what it signed about them.
//!
//! What others signed about a key says nothing here and is dropped: a key is trusted because its fingerprint is pinned.
//! Signatures are kept as found, and verified by whoever wants to believe one, in `validity`.

use pgp::packet::{PublicKey, PublicSubkey, Signature, SignatureType, UserId};
use pgp::types::{KeyDetails, Tag};

use super::fingerprint::Fingerprint;
use super::packets::{Block, Packet, dearmour, packets};
use super::{Limits, OpenPgpError};

/// The OpenPGP keys that signatures are verified with: the certificates of one file.
#[derive(Debug, Clone)]
pub struct OpenPgpKeys {
    pub(super) certificates: Vec<Certificate>,
}

#[derive(Debug, Clone)]
pub(super) struct Certificate {
    pub(super) fingerprint: Fingerprint,
    pub(super) primary: PublicKey,
    /// Direct key signatures, and revocations of the key.
    pub(super) signatures: Vec<Signature>,
    pub(super) names: Vec<Name>,
    pub(super) subkeys: Vec<Subkey>,
}

#[derive(Debug, Clone)]
pub(super) struct Name {
    pub(super) id: UserId,
    pub(super) signatures: Vec<Signature>,
}

#[derive(Debug, Clone)]
pub(super) struct Subkey {
    pub(super) fingerprint: Fingerprint,
    pub(super) key: PublicSubkey,
    /// Bindings, and revocations of the subkey.
    pub(super) signatures: Vec<Signature>,
}

impl OpenPgpKeys {
    /// Reads the certificates of a file, as `gpg --export` writes it, with or without `--armor`.
    ///
    /// # Errors
    /// Where the bytes hold no certificate that can be read, hold one twice, or a secret key.
    pub fn parse(bytes: &[u8]) -> Result<Self, OpenPgpError> {
        if bytes.len() > Limits::KEYS_BYTES {
            return Err(OpenPgpError::TooLarge(Limits::KEYS_BYTES));
        }
        let bytes = dearmour(bytes, Block::Keys)?;
        let mut reading = Reading::default();
        for packet in packets(&bytes)? {
            reading.take(packet)?;
        }
        let certificates = reading.certificates;
        if certificates.is_empty() {
            return Err(OpenPgpError::NoKeys);
        }
        let mut known: Vec<_> = certificates.iter().map(|it| it.fingerprint).collect();
        known.sort_unstable();
        // Two copies may say different things, a revocation only one of them.
        match known.windows(2).find(|pair| pair.first() == pair.get(1)) {
            Some(twice) => Err(OpenPgpError::Twice(twice.first().copied())),
            None => Ok(Self { certificates }),
        }
    }

    /// The certificate with this fingerprint alone, for what any of the given keys may sign.
    ///
    /// # Errors
    /// Where it is not among them.
    pub fn only(&self, fingerprint: Fingerprint) -> Result<Self, OpenPgpError> {
        let mut certificates = self.certificates.iter();
        let found = certificates.find(|it| it.fingerprint == fingerprint);
        let found = found.ok_or(OpenPgpError::Missing(fingerprint))?;
        Ok(Self {
            certificates: vec![found.clone()],
        })
    }

    /// No keys: everybody is a stranger.
    pub(crate) fn none() -> Self {
        let certificates = Vec::new();
        Self { certificates }
    }

    /// The fingerprints of the primary keys.
    pub fn fingerprints(&self) -> impl Iterator<Item = Fingerprint> {
        self.certificates.iter().map(|it| it.fingerprint)
    }
}

/// What the next signature is about.
#[derive(Debug, Clone, Copy, Default)]
enum About {
    #[default]
    Nothing,
    Primary,
    Name,
    Subkey,
}

#[derive(Debug, Default)]
struct Reading {
    certificates: Vec<Certificate>,
    /// Whether the last primary key could be read: what follows belongs to it.
    has_primary: bool,
    about: About,
}

impl Reading {
    fn take(&mut self, packet: Packet<'_>) -> Result<(), OpenPgpError> {
        match packet.tag {
            Tag::PublicKey => self.primary(packet)?,
            Tag::UserId => self.name(packet),
            Tag::PublicSubkey => self.subkey(packet),
            Tag::Signature => self.signature(packet),
            // Photos: nothing is read from them, and no signature about one counts.
            Tag::UserAttribute => self.about = About::Nothing,
            Tag::SecretKey | Tag::SecretSubkey => return Err(OpenPgpError::Secret),
            // RFC 9580 section 5.8 and 5.14, and what GnuPG keeps for itself (5.10).
            Tag::Marker | Tag::Padding | Tag::Trust => {}
            // RFC 9580 section 4.3: packets of 40 and above may be ignored.
            other if u8::from(other) >= 40 => self.about = About::Nothing,
            _ => return Err(OpenPgpError::Foreign),
        }
        Ok(())
    }

    fn primary(&mut self, packet: Packet<'_>) -> Result<(), OpenPgpError> {
        let key = whole(packet, |header, body| {
            PublicKey::try_from_reader(header, body)
        });
        let found = key.and_then(|key| Some((Fingerprint::of(&key)?, key)));
        self.has_primary = found.is_some();
        self.about = About::Nothing;
        let Some((fingerprint, primary)) = found else {
            return Ok(());
        };
        if self.certificates.len() == Limits::CERTIFICATES {
            return Err(OpenPgpError::TooManyPackets);
        }
        self.about = About::Primary;
        self.certificates.push(Certificate {
            fingerprint,
            primary,
            signatures: Vec::new(),
            names: Vec::new(),
            subkeys: Vec::new(),
        });
        Ok(())
    }

    /// The certificate that is being read.
    fn current(&mut self) -> Option<&mut Certificate> {
        let has_primary = self.has_primary;
        self.certificates.last_mut().filter(|_| has_primary)
    }

    fn name(&mut self, packet: Packet<'_>) {
        self.about = About::Nothing;
        let id = whole(packet, |header, body| UserId::try_from_reader(header, body));
        if let (Some(id), Some(certificate)) = (id, self.current()) {
            let signatures = Vec::new();
            certificate.names.push(Name { id, signatures });
            self.about = About::Name;
        }
    }

    fn subkey(&mut self, packet: Packet<'_>) {
        self.about = About::Nothing;
        let key = whole(packet, |header, body| {
            PublicSubkey::try_from_reader(header, body)
        });
        let found = key.and_then(|key| Some((Fingerprint::of(&key)?, key)));
        if let (Some((fingerprint, key)), Some(certificate)) = (found, self.current()) {
            certificate.subkeys.push(Subkey {
                fingerprint,
                key,
                signatures: Vec::new(),
            });
            self.about = About::Subkey;
        }
    }

    /// A signature that cannot be read could not be believed either.
    fn signature(&mut self, packet: Packet<'_>) {
        let about = self.about;
        let signature = whole(packet, |header, body| {
            Signature::try_from_reader(header, body)
        });
        let (Some(signature), Some(certificate)) = (signature, self.current()) else {
            return;
        };
        let is_own = is_issued_by(&signature, &certificate.primary);
        // A revocation may come from somebody whom the owner appointed.
        let is_revocation = signature.typ() == Some(SignatureType::KeyRevocation);
        if !is_own && !is_revocation {
            return;
        }
        match about {
            About::Nothing => {}
            About::Primary => certificate.signatures.push(signature),
            About::Name => {
                let name = certificate.names.last_mut();
                name.into_iter()
                    .for_each(|it| it.signatures.push(signature.clone()));
            }
            About::Subkey => {
                let subkey = certificate.subkeys.last_mut();
                subkey
                    .into_iter()
                    .for_each(|it| it.signatures.push(signature.clone()));
            }
        }
    }
}

/// Whether a signature names a key as its issuer. That is a hint only, and unsigned.
pub(super) fn is_issued_by(signature: &Signature, key: &impl KeyDetails) -> bool {
    let fingerprints = signature.issuer_fingerprint();
    if fingerprints.is_empty() {
        let ids = signature.issuer_key_id();
        return ids.iter().any(|id| **id == key.legacy_key_id());
    }
    let fingerprint = key.fingerprint();
    fingerprints.iter().any(|it| **it == fingerprint)
}

/// Reads a packet to its end; none where it cannot be read, or has more than it needs.
pub(super) fn whole<T>(
    packet: Packet<'_>,
    read: impl FnOnce(pgp::packet::PacketHeader, &mut &[u8]) -> pgp::errors::Result<T>,
) -> Option<T> {
    let mut body = packet.body;
    let found = read(packet.header, &mut body).ok()?;
    body.is_empty().then_some(found)
}
