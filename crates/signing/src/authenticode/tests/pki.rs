//! Images signed under a small PKI of our own: `fixtures/pki/generate.py`.

use super::*;
use crate::checks::Check;

const CERTIFICATES: &str = include_str!("../../../fixtures/pki/certificates.pem");
const SIGNED: &[u8] = include_bytes!("../../../fixtures/pki/signed.exe");
const PAGES: &[u8] = include_bytes!("../../../fixtures/pki/pages.exe");
const AZURE: &[u8] = include_bytes!("../../../fixtures/pki/azure.exe");
const EXPIRED: &[u8] = include_bytes!("../../../fixtures/pki/expired.exe");
const LATE: &[u8] = include_bytes!("../../../fixtures/pki/late.exe");
const EXPIRED_TSA: &[u8] = include_bytes!("../../../fixtures/pki/expired-tsa.exe");
const HELD_UP: &[u8] = include_bytes!("../../../fixtures/pki/held-up.exe");
const HELD_UP_BY_ANOTHER: &[u8] = include_bytes!("../../../fixtures/pki/held-up-by-another.exe");

/// The PEM of one certificate.
fn pem(name: &str) -> &'static str {
    let (_, behind) = CERTIFICATES
        .split_once(&format!("# {name}\n"))
        .unwrap_or_else(|| panic!("{name}"));
    behind.split("# ").next().expect("PEM")
}

fn under(roots: &[&str]) -> Trust {
    roots.iter().fold(Trust::microsoft(), |trust, root| {
        trust.with_extra_roots(pem(root)).expect("a root")
    })
}

fn both() -> Trust {
    under(&["root", "tsa-root"])
}

#[test]
fn a_snake_oil_signature_is_valid_only_under_its_roots() {
    let found = look(SIGNED, day(), &both());
    assert_eq!(found.verdict, Verdict::Valid, "{found:#?}");
    let [signature] = found.signatures.as_slice() else {
        panic!("{found:#?}")
    };
    let signer = signature.signer.as_ref().expect("a signer");
    assert_eq!(signer.organization.as_deref(), Some("Snake Oil Ltd"));
    assert_eq!(signer.path.len(), 2);
    assert!(signer.is_extra_root);
    assert_eq!(signature.timestamps[0].time, time("2026-06-01T00:00:00Z"));

    let found = look(SIGNED, day(), &Trust::microsoft());
    assert_eq!(failed(&found), ["timestamp.chain", "x509.path"]);
    assert_eq!(found.verdict, Verdict::Untrusted);
    // A timestamp that nobody trusts fails, although the certificate is still valid.
    let found = look(SIGNED, day(), &under(&["root"]));
    assert_eq!(failed(&found), ["timestamp.chain"]);
    assert_eq!(found.verdict, Verdict::Untrusted);
}

#[test]
fn a_timestamp_prolongs_what_it_was_in_time_for() {
    let verdict = |bytes: &[u8]| failed(&look(bytes, day(), &both()));
    assert_eq!(
        verdict(EXPIRED),
        [""; 0],
        "signed in January, expired in February"
    );
    assert_eq!(verdict(LATE), ["x509.validity"], "signed in June");
    assert_eq!(verdict(EXPIRED_TSA), ["timestamp.chain"]);
    let stripped = |bytes: &[u8]| {
        let oid = crate::oid::MICROSOFT_TIMESTAMP_TOKEN.0;
        let at = bytes.windows(oid.len()).position(|window| window == oid);
        let mut bytes = bytes.to_vec();
        bytes[at.expect("a timestamp") + 9] ^= 0x40;
        bytes
    };
    assert_eq!(verdict(&stripped(EXPIRED)), ["x509.validity"]);
    assert_eq!(verdict(&stripped(SIGNED)), [""; 0], "still valid, for now");
    let late = look(&stripped(SIGNED), time("2047-01-01T00:00:00Z"), &both());
    assert_eq!(failed(&late), ["x509.validity"]);
}

#[test]
fn page_hashes_follow_the_section_alignment() {
    // SectionAlignment is 0x2000 here.
    let found = look(PAGES, day(), &both());
    assert_eq!(found.verdict, Verdict::Valid, "{found:#?}");
    let pages = found
        .all_checks()
        .filter(|it| it.id == crate::checks::PE_PAGE_HASHES);
    assert_eq!(pages.count(), 1);
    let mut bytes = PAGES.to_vec();
    bytes[600] ^= 1;
    let found = look(&bytes, day(), &both());
    assert_eq!(failed(&found), ["pe.digest", "pe.page-hashes"]);
}

#[test]
fn a_sha1_signature_is_held_up_by_one_of_the_same_signer_only() {
    let found = look(HELD_UP, day(), &both());
    assert_eq!(found.verdict, Verdict::Valid, "{found:#?}");
    let places: Vec<_> = found
        .signatures
        .iter()
        .map(|it| it.place.as_str())
        .collect();
    assert_eq!(places, ["entry 1", "entry 1, nested 1"]);
    let found = look(HELD_UP_BY_ANOTHER, day(), &both());
    assert_eq!(failed(&found), ["cms.weak-digest"]);
    assert_eq!(found.verdict, Verdict::Untrusted);
    // A nested signature that does not hold fails the file, and holds nothing up.
    let mut bytes = HELD_UP.to_vec();
    let last = bytes.len() - 20;
    bytes[last] ^= 1;
    let found = look(&bytes, day(), &both());
    assert_eq!(failed(&found), ["cms.signature", "cms.weak-digest"]);
    assert_eq!(found.verdict, Verdict::Invalid);
}

fn judged(bytes: &[u8], trust: &Trust, signer: &Signer) -> Vec<(&'static str, Outcome)> {
    let checks = look(bytes, day(), trust).judge(signer);
    let shown = |check: &Check| (check.id.as_str(), check.outcome);
    checks.iter().map(shown).collect()
}

#[test]
fn a_leaf_that_stands_there_twice_is_one_and_its_identity_lasts() {
    let found = look(AZURE, day(), &both());
    assert_eq!(found.verdict, Verdict::Valid, "{found:#?}");
    let durable = "1.3.6.1.4.1.311.97.1001.2002.3003.4004";
    let mut signer = Signer {
        azure_identity: Some(durable.to_owned()),
        timestamp: TimestampRule::MayBeMissing,
        ..Signer::default()
    };
    let good = [
        ("identity.azure", Outcome::Pass),
        ("timestamp.present", Outcome::Pass),
    ];
    assert_eq!(judged(AZURE, &both(), &signer), good);
    // Without a path to a root that may say so, anybody could claim the identity.
    let untrusted = judged(AZURE, &Trust::microsoft(), &signer);
    assert_eq!(untrusted[0], ("identity.azure", Outcome::Fail));
    assert_eq!(judged(SIGNED, &both(), &signer)[0].1, Outcome::Fail);
    signer.azure_identity = Some(format!("{durable}1"));
    assert_eq!(judged(AZURE, &both(), &signer)[0].1, Outcome::Fail);
}

#[test]
fn a_signer_is_known_by_the_organization_and_a_timestamp_is_required() {
    let signer = |organization: &str| Signer {
        organization: Some(organization.to_owned()),
        ..Signer::default()
    };
    let expect = |bytes, organization: &str, outcomes: [Outcome; 2]| {
        let checks = judged(bytes, &both(), &signer(organization));
        let ids = ["identity.organization", "timestamp.present"];
        let expected: Vec<_> = ids.into_iter().zip(outcomes).collect();
        assert_eq!(checks, expected, "{organization}");
    };
    expect(SIGNED, "Snake Oil Ltd", [Outcome::Pass, Outcome::Pass]);
    expect(SIGNED, "Snake Oil", [Outcome::Fail, Outcome::Pass]);
    expect(SIGNED, "snake oil ltd", [Outcome::Fail, Outcome::Pass]);
    expect(PAGES, "Snake Oil Ltd", [Outcome::Pass, Outcome::Fail]);
    // Without a trusted path the name is a claim.
    let claimed = judged(SIGNED, &Trust::microsoft(), &signer("Snake Oil Ltd"));
    assert_eq!(claimed[0], ("identity.organization", Outcome::Fail));
    // A policy that names nobody accepts nobody, and a file without a signature is by nobody.
    let nobody = judged(SIGNED, &both(), &Signer::default());
    assert_eq!(nobody[0], ("identity.organization", Outcome::Fail));
    let unsigned = judged(&SIGNED[..1024], &both(), &signer("Snake Oil Ltd"));
    assert_eq!(unsigned, [("identity.organization", Outcome::Fail)]);
}

#[test]
fn reports_are_json_with_stable_words() {
    let found = look(SIGNED, day(), &both());
    let json = serde_json::to_value(&found).expect("JSON");
    assert_eq!(json["verdict"], "valid");
    assert_eq!(json["checks"][0]["id"], "pe.parse");
    assert_eq!(json["checks"][0]["outcome"], "pass");
    assert_eq!(json["trust"]["root_set"], crate::MICROSOFT_ROOT_SET);
    assert_eq!(json["signatures"][0]["place"], "entry 1");
    let signer = &json["signatures"][0]["signer"];
    assert_eq!(signer["organization"], "Snake Oil Ltd");
    assert_eq!(signer["is_extra_root"], true);
}
