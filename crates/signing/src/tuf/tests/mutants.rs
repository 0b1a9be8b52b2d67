//! One thing wrong each, and things that are odd but right.

mod documents;
mod targets;
mod written;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::build::{ARTIFACT, Model, delegated, delegations, id, key, keys, role, target, targets};
use super::*;

/// A repository, and what must fail; nothing where it is good.
pub(super) struct Case {
    pub(super) what: &'static str,
    pub(super) root: Vec<u8>,
    pub(super) files: Files,
    pub(super) artifact: Vec<u8>,
    pub(super) check: &'static str,
    /// Whether python-tuf is of another mind.
    pub(super) differs: bool,
}

type Change = fn(&mut Model);

fn set(document: &mut Value, field: &str, text: &str) {
    document[field] = json!(text);
}

impl Model {
    fn role(&mut self, name: &str) -> &mut build::Document {
        self.roles.get_mut(name).expect("a role")
    }

    fn add(&mut self, name: &str, signed: Value, signer: u8) {
        let signers = vec![signer];
        self.roles
            .insert(name.to_owned(), build::Document { signed, signers });
    }

    /// What `targets` delegates.
    fn delegate(&mut self, roles: Vec<Value>) {
        self.role("targets").signed["delegations"] = delegations(&[20, 21], roles);
    }
}

/// Every one of them.
pub(super) fn cases() -> Vec<Case> {
    let changes =
        documents::DOCUMENTS
            .iter()
            .chain(targets::TARGETS)
            .map(|(what, change, check)| {
                let mut model = Model::good();
                change(&mut model);
                let (root, files) = model.write();
                let artifact = ARTIFACT.to_vec();
                Case {
                    what,
                    root,
                    files,
                    artifact,
                    check,
                    differs: false,
                }
            });
    changes.chain(written::written()).collect()
}

#[test]
fn one_thing_wrong_fails_its_check() {
    let mut wrong = Vec::new();
    for case in cases() {
        let found = failed_of(
            &rule(),
            Some(&case.root),
            &case.files,
            "atlas.bin",
            &case.artifact,
        );
        let is_as_expected = match case.check {
            "" => found.is_empty(),
            check => found == [check],
        };
        if !is_as_expected {
            wrong.push(format!(
                "{}: expected {}, found {found:?}",
                case.what, case.check
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What the reader of files says is no fault of the repository.
#[test]
fn what_the_world_does_is_no_fault_of_the_repository() {
    let (root, _) = Model::good().write();
    let (name, version) = (
        "atlas.bin".parse().expect("a name"),
        "1.4.0".parse().expect("a version"),
    );
    let read = |_: &str, _: u64| Err("the disk is on fire");
    let read = Repository::read(&rule(), Some(&root), &[&name], (&version, day()), read);
    assert_eq!(read.map(drop), Err("the disk is on fire"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn random_changes_never_panic(
        file in 0..6_usize,
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let (mut root, mut files) = Model::good().write();
        let bytes = match files.values_mut().nth(file) {
            Some(bytes) => bytes,
            None => &mut root,
        };
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let _ = failed_of(&rule(), Some(&root), &files, "atlas.bin", ARTIFACT);
    }
}
