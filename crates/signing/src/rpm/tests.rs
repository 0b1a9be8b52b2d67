//! Packages of the corpus and of our own; `rpmkeys` is the judge.

pub(super) mod build;
mod mutants;

use std::io::Cursor;
use std::path::Path;
use std::process::{Command, Stdio};

use super::*;
use crate::openpgp::tests::judge::is_there;
use crate::openpgp::tests::owner::{Owner, SIGNED, Terms};
use crate::report::Verdict;
use crate::tests::{day, failed, printable, shared};
use build::Package;

fn look(file: &[u8], keys: &OpenPgpKeys) -> Inspection {
    printable(inspect(&mut Cursor::new(file), day(), keys))
}

fn keys_of(owners: &[&Owner]) -> OpenPgpKeys {
    let exported = owners.iter().flat_map(|it| it.export(&it.certificate()));
    OpenPgpKeys::parse(&exported.collect::<Vec<_>>()).expect("keys")
}

/// Whether `rpmkeys` accepts a package, signatures demanded (without that it accepts unsigned ones).
fn rpmkeys(database: &Path, file: &[u8]) -> bool {
    let path = database.join("package.rpm");
    std::fs::write(&path, file).expect("a file");
    let status = Command::new("rpmkeys")
        .arg("--dbpath")
        .arg(database)
        .args(["--define", "_pkgverify_level signature", "-Kv"])
        .arg(path)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.expect("it starts").success()
}

/// A database with these keys.
fn database(keys: &[&[u8]]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for key in keys {
        let path = folder.path().join("key.asc");
        std::fs::write(&path, key).expect("a file");
        let mut importing = Command::new("rpmkeys");
        let importing = importing.arg("--dbpath").arg(folder.path());
        let output = importing.arg("--import").arg(path).output();
        let output = output.expect("it starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "rpmkeys --import: {said}");
    }
    folder
}

#[test]
fn every_label_of_the_corpus_agrees() {
    let Some(corpus) = shared() else { return };
    let read = |path: &str| std::fs::read(corpus.join(path)).expect("a file of the corpus");
    let keyring = read("rpm/keys/v4/rpm-testkey-v4-keyring.asc");
    let ecdsa = read("rpm/keys/v4/rpm-testkey-v4-ecdsa-nistp256.asc");
    let judge = is_there("rpmkeys").then(|| database(&[&keyring]));
    let labels = String::from_utf8(read("labels.tsv")).expect("text");
    let mut counted = 0;
    for row in labels.lines().filter(|row| row.starts_with("rpm/")) {
        let columns: Vec<_> = row.split('\t').collect();
        let (path, expected, signer) = (columns[0], columns[2], columns[4]);
        let file = read(path);
        let keys = if path.contains("ecdsa") {
            &ecdsa
        } else {
            &keyring
        };
        let found = look(&file, &OpenPgpKeys::parse(keys).expect("keys"));
        let verdict = match expected {
            "valid" => Verdict::Valid,
            "unsigned" => Verdict::Unsigned,
            other => panic!("{path}: no rule for {other}"),
        };
        assert_eq!(found.verdict, verdict, "{path}: {found:#?}");
        if let Some(fingerprint) = signer.strip_prefix("PGP ") {
            let mut reasons = found.all_checks().map(|check| &check.reason);
            assert!(reasons.any(|it| it.contains(fingerprint)), "{path}");
        }
        // Without keys nobody is known, and that is all that is wrong.
        let stranger = printable(
            crate::inspect(&mut Cursor::new(&file), day(), &Trust::nothing())
                .map(|it| it.expect("a package")),
        );
        match verdict {
            Verdict::Valid => {
                assert_eq!(stranger.verdict, Verdict::Untrusted, "{path}");
                assert_eq!(failed(&stranger), ["openpgp.key"], "{path}");
            }
            _ => assert_eq!(failed(&stranger), ["rpm.signed"], "{path}"),
        }
        if let Some(database) = &judge {
            // rpm 4.18 cannot read signatures over elliptic curves but Ed25519.
            let accepts = verdict == Verdict::Valid && !path.contains("ecdsa");
            assert_eq!(rpmkeys(database.path(), &file), accepts, "{path}");
        }
        counted += 1;
    }
    assert_eq!(counted, 8);
}

#[test]
fn packages_of_both_versions_are_valid_with_their_keys() {
    let (owner, other, stranger) = (Owner::new(1), Owner::new(2), Owner::new(3));
    let terms = Terms::at(SIGNED);
    let v4 = Package::v4("atlas", &owner, &terms);
    let v6 = Package::v6("atlas", &[&owner, &other], &terms);
    for package in [&v4, &v6] {
        let file = package.file();
        let found = look(&file, &keys_of(&[&owner]));
        assert_eq!(found.verdict, Verdict::Valid, "{found:#?}");
        assert_eq!(found.signatures[0].digest, "SHA-256");
        let found = look(&file, &keys_of(&[&stranger]));
        assert_eq!(found.verdict, Verdict::Untrusted);
        assert_eq!(failed(&found), ["openpgp.key"]);
    }
    let reasons: String = look(&v6.file(), &keys_of(&[&owner])).signatures[0]
        .checks
        .iter()
        .map(|check| check.reason.clone())
        .collect();
    assert!(reasons.contains("signed by others too"), "{reasons}");
    assert_eq!(
        look(&v6.file(), &keys_of(&[&owner, &other])).verdict,
        Verdict::Valid
    );
}

#[test]
fn signatures_of_version_3_are_over_the_payload_too() {
    let owner = Owner::new(1);
    let keys = keys_of(&[&owner]);
    let terms = Terms::at(SIGNED);
    let plain = Package::v4("atlas", &owner, &terms);
    let over = [plain.header_bytes(), plain.payload.clone()].concat();
    for (what, over, failing) in [
        ("good", over.as_slice(), None),
        (
            "over the header alone",
            &plain.header_bytes(),
            Some("openpgp.signature"),
        ),
    ] {
        let mut package = plain.clone();
        let at = package.signature.iter().position(|tag| tag.tag > 1005);
        let gpg = build::bytes(1005, owner.sign(over, &terms));
        package
            .signature
            .insert(at.expect("the unpacked size"), gpg);
        let file = package.file();
        let found = look(&file, &keys);
        assert_eq!(
            failed(&found),
            Vec::from_iter(failing),
            "{what}: {found:#?}"
        );
        if is_there("rpmkeys") {
            let exported = owner.export(&owner.certificate());
            let text = crate::openpgp::tests::armoured("PGP PUBLIC KEY BLOCK", &exported);
            let database = database(&[text.as_bytes()]);
            assert_eq!(rpmkeys(database.path(), &file), failing.is_none(), "{what}");
        }
    }
}

/// Tags with a text for each file have many, and are not taken for signatures.
#[test]
fn tags_with_many_texts_are_not_copied() {
    let owner = Owner::new(1);
    let mut package = Package::v4("atlas", &owner, &Terms::at(SIGNED));
    let many = vec![""; 100_000];
    package.signature.insert(3, build::texts(274, &many));
    let found = look(&package.file(), &keys_of(&[&owner]));
    assert_eq!(found.verdict, Verdict::Valid, "{found:#?}");
    package.signature[3] = build::texts(278, &many);
    let found = look(&package.file(), &keys_of(&[&owner]));
    assert_eq!(failed(&found), ["rpm.signature-header"]);
}
