//! Sigstore bundles and GitHub's artifact attestations: was this built where we expect, offline.
//!
//! [`Bundles::read`] reads, [`judge`] finds the attestation that names the artifact and holds it to a [`Provenance`]:
//! cryptography by `verification`, who signed by `identity`, what they say by `predicate`. Nothing is signed here, nothing
//! is fetched, and a bundle that is signed with a key of one's own has no provenance.

mod arithmetic;
mod bundles;
mod conformance;
mod identity;
mod predicate;
mod provenance;
mod roots;
mod verification;

use release::Timestamp;
use release::name::printable;

use crate::checks::{Check, Outcome, PROVENANCE_PREDICATE, SIGSTORE_SUBJECT};

pub use bundles::{Artifact, Bundles};
pub use conformance::{Signer, Subject, conformance};
pub use provenance::{Provenance, ProvenanceError, Reference, Repository, Runner, Workflow};
pub use roots::{Authority, SIGSTORE_ROOT_SET, authorities};

/// How many bundles about one artifact are verified. Several are usual: each run that builds it again attests it again.
const CANDIDATES_MAX: usize = 32;

/// What a bundle must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// An attestation of SLSA provenance, as `actions/attest-build-provenance` makes it.
    Provenance,
    /// A signature over the artifact itself, as `cosign sign-blob` makes it in a workflow.
    Signature,
}

/// Judges whether one of the bundles vouches for the artifact as the policy demands. One that does is enough: others about
/// it, such as lists of its components or of runs that were not released, do not make it worse.
pub fn judge(
    bundles: &Bundles,
    artifact: &Artifact,
    wanted: Wanted,
    policy: &Provenance,
    at: Timestamp,
) -> Vec<Check> {
    let about = bundles.opened.iter().filter(|it| it.names(artifact));
    let about: Vec<_> = about.collect();
    if about.is_empty() {
        return vec![none_names(bundles, artifact)];
    }
    let (kind, id) = match wanted {
        Wanted::Provenance => ("an attestation of SLSA provenance", PROVENANCE_PREDICATE),
        Wanted::Signature => ("a signature over it", SIGSTORE_SUBJECT),
    };
    let candidates = about.iter().filter(|it| match wanted {
        Wanted::Provenance => it.statement.as_ref().is_some_and(predicate::is_provenance),
        Wanted::Signature => it.statement.is_none(),
    });
    let mut best: Option<Vec<Check>> = None;
    for opened in candidates.take(CANDIDATES_MAX) {
        let checks = judge_one(opened, artifact, policy, at);
        if checks.iter().all(has_passed) {
            return checks;
        }
        // What comes closest tells most about what is wrong.
        let got = |checks: &[Check]| checks.iter().filter(|it| has_passed(it)).count();
        if best.as_ref().is_none_or(|best| got(&checks) > got(best)) {
            best = Some(checks);
        }
    }
    best.unwrap_or_else(|| {
        let count = about.len();
        let reason = format!("of {count} bundles about the artifact none is {kind}");
        vec![Check::fail(id, reason)]
    })
}

fn has_passed(check: &Check) -> bool {
    check.outcome == Outcome::Pass
}

fn judge_one(
    opened: &bundles::Opened,
    artifact: &Artifact,
    policy: &Provenance,
    at: Timestamp,
) -> Vec<Check> {
    match verification::verify(opened, artifact, at) {
        Ok(verification::Held {
            certificate,
            mut checks,
        }) => {
            checks.extend(identity::judge(&certificate, policy));
            let stated = opened.statement.as_ref();
            checks.extend(stated.map(|it| predicate::judge(it, &certificate)));
            checks
        }
        Err(check) => vec![check],
    }
}

fn none_names(bundles: &Bundles, artifact: &Artifact) -> Check {
    let count = bundles.len();
    let first = bundles
        .opened
        .iter()
        .find_map(bundles::Opened::first_subject);
    let first = first.map_or_else(String::new, |name| format!("; the first is about `{name}`"));
    let sha256 = artifact.sha256;
    let unread = bundles.unread.as_ref();
    let unread = unread.map_or_else(String::new, |(count, why)| {
        format!("; {count} more cannot be read: {}", printable(why))
    });
    let reason = format!(
        "of {count} bundles none names the artifact with the SHA-256 {sha256}{first}{unread}"
    );
    Check::fail(SIGSTORE_SUBJECT, reason)
}

#[cfg(test)]
mod tests;
