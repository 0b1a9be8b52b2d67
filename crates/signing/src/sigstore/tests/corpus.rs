//! Every label under `sigstore/` in the shared corpus is judged here, or listed with the cause why it is not.

mod cases;

use std::collections::BTreeMap;
use std::path::Path;

use release::Sha256;

use super::{checks, failed, policy};
use crate::checks::Check;
use crate::sigstore::{Artifact, Bundles, Signer, Subject, conformance};
use crate::tests::{day, shared};

/// A row of a table with a header.
pub(super) type Row = BTreeMap<String, String>;

pub(super) fn table(path: &Path) -> Vec<Row> {
    let text = std::fs::read_to_string(path).expect("a table");
    let mut lines = text.lines().map(|line| line.split('\t').map(str::to_owned));
    let header: Vec<_> = lines.next().expect("a header").collect();
    lines
        .map(|line| header.iter().cloned().zip(line).collect())
        .collect()
}

/// What is verified, from `sigstore/inputs.tsv`.
pub(super) struct Input {
    label: Row,
    pub(super) row: Row,
    pub(super) bundle: Vec<u8>,
    trusted_root: Option<String>,
    key: Option<String>,
    pub(super) artifact: Artifact,
    bytes: Option<Vec<u8>>,
}

impl Input {
    fn is(&self, expected: &str) -> bool {
        self.label["expected"] == expected
    }

    pub(super) fn path(&self) -> &str {
        &self.label["path"]
    }

    /// The artifact itself where it is there, else its digest.
    fn subject(&self) -> Subject<'_> {
        match &self.bytes {
            Some(bytes) => Subject::Bytes(bytes),
            None => Subject::Digest(self.artifact.sha256),
        }
    }

    /// By the protocol of the conformance suite; each bundle of a file alone.
    fn conforms(&self, subject: Subject<'_>) -> Result<(), Check> {
        let signer = match &self.key {
            Some(key) => Signer::Key(key),
            None => Signer::Identity {
                identity: &self.row["identity"],
                issuer: &self.row["issuer"],
            },
        };
        let lines = self.bundle.split(|byte| *byte == b'\n');
        let lines: Vec<_> = lines.filter(|line| !line.is_empty()).collect();
        let documents = match self.path().ends_with(".jsonl") {
            true => lines,
            false => vec![self.bundle.as_slice()],
        };
        documents.into_iter().try_for_each(|document| {
            let root = self.trusted_root.as_deref();
            conformance(document, subject, signer, root, day())
        })
    }

    /// Of the source that the table names, else of the repository whose workflow signed; by just that workflow.
    fn checks(&self) -> Vec<Check> {
        let workflow = self.row["identity"].strip_prefix("https://github.com/");
        let workflow = workflow.expect("a workflow");
        let owner = workflow.split("/.github/").next().expect("a repository");
        let source = match (&*self.row["source"], self.path()) {
            (_, "sigstore/cli/reusable-workflow-attestation.sigstore.json") => {
                "malancas/attest-demo"
            }
            ("-", _) => owner,
            (source, _) => source.strip_prefix("github.com/").expect("a source"),
        };
        checks(&self.bundle, &self.artifact, &policy(source, workflow))
    }
}

pub(super) fn inputs(formats: &[&str]) -> Option<Vec<Input>> {
    let shared = shared()?;
    let rows = table(&shared.join("sigstore/inputs.tsv"));
    let labels = table(&shared.join("labels.tsv"));
    let wanted = labels.into_iter().filter(|label| {
        label["path"].starts_with("sigstore/") && formats.contains(&&*label["format"])
    });
    let inputs = wanted.map(|label| {
        let row = rows.iter().find(|row| row["bundle"] == label["path"]);
        let row = row.cloned().unwrap_or_default();
        let named = |key: &str| row.get(key).filter(|it| *it != "-").cloned();
        let text = |path: String| std::fs::read_to_string(shared.join(path)).expect("text");
        let built_in = [
            "sigstore/trust/public-good.json",
            "sigstore/trust/github.json",
        ];
        let root = named("trusted_root").filter(|it| !built_in.contains(&&**it));
        let (artifact, bytes) = match named("artifact") {
            Some(name) => match name.strip_prefix("sha256:") {
                Some(digest) => (digest.parse::<Sha256>().expect("a digest").into(), None),
                None => {
                    let bytes = std::fs::read(shared.join(&name)).unwrap_or_default();
                    (Artifact::of(&bytes), Some(bytes))
                }
            },
            None => (Artifact::of(b""), None),
        };
        Input {
            bundle: std::fs::read(shared.join(&label["path"])).unwrap_or_default(),
            trusted_root: root.map(text),
            // Google's keys are a folder, and none of bundles.
            key: named("key").and_then(|path| std::fs::read_to_string(shared.join(path)).ok()),
            artifact,
            bytes,
            row,
            label,
        }
    });
    Some(inputs.collect())
}

/// Bundles of the suite of sigstore-conformance, of cli/cli, and of slsa-verifier: all agree, and
/// fail what they must.
#[test]
fn bundles_are_judged_as_they_are_labelled() {
    let Some(inputs) = inputs(&["sigstore-bundle"]) else {
        return;
    };
    let (mut wrong, mut of_the_suite) = (Vec::new(), 0);
    for input in &inputs {
        let found = input.conforms(input.subject());
        // cli/cli refuses the first version of the format; the suite, and so this crate, accepts it.
        let is_valid =
            input.is("valid") || input.path().ends_with("sigstore-js-2.1.0-bundle-v0.1.json");
        let id = found.as_ref().map_err(|check| check.id.as_str()).err();
        let expected = (!is_valid).then(|| cases::failing(&input.label["check"]));
        if id != expected {
            wrong.push(format!(
                "{}: {found:?}, expected {expected:?}",
                input.path()
            ));
        }
        of_the_suite += u32::from(input.path().starts_with("sigstore/conformance/"));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!((inputs.len(), of_the_suite), (115, 70));
}

/// A digest does for the artifact wherever the suite's bundles are good, and another digest never does.
#[test]
fn digests_do_for_artifacts() {
    let Some(inputs) = inputs(&["sigstore-bundle"]) else {
        return;
    };
    let suite = |it: &&Input| it.path().starts_with("sigstore/conformance/");
    let mut wrong = Vec::new();
    for input in inputs.iter().filter(suite) {
        let found = input.conforms(Subject::Digest(input.artifact.sha256));
        let other = input.conforms(Subject::Digest(Sha256::of(b"another")));
        if found.is_ok() != input.is("valid") || other.is_ok() {
            wrong.push(format!("{}: {found:?}", input.path()));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The suite's wrong key is no key, so here is another one, of somebody who threw the private half away.
#[test]
fn another_key_did_not_sign() {
    let pem = "-----BEGIN PUBLIC KEY-----\n\
        MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE9K/9MxIZJC1DHVuOrglT7Yawnxc1\n\
        H4VL1fcf9XCJeovn/qo0NCmlSyfAkCa497LVMVA7ZsIARSZF+eFIAqHRKw==\n\
        -----END PUBLIC KEY-----\n";
    let Some(inputs) = inputs(&["sigstore-bundle"]) else {
        return;
    };
    let with_keys = |it: &&Input| it.key.is_some() && it.is("valid");
    let mut count = 0;
    for input in inputs.iter().filter(with_keys) {
        let root = input.trusted_root.as_deref();
        let found = conformance(
            &input.bundle,
            input.subject(),
            Signer::Key(pem),
            root,
            day(),
        );
        let id = found.map_err(|check| check.id.as_str());
        assert_eq!(id, Err("sigstore.signature"), "{}", input.path());
        count += 1;
    }
    assert_eq!(count, 2);
}

/// Labels that are not what is found of the provenance, by a part of their path: the checks that fail, and why.
const OTHERWISE: &[(&str, &[&str], &str)] = &[
    (
        "cli/custom-issuer",
        &["sigstore.issuer"],
        "an issuer of an enterprise's own; policies know github.com's alone",
    ),
    (
        "gha_delegator/",
        &["provenance.predicate"],
        "the builder is a workflow of a repository that the certificate does not name; slsa-verifier lets the policy name it",
    ),
    (
        "-invalidsigpub",
        &[],
        "the attestation of what npm published is spoilt, which npm signs with a key of its own; the provenance is whole",
    ),
];

#[test]
fn provenance_is_judged_as_it_is_labelled() {
    let Some(inputs) = inputs(&["sigstore-bundle", "npm-attestations"]) else {
        return;
    };
    let of_workflows = inputs
        .iter()
        .filter(|it| {
            it.row["identity"].contains("/.github/workflows/") && it.trusted_root.is_none()
        })
        .filter(|it| !it.path().starts_with("sigstore/conformance/"));
    let (mut wrong, mut judged) = (Vec::new(), 0);
    for input in of_workflows {
        let found = input.checks();
        let ids = failed(&found);
        let listed = OTHERWISE
            .iter()
            .find(|(part, ..)| input.path().contains(part));
        let expected = match (listed, &*input.label["check"]) {
            (Some((_, ids, _)), _) => ids.to_vec(),
            (None, "-") => vec![],
            (None, "dsse.signature(provenance)") => vec!["sigstore.signature"],
            (None, other) => vec![other],
        };
        if ids != expected {
            let reasons: Vec<_> = found.iter().map(|it| &it.reason).collect();
            wrong.push(format!("{}: {ids:?} {reasons:?}", input.path()));
        }
        judged += 1;
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(judged, JUDGED);
}

/// How many bundles of workflows there are; the other 73 have no provenance, or no identity in their label.
const JUDGED: u32 = 51;

/// What is signed by other means than bundles is refused, whatever its label.
#[test]
fn what_is_no_bundle_is_never_accepted() {
    let causes = [
        (
            "dsse-intoto",
            57,
            "without log entry and timestamp, as slsa-verifier completes them online",
        ),
        (
            "gcb-provenance",
            22,
            "Google Cloud Build's own format, signed with keys of Google's",
        ),
        (
            "oci-layout+cosign-attestation",
            5,
            "a folder, with cosign's annotations instead of bundles",
        ),
    ];
    for (format, count, cause) in causes {
        let Some(inputs) = inputs(&[format]) else {
            return;
        };
        assert_eq!(inputs.len(), count, "{format}: {cause}");
        for input in inputs {
            let found = Bundles::read(&input.bundle).map(|bundles| bundles.len());
            let id = found.as_ref().map_err(|check| check.id.as_str());
            assert_eq!(id, Err("sigstore.parse"), "{}: {cause}", input.path());
        }
    }
}

/// No row of another format hides among the labels.
#[test]
fn every_label_is_judged_or_has_a_cause() {
    let Some(shared) = shared() else {
        return;
    };
    let labels = table(&shared.join("labels.tsv"));
    let here = labels
        .iter()
        .filter(|it| it["path"].starts_with("sigstore/"));
    let mut counts = BTreeMap::<&str, usize>::new();
    here.for_each(|label| *counts.entry(&label["format"]).or_default() += 1);
    let known = [
        ("dsse-intoto", 57),
        ("gcb-provenance", 22),
        ("npm-attestations", 9),
        ("oci-layout+cosign-attestation", 5),
        ("sigstore-bundle", 115),
    ];
    assert_eq!(counts, BTreeMap::from(known));
}
