//! Programs signed under a small PKI of our own: `fixtures/apple/generate.py`.

use super::corpus::{not_passed, signer};
use super::*;

pub(super) const TEAM: &str = "SNAKE0OIL1";

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!("../../../fixtures/apple/", $name, ".macho"))
    };
}

pub(super) fn trust() -> Trust {
    let root = include_str!("../../../fixtures/apple/roots.pem");
    Trust::microsoft().with_extra_roots(root).expect("a root")
}

/// A program that meets the strictest policy.
pub(super) fn good() -> &'static [u8] {
    fixture!("good")
}

/// The checks that fail of the file, and those that the strictest policy adds.
fn judged(bytes: &[u8]) -> (Verdict, Vec<&'static str>, Vec<&'static str>) {
    let found = look_with(bytes, day(), &trust());
    let judged = found.judge_apple(&signer(TEAM));
    (found.verdict, failed(&found), not_passed(&judged))
}

#[test]
fn a_good_program_is_good_only_under_its_root() {
    let bytes = fixture!("good");
    assert_eq!(judged(bytes), (Verdict::Valid, vec![], vec![]));
    let found = look_with(bytes, day(), &trust());
    let [signature] = found.signatures.as_slice() else {
        panic!("{found:#?}")
    };
    let shown = signature.signer.as_ref().expect("a signer");
    assert!(shown.is_extra_root);
    assert_eq!(signature.timestamps[0].time, time("2026-06-01T00:00:00Z"));
    let apple = signature.apple.as_ref().expect("a report");
    assert_eq!(apple.notarized, Some(time("2026-06-01T00:01:00Z")));
    assert_eq!(apple.identifier.as_deref(), Some("org.example.snake-oil"));
    assert_eq!(apple.entitlements, ["com.apple.security.cs.allow-jit"]);
    // A chain that somebody made for himself is nobody's under Apple's roots.
    let found = look(bytes);
    assert_eq!(
        failed(&found),
        ["ticket.chain", "timestamp.chain", "x509.path"]
    );
    assert_eq!(found.verdict, Verdict::Untrusted);
    assert!(not_passed(&found.judge_apple(&signer(TEAM))).contains(&"identity.team-id"));
}

#[test]
fn every_code_directory_is_signed_and_one_has_sha256() {
    let unstapled = vec!["apple.notarized"];
    assert_eq!(
        judged(fixture!("agile")),
        (Verdict::Valid, vec![], unstapled.clone())
    );
    let (verdict, failed, _) = judged(fixture!("agile-unlisted"));
    assert_eq!(
        (verdict, failed),
        (Verdict::Invalid, vec!["apple.cms-binding"])
    );
    let (verdict, failed, _) = judged(fixture!("sha1"));
    assert_eq!(
        (verdict, failed),
        (Verdict::Untrusted, vec!["cms.weak-digest"])
    );
    let (verdict, failed, _) = judged(fixture!("other-team"));
    assert_eq!((verdict, failed), (Verdict::Invalid, vec!["apple.team-id"]));
}

#[test]
fn a_certificate_must_be_for_developer_id() {
    for (bytes, expected) in [
        // For the Mac App Store: sound, and no Developer ID.
        (
            &fixture!("app-store")[..],
            &["apple.developer-id", "apple.notarized"][..],
        ),
        // Marked, but by an authority that is not for Developer ID.
        (
            fixture!("other-authority"),
            &["apple.developer-id", "apple.notarized"],
        ),
        // Not marked at all, so its Team ID is only a text.
        (
            fixture!("no-marker"),
            &["identity.team-id", "apple.developer-id", "apple.notarized"],
        ),
    ] {
        let (verdict, failed, judged) = judged(bytes);
        assert_eq!((verdict, failed), (Verdict::Valid, vec![]));
        assert_eq!(judged, expected);
    }
    for (bytes, expected) in [
        (fixture!("other-usage"), "x509.key-usage"),
        (fixture!("unknown-extension"), "x509.extensions"),
    ] {
        let (verdict, failed, judged) = judged(bytes);
        assert_eq!((verdict, failed), (Verdict::Untrusted, vec![expected]));
        assert!(judged.contains(&"identity.team-id"), "{judged:?}");
    }
}

#[test]
fn a_timestamp_is_required_and_prolongs_a_signature() {
    let (verdict, failed, judged_) = judged(fixture!("no-timestamp"));
    assert_eq!((verdict, failed), (Verdict::Valid, vec![]));
    assert_eq!(judged_, ["timestamp.present", "apple.notarized"]);
    let (verdict, failed, _) = judged(fixture!("expired"));
    assert_eq!(
        (verdict, failed),
        (Verdict::Untrusted, vec!["x509.validity"])
    );
    let (verdict, failed, _) = judged(fixture!("prolonged"));
    assert_eq!((verdict, failed), (Verdict::Valid, vec![]));
}

#[test]
fn what_must_not_be_released_is_refused_as_the_policy_says() {
    let found = look_with(fixture!("debuggable"), day(), &trust());
    assert_eq!(found.verdict, Verdict::Valid);
    let mut wanted = signer(TEAM);
    let all = [
        "apple.hardened-runtime",
        "apple.debuggable",
        "apple.notarized",
    ];
    assert_eq!(not_passed(&found.judge_apple(&wanted)), all);
    wanted.notarized = Notarized::MayBeMissing;
    assert_eq!(not_passed(&found.judge_apple(&wanted)), all[..2]);
    wanted.hardened_runtime = HardenedRuntime::MayBeMissing;
    assert_eq!(not_passed(&found.judge_apple(&wanted)), [""; 0]);
}

#[test]
fn only_apples_notary_signs_tickets() {
    for bytes in [fixture!("rogue-ticket"), fixture!("unmarked-ticket")] {
        let (verdict, failed, judged) = judged(bytes);
        assert_eq!(
            (verdict, failed),
            (Verdict::Untrusted, vec!["ticket.chain"])
        );
        assert_eq!(judged, ["apple.notarized"]);
    }
}

#[test]
fn a_real_ticket_in_the_signature_of_a_program_makes_it_notarized() {
    let Some(files) = app() else { return };
    let ticket = files
        .iter()
        .find(|(path, _)| path.ends_with("app/Contents/CodeResources"));
    let ticket = &ticket.expect("a ticket").1;
    for (path, bytes) in files.iter().filter(|(path, _)| path.contains("/MacOS/")) {
        let stapled = code::stapled(bytes, ticket);
        let found = look(&stapled);
        assert_eq!(found.verdict, Verdict::Valid, "{path}: {found:#?}");
        assert_eq!(
            not_passed(&found.judge_apple(&signer("S8XHQB96PW"))),
            [""; 0]
        );
        let mut other = ticket.clone();
        *other.last_mut().expect("a byte") ^= 1;
        let found = look(&code::stapled(bytes, &other));
        let failed = failed(&found);
        assert!(
            failed == ["ticket.signature"] || failed == ["ticket.parse"],
            "{failed:?}"
        );
        assert_eq!(found.verdict, Verdict::Invalid);
    }
}
