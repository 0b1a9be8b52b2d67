//! Bundles among others, parts of one in another, and other times.

use serde_json::json;

use super::sample::{SIGNATURE, Sample};
use super::{checks, failed};
use crate::sigstore::{Bundles, judge};
use crate::tests::time;

/// CVE-2022-36056: each part holds by itself, but they are not about one another.
#[test]
fn parts_of_another_bundle_do_not_fit() {
    let parts = [
        (
            "/verificationMaterial/tlogEntries",
            "sigstore.transparency-log",
        ),
        (
            "/verificationMaterial/x509CertificateChain",
            "sigstore.signature",
        ),
        ("/dsseEnvelope/signatures", "sigstore.signature"),
        ("/dsseEnvelope/payload", "sigstore.subject"),
        ("/dsseEnvelope", "sigstore.subject"),
    ];
    for (part, check) in parts {
        let Some((mut one, mut other)) = Sample::pair() else {
            return;
        };
        assert_eq!(failed(&one.checks()), [""; 0]);
        assert_eq!(failed(&other.checks()), [""; 0]);
        *one.at(part) = other.at(part).clone();
        assert_eq!(
            failed(&one.checks()),
            [check],
            "{part}: {:#?}",
            one.checks()
        );
    }
}

#[test]
fn what_was_signed_later_than_asked_about_is_of_the_future() {
    for sample in [Sample::public(), Sample::private(), Sample::message()] {
        let Some(sample) = sample else {
            return;
        };
        let bundles = Bundles::read(sample.bundle.to_string().as_bytes()).expect("a bundle");
        let at = |at| {
            failed(&judge(
                &bundles,
                &sample.artifact,
                sample.wanted,
                &sample.policy,
                at,
            ))
        };
        assert_eq!(at(time("2023-01-01T00:00:00Z")), ["sigstore.timestamp"]);
    }
}

#[test]
fn one_good_bundle_among_others_is_enough() {
    let (Some(sample), Some(private)) = (Sample::public(), Sample::private()) else {
        return;
    };
    let mut spoilt = Sample::public().expect("there");
    spoilt.flip(SIGNATURE, 3);
    let (good, bad, other) = (&sample.bundle, &spoilt.bundle, &private.bundle);
    for document in [
        format!("{other}\n{bad}\n{good}\n"),
        json!([other, bad, good]).to_string(),
        json!({"attestations": [{"bundle": other}, {"bundle": bad}, {"bundle": good}]}).to_string(),
        serde_json::to_string_pretty(good).expect("JSON"),
    ] {
        let found = checks(document.as_bytes(), &sample.artifact, &sample.policy);
        assert_eq!(failed(&found), [""; 0], "{document:.40}");
    }
    let found = checks(
        format!("{other}\n{bad}").as_bytes(),
        &sample.artifact,
        &sample.policy,
    );
    assert_eq!(failed(&found), ["sigstore.signature"]);
    let found = checks(
        other.to_string().as_bytes(),
        &sample.artifact,
        &sample.policy,
    );
    assert_eq!(failed(&found), ["sigstore.subject"]);
    let half = good.to_string();
    for document in [
        "",
        "[]",
        "{}",
        "null",
        "7",
        "{\"attestations\": 7}",
        "\u{feff}",
        &half[..900],
    ] {
        let found = checks(document.as_bytes(), &sample.artifact, &sample.policy);
        assert_eq!(failed(&found), ["sigstore.parse"], "{document:.40}");
    }
    let found = checks(
        format!("{good}\n{half:.900}").as_bytes(),
        &sample.artifact,
        &sample.policy,
    );
    assert_eq!(
        failed(&found),
        ["sigstore.parse"],
        "what follows is not read over"
    );
    // One of another kind proves nothing, and takes nothing from the others.
    let unknown = json!({"mediaType": "application/vnd.dev.sigstore.bundle.v9+json", "other": 1});
    let found = checks(
        format!("{unknown}\n{good}\n{unknown}").as_bytes(),
        &sample.artifact,
        &sample.policy,
    );
    assert_eq!(failed(&found), [""; 0]);
    let found = checks(
        format!("{unknown}\n{other}\n{unknown}").as_bytes(),
        &sample.artifact,
        &sample.policy,
    );
    assert_eq!(failed(&found), ["sigstore.subject"]);
    let says = |what: &str| found[0].reason.contains(what);
    assert!(says("2 more cannot be read: bundle 1: "), "{found:?}");
    for deep in [
        format!("{{\"a\": [{}1]}}", "1,".repeat(300_000)),
        "[".repeat(100_000),
        "{\"a\":".repeat(100_000),
        good.to_string().repeat(1025),
    ] {
        let found = checks(deep.as_bytes(), &sample.artifact, &sample.policy);
        assert_eq!(failed(&found), ["sigstore.parse"], "{deep:.40}");
    }
}
