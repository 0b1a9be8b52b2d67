//! A store of our own: its key, and what it says.

use base64::engine::general_purpose::STANDARD;
use pgp::composed::KeyType;
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::PacketTrait as _;
use pgp::types::KeyVersion;

use super::*;
use crate::openpgp::tests::owner::{MADE, Owner, Terms};

/// Headers, in order.
pub(super) type Headers = Vec<(&'static str, String)>;

/// What is said, each of which can be spoilt before it is signed.
pub(super) struct Said {
    pub(super) headers: Headers,
    pub(super) body: Vec<u8>,
    /// What is done to it after that.
    pub(super) behind: fn(&mut Vec<u8>),
}

impl Said {
    fn new(headers: &[(&'static str, &str)]) -> Self {
        let headers = headers
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()));
        Self {
            headers: headers.collect(),
            body: Vec::new(),
            behind: |_| {},
        }
    }

    pub(super) fn set(&mut self, name: &str, value: &str) {
        let header = self.headers.iter_mut().find(|(it, _)| *it == name);
        value.clone_into(&mut header.expect("there").1);
    }

    pub(super) fn remove(&mut self, name: &str) {
        self.headers.retain(|(it, _)| *it != name);
    }

    pub(super) fn add(&mut self, name: &'static str, value: &str) {
        self.headers.push((name, value.to_owned()));
    }
}

pub(super) struct Store {
    owner: Owner,
}

/// 76 characters in a line, behind the version of the form.
fn wrapped(packet: &[u8]) -> String {
    let base64 = STANDARD.encode([&[1], packet].concat());
    let lines = base64.as_bytes().chunks(76);
    let lines: Vec<_> = lines.map(|line| String::from_utf8_lossy(line)).collect();
    lines.join("\n")
}

impl Store {
    /// With a key over RSA, which all of them have.
    pub(super) fn new(seed: u64) -> Self {
        let owner = Owner::with(seed, KeyVersion::V4, &KeyType::Rsa(2048), MADE);
        Self { owner }
    }

    fn key(&self) -> Vec<u8> {
        let mut packet = Vec::new();
        let key = self.owner.primary.public_key();
        key.to_writer_with_header(&mut packet).expect("memory");
        packet
    }

    pub(super) fn id(&self) -> String {
        let digest = sha3::Sha3_384::new()
            .chain_update([1])
            .chain_update(self.key());
        BASE64.encode(digest.finalize())
    }

    /// What it says of a snap: of its key, its revision, and what it is.
    pub(super) fn says(&self, snap: &[u8]) -> [Said; 3] {
        let subject = subject(snap);
        let id = self.id();
        let mut key = Said::new(&[
            ("type", "account-key"),
            ("authority-id", "snakeoil"),
            ("public-key-sha3-384", &id),
            ("account-id", "snakeoil"),
            ("since", "2026-01-01T00:00:00Z"),
        ]);
        key.body = wrapped(&self.key()).into_bytes();
        let revision = Said::new(&[
            ("type", "snap-revision"),
            ("authority-id", "snakeoil"),
            ("snap-sha3-384", &subject.digest),
            ("snap-id", "hello-id"),
            ("snap-size", &subject.size.to_string()),
            ("snap-revision", "7"),
            ("timestamp", "2026-06-01T00:00:00Z"),
        ]);
        let declaration = Said::new(&[
            ("type", "snap-declaration"),
            ("authority-id", "snakeoil"),
            ("series", "16"),
            ("snap-id", "hello-id"),
            ("plugs", "\n  home:\n    allow-auto-connection: true"),
            ("publisher-id", "snakeoil"),
            ("snap-name", "hello"),
            ("timestamp", "2026-06-01T00:00:00Z"),
        ]);
        [key, revision, declaration]
    }

    pub(super) fn sign(&self, said: &Said) -> Vec<u8> {
        let mut headers = said.headers.clone();
        if !said.body.is_empty() && !headers.iter().any(|(name, _)| *name == "body-length") {
            headers.push(("body-length", said.body.len().to_string()));
        }
        if !headers.iter().any(|(name, _)| *name == "sign-key-sha3-384") {
            headers.push(("sign-key-sha3-384", self.id()));
        }
        let line = |(name, value): &(&str, String)| match value.starts_with('\n') {
            true => format!("{name}:{value}"),
            false => format!("{name}: {value}"),
        };
        let mut content = headers
            .iter()
            .map(line)
            .collect::<Vec<_>>()
            .join("\n")
            .into_bytes();
        if !said.body.is_empty() {
            content.extend(b"\n\n");
            content.extend(&said.body);
        }
        let terms = Terms::at("2026-06-01T00:00:00Z").hash(HashAlgorithm::Sha512);
        let signature = wrapped(&self.owner.sign(&content, &terms));
        let mut file = [&content[..], b"\n\n", signature.as_bytes(), b"\n"].concat();
        (said.behind)(&mut file);
        file
    }

    /// All of it, one behind the other.
    pub(super) fn file(&self, said: &[Said]) -> Vec<u8> {
        let signed: Vec<_> = said.iter().map(|it| self.sign(it)).collect();
        signed.join(&b"\n"[..])
    }
}
