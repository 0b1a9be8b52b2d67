//! Repositories of Ed25519 keys, made here so that each part of one can be another.

use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};

use super::*;
use crate::tuf::json::Json;

/// A document, and the numbers of the keys that sign it.
#[derive(Debug, Clone)]
pub(super) struct Document {
    pub(super) signed: Value,
    pub(super) signers: Vec<u8>,
}

/// A repository before it is signed: the roots in order, and everything else.
#[derive(Debug, Clone)]
pub(super) struct Model {
    pub(super) roots: Vec<Document>,
    pub(super) timestamp: Document,
    pub(super) snapshot: Document,
    /// By their names, `targets` among them.
    pub(super) roles: BTreeMap<String, Document>,
    /// Whether the snapshot states the length and the hashes of roles.
    pub(super) has_hashes: bool,
}

/// What the artifact consists of.
pub(super) const ARTIFACT: &[u8] = b"the bytes of an artifact";

fn secret(number: u8) -> SigningKey {
    SigningKey::from_bytes(&[number + 1; 32])
}

pub(super) fn id(number: u8) -> String {
    format!("{number:064x}")
}

pub(super) fn key(number: u8) -> Value {
    let public = hex(secret(number).verifying_key().as_bytes());
    json!({"keytype": "ed25519", "scheme": "ed25519", "keyval": {"public": public}})
}

pub(super) fn keys(numbers: &[u8]) -> Value {
    let keys = numbers.iter().map(|number| (id(*number), key(*number)));
    Value::Object(keys.collect())
}

pub(super) fn role(numbers: &[u8], threshold: i64) -> Value {
    let ids: Vec<_> = numbers.iter().map(|number| id(*number)).collect();
    json!({"keyids": ids, "threshold": threshold})
}

fn header(kind: &str, version: u64) -> Value {
    json!({"_type": kind, "spec_version": "1.0.31", "version": version, "expires": "2030-01-01T00:00:00Z"})
}

fn merged(mut one: Value, other: Value) -> Value {
    let (Value::Object(into), Value::Object(from)) = (&mut one, other) else {
        panic!("objects");
    };
    into.extend(from);
    one
}

/// A root whose role `root` has these keys; 10 signs timestamps, 11 snapshots, 12 and 13 targets.
pub(super) fn root(version: u64, numbers: &[u8]) -> Value {
    let all = [numbers, &[10, 11, 12, 13]].concat();
    merged(
        header("root", version),
        json!({"consistent_snapshot": true, "keys": keys(&all), "roles": {
            "root": role(numbers, 2), "timestamp": role(&[10], 1), "snapshot": role(&[11], 1), "targets": role(&[12, 13], 2),
        }}),
    )
}

pub(super) fn target(bytes: &[u8]) -> Value {
    let hash = |algorithm: DigestAlgorithm| hex(&algorithm.hash(&[bytes]));
    json!({"length": bytes.len(), "hashes": {
        "sha256": hash(DigestAlgorithm::Sha256), "sha512": hash(DigestAlgorithm::Sha512),
    }})
}

pub(super) fn targets(version: u64, targets: Value) -> Value {
    merged(header("targets", version), json!({ "targets": targets }))
}

/// A role that one delegates to, by patterns.
pub(super) fn delegated(name: &str, number: u8, paths: &[&str], terminating: bool) -> Value {
    merged(
        role(&[number], 1),
        json!({"name": name, "paths": paths, "terminating": terminating}),
    )
}

pub(super) fn delegations(numbers: &[u8], roles: Vec<Value>) -> Value {
    json!({"keys": keys(numbers), "roles": roles})
}

impl Model {
    /// `atlas.bin` is a target of the role `one`, to which `targets` delegates `*.bin`.
    pub(super) fn good() -> Self {
        let document = |signed, signers: &[u8]| Document {
            signed,
            signers: signers.to_vec(),
        };
        let mut top = targets(4, json!({"atlas.exe": target(b"exe")}));
        top["delegations"] = delegations(
            &[20, 21],
            vec![
                delegated("two", 21, &["*.zip"], true),
                delegated("one", 20, &["docs/*", "*.bin"], false),
            ],
        );
        let roles = [
            ("targets", document(top, &[12, 13])),
            (
                "one",
                document(targets(5, json!({"atlas.bin": target(ARTIFACT)})), &[20]),
            ),
            (
                "two",
                document(
                    targets(
                        6,
                        json!({"atlas.bin": target(b"another"), "atlas.zip": target(b"zip")}),
                    ),
                    &[21],
                ),
            ),
        ];
        Self {
            roots: vec![
                document(root(1, &[0, 1, 2]), &[0, 1]),
                document(root(2, &[1, 2, 3]), &[1, 2]),
                document(root(3, &[1, 2, 3]), &[2, 3]),
            ],
            timestamp: document(
                merged(
                    header("timestamp", 9),
                    json!({"meta": {"snapshot.json": {"version": 8}}}),
                ),
                &[10],
            ),
            snapshot: document(merged(header("snapshot", 8), json!({"meta": {}})), &[11]),
            roles: roles
                .into_iter()
                .map(|(name, it)| (name.to_owned(), it))
                .collect(),
            has_hashes: true,
        }
    }

    /// Signs everything, and says of each document what the one before must. What `meta` says already stays.
    pub(super) fn write(mut self) -> (Vec<u8>, Files) {
        let mut files = Files::new();
        let is_consistent =
            self.roots.last().expect("a root").signed["consistent_snapshot"] == json!(true);
        let named = |name: &str, version: &Value| match is_consistent {
            true => format!("{version}.{}.json", quoted(name)),
            false => format!("{}.json", quoted(name)),
        };
        for (name, role) in &self.roles {
            let bytes = role.bytes();
            let version = &role.signed["version"];
            let mut stated = json!({ "version": version });
            if self.has_hashes {
                stated["length"] = json!(bytes.len());
                stated["hashes"] = json!({"sha256": hex(&DigestAlgorithm::Sha256.hash(&[&bytes]))});
            }
            let meta = self.snapshot.signed["meta"].as_object_mut().expect("meta");
            let stated = meta.entry(format!("{name}.json")).or_insert(stated);
            files.insert(named(name, &stated["version"]), bytes);
        }
        let version = &self.timestamp.signed["meta"]["snapshot.json"]["version"];
        files.insert(named("snapshot", version), self.snapshot.bytes());
        files.insert("timestamp.json".to_owned(), self.timestamp.bytes());
        for (index, root) in self.roots.iter().enumerate().skip(1) {
            files.insert(format!("{}.root.json", index + 1), root.bytes());
        }
        (self.roots[0].bytes(), files)
    }
}

impl Document {
    /// Signed, and written with white space, which is no part of what is signed.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let text = serde_json::to_vec(&self.signed).expect("JSON");
        let mut message = Vec::new();
        // What cannot be signed is a number with a fraction.
        if let Ok(json) = Json::parse(&text) {
            json.canonical(&mut message);
        }
        let signatures = self.signers.iter().map(|number| {
            let signature = secret(*number).sign(&message).to_bytes();
            json!({"keyid": id(*number), "sig": hex(&signature)})
        });
        let signatures: Vec<_> = signatures.collect();
        let whole = json!({"signatures": signatures, "signed": self.signed});
        serde_json::to_vec_pretty(&whole).expect("JSON")
    }
}
