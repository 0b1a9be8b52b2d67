//! NuGet packages of the corpus and of `fixtures/zipped`, and copies of them with one thing wrong.

mod mutants;

use std::io::Cursor;

use crate::inspection::Inspection;
use crate::packages;
use crate::report::Verdict;
use crate::roots::Trust;
use crate::tests::{day, failed, printable, shared, time, trust, zipped_trust};

const AUTHOR: &[u8] = include_bytes!("../../fixtures/zipped/author.nupkg");
const REPOSITORY: &[u8] = include_bytes!("../../fixtures/zipped/repository.nupkg");
const COUNTERSIGNED: &[u8] = include_bytes!("../../fixtures/zipped/countersigned.nupkg");
/// With the signature before the other files.
const FIRST: &[u8] = include_bytes!("../../fixtures/zipped/first.nupkg");

fn look_with(bytes: &[u8], trust: &Trust) -> Inspection {
    let found = packages::inspect(&mut Cursor::new(bytes), day(), trust);
    printable(found.map(|found| found.expect("a package")))
}

fn look(bytes: &[u8]) -> Inspection {
    look_with(bytes, &zipped_trust())
}

#[test]
fn every_nuget_package_of_the_corpus_has_the_verdict_of_its_label() {
    let Some(corpus) = shared() else { return };
    let labels = std::fs::read_to_string(corpus.join("labels.tsv")).expect("labels.tsv");
    let mut count = 0;
    for row in labels.lines().skip(1) {
        let fields: Vec<_> = row.split('\t').collect();
        let [path, "nupkg", label, check, ..] = fields[..] else {
            continue;
        };
        count += 1;
        let bytes = std::fs::read(corpus.join(path)).expect("a file of the corpus");
        let found = look_with(&bytes, &trust());
        let ids = failed(&found);
        match (label, check) {
            ("valid", "-") => assert_eq!(ids, [""; 0], "{path}"),
            ("untrusted", "chain") => {
                assert_eq!(found.verdict, Verdict::Untrusted, "{path}: {found:#?}");
                assert_eq!(ids, ["x509.path"], "{path}");
            }
            ("unsigned", "signature-missing") => assert_eq!(ids, ["nuget.signed"], "{path}"),
            other => panic!("{path}: {other:?}"),
        }
    }
    assert_eq!(count, 3);
}

#[test]
fn the_real_package_is_by_its_author_at_its_time() {
    let Some(corpus) = shared() else { return };
    let bytes = std::fs::read(corpus.join("nuget/TestPackage.AuthorSigned.1.0.0.nupkg"));
    let found = look_with(&bytes.expect("a file of the corpus"), &trust());
    let [signature] = found.signatures.as_slice() else {
        panic!("{found:#?}")
    };
    assert_eq!(signature.place, "author signature");
    let signer = signature.signer.as_ref().expect("a signer");
    assert_eq!(
        signer.organization.as_deref(),
        Some("Microsoft Corporation")
    );
    assert_eq!(
        signer.certificate.sha256,
        "3f9001ea83c560d712c24cf213c3d312cb3bff51ee89435d3430bd06b5d0eece"
    );
    assert_eq!(
        signature.timestamps[0].time.date().to_string(),
        "2018-02-28"
    );
}

#[test]
fn authors_and_repositories_sign_and_repositories_countersign() {
    for (bytes, places) in [
        (AUTHOR, &["author signature"][..]),
        (FIRST, &["author signature"]),
        (REPOSITORY, &["repository signature"]),
        (
            COUNTERSIGNED,
            &["author signature", "repository countersignature"],
        ),
    ] {
        let found = look(bytes);
        assert_eq!(found.verdict, Verdict::Valid, "{found:#?}");
        let signatures = found.signatures.iter();
        assert!(
            signatures
                .clone()
                .map(|it| it.place.as_str())
                .eq(places.iter().copied())
        );
        for signature in signatures {
            assert_eq!(signature.timestamps[0].time, time("2026-06-01T00:00:00Z"));
        }
        let found = look_with(bytes, &Trust::microsoft());
        assert_eq!(found.verdict, Verdict::Untrusted);
        assert_eq!(failed(&found), ["timestamp.chain", "x509.path"]);
    }
    let found = look(COUNTERSIGNED);
    let organizations = found.signatures.iter().map(|it| {
        let signer = it.signer.as_ref().expect("a signer");
        signer.organization.clone().expect("an organization")
    });
    assert_eq!(
        organizations.collect::<Vec<_>>(),
        ["Snake Oil Ltd", "Gallery Ltd"]
    );
}

#[test]
fn what_the_specification_refuses_fails() {
    for (bytes, ids) in [
        (
            &include_bytes!("../../fixtures/zipped/countersigned-repository.nupkg")[..],
            &["nuget.countersignature"][..],
        ),
        (
            include_bytes!("../../fixtures/zipped/countersigned-author.nupkg"),
            &["nuget.countersignature"],
        ),
        (
            include_bytes!("../../fixtures/zipped/countersigned-twice.nupkg"),
            &["nuget.countersignature"],
        ),
        (
            include_bytes!("../../fixtures/zipped/without-role.nupkg"),
            &["nuget.type"],
        ),
        (
            include_bytes!("../../fixtures/zipped/without-certificate.nupkg"),
            &["nuget.certificate"],
        ),
        (
            include_bytes!("../../fixtures/zipped/elliptic.nupkg"),
            &["nuget.certificate"],
        ),
        (
            include_bytes!("../../fixtures/zipped/plain.nupkg"),
            &["nuget.signed"],
        ),
    ] {
        assert_eq!(failed(&look(bytes)), ids);
    }
}
