//! Whether a key could sign at a time: bound to its primary key, made for signing, not expired, not revoked, long enough.
//!
//! A key is judged when the signature was made, as its owner's statements stood then (RFC 9580 sections 5.2.1 and 10.1).
//! A key that was replaced or retired keeps the signatures before that; one that may have been stolen keeps none.

use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{RevocationCode, Signature, SignatureType, SubpacketData};
use pgp::ser::Serialize as _;
use pgp::types::{EcdsaPublicParams, EddsaLegacyPublicParams};
use pgp::types::{KeyDetails, PublicParams, SignatureBytes, Tag, VerifyingKey as _};

use super::certificate::{Certificate, Name, OpenPgpKeys, Subkey, is_issued_by};
use super::fingerprint::Fingerprint;
use super::subpackets::{created, expires, is_strong, key_flags, key_lifetime, refused};
use super::when;

/// The shortest RSA key that is accepted, in bits.
const RSA_BITS_MIN: u16 = 2048;

/// A key that may have made a signature, and the certificate that it stands in.
#[derive(Debug, Clone, Copy)]
pub(super) struct SigningKey<'k> {
    pub(super) certificate: &'k Certificate,
    subkey: Option<&'k Subkey>,
}

impl OpenPgpKeys {
    /// Every key that a signature names as its issuer.
    pub(super) fn issuers<'k>(
        &'k self,
        signature: &'k Signature,
    ) -> impl Iterator<Item = SigningKey<'k>> {
        let of_certificate = move |certificate: &'k Certificate| {
            let primary = is_issued_by(signature, &certificate.primary);
            let primary = primary.then_some(SigningKey {
                certificate,
                subkey: None,
            });
            let subkeys = certificate.subkeys.iter();
            let subkeys = subkeys.filter(move |it| is_issued_by(signature, &it.key));
            primary.into_iter().chain(subkeys.map(move |it| SigningKey {
                certificate,
                subkey: Some(it),
            }))
        };
        self.certificates.iter().flat_map(of_certificate)
    }
}

impl SigningKey<'_> {
    /// How it is called: by its primary key, and by its own fingerprint where that is another.
    pub(super) fn name(&self) -> String {
        let primary = self.certificate.fingerprint;
        match self.subkey {
            None => format!("key {primary}"),
            Some(subkey) => format!("key {primary} (its subkey {})", subkey.fingerprint),
        }
    }

    /// Whether it made a signature over a digest.
    pub(super) fn verifies(
        &self,
        hash: HashAlgorithm,
        digest: &[u8],
        signature: &SignatureBytes,
    ) -> bool {
        let verified = match self.subkey {
            None => self.certificate.primary.verify(hash, digest, signature),
            Some(subkey) => subkey.key.verify(hash, digest, signature),
        };
        verified.is_ok()
    }

    /// Whether signatures of such a key can be verified here. Those of keys that outlast quantum computers cannot yet.
    pub(super) fn is_verifiable(&self) -> bool {
        let params = match self.subkey {
            None => self.certificate.primary.public_params(),
            Some(subkey) => subkey.key.public_params(),
        };
        !matches!(
            params,
            PublicParams::Unknown { .. }
                | PublicParams::ECDSA(EcdsaPublicParams::Unsupported { .. })
                | PublicParams::EdDSALegacy(EddsaLegacyPublicParams::Unsupported { .. })
        )
    }

    /// Why it could not sign at a time, in seconds since 1970.
    pub(super) fn judge(&self, at: u64) -> Result<(), String> {
        let flags = self.certificate.judge(at)?;
        let Some(subkey) = self.subkey else {
            // A key that does not say what it is for is for everything, as it was before there were flags.
            return match flags.is_none_or(|flags| flags.sign()) {
                true => Ok(()),
                false => Err("the primary key is not made for signing".to_owned()),
            };
        };
        subkey.judge(self.certificate, at)
    }
}

impl Certificate {
    /// Why the primary key was not good at a time; what it is for where it says that.
    fn judge(&self, at: u64) -> Result<Option<pgp::packet::KeyFlags>, String> {
        accept(&self.primary, at)?;
        let revocations = self.signatures.iter();
        let revocations = revocations.filter(|it| it.typ() == Some(SignatureType::KeyRevocation));
        for revocation in revocations {
            if self.is_appointed(revocation) {
                return Err("the key was revoked by somebody whom its owner appointed".to_owned());
            }
            if revocation.verify_key(&self.primary).is_ok() || is_unclear(revocation) {
                refuse_revoked(revocation, at, "the key")?;
            }
        }
        let direct = self.signatures.iter();
        let direct = direct.filter(|it| {
            it.typ() == Some(SignatureType::Key) && it.verify_key(&self.primary).is_ok()
        });
        let direct = newest(direct, at);
        let names = self.names.iter();
        let names = newest(names.flat_map(|name| name.statements(self, at)), at);
        // What is said of the key itself goes before what is said of it in its names (RFC 9580 section 5.2.3.10).
        let statements: Vec<_> = direct.into_iter().chain(names).collect();
        if statements.is_empty() {
            return Err(
                "nothing that the key says of itself holds, or rests on more than SHA-1; \
                 let its owner sign it anew, and export it again"
                    .to_owned(),
            );
        }
        let lifetime = statements.iter().find_map(|it| key_lifetime(it));
        refuse_expired(&self.primary, lifetime, at, "the key")?;
        Ok(statements.iter().find_map(|it| key_flags(it)))
    }

    /// Whether a revocation names an issuer whom the owner appointed to revoke. Their key is not here, so it is believed.
    fn is_appointed(&self, revocation: &Signature) -> bool {
        let names = self.names.iter().flat_map(|name| &name.signatures);
        let mut statements = self.signatures.iter().chain(names);
        statements.any(|statement| {
            let subpackets = statement.config().map(|it| &it.hashed_subpackets);
            subpackets.into_iter().flatten().any(|it| match &it.data {
                SubpacketData::RevocationKey(appointed) => {
                    let id = appointed.fingerprint.last_chunk::<8>();
                    revocation
                        .issuer_key_id()
                        .iter()
                        .any(|it| Some(it.as_ref()) == id.map(|it| it.as_slice()))
                        || revocation
                            .issuer_fingerprint()
                            .iter()
                            .any(|it| it.as_bytes() == appointed.fingerprint.as_slice())
                }
                _ => false,
            })
        })
    }
}

impl Name {
    /// What the key says about this name, and with it about itself; nothing where the name was revoked.
    fn statements<'c>(
        &'c self,
        certificate: &'c Certificate,
        at: u64,
    ) -> impl Iterator<Item = &'c Signature> {
        let holds = move |it: &&Signature| {
            let primary = &certificate.primary;
            it.verify_certification(primary, Tag::UserId, &self.id)
                .is_ok()
        };
        let is_revocation = |it: &Signature| it.typ() == Some(SignatureType::CertRevocation);
        let mut revocations = self.signatures.iter().filter(|it| is_revocation(it));
        let is_revoked =
            revocations.any(|it| holds(&it) && created(it).is_none_or(|time| time <= at));
        let statements = self.signatures.iter().filter(move |_| !is_revoked);
        statements.filter(move |it| !is_revocation(it) && holds(it))
    }
}

impl Subkey {
    fn judge(&self, certificate: &Certificate, at: u64) -> Result<(), String> {
        accept(&self.key, at)?;
        let primary = &certificate.primary;
        let binds = |it: &&Signature, typ| {
            it.typ() == Some(typ) && it.verify_subkey_binding(primary, &self.key).is_ok()
        };
        let revocation = SignatureType::SubkeyRevocation;
        let revocations = self
            .signatures
            .iter()
            .filter(|it| binds(it, revocation) || it.typ() == Some(revocation) && is_unclear(it));
        for revocation in revocations {
            refuse_revoked(revocation, at, "the subkey")?;
        }
        let bindings = self.signatures.iter();
        let bindings = bindings.filter(|it| binds(it, SignatureType::SubkeyBinding));
        let Some(binding) = newest(bindings, at) else {
            return Err(
                "no signature of the primary key binds the subkey, or none that rests on more than SHA-1"
                    .to_owned(),
            );
        };
        if !key_flags(binding).is_some_and(|flags| flags.sign()) {
            return Err("the subkey is not made for signing".to_owned());
        }
        refuse_expired(&self.key, key_lifetime(binding), at, "the subkey")?;
        // Else anybody could bind the signing subkey of somebody else to a key of their own (RFC 9580 section 5.2.1.9).
        let back = binding.embedded_signature();
        let is_back = |it: &&Signature| {
            is_strong(it.hash_alg())
                && refused(it).is_none()
                && expires(it).is_none_or(|end| at < end)
                && it.verify_primary_key_binding(&self.key, primary).is_ok()
        };
        match back.filter(is_back) {
            Some(_) => Ok(()),
            None => {
                Err("the subkey does not confirm that it belongs to the primary key".to_owned())
            }
        }
    }
}

/// The newest statement that can be believed at a time. Where all are newer than that, the oldest of them: exports keep
/// only the last statement, and a key is not worse for having been prolonged.
fn newest<'c>(statements: impl Iterator<Item = &'c Signature>, at: u64) -> Option<&'c Signature> {
    let believed = statements.filter(|it| is_strong(it.hash_alg()) && refused(it).is_none());
    let mut believed: Vec<_> = believed
        .filter(|it| expires(it).is_none_or(|end| at < end))
        .filter_map(|it| Some((created(it)?, it)))
        .collect();
    believed.sort_by_key(|(time, _)| *time);
    let until = believed.partition_point(|(time, _)| *time <= at);
    let found = believed.get(until.saturating_sub(1));
    found.map(|(_, statement)| *statement)
}

/// A revocation with something critical that is not understood: it cannot be verified, and is believed.
fn is_unclear(revocation: &Signature) -> bool {
    refused(revocation).is_some()
}

fn refuse_revoked(revocation: &Signature, at: u64, what: &str) -> Result<(), String> {
    let reason = revocation.revocation_reason_code();
    // RFC 9580 section 5.2.3.31: these two leave what was signed before as it was.
    let is_soft = matches!(
        reason,
        Some(RevocationCode::KeySuperseded | RevocationCode::KeyRetired)
    );
    match created(revocation) {
        Some(time) if is_soft && at < time => Ok(()),
        Some(time) if is_soft => Err(format!("{what} was retired or replaced on {}", when(time))),
        _ => Err(format!(
            "{what} was revoked, and not because it was only retired or replaced"
        )),
    }
}

fn refuse_expired(
    key: &impl KeyDetails,
    lifetime: Option<u64>,
    at: u64,
    what: &str,
) -> Result<(), String> {
    let end = lifetime.filter(|it| *it != 0);
    match end.map(|it| it + u64::from(key.created_at().as_secs())) {
        Some(end) if end <= at => Err(format!("{what} expired on {}", when(end))),
        _ => Ok(()),
    }
}

/// Refuses a key that is too weak, or that was not there yet.
pub(super) fn accept(key: &impl KeyDetails, at: u64) -> Result<(), String> {
    let made = u64::from(key.created_at().as_secs());
    if at < made {
        let fingerprint = Fingerprint::of(key).map(|it| it.to_string());
        let fingerprint = fingerprint.unwrap_or_default();
        return Err(format!(
            "the key {fingerprint} was made on {}, after the signature",
            when(made)
        ));
    }
    match key.public_params() {
        PublicParams::RSA(params) => {
            // The modulus comes first, as a number that begins with its length in bits (RFC 9580 section 3.2).
            let mut numbers = Vec::new();
            let written = params.to_writer(&mut numbers).ok();
            let bits = written.and_then(|()| numbers.first_chunk::<2>().copied());
            match bits.map(u16::from_be_bytes) {
                Some(bits) if bits >= RSA_BITS_MIN => Ok(()),
                bits => Err(format!(
                    "an RSA key of {} bits; at least {RSA_BITS_MIN} are needed",
                    bits.unwrap_or_default()
                )),
            }
        }
        PublicParams::ECDSA(EcdsaPublicParams::Unsupported { .. })
        | PublicParams::EdDSALegacy(EddsaLegacyPublicParams::Unsupported { .. }) => {
            Err("a key over a curve that is not known here".to_owned())
        }
        PublicParams::ECDSA(_)
        | PublicParams::EdDSALegacy(_)
        | PublicParams::Ed25519(_)
        | PublicParams::Ed448(_) => Ok(()),
        PublicParams::DSA(_) => Err("a DSA key, which RFC 9580 deprecates".to_owned()),
        _ => Err("a key of a kind that cannot sign, or that is not known here".to_owned()),
    }
}
