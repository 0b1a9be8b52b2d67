//! What targets state, and to whom they are left.

use serde_json::json;

use super::{ARTIFACT, Change, Model, delegated, delegations, target, targets};
use crate::digest::{DigestAlgorithm, hex};

/// What is changed before it is signed, and the check that must fail.
pub(super) const TARGETS: &[(&str, Change, &str)] = &[
    (
        "target with another hash",
        |it| it.role("one").signed["targets"]["atlas.bin"] = target(b"the bytes of an artifacz"),
        "tuf.digest",
    ),
    (
        "target with one other hash",
        |it| {
            it.role("one").signed["targets"]["atlas.bin"]["hashes"]["sha512"] =
                json!("00".repeat(64))
        },
        "tuf.digest",
    ),
    (
        "target with another length",
        |it| it.role("one").signed["targets"]["atlas.bin"]["length"] = json!(23),
        "tuf.digest",
    ),
    (
        "target without a hash",
        |it| it.role("one").signed["targets"]["atlas.bin"]["hashes"] = json!({}),
        "tuf.metadata",
    ),
    (
        "target with SHA-512 alone",
        |it| {
            drop(
                it.role("one").signed["targets"]["atlas.bin"]["hashes"]
                    .as_object_mut()
                    .expect("hashes")
                    .remove("sha256"),
            )
        },
        "",
    ),
    (
        "target of another name",
        |it| it.role("one").signed["targets"] = json!({"./atlas.bin": target(ARTIFACT)}),
        "tuf.coverage",
    ),
    (
        "target of nobody who may",
        |it| it.delegate(vec![delegated("one", 20, &["*.exe"], false)]),
        "tuf.coverage",
    ),
    (
        "pattern across folders",
        |it| it.delegate(vec![delegated("one", 20, &["*/*"], false)]),
        "tuf.coverage",
    ),
    (
        "pattern of one letter",
        |it| it.delegate(vec![delegated("one", 20, &["atla?.b*n"], false)]),
        "",
    ),
    (
        "pattern of many stars",
        |it| it.delegate(vec![delegated("one", 20, &["*a*a*.*b*n*"], false)]),
        "",
    ),
    (
        "pattern in another case",
        |it| it.delegate(vec![delegated("one", 20, &["*.BIN"], false)]),
        "tuf.coverage",
    ),
    (
        "first who may",
        |it| {
            it.delegate(vec![
                delegated("two", 21, &["*"], false),
                delegated("one", 20, &["*"], false),
            ])
        },
        "tuf.digest",
    ),
    (
        "second who may",
        |it| {
            it.role("two").signed["targets"] = json!({});
            it.delegate(vec![
                delegated("two", 21, &["*"], false),
                delegated("one", 20, &["*"], false),
            ]);
        },
        "",
    ),
    (
        "behind one who ends it",
        |it| {
            it.role("two").signed["targets"] = json!({});
            it.delegate(vec![
                delegated("two", 21, &["*"], true),
                delegated("one", 20, &["*"], false),
            ]);
        },
        "tuf.coverage",
    ),
    (
        "behind one deeper who ends it",
        |it| {
            it.role("two").signed["targets"] = json!({});
            it.role("two").signed["delegations"] =
                delegations(&[21], vec![delegated("three", 21, &["*"], true)]);
            it.add("three", targets(1, json!({})), 21);
            it.delegate(vec![
                delegated("two", 21, &["*"], false),
                delegated("one", 20, &["*"], false),
            ]);
        },
        "tuf.coverage",
    ),
    (
        "deeper before wider",
        |it| {
            it.role("two").signed["targets"] = json!({});
            it.role("two").signed["delegations"] =
                delegations(&[21], vec![delegated("three", 21, &["*"], false)]);
            it.add(
                "three",
                targets(1, json!({"atlas.bin": target(b"other")})),
                21,
            );
            it.delegate(vec![
                delegated("two", 21, &["*"], false),
                delegated("one", 20, &["*"], false),
            ]);
        },
        "tuf.digest",
    ),
    (
        "circle",
        |it| {
            it.role("one").signed["targets"] = json!({});
            it.role("one").signed["delegations"] = delegations(
                &[20, 21],
                vec![
                    delegated("two", 21, &["*"], false),
                    delegated("one", 20, &["*"], false),
                ],
            );
            it.role("two").signed["targets"] = json!({});
            it.role("two").signed["delegations"] =
                delegations(&[20], vec![delegated("one", 20, &["*"], false)]);
        },
        "tuf.coverage",
    ),
    (
        "role that the snapshot does not state",
        |it| it.delegate(vec![delegated("three", 20, &["*"], false)]),
        "tuf.metadata",
    ),
    (
        "two roles of a name",
        |it| {
            it.delegate(vec![
                delegated("one", 20, &["*"], false),
                delegated("one", 21, &["*"], false),
            ])
        },
        "tuf.metadata",
    ),
    (
        "delegation to a role of the root",
        |it| it.delegate(vec![delegated("snapshot", 20, &["*"], false)]),
        "tuf.metadata",
    ),
    (
        "delegation without paths",
        |it| {
            let mut role = delegated("one", 20, &["*"], false);
            role.as_object_mut().expect("a role").remove("paths");
            it.delegate(vec![role]);
        },
        "tuf.metadata",
    ),
    (
        "delegation by both",
        |it| {
            let mut role = delegated("one", 20, &["*"], false);
            role["path_hash_prefixes"] = json!([""]);
            it.delegate(vec![role]);
        },
        "tuf.metadata",
    ),
    (
        "delegation by a hash",
        |it| by_hash(it, &hash_of("atlas.bin")[..3]),
        "",
    ),
    (
        "delegation by another hash",
        |it| by_hash(it, &hash_of("atlas.bio")[..3]),
        "tuf.coverage",
    ),
    (
        "a role with a slash",
        |it| {
            let one = it.role("one").clone();
            it.roles.insert("a/../b%".to_owned(), one);
            it.delegate(vec![delegated("a/../b%", 20, &["*"], false)]);
        },
        "",
    ),
];

fn by_hash(it: &mut Model, prefix: &str) {
    let mut role = delegated("one", 20, &[], false);
    let object = role.as_object_mut().expect("a role");
    object.remove("paths");
    object.insert("path_hash_prefixes".to_owned(), json!([prefix]));
    it.delegate(vec![role]);
}

fn hash_of(path: &str) -> String {
    hex(&DigestAlgorithm::Sha256.hash(&[path.as_bytes()]))
}
