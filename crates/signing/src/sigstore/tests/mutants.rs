//! Real bundles with one thing wrong, and the check that must fail.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::json;

use super::failed;
use super::sample::{CERTIFICATE, ENTRY, PAYLOAD, SIGNATURE, STAMP, Sample};
use crate::sigstore::{Artifact, Wanted};

/// Puts other bytes of the same length in the place of some.
fn replace(bytes: &mut [u8], from: &[u8], to: &[u8]) {
    let at = bytes.windows(from.len()).position(|it| it == from);
    let at = at.expect("there");
    bytes[at..at + to.len()].copy_from_slice(to);
}

type Mutant = (&'static str, &'static str, fn(&mut Sample));

#[track_caller]
fn each_fails_its_check(sample: fn() -> Option<Sample>, mutants: &[Mutant]) {
    let Some(whole) = sample() else {
        return;
    };
    assert_eq!(failed(&whole.checks()), [""; 0], "{:#?}", whole.checks());
    let mut wrong = Vec::new();
    for (what, check, spoil) in mutants {
        let mut copy = sample().expect("there");
        spoil(&mut copy);
        let found = copy.checks();
        if failed(&found) != [*check] {
            let reasons: Vec<_> = found.iter().map(|it| &it.reason).collect();
            wrong.push(format!(
                "{what}: expected {check}, found {:?} {reasons:?}",
                failed(&found)
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_public_attestation_fails_for_each_part() {
    each_fails_its_check(
        Sample::public,
        &[
            ("another artifact", "sigstore.subject", |it| {
                it.artifact = Artifact::of(b"another");
            }),
            ("payload", "sigstore.signature", |it| {
                it.spoil(PAYLOAD, |bytes| {
                    replace(bytes, b"github-hosted", b"github-hostex")
                });
            }),
            ("subject", "sigstore.signature", |it| {
                let (from, to) = (it.artifact, Artifact::of(b"another"));
                it.artifact = to;
                it.spoil(PAYLOAD, |bytes| {
                    let (from, to) = (from.sha256.to_string(), to.sha256.to_string());
                    replace(bytes, from.as_bytes(), to.as_bytes());
                });
            }),
            ("signature", "sigstore.signature", |it| {
                it.flip(SIGNATURE, 3)
            }),
            (
                "identity in the certificate",
                "sigstore.certificate",
                |it| {
                    it.spoil(CERTIFICATE, |bytes| {
                        replace(bytes, b"/attest.yml", b"/attexx.yml")
                    });
                },
            ),
            (
                "signature of the certificate",
                "sigstore.certificate",
                |it| {
                    it.flip(CERTIFICATE, 3);
                },
            ),
            ("no certificate", "sigstore.parse", |it| {
                let material = it
                    .at("/verificationMaterial")
                    .as_object_mut()
                    .expect("an object");
                material.remove("certificate");
            }),
            (
                "key instead of the certificate",
                "sigstore.certificate",
                |it| {
                    let material = it
                        .at("/verificationMaterial")
                        .as_object_mut()
                        .expect("an object");
                    material.remove("certificate");
                    material.insert("publicKey".to_owned(), json!({"hint": ""}));
                },
            ),
            ("promise of the log", "sigstore.transparency-log", |it| {
                let part = "inclusionPromise/signedEntryTimestamp";
                it.flip(&format!("{ENTRY}/{part}"), 3);
            }),
            ("time in the log", "sigstore.transparency-log", |it| {
                *it.at(&format!("{ENTRY}/integratedTime")) = "1716578065".into();
            }),
            ("body in the log", "sigstore.transparency-log", |it| {
                it.flip(&format!("{ENTRY}/canonicalizedBody"), 9);
            }),
            ("hash in the proof", "sigstore.transparency-log", |it| {
                it.flip(&format!("{ENTRY}/inclusionProof/hashes/1"), 3);
            }),
            (
                "hash missing in the proof",
                "sigstore.transparency-log",
                |it| {
                    let hashes = it.at(&format!("{ENTRY}/inclusionProof/hashes"));
                    hashes.as_array_mut().expect("hashes").pop();
                },
            ),
            ("root in the proof", "sigstore.transparency-log", |it| {
                it.flip(&format!("{ENTRY}/inclusionProof/rootHash"), 3);
            }),
            ("index in the proof", "sigstore.transparency-log", |it| {
                *it.at(&format!("{ENTRY}/inclusionProof/logIndex")) = "92601053".into();
            }),
            (
                "signature of the checkpoint",
                "sigstore.transparency-log",
                |it| {
                    let envelope = it.at(&format!("{ENTRY}/inclusionProof/checkpoint/envelope"));
                    let text = envelope.as_str().expect("text").trim_end();
                    let (head, tail) = text.split_at(text.len() - 12);
                    *envelope = format!("{head}AAAA{}\n", &tail[4..]).into();
                },
            ),
            (
                "origin of the checkpoint",
                "sigstore.transparency-log",
                |it| {
                    let envelope = it.at(&format!("{ENTRY}/inclusionProof/checkpoint/envelope"));
                    let text = envelope.as_str().expect("text");
                    *envelope = text.replacen("rekor", "recor", 1).into();
                },
            ),
            ("no proof", "sigstore.transparency-log", |it| {
                it.at(ENTRY)
                    .as_object_mut()
                    .expect("an entry")
                    .remove("inclusionProof");
            }),
            ("no promise, so no time", "sigstore.timestamp", |it| {
                it.at(ENTRY)
                    .as_object_mut()
                    .expect("an entry")
                    .remove("inclusionPromise");
            }),
            ("no entry in the log", "sigstore.transparency-log", |it| {
                *it.at("/verificationMaterial/tlogEntries") = json!([]);
            }),
            ("another log", "sigstore.transparency-log", |it| {
                it.flip(&format!("{ENTRY}/logId/keyId"), 3);
            }),
            ("entries without end", "sigstore.parse", |it| {
                let entries = it.at("/verificationMaterial/tlogEntries");
                let entry = entries[0].clone();
                *entries = vec![entry; 5].into();
            }),
            ("proof without end", "sigstore.parse", |it| {
                let hashes = it.at(&format!("{ENTRY}/inclusionProof/hashes"));
                let hash = hashes[0].clone();
                *hashes = vec![hash; 65].into();
            }),
            ("type of the payload", "sigstore.parse", |it| {
                *it.at("/dsseEnvelope/payloadType") = "text/plain".into();
            }),
            ("version of the format", "sigstore.parse", |it| {
                *it.at("/mediaType") = "application/vnd.dev.sigstore.bundle.v0.9+json".into();
            }),
            ("a second signature", "sigstore.parse", |it| {
                let signatures = it.at("/dsseEnvelope/signatures");
                let signature = signatures[0].clone();
                *signatures = vec![signature; 2].into();
            }),
            ("another repository", "provenance.repository", |it| {
                it.policy.repository = "malancas/attest-demo2".parse().expect("a repository");
            }),
            (
                "another case of the repository",
                "provenance.repository",
                |it| {
                    it.policy.repository = "Malancas/attest-demo".parse().expect("a repository");
                },
            ),
            (
                "the repository of the workflow",
                "provenance.repository",
                |it| {
                    let repository = "github/artifact-attestations-workflows";
                    it.policy.repository = repository.parse().expect("a repository");
                },
            ),
            ("another workflow", "provenance.workflow", |it| {
                let workflow =
                    "github/artifact-attestations-workflows/.github/workflows/attest2.yml";
                it.policy.workflow = workflow.parse().expect("a workflow");
            }),
            (
                "a workflow whose name is longer",
                "provenance.workflow",
                |it| {
                    let workflow =
                        "github/artifact-attestations-workflows/.github/workflows/attest.yaml";
                    it.policy.workflow = workflow.parse().expect("a workflow");
                },
            ),
            (
                "the workflow that was started",
                "provenance.workflow",
                |it| {
                    it.policy.workflow =
                        ".github/workflows/shared.yml".parse().expect("a workflow");
                },
            ),
            (
                "another version of the workflow",
                "provenance.workflow",
                |it| {
                    let workflow = format!("{}@{}", it.policy.workflow, "0".repeat(40));
                    it.policy.workflow = workflow.parse().expect("a workflow");
                },
            ),
            ("another ref", "provenance.ref", |it| {
                it.policy.reference = Some("refs/tags/main".parse().expect("a ref"));
            }),
        ],
    );
}

#[test]
fn a_private_attestation_fails_for_each_part() {
    each_fails_its_check(
        Sample::private,
        &[
            ("another artifact", "sigstore.subject", |it| {
                it.artifact = Artifact::of(b"another");
            }),
            ("payload", "sigstore.signature", |it| {
                it.spoil(PAYLOAD, |bytes| {
                    replace(bytes, b"github-hosted", b"github-hostex")
                });
            }),
            // The timestamp is over the signature, and is looked at first.
            ("signature", "sigstore.timestamp", |it| {
                it.flip(SIGNATURE, 3)
            }),
            ("certificate", "sigstore.certificate", |it| {
                it.flip(CERTIFICATE, 3)
            }),
            ("timestamp", "sigstore.timestamp", |it| it.flip(STAMP, 3)),
            ("no timestamp", "sigstore.timestamp", |it| {
                *it.at("/verificationMaterial/timestampVerificationData/rfc3161Timestamps") =
                    json!([]);
            }),
            ("timestamps without end", "sigstore.parse", |it| {
                let stamps =
                    it.at("/verificationMaterial/timestampVerificationData/rfc3161Timestamps");
                let stamp = stamps[0].clone();
                *stamps = vec![stamp; 5].into();
            }),
            // What claims to be of the public-good instance must be in its log.
            (
                "issuer in the certificate",
                "sigstore.transparency-log",
                |it| {
                    it.spoil(CERTIFICATE, |bytes| {
                        replace(bytes, b"GitHub, Inc.", b"sigstore.dev")
                    });
                },
            ),
            ("another repository", "provenance.repository", |it| {
                it.policy.repository = "actions/attest".parse().expect("a repository");
                let workflow = "actions/attest-demo/.github/workflows/build-python.yml";
                it.policy.workflow = workflow.parse().expect("a workflow");
            }),
            ("another workflow", "provenance.workflow", |it| {
                it.policy.workflow = ".github/workflows/build.yml".parse().expect("a workflow");
            }),
        ],
    );
}

#[test]
fn a_signature_over_the_artifact_fails_for_each_part() {
    each_fails_its_check(
        Sample::message,
        &[
            ("another artifact", "sigstore.subject", |it| {
                it.artifact = Artifact::of(b"another");
            }),
            (
                "another artifact, and its digest",
                "sigstore.signature",
                |it| {
                    it.artifact = Artifact::of(b"another");
                    let digest = BASE64.encode(it.artifact.sha256.as_bytes());
                    *it.at("/messageSignature/messageDigest/digest") = digest.into();
                },
            ),
            ("signature", "sigstore.signature", |it| {
                it.flip("/messageSignature/signature", 3)
            }),
            ("body in the log", "sigstore.transparency-log", |it| {
                it.flip(&format!("{ENTRY}/canonicalizedBody"), 9);
            }),
            (
                "not a signature but provenance",
                "provenance.predicate",
                |it| {
                    it.wanted = Wanted::Provenance;
                },
            ),
            ("another repository", "provenance.repository", |it| {
                it.policy.repository = "sigstore-conformance/another"
                    .parse()
                    .expect("a repository");
                let workflow = "sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/extremely-dangerous-oidc-beacon.yml";
                it.policy.workflow = workflow.parse().expect("a workflow");
            }),
        ],
    );
}
