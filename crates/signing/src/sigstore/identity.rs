//! Who signed, by what the certificate says of the run of the workflow, against the policy.
//!
//! Fulcio copies it from the token of the run into extensions under 1.3.6.1.4.1.57264.1
//! (<https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md>). Certificates of before 2023 say less, and are not enough.

use release::name::printable;
use sigstore_verify::crypto::{CertificateInfo, SubjectAltName};

use super::provenance::{Provenance, Runner, is_reference_or_commit};
use crate::checks::{
    Check, Id, PROVENANCE_REF, PROVENANCE_REPOSITORY, PROVENANCE_RUNNER, PROVENANCE_WORKFLOW,
    SIGSTORE_ISSUER,
};

/// Who vouches for the identity of runs on github.com.
const ISSUER: &str = "https://token.actions.githubusercontent.com";
/// The runner environment of GitHub's own machines.
pub(super) const HOSTED: &str = "github-hosted";

/// Judges the certificate, which must have been verified.
pub(super) fn judge(certificate: &CertificateInfo, policy: &Provenance) -> Vec<Check> {
    let claims = &certificate.ci_claims;
    let mut checks = vec![
        same(
            SIGSTORE_ISSUER,
            "the identity is vouched for by",
            ISSUER,
            certificate.issuer.as_deref(),
        ),
        // 1.3.6.1.4.1.57264.1.12
        same(
            PROVENANCE_REPOSITORY,
            "built from the repository",
            &policy.repository_uri(),
            claims.source_repository_uri.as_deref(),
        ),
        workflow(certificate, policy),
    ];
    if let Some(reference) = &policy.reference {
        // 1.3.6.1.4.1.57264.1.14
        checks.push(same(
            PROVENANCE_REF,
            "built from the ref",
            reference.as_str(),
            claims.source_repository_ref.as_deref(),
        ));
    }
    if policy.runner == Runner::Hosted {
        // 1.3.6.1.4.1.57264.1.11
        checks.push(same(
            PROVENANCE_RUNNER,
            "built on a runner that is",
            HOSTED,
            claims.runner_environment.as_deref(),
        ));
    }
    checks
}

fn same(id: Id, what: &str, expected: &str, found: Option<&str>) -> Check {
    let shown = printable(expected);
    match found {
        Some(found) if found == expected => Check::pass(id, format!("{what} `{shown}`")),
        Some(found) => {
            let found = printable(found);
            Check::fail(id, format!("{what} `{found}`, expected `{shown}`"))
        }
        None => Check::fail(
            id,
            format!("{what} something that the certificate does not say, expected `{shown}`"),
        ),
    }
}

/// The workflow stands in the subject alternative name, and again as the build signer (1.3.6.1.4.1.57264.1.9).
fn workflow(certificate: &CertificateInfo, policy: &Provenance) -> Check {
    let expected = policy.workflow_uri();
    let wrong = |found: &str| {
        let found = shown(found);
        let wanted = policy.workflow.reference();
        let wanted = wanted.map_or_else(String::new, |it| format!(" of `{}`", printable(it)));
        let reason = format!("signed by {found}, expected `{expected}`{wanted}");
        Check::fail(PROVENANCE_WORKFLOW, reason)
    };
    let found = match &certificate.identity {
        Some(SubjectAltName::Uri(found)) => found,
        Some(other) => return wrong(other.as_str()),
        None => return wrong("nobody"),
    };
    let signer = certificate.ci_claims.build_signer_uri.as_deref();
    if signer.is_some_and(|signer| signer != found) {
        return wrong(signer.unwrap_or_default());
    }
    let reference = found.strip_prefix(&expected);
    let reference = reference.and_then(|rest| rest.strip_prefix('@'));
    match reference.filter(|it| is_reference_or_commit(it)) {
        Some(reference) if policy.workflow.reference().is_none_or(|it| it == reference) => {
            Check::pass(PROVENANCE_WORKFLOW, format!("signed by {}", shown(found)))
        }
        _ => wrong(found),
    }
}

/// A workflow and its ref, each escaped alone, as what is long is cut.
fn shown(uri: &str) -> String {
    match uri.split_once('@') {
        Some((workflow, reference)) => {
            format!("`{}` of `{}`", printable(workflow), printable(reference))
        }
        None => format!("`{}`", printable(uri)),
    }
}
