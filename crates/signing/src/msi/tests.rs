//! Packages of `fixtures/packages`, and copies of them with one thing wrong.

mod contents;
mod mutants;
mod tables;

use std::io::Cursor;

use super::*;
use crate::authenticode::{Signer, TimestampRule};
use crate::checks::Outcome;
use crate::report::Verdict;
use crate::tests::{day, failed, packages_trust, printable, sample, time, trust};

const PLAIN: &[u8] = include_bytes!("../../fixtures/packages/plain.msi");
const SIGNED: &[u8] = include_bytes!("../../fixtures/packages/signed.msi");
const METADATA: &[u8] = include_bytes!("../../fixtures/packages/metadata.msi");
const OTHER: &[u8] = include_bytes!("../../fixtures/packages/other.msi");
const EXPIRED: &[u8] = include_bytes!("../../fixtures/packages/expired.msi");
const HELD_UP: &[u8] = include_bytes!("../../fixtures/packages/held-up.msi");

fn look(bytes: &[u8]) -> Inspection {
    printable(inspect(&mut Cursor::new(bytes), day(), &packages_trust()))
}

/// The reason of a check.
fn reason(inspection: &Inspection, id: Id) -> &str {
    let mut all = inspection.all_checks();
    &all.find(|check| check.id == id)
        .expect("such a check")
        .reason
}

#[test]
fn what_osslsigncode_signed_is_valid_and_named() {
    for (bytes, algorithm) in [
        (SIGNED, "SHA-256"),
        (METADATA, "SHA-256"),
        (OTHER, "SHA-256"),
    ] {
        let found = look(bytes);
        assert_eq!(found.verdict, Verdict::Valid, "{found:#?}");
        assert_eq!(found.signatures[0].digest, algorithm);
        let signer = found.signatures[0].signer.as_ref().expect("a signer");
        assert_eq!(signer.organization.as_deref(), Some("Snake Oil Ltd"));
    }
    let found = look(SIGNED);
    assert_eq!(
        found.signatures[0].timestamps[0].time,
        time("2026-06-01T00:00:00Z")
    );
    assert!(reason(&found, MSI_METADATA).contains("covers no metadata"));
    assert!(reason(&look(METADATA), MSI_METADATA).contains("signed digest"));
    // Under Microsoft's roots alone nobody knows the signer.
    let bytes = &mut Cursor::new(SIGNED);
    let found = inspect(bytes, day(), &Trust::microsoft()).expect("bytes in memory");
    assert_eq!(found.verdict, Verdict::Untrusted);
    assert_eq!(failed(&found), ["timestamp.chain", "x509.path"]);
}

#[test]
fn a_package_without_a_signature_is_unsigned() {
    let found = look(PLAIN);
    assert_eq!(found.verdict, Verdict::Unsigned);
    assert_eq!(failed(&found), ["msi.signed"]);
}

#[test]
fn nested_signatures_and_expiry_are_judged_as_in_programs() {
    let found = look(HELD_UP);
    assert_eq!(found.verdict, Verdict::Valid, "{found:#?}");
    let digests: Vec<_> = found.signatures.iter().map(|it| &it.digest).collect();
    assert_eq!(digests, ["SHA-1", "SHA-256"]);
    assert_eq!(failed(&look(EXPIRED)), ["x509.validity"]);
    let signer = |organization: &str, timestamp| Signer {
        organization: Some(organization.to_owned()),
        timestamp,
        ..Signer::default()
    };
    let outcomes = |bytes, signer| {
        let checks = look(bytes).judge(&signer);
        checks.iter().map(|it| it.outcome).collect::<Vec<_>>()
    };
    let (pass, fail) = (Outcome::Pass, Outcome::Fail);
    let required = TimestampRule::Required;
    assert_eq!(
        outcomes(SIGNED, signer("Snake Oil Ltd", required)),
        [pass, pass]
    );
    assert_eq!(outcomes(SIGNED, signer("Other", required)), [fail, pass]);
    assert_eq!(
        outcomes(OTHER, signer("Snake Oil Ltd", required)),
        [pass, fail]
    );
}

/// PuTTY's own package, which Windows trusts: version 3, two signatures, and 50 entries in a tree that is a list.
#[test]
fn a_package_of_the_world_is_valid_under_microsofts_roots() {
    let Some(bytes) = sample("signify/putty.msi") else {
        return;
    };
    let bytes = &mut Cursor::new(bytes);
    let found = printable(inspect(bytes, day(), &Trust::microsoft()));
    assert_eq!(found.verdict, Verdict::Valid, "{found:#?}");
    assert_eq!(found.signatures.len(), 2);
    let signer = found.signatures[0].signer.as_ref().expect("a signer");
    assert_eq!(signer.organization.as_deref(), Some("Simon Tatham"));
}

/// signtool's own digest of metadata, in sectors of 4,096 bytes.
#[test]
fn metadata_that_signtool_signed_are_checked() {
    let name = "jsign/minimal-signed-with-signtool.msi";
    let Some(mut bytes) = sample(name) else {
        return;
    };
    let found = printable(inspect(&mut Cursor::new(&bytes), day(), &trust()));
    assert!(reason(&found, MSI_METADATA).contains("signed digest"));
    assert_eq!(failed(&found), ["cms.weak-digest", "x509.path"]);
    // Times of the second entry, the first after the root.
    let entry = 2 * 4096 + 128;
    bytes[entry + 108] ^= 1;
    let found = printable(inspect(&mut Cursor::new(&bytes), day(), &trust()));
    assert!(failed(&found).contains(&"msi.metadata"));
    assert_eq!(found.verdict, Verdict::Invalid);
}

/// Everything that streams hold, and their names.
fn streams(bytes: &[u8]) -> Option<Vec<(Vec<u8>, Vec<u8>)>> {
    let mut reader = Cursor::new(bytes);
    let mut compound = Compound::open(&mut reader, LIMITS).ok()?;
    let mut root = directory::read(&mut compound, LIMITS).ok()?;
    // Nobody signs the name of the root.
    root.name.clear();
    let (mut found, mut open) = (Vec::new(), vec![&root]);
    while let Some(entry) = open.pop() {
        match &entry.node {
            directory::Node::Storage(children) => {
                found.push((entry.name.clone(), entry.class.to_vec()));
                open.extend(children);
            }
            directory::Node::Stream(place) => {
                let contents = read_all(&mut compound, *place).ok()?;
                found.push((entry.name.clone(), contents));
            }
        }
    }
    Some(found)
}

#[test]
fn streams_are_read_along_their_chains() {
    let found = streams(PLAIN).expect("a compound file");
    let expected: Vec<_> = (0..5000_usize)
        .map(|at| u8::try_from((at * 7 + 1) % 251).expect("small"))
        .collect();
    assert!(found.iter().any(|(_, contents)| *contents == expected));
    let contents: Vec<_> = found.iter().map(|(_, contents)| contents.len()).collect();
    assert_eq!(found.len(), 9, "{contents:?}");
}

#[test]
fn every_limit_refuses() {
    let open = |limits| {
        let mut reader = Cursor::new(SIGNED);
        let mut compound = Compound::open(&mut reader, limits)?;
        directory::read(&mut compound, limits)
    };
    let error = |limits| open(limits).expect_err("too much").to_string();
    assert!(open(LIMITS).is_ok());
    let sectors = 10;
    assert!(error(Limits { sectors, ..LIMITS }).contains("more than 10 sectors"));
    let entries = 4;
    assert!(error(Limits { entries, ..LIMITS }).contains("more than 4 entries"));
    let depth = 0;
    assert!(error(Limits { depth, ..LIMITS }).contains("more than 0 deep"));
    let limits = Limits {
        signature_bytes: 100,
        ..LIMITS
    };
    let mut checks = Vec::new();
    let found = judge(
        &mut Cursor::new(SIGNED),
        limits,
        day(),
        &packages_trust(),
        &mut checks,
    );
    assert!(found.expect("bytes in memory").is_empty());
    let last = checks.last().expect("a check");
    assert_eq!((last.id, last.outcome), (CMS_PARSE, Outcome::Fail));
}
