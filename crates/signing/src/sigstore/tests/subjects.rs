//! Which artifacts an attestation names: by digest, whatever they are called, and however many there are.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use release::{Sha256, Sha512};
use serde_json::{Value, json};

use super::sample::{PAYLOAD, Sample};
use crate::sigstore::Artifact;
use crate::sigstore::bundles::Opened;

fn hex(bytes: &[u8], kind: &str) -> String {
    match kind {
        "sha256" => Sha256::of(bytes).to_string(),
        _ => {
            let base64 = Sha512::of(bytes).to_string();
            let bytes = BASE64.decode(base64).expect("base64");
            bytes.iter().map(|byte| format!("{byte:02x}")).collect()
        }
    }
}

/// An attestation of these subjects; its signature is another's, and not looked at here.
fn opened(subjects: &Value) -> Option<Result<Opened, String>> {
    let mut sample = Sample::public()?;
    sample.spoil(PAYLOAD, |bytes| {
        let mut statement: Value = serde_json::from_slice(bytes).expect("a statement");
        statement["subject"] = subjects.clone();
        *bytes = statement.to_string().into_bytes();
    });
    Some(Opened::read(&sample.bundle.to_string()))
}

#[test]
fn an_artifact_is_named_by_its_digests_alone() {
    let (one, two) = (b"one".as_slice(), b"two".as_slice());
    let (short, long) = (|of| hex(of, "sha256"), |of| hex(of, "sha512"));
    let only_short = |of: &[u8]| Artifact::from(Sha256::of(of));
    let upper = short(one).to_uppercase();
    for (subjects, of, is_named) in [
        (
            json!([{"name": "a", "digest": {"sha256": short(one)}}]),
            Artifact::of(one),
            true,
        ),
        (
            json!([{"name": "a", "digest": {"sha256": short(two)}}]),
            Artifact::of(one),
            false,
        ),
        (
            json!([{"name": "a", "digest": {"sha256": short(two)}}, {"name": "a", "digest": {"sha256": short(one)}}]),
            Artifact::of(one),
            true,
        ),
        (
            json!([{"digest": {"sha256": short(one), "sha1": "00"}}]),
            Artifact::of(one),
            true,
        ),
        (
            json!([{"name": "a", "digest": {"sha512": long(one)}}]),
            Artifact::of(one),
            true,
        ),
        (
            json!([{"name": "a", "digest": {"sha512": long(one)}}]),
            only_short(one),
            false,
        ),
        // One artifact has both digests, so two that are of two artifacts are of none.
        (
            json!([{"name": "a", "digest": {"sha256": short(one), "sha512": long(two)}}]),
            Artifact::of(one),
            false,
        ),
        (
            json!([{"name": "a", "digest": {"sha256": short(two), "sha512": long(one)}}]),
            Artifact::of(one),
            false,
        ),
        (
            json!([{"name": "a", "digest": {"sha256": short(one), "sha512": long(one)}}]),
            Artifact::of(one),
            true,
        ),
        (
            json!([{"name": short(one), "digest": {"gitCommit": short(one)}}]),
            Artifact::of(one),
            false,
        ),
        (json!([]), Artifact::of(one), false),
    ] {
        let Some(opened) = opened(&subjects) else {
            return;
        };
        let opened = opened.unwrap_or_else(|why| panic!("{subjects}: {why}"));
        assert_eq!(opened.names(&of), is_named, "{subjects}");
        assert_eq!(opened.digest(&of).is_some(), is_named, "{subjects}");
    }
    let upper = json!([{"name": "a", "digest": {"sha256": upper}}]);
    let opened = opened(&upper).expect("there");
    assert!(
        opened.is_ok_and(|it| it.names(&Artifact::of(one))),
        "either case of digits"
    );
}

#[test]
fn subjects_have_an_end() {
    let subject = json!({"name": "a", "digest": {"sha256": hex(b"one", "sha256")}});
    for (count, is_read) in [(4096, true), (4097, false)] {
        let Some(opened) = opened(&vec![subject.clone(); count].into()) else {
            return;
        };
        assert_eq!(opened.is_ok(), is_read, "{count}");
    }
    for subjects in [json!(null), json!({}), json!([7]), json!([{"name": "a"}])] {
        assert!(opened(&subjects).expect("there").is_err(), "{subjects}");
    }
}
