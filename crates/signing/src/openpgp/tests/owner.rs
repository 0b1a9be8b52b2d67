//! Somebody with an OpenPGP key and a signing subkey, who says of them what a test wants.

use pgp::composed::KeyType;
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{
    KeyFlags, PacketTrait as _, PubKeyInner, PublicKey, PublicSubkey, SecretKey, SecretSubkey,
    Signature, SignatureConfig, SignatureType, Subpacket, SubpacketData, UserId,
};
use pgp::types::{Duration, KeyDetails, KeyVersion, Password, SigningKey, Tag, Timestamp};
use rand::SeedableRng as _;
use rand::rngs::StdRng;

use crate::openpgp::Fingerprint;
use crate::tests::time;

/// When keys are made, and when things are signed where nothing else is said.
pub(crate) const MADE: &str = "2026-01-01T00:00:00Z";
pub(crate) const SIGNED: &str = "2026-06-01T00:00:00Z";

pub(crate) fn seconds(text: &str) -> u32 {
    u32::try_from(time(text).unix()).expect("this century")
}

/// What a statement says besides its type.
#[derive(Clone)]
pub(crate) struct Terms {
    pub(crate) at: &'static str,
    pub(crate) hash: HashAlgorithm,
    pub(crate) says: Vec<Subpacket>,
}

impl Terms {
    pub(crate) fn at(at: &'static str) -> Self {
        Self {
            at,
            hash: HashAlgorithm::Sha256,
            says: Vec::new(),
        }
    }

    pub(crate) fn say(mut self, what: SubpacketData) -> Self {
        self.says.push(Subpacket::regular(what).expect("small"));
        self
    }

    pub(crate) fn insist(mut self, what: SubpacketData) -> Self {
        self.says.push(Subpacket::critical(what).expect("small"));
        self
    }

    pub(crate) fn hash(mut self, hash: HashAlgorithm) -> Self {
        self.hash = hash;
        self
    }

    pub(crate) fn for_signing(self) -> Self {
        let mut flags = KeyFlags::default();
        flags.set_sign(true);
        self.say(SubpacketData::KeyFlags(flags))
    }

    /// Of a key: good until then.
    pub(crate) fn until(self, end: &str) -> Self {
        let lifetime = seconds(end) - seconds(MADE);
        self.say(SubpacketData::KeyExpirationTime(Duration::from_secs(
            lifetime,
        )))
    }
}

pub(crate) struct Owner {
    pub(crate) primary: SecretKey,
    pub(crate) subkey: SecretSubkey,
    pub(crate) name: UserId,
}

/// What stands in a certificate.
#[derive(Clone)]
pub(crate) struct Certificate {
    pub(crate) of_key: Vec<Signature>,
    pub(crate) of_name: Vec<Signature>,
    pub(crate) of_subkey: Vec<Signature>,
}

fn none() -> Password {
    Password::empty()
}

impl Owner {
    /// With keys over Ed25519, as GnuPG makes them.
    pub(crate) fn new(seed: u64) -> Self {
        Self::with(seed, KeyVersion::V4, &KeyType::Ed25519Legacy, MADE)
    }

    pub(crate) fn with(seed: u64, version: KeyVersion, kind: &KeyType, made: &str) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let made = Timestamp::from_secs(seconds(made));
        let mut generate = || {
            let (public, secret) = kind.generate(&mut random).expect("a key");
            let inner = PubKeyInner::new(version, kind.to_alg(), made, None, public);
            (inner.expect("a key"), secret)
        };
        let (public, secret) = generate();
        let public = PublicKey::from_inner(public).expect("a key");
        let primary = SecretKey::new(public, secret).expect("a key");
        let (public, secret) = generate();
        let public = PublicSubkey::from_inner(public).expect("a key");
        let subkey = SecretSubkey::new(public, secret).expect("a key");
        let name = UserId::from_str(Default::default(), "Snake Oil <oil@snake.example>");
        let name = name.expect("short");
        Self {
            primary,
            subkey,
            name,
        }
    }

    pub(crate) fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.primary).expect("a version that is known")
    }

    pub(crate) fn config(
        by: &impl SigningKey,
        typ: SignatureType,
        terms: &Terms,
    ) -> SignatureConfig {
        let mut config = match by.version() {
            KeyVersion::V6 => {
                let salt = vec![7; terms.hash.salt_len().expect("known")];
                SignatureConfig::v6_with_salt(typ, by.algorithm(), terms.hash, salt)
            }
            _ => SignatureConfig::v4(typ, by.algorithm(), terms.hash),
        };
        let made = SubpacketData::SignatureCreationTime(Timestamp::from_secs(seconds(terms.at)));
        let issuer = SubpacketData::IssuerFingerprint(by.fingerprint());
        let own = [made, issuer].map(|it| Subpacket::regular(it).expect("small"));
        config.hashed_subpackets = own.into_iter().chain(terms.says.clone()).collect();
        if by.version() == KeyVersion::V4 {
            // GnuPG looks for keys by it.
            let id = Subpacket::regular(SubpacketData::IssuerKeyId(by.legacy_key_id()));
            config.unhashed_subpackets = vec![id.expect("small")];
        }
        config
    }

    /// About its name, and with it about the primary key.
    pub(crate) fn names(&self, terms: &Terms) -> Signature {
        self.about_name(SignatureType::CertPositive, terms)
    }

    pub(crate) fn about_name(&self, typ: SignatureType, terms: &Terms) -> Signature {
        let (by, public) = (&self.primary, self.primary.public_key());
        let config = Self::config(by, typ, terms);
        let signed =
            config.sign_certification_third_party(by, &none(), public, Tag::UserId, &self.name);
        signed.expect("signed")
    }

    /// About the primary key: a statement or a revocation.
    pub(crate) fn about_key(&self, typ: SignatureType, terms: &Terms) -> Signature {
        let (by, public) = (&self.primary, self.primary.public_key());
        let signed = Self::config(by, typ, terms).sign_key(by, &none(), public);
        signed.expect("signed")
    }

    /// About the subkey: a binding or a revocation.
    pub(crate) fn about_subkey(&self, typ: SignatureType, terms: &Terms) -> Signature {
        let (by, public) = (&self.primary, self.primary.public_key());
        let subkey = self.subkey.public_key();
        let signed = Self::config(by, typ, terms).sign_subkey_binding(by, public, &none(), subkey);
        signed.expect("signed")
    }

    /// By the subkey: that it belongs to a primary key.
    pub(crate) fn back(&self, to: &PublicKey, terms: &Terms) -> Signature {
        let (by, public) = (&self.subkey, self.subkey.public_key());
        let config = Self::config(by, SignatureType::KeyBinding, terms);
        let signed = config.sign_primary_key_binding(by, public, &none(), to);
        signed.expect("signed")
    }

    pub(crate) fn binds(&self, terms: &Terms) -> Signature {
        let back = self.back(self.primary.public_key(), &Terms::at(terms.at));
        let back = SubpacketData::EmbeddedSignature(Box::new(back));
        self.about_subkey(SignatureType::SubkeyBinding, &terms.clone().say(back))
    }

    /// A certificate in which nothing is wrong.
    pub(crate) fn certificate(&self) -> Certificate {
        let terms = Terms::at(MADE).for_signing();
        Certificate {
            of_key: match self.primary.version() {
                KeyVersion::V6 => vec![self.about_key(SignatureType::Key, &terms)],
                _ => Vec::new(),
            },
            of_name: vec![self.names(&terms)],
            of_subkey: vec![self.binds(&terms)],
        }
    }

    pub(crate) fn export(&self, certificate: &Certificate) -> Vec<u8> {
        let mut bytes = Vec::new();
        let key = self.primary.public_key().to_writer_with_header(&mut bytes);
        key.expect("memory");
        write(&mut bytes, &certificate.of_key);
        self.name.to_writer_with_header(&mut bytes).expect("memory");
        write(&mut bytes, &certificate.of_name);
        let subkey = self.subkey.public_key();
        subkey.to_writer_with_header(&mut bytes).expect("memory");
        write(&mut bytes, &certificate.of_subkey);
        bytes
    }

    /// By the primary key, over data.
    pub(crate) fn sign(&self, data: &[u8], terms: &Terms) -> Vec<u8> {
        signed(&self.primary, SignatureType::Binary, data, terms)
    }

    /// By the subkey, over data.
    pub(crate) fn sign_by_subkey(&self, data: &[u8], terms: &Terms) -> Vec<u8> {
        signed(&self.subkey, SignatureType::Binary, data, terms)
    }
}

pub(crate) fn signed(
    by: &impl SigningKey,
    typ: SignatureType,
    data: &[u8],
    terms: &Terms,
) -> Vec<u8> {
    let signature = Owner::config(by, typ, terms).sign(by, &none(), data);
    let mut bytes = Vec::new();
    write(&mut bytes, &[signature.expect("signed")]);
    bytes
}

fn write(bytes: &mut Vec<u8>, signatures: &[Signature]) {
    for signature in signatures {
        signature.to_writer_with_header(bytes).expect("memory");
    }
}
