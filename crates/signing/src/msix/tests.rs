//! App packages of the corpus and of `fixtures/zipped`, and copies of them with one thing wrong.

mod block_map;
mod corpus;
mod judge;
mod mutants;

use std::io::Cursor;

use crate::inspection::Inspection;
use crate::packages;
use crate::report::Verdict;
use crate::roots::Trust;
use crate::tests::{day, failed, printable, time, zipped_trust};

const PLAIN: &[u8] = include_bytes!("../../fixtures/zipped/plain.msix");
const SIGNED: &[u8] = include_bytes!("../../fixtures/zipped/signed.msix");
const BUNDLE: &[u8] = include_bytes!("../../fixtures/zipped/signed.msixbundle");
/// Signed by somebody else than their manifests name, or than the manifest in one package of the bundle does.
const OTHER: &[u8] = include_bytes!("../../fixtures/zipped/other-publisher.msix");
const OTHER_BUNDLE: &[u8] = include_bytes!("../../fixtures/zipped/other-publisher.msixbundle");

fn look_with(bytes: &[u8], trust: &Trust) -> Inspection {
    let found = packages::inspect(&mut Cursor::new(bytes), day(), trust);
    printable(found.map(|found| found.expect("an app package")))
}

fn look(bytes: &[u8]) -> Inspection {
    look_with(bytes, &zipped_trust())
}

#[test]
fn packages_and_bundles_that_are_signed_are_valid_and_named() {
    for (bytes, places) in [
        (SIGNED, &["entry 1"][..]),
        (BUNDLE, &["entry 1", "`x64.msix`, entry 1"]),
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
            let signer = signature.signer.as_ref().expect("a signer");
            assert_eq!(signer.organization.as_deref(), Some("Snake Oil Ltd"));
            assert_eq!(signature.timestamps[0].time, time("2026-06-01T00:00:00Z"));
        }
        let found = look_with(bytes, &Trust::microsoft());
        assert_eq!(found.verdict, Verdict::Untrusted);
        assert_eq!(failed(&found), ["timestamp.chain", "x509.path"]);
    }
    let found = look(PLAIN);
    assert_eq!(found.verdict, Verdict::Unsigned);
    assert_eq!(failed(&found), ["msix.signed"]);
}

#[test]
fn the_publisher_is_who_signed() {
    // osslsigncode 2.9 says of both that they are signed well.
    assert_eq!(failed(&look(OTHER)), ["msix.publisher"]);
    assert_eq!(failed(&look(OTHER_BUNDLE)), ["msix.bundle"]);
}
