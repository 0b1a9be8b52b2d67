//! The documents of a repository: what each states, and the envelope with its signatures.

use std::collections::BTreeMap;

use release::Timestamp;
use release::name::printable;

use super::TufError;
use super::delegations::Delegations;
use super::json::{Json, Object, field};
use super::keys::{self, Keys, Role, unhex};
use crate::digest::DigestAlgorithm;

/// Signatures of one document at most.
const SIGNATURES_MAX: usize = 1024;
/// The roles that a root names, and nothing else may be one of them.
pub(super) const TOP_LEVEL: [&str; 4] = ["root", "snapshot", "targets", "timestamp"];

/// A document with its signatures, which nobody checked yet.
pub(super) struct Envelope {
    signed: Json,
    /// What was signed.
    message: Vec<u8>,
    signatures: BTreeMap<String, Vec<u8>>,
}

/// What every document states.
#[derive(Debug, Clone, Copy)]
pub(super) struct Header {
    pub(super) version: u64,
    pub(super) expires: Timestamp,
}

impl Envelope {
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, TufError> {
        let json = Json::parse(bytes)?;
        let Json::Object(mut object) = json else {
            return Err(TufError::Shape("signed"));
        };
        let list = field(&object, "signatures")?.list("signatures")?;
        if list.len() > SIGNATURES_MAX {
            return Err(TufError::TooMany("signatures"));
        }
        let mut signatures = BTreeMap::new();
        for signature in list {
            let signature = signature.object("signatures")?;
            let id = field(signature, "keyid")?.text("keyid")?;
            let text = field(signature, "sig")?.text("sig")?;
            // One that is none is as good as none: some tools leave it empty.
            let bytes = unhex(text).unwrap_or_default();
            if signatures.insert(id.to_owned(), bytes).is_some() {
                return Err(TufError::Twice("a key in `signatures`"));
            }
        }
        let signed = object.remove("signed").ok_or(TufError::Shape("signed"))?;
        let mut message = Vec::new();
        signed.canonical(&mut message);
        Ok(Self {
            signed,
            message,
            signatures,
        })
    }

    /// Whether a role signed it.
    pub(super) fn verify(&self, role: &Role, keys: &Keys) -> Result<(), TufError> {
        role.verify(keys, &self.message, &self.signatures)
    }

    /// What is signed, of a kind.
    fn object(&self, kind: &'static str) -> Result<(&Object, Header), TufError> {
        let object = self.signed.object("signed")?;
        if field(object, "_type")?.text("_type")? != kind {
            return Err(TufError::Kind(kind));
        }
        // Specification 4.3: a client of this version reads those that begin with the same number.
        let specification = field(object, "spec_version")?.text("spec_version")?;
        let mut parts = specification.split('.');
        let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        let is_known = parts.next() == Some("1") && matches!(parts.clone().count(), 1 | 2);
        if !is_known || !parts.all(is_number) {
            return Err(TufError::Specification(printable(specification)));
        }
        let version = positive(field(object, "version")?, "version")?;
        let expires = time(field(object, "expires")?.text("expires")?)?;
        Ok((object, Header { version, expires }))
    }
}

fn positive(json: &Json, what: &'static str) -> Result<u64, TufError> {
    let number = json.number(what)?;
    (number > 0).then_some(number).ok_or(TufError::Shape(what))
}

/// `2030-01-01T00:00:00Z` (specification 4.2), and no other way to write a time.
fn time(text: &str) -> Result<Timestamp, TufError> {
    let shape = |(at, byte): (usize, u8)| match at {
        4 | 7 => byte == b'-',
        10 => byte == b'T',
        13 | 16 => byte == b':',
        19 => byte == b'Z',
        _ => byte.is_ascii_digit(),
    };
    let is_shaped = text.len() == 20 && text.bytes().enumerate().all(shape);
    let time = text.parse().ok().filter(|_| is_shaped);
    time.ok_or(TufError::Shape("expires"))
}

/// Who signs what.
#[derive(Debug, Clone)]
pub(super) struct Root {
    pub(super) header: Header,
    pub(super) keys: Keys,
    pub(super) roles: BTreeMap<String, Role>,
    /// Whether files have their version in front of their name.
    pub(super) is_consistent: bool,
}

impl Root {
    pub(super) fn read(envelope: &Envelope) -> Result<Self, TufError> {
        let (object, header) = envelope.object("root")?;
        let roles = field(object, "roles")?.object("roles")?;
        if !roles.keys().eq(TOP_LEVEL) {
            return Err(TufError::Shape("roles"));
        }
        let roles = roles.iter().map(|(name, role)| {
            let role = Role::read(role.object("roles")?)?;
            Ok((name.clone(), role))
        });
        let is_consistent = object.get("consistent_snapshot");
        let is_consistent = is_consistent.map(|it| it.bool("consistent_snapshot"));
        Ok(Self {
            header,
            keys: keys::keys(field(object, "keys")?)?,
            roles: roles.collect::<Result<_, TufError>>()?,
            is_consistent: is_consistent.transpose()?.unwrap_or_default(),
        })
    }

    /// One of the four roles.
    pub(super) fn role(&self, name: &'static str) -> Result<&Role, TufError> {
        self.roles.get(name).ok_or(TufError::Shape("roles"))
    }
}

/// What is stated of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stated {
    pub(super) version: u64,
    pub(super) length: Option<u64>,
    pub(super) hashes: Hashes,
}

/// Digests by their algorithm. Those that are not known here are refused: what is stated must hold.
pub(super) type Hashes = Vec<(DigestAlgorithm, Vec<u8>)>;

impl Stated {
    fn read(json: &Json) -> Result<Self, TufError> {
        let object = json.object("meta")?;
        let length = object.get("length").map(|it| positive(it, "length"));
        let hashes = object.get("hashes").map(hashes);
        Ok(Self {
            version: positive(field(object, "version")?, "version")?,
            length: length.transpose()?,
            hashes: hashes.transpose()?.unwrap_or_default(),
        })
    }

    /// Whether bytes are what is stated.
    pub(super) fn covers(&self, bytes: &[u8]) -> Result<(), TufError> {
        if self
            .length
            .is_some_and(|length| length != bytes.len() as u64)
        {
            return Err(TufError::Length);
        }
        let is_same =
            |(algorithm, hash): &(DigestAlgorithm, Vec<u8>)| algorithm.hash(&[bytes]) == *hash;
        match self.hashes.iter().all(is_same) {
            true => Ok(()),
            false => Err(TufError::Hash),
        }
    }
}

fn hashes(json: &Json) -> Result<Hashes, TufError> {
    let object = json.object("hashes")?;
    if object.is_empty() {
        return Err(TufError::Shape("hashes"));
    }
    let hash = |(name, hash): (&String, &Json)| {
        let algorithm = match name.as_str() {
            "sha256" => DigestAlgorithm::Sha256,
            "sha512" => DigestAlgorithm::Sha512,
            other => return Err(TufError::Algorithm(printable(other))),
        };
        // Python's tools compare the text, so a digit in upper case is another one.
        let text = hash.text("hashes")?;
        let is_lower = !text.bytes().any(|byte| byte.is_ascii_uppercase());
        let bytes = unhex(text).filter(|_| is_lower);
        Ok((algorithm, bytes.ok_or(TufError::Shape("hashes"))?))
    };
    object.iter().map(hash).collect()
}

/// What the timestamp states of the snapshot.
pub(super) fn timestamp(envelope: &Envelope) -> Result<(Header, Stated), TufError> {
    let (object, header) = envelope.object("timestamp")?;
    let meta = field(object, "meta")?.object("meta")?;
    let stated = meta.get("snapshot.json").ok_or(TufError::Shape("meta"))?;
    Ok((header, Stated::read(stated)?))
}

/// What the snapshot states of each role with targets.
pub(super) fn snapshot(
    envelope: &Envelope,
) -> Result<(Header, BTreeMap<String, Stated>), TufError> {
    let (object, header) = envelope.object("snapshot")?;
    let meta = field(object, "meta")?.object("meta")?;
    let meta = meta.iter();
    let stated = meta.map(|(name, stated)| Ok((name.clone(), Stated::read(stated)?)));
    Ok((header, stated.collect::<Result<_, TufError>>()?))
}

/// A file that may be downloaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) length: u64,
    pub(super) hashes: Hashes,
}

/// What a role states of targets, as far as anybody asks, and whom it leaves others to.
#[derive(Debug, Clone)]
pub(super) struct Targets {
    pub(super) header: Header,
    pub(super) targets: BTreeMap<String, Target>,
    pub(super) delegations: Option<Delegations>,
}

impl Targets {
    pub(super) fn read<'w>(
        envelope: &Envelope,
        wanted: impl Iterator<Item = &'w String>,
    ) -> Result<Self, TufError> {
        let (object, header) = envelope.object("targets")?;
        let all = field(object, "targets")?.object("targets")?;
        let mut targets = BTreeMap::new();
        for path in wanted {
            let Some(target) = all.get(path) else {
                continue;
            };
            let target = target.object("targets")?;
            let target = Target {
                length: field(target, "length")?.number("length")?,
                hashes: hashes(field(target, "hashes")?)?,
            };
            targets.insert(path.clone(), target);
        }
        let delegations = object.get("delegations").map(Delegations::read);
        Ok(Self {
            header,
            targets,
            delegations: delegations.transpose()?,
        })
    }
}
