//! Documents that are signed otherwise than with minisign; `gpgv` and `sha256sum` are the judges.

use std::process::{Command, Stdio};

use super::*;
use crate::openpgp::tests::judge::{gpgv, is_there};
use crate::openpgp::tests::owner::{Owner, SIGNED, Terms};
use crate::sigstore::Runner;
use crate::tests::{day, shared};

const FILE: &[u8] = b"the bytes of an archive";

/// A document about one file.
fn document() -> Vec<u8> {
    let name: FileName = "atlas.tar.gz".parse().expect("a name");
    render([(&name, Sha256::of(FILE))])
}

/// What is wrong with a document, by the reason.
fn wrong(rule: &SumsRule, bytes: &[u8], signature: Option<&[u8]>, keys: &[u8]) -> Option<String> {
    let keys = OpenPgpKeys::parse(keys).map(|keys| ("key.asc".to_owned(), keys));
    let version = "1.4.0".parse().expect("a version");
    let context = SumsContext {
        keys: &keys.into_iter().collect(),
        version: &version,
        at: day(),
    };
    let read = SumsDocument::read(rule, Some(bytes), signature, context);
    let name: FileName = "atlas.tar.gz".parse().expect("a name");
    let checks = read.checks(&name, Sha256::of(FILE));
    let failed = checks.into_iter().find(|check| !check.is_pass());
    failed.map(|check| {
        assert_eq!(check.id.as_str(), "sha256sums.signature");
        check.reason
    })
}

fn of_openpgp(owner: &Owner) -> SumsRule {
    SumsRule {
        path: "dist/SHA256SUMS".to_owned(),
        signer: SumsSigner::OpenPgp(OpenPgpRule {
            key: "key.asc".to_owned(),
            fingerprint: owner.fingerprint(),
        }),
    }
}

#[test]
fn a_document_signed_with_openpgp_is_believed() {
    let (owner, stranger) = (Owner::new(1), Owner::new(2));
    let keys = owner.export(&owner.certificate());
    let (rule, good) = (of_openpgp(&owner), document());
    let signature = owner.sign(&good, &Terms::at(SIGNED));
    assert_eq!(wrong(&rule, &good, Some(&signature), &keys), None);
    if let Some(accepts) = gpgv(&keys, &signature, &good) {
        assert!(accepts);
    }
    if is_there("sha256sum") {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("atlas.tar.gz"), FILE).expect("a file");
        std::fs::write(folder.path().join("SHA256SUMS"), &good).expect("a file");
        let status = Command::new("sha256sum")
            .args(["--strict", "-c", "SHA256SUMS"])
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .status();
        assert!(status.expect("it starts").success());
    }
    // Nobody believes `sha256sum` alone: what is changed in the document is refused by whoever looks at the signature.
    let mut changed = good.clone();
    changed[0] ^= 1;
    let mut cut = signature.clone();
    cut.pop();
    let by_stranger = stranger.sign(&good, &Terms::at(SIGNED));
    let more = [good.as_slice(), b"\n"].concat();
    for (what, bytes, signature) in [
        ("a changed digest", changed.as_slice(), signature.as_slice()),
        ("one byte more", &more, &signature),
        ("a cut signature", &good, &cut),
        ("a stranger's signature", &good, &by_stranger),
    ] {
        let reason = wrong(&rule, bytes, Some(signature), &keys);
        assert!(reason.is_some(), "{what}");
        if let Some(accepts) = gpgv(&keys, signature, bytes) {
            assert!(!accepts, "{what}");
        }
    }
    let absent = wrong(&rule, &good, None, &keys).expect("no signature");
    assert!(absent.contains("`dist/SHA256SUMS.asc`"), "{absent}");
    let other = wrong(&of_openpgp(&stranger), &good, Some(&signature), &keys).expect("another key");
    assert!(
        other.contains(&stranger.fingerprint().to_string()),
        "{other}"
    );
    let unread = wrong(&rule, &good, Some(&signature), b"no keys").expect("no keys");
    assert!(unread.contains("were not read"), "{unread}");
    // A minisign signature is none of OpenPGP, and the other way round.
    assert!(!is_minisigned(&rule, &good, &signature));
}

/// Nobody but Fulcio can sign for a workflow, so these are no documents of checksums: that this is all that is said of them
/// shows that their signatures were believed.
#[test]
fn a_document_signed_by_a_workflow_is_believed() {
    let Some(corpus) = shared() else { return };
    let read = |path: &str| std::fs::read(corpus.join("sigstore").join(path)).expect("a file");
    for (bundle, bytes, repository, workflow) in [
        (
            "cli/reusable-workflow-attestation.sigstore.json",
            "cli/reusable-workflow-artifact",
            "malancas/attest-demo",
            "github/artifact-attestations-workflows/.github/workflows/attest.yml",
        ),
        (
            "conformance/bundle-verify/happy-path-v0.3/bundle.sigstore.json",
            "conformance/a.txt",
            "sigstore-conformance/extremely-dangerous-public-oidc-beacon",
            ".github/workflows/extremely-dangerous-oidc-beacon.yml",
        ),
    ] {
        let (bundle, bytes) = (read(bundle), read(bytes));
        let rule = |workflow: &str| SumsRule {
            path: "dist/SHA256SUMS".to_owned(),
            signer: SumsSigner::Provenance(ProvenanceRule {
                provenance: sigstore::Provenance {
                    repository: repository.parse().expect("a repository"),
                    workflow: workflow.parse().expect("a workflow"),
                    reference: None,
                    runner: Runner::Any,
                },
                reference: None,
                bundle: None,
            }),
        };
        let wrong = |rule: &SumsRule, bytes: &[u8], bundle: Option<&[u8]>| {
            wrong(rule, bytes, bundle, b"").expect("no document of checksums")
        };
        let is_of_the_document = |reason: &str| reason.contains("line 1 is not `<64 hexadecimal");
        let own = rule(workflow);
        let reason = wrong(&own, &bytes, Some(&bundle));
        assert!(is_of_the_document(&reason), "{reason}");
        let mut spoilt = bundle.clone();
        spoilt.truncate(spoilt.len() / 2);
        for (what, rule, bytes, bundle) in [
            (
                "another workflow",
                &rule(".github/workflows/other.yml"),
                &bytes,
                Some(bundle.as_slice()),
            ),
            (
                "one byte more",
                &own,
                &[bytes.as_slice(), b"\n"].concat(),
                Some(bundle.as_slice()),
            ),
            ("half a bundle", &own, &bytes, Some(spoilt.as_slice())),
            ("no bundle", &own, &bytes, None),
        ] {
            let reason = wrong(rule, bytes, bundle);
            assert!(!is_of_the_document(&reason), "{what}: {reason}");
        }
    }
}
