//! The catalogs of the corpus, and copies of them with one thing wrong.

use std::io::Cursor;

use proptest::prelude::*;

use super::*;
use crate::inspection;
use crate::report::Verdict;
use crate::tests::{day, failed, find, printable, sample, trust};

fn look(bytes: &[u8]) -> Inspection {
    let found = inspection::inspect(&mut Cursor::new(bytes), day(), &trust());
    printable(found.map(|found| found.expect("a catalog")))
}

fn look_for(catalog: &[u8], member: &[u8]) -> Inspection {
    let (mut catalog, mut member) = (Cursor::new(catalog), Cursor::new(member));
    let found = inspect_member(&mut catalog, &mut member, day(), &trust());
    printable(found.map(|found| found.expect("a catalog")))
}

/// Catalogs of drivers and of a system, of which the first lists by SHA-1.
fn catalogs() -> Option<[Vec<u8>; 2]> {
    let system = "115fe8649854ad531fb7ecd1318fbee6b33c9cbd78f02ed582092a96d5eb5899.cat";
    let system = sample(&format!("signify/{system}"))?;
    Some([sample("signify/oem89.cat")?, system])
}

#[test]
fn every_catalog_of_the_corpus_has_the_verdict_of_its_label() {
    let Some(catalogs) = catalogs() else { return };
    for bytes in &catalogs {
        let found = look(bytes);
        assert_eq!(found.verdict, Verdict::Valid, "{found:#?}");
        let signer = found.signatures[0].signer.as_ref().expect("a signer");
        assert_eq!(
            signer.organization.as_deref(),
            Some("Microsoft Corporation")
        );
        assert!(!found.signatures[0].timestamps.is_empty());
    }
    let unsigned = look(&sample("signify/catfiletest.cat").expect("a file of the corpus"));
    assert_eq!(unsigned.verdict, Verdict::Unsigned);
    assert_eq!(failed(&unsigned), ["cat.signed"]);
}

#[test]
fn files_are_valid_by_the_catalog_that_lists_them() {
    let Some([driver, system]) = catalogs() else {
        return;
    };
    let text = sample("signify/amdacpbtscoext.inf").expect("a file of the corpus");
    let program = sample("signify/DXCore.dll").expect("a file of the corpus");
    for (catalog, member, is_listed) in [
        (&driver, &text, true),
        (&system, &text, false),
        (&system, &program, true),
        (&driver, &program, false),
    ] {
        let found = look_for(catalog, member);
        let expected: &[&str] = if is_listed { &[] } else { &["cat.member"] };
        assert_eq!(failed(&found), expected);
        let mut changed = member.clone();
        changed[100] ^= 1;
        let found = look_for(catalog, &changed);
        assert_eq!(failed(&found), ["cat.member"]);
        assert_eq!(found.verdict, Verdict::Invalid);
    }
    // An unsigned catalog makes nothing valid.
    let unsigned = sample("signify/catfiletest.cat").expect("a file of the corpus");
    let found = look_for(&unsigned, &text);
    assert_eq!(failed(&found), ["cat.member", "cat.signed"]);
}

#[test]
fn each_mutant_fails_its_check() {
    let Some([driver, _]) = catalogs() else {
        return;
    };
    let (signed, _) = SignedData::parse(&driver).expect("a catalog");
    let signature = signed.signers[0].signature.to_vec();
    let unsigned = signed.signers[0].unsigned.as_ref().expect("attributes");
    let mut tokens = unsigned.all(oid::MICROSOFT_TIMESTAMP_TOKEN);
    let token = tokens.next().expect("a token").raw.to_vec();
    let flipped = |at: usize| {
        let mut bytes = driver.clone();
        bytes[at] ^= 1;
        bytes
    };
    let longer = [&driver[..], b"\0"].concat();
    for (what, bytes, check) in [
        ("byte behind the catalog", longer, "cat.parse"),
        (
            "usage of the list",
            flipped(find(&driver, oid::CATALOG.0) + 9),
            "cat.parse",
        ),
        (
            "digest in the list",
            flipped(find(&driver, &[0xb1, 0xe7, 0x95, 0xb6]) + 3),
            "cms.message-digest",
        ),
        (
            "signature itself",
            flipped(find(&driver, &signature) + 20),
            "cms.signature",
        ),
        (
            "timestamp",
            flipped(find(&driver, &token) + token.len() - 9),
            "timestamp.token",
        ),
    ] {
        let found = look(&bytes);
        let ids = failed(&found);
        assert_eq!(found.verdict, Verdict::Invalid, "{what}");
        assert!(ids.contains(&check), "{what}: {ids:?}");
    }
}

#[test]
fn what_is_no_catalog_is_none() {
    for bytes in [&b""[..], b"0", b"text", &[0x30; 200]] {
        let found = inspection::inspect(&mut Cursor::new(bytes), day(), &trust());
        assert!(found.expect("bytes in memory").is_none());
    }
}

proptest! {
    #[test]
    fn a_list_with_a_flipped_bit_is_never_valid(at in 0..1_200_usize, bit in 0..8_u8) {
        let Some([mut bytes, _]) = catalogs() else { return Ok(()) };
        bytes[at] ^= 1 << bit;
        let found = inspection::inspect(&mut Cursor::new(&bytes[..]), day(), &trust());
        let verdict = found.expect("bytes in memory").map(|it| it.verdict);
        // The version of SignedData, and parameters of its digest algorithm, say nothing.
        prop_assert!(verdict != Some(Verdict::Valid) || at < 43, "byte {at}");
    }
}
