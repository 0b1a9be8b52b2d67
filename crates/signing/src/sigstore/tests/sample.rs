//! Real bundles that hold, with the policies that they meet, and ways to spoil them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::Value;

use super::policy;
use crate::checks::Check;
use crate::sigstore::{Artifact, Bundles, Provenance, Wanted, judge};
use crate::tests::{day, shared};

/// A bundle that holds, and the policy that it meets.
pub(super) struct Sample {
    pub(super) bundle: Value,
    pub(super) artifact: Artifact,
    pub(super) policy: Provenance,
    pub(super) wanted: Wanted,
}

impl Sample {
    fn read(bundle: &str, bytes: &str, policy: Provenance) -> Option<Self> {
        let folder = shared()?.join("sigstore");
        let read = |name: &str| std::fs::read(folder.join(name)).expect("a file of the corpus");
        Some(Self {
            bundle: serde_json::from_slice(&read(bundle)).expect("JSON"),
            artifact: Artifact::of(&read(bytes)),
            policy,
            wanted: Wanted::Provenance,
        })
    }

    /// Of the public-good instance, by a reusable workflow of another repository.
    pub(super) fn public() -> Option<Self> {
        Self::read(
            "cli/reusable-workflow-attestation.sigstore.json",
            "cli/reusable-workflow-artifact",
            policy(
                "malancas/attest-demo",
                "github/artifact-attestations-workflows/.github/workflows/attest.yml",
            ),
        )
    }

    /// Of GitHub's own instance, without a log.
    pub(super) fn private() -> Option<Self> {
        Self::read(
            "cli/github_provenance_demo-0.0.12-py3-none-any-bundle.jsonl",
            "cli/github_provenance_demo-0.0.12-py3-none-any.whl",
            policy("actions/attest-demo", ".github/workflows/build-python.yml"),
        )
    }

    /// A signature over the artifact itself.
    pub(super) fn message() -> Option<Self> {
        let found = Self::read(
            "conformance/bundle-verify/happy-path-v0.3/bundle.sigstore.json",
            "conformance/a.txt",
            policy(
                "sigstore-conformance/extremely-dangerous-public-oidc-beacon",
                ".github/workflows/extremely-dangerous-oidc-beacon.yml",
            ),
        );
        found.map(|it| Self {
            wanted: Wanted::Signature,
            ..it
        })
    }

    /// Two of the same minute and builder, for swapping parts: certificates and times of one would do for the other.
    pub(super) fn pair() -> Option<(Self, Self)> {
        let read = |name: &str| {
            let folder = "slsa-verifier/gha_maven/v2.0.0";
            let bytes = format!("{folder}/{name}");
            Self::read(
                &format!("{bytes}.build.slsa"),
                &bytes,
                policy(
                    "slsa-framework/example-package",
                    "slsa-framework/slsa-github-generator/.github/workflows/delegator_lowperms-generic_slsa3.yml",
                ),
            )
        };
        read("binary-linux-amd64-push-v14").zip(read("binary-linux-amd64-push-v14.2"))
    }

    pub(super) fn checks(&self) -> Vec<Check> {
        self.judge(self.bundle.to_string().as_bytes())
    }

    pub(super) fn judge(&self, bundle: &[u8]) -> Vec<Check> {
        match Bundles::read(bundle) {
            Ok(bundles) => judge(&bundles, &self.artifact, self.wanted, &self.policy, day()),
            Err(check) => vec![check],
        }
    }

    pub(super) fn at(&mut self, pointer: &str) -> &mut Value {
        self.bundle.pointer_mut(pointer).expect("there")
    }

    /// Changes bytes that stand in base64.
    pub(super) fn spoil(&mut self, pointer: &str, spoil: impl FnOnce(&mut Vec<u8>)) {
        let value = self.at(pointer);
        let text = value.as_str().expect("text");
        let mut bytes = BASE64.decode(text).expect("base64");
        spoil(&mut bytes);
        *value = BASE64.encode(bytes).into();
    }

    /// Flips a bit before the end.
    pub(super) fn flip(&mut self, pointer: &str, before_end: usize) {
        self.spoil(pointer, |bytes| {
            let at = bytes.len() - before_end;
            bytes[at] ^= 1;
        });
    }
}

pub(super) const PAYLOAD: &str = "/dsseEnvelope/payload";
pub(super) const SIGNATURE: &str = "/dsseEnvelope/signatures/0/sig";
pub(super) const CERTIFICATE: &str = "/verificationMaterial/certificate/rawBytes";
pub(super) const ENTRY: &str = "/verificationMaterial/tlogEntries/0";
pub(super) const STAMP: &str =
    "/verificationMaterial/timestampVerificationData/rfc3161Timestamps/0/signedTimestamp";
