//! What an attestation says of the build, against the certificate of who says it.
//!
//! SLSA provenance v1 (<https://slsa.dev/spec/v1.0/provenance>) and v0.2. The workflow that signs wrote it, and a policy that
//! trusts the workflow could stop there; but another tool may go by these fields, so they must not say anything else.

use release::name::printable;
use serde_json::Value;
use sigstore_verify::crypto::CertificateInfo;
use sigstore_verify::types::Statement;

use super::identity::HOSTED;
use crate::checks::{Check, PROVENANCE_PREDICATE};

const STATEMENTS: [&str; 2] = [
    "https://in-toto.io/Statement/v1",
    "https://in-toto.io/Statement/v0.1",
];
const SLSA_V1: &str = "https://slsa.dev/provenance/v1";
const SLSA_V0_2: &str = "https://slsa.dev/provenance/v0.2";

/// Whether this is about how something was built; other attestations list components, or tell what npm published.
pub(super) fn is_provenance(statement: &Statement) -> bool {
    matches!(statement.predicate_type.as_str(), SLSA_V1 | SLSA_V0_2)
}

/// Judges a statement whose signature was verified.
pub(super) fn judge(statement: &Statement, certificate: &CertificateInfo) -> Check {
    let agreed = if !STATEMENTS.contains(&statement.type_.as_str()) {
        Err(differs(
            "statement of the type",
            STATEMENTS[0],
            &statement.type_,
        ))
    } else {
        match statement.predicate_type.as_str() {
            SLSA_V1 => v1(&statement.predicate, certificate),
            SLSA_V0_2 => v0_2(&statement.predicate, certificate),
            other => Err(differs("predicate of the type", SLSA_V1, other)),
        }
    };
    match agreed {
        Ok(()) => {
            let reason = "the provenance says of source and builder what the certificate says";
            Check::pass(PROVENANCE_PREDICATE, reason)
        }
        Err(reason) => Check::fail(PROVENANCE_PREDICATE, reason),
    }
}

fn differs(what: &str, expected: &str, found: &str) -> String {
    let (expected, found) = (printable(expected), printable(found));
    format!("it is a {what} `{found}`, expected `{expected}`")
}

/// A text somewhere inside.
fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer)?.as_str()
}

/// What the certificate says of the source.
struct Source<'a> {
    repository: &'a str,
    reference: &'a str,
    /// The workflow that was started, with its repository and ref: 1.3.6.1.4.1.57264.1.18.
    started: Option<&'a str>,
    commit: Option<&'a str>,
}

impl<'a> Source<'a> {
    fn of(certificate: &'a CertificateInfo) -> Result<Self, String> {
        let claims = &certificate.ci_claims;
        let repository = claims.source_repository_uri.as_deref();
        let reference = claims.source_repository_ref.as_deref();
        let (repository, reference) = repository.zip(reference).ok_or(
            "the certificate does not say which source was built, so the provenance cannot be compared with it",
        )?;
        Ok(Self {
            repository,
            reference,
            started: claims.build_config_uri.as_deref(),
            commit: claims.source_repository_digest.as_deref(),
        })
    }

    /// `git+https://github.com/owner/name@refs/heads/main` (SPDX download location).
    fn git(&self) -> String {
        format!("git+{}@{}", self.repository, self.reference)
    }

    fn agrees(&self, what: &str, expected: &str, found: Option<&str>) -> Result<(), String> {
        match found {
            Some(found) if found == expected => Ok(()),
            found => {
                let (expected, found) = (
                    printable(expected),
                    found.map_or_else(|| "nothing".to_owned(), printable),
                );
                Err(format!(
                    "as {what} the provenance says `{found}`, the certificate `{expected}`"
                ))
            }
        }
    }

    /// A source with its commit, where one is stated.
    fn agrees_with_source(&self, uri: Option<&str>, commit: Option<&str>) -> Result<(), String> {
        self.agrees("source", &self.git(), uri)?;
        match (commit, self.commit) {
            (Some(found), Some(expected)) => self.agrees("commit", expected, Some(found)),
            _ => Ok(()),
        }
    }
}

fn v1(predicate: &Value, certificate: &CertificateInfo) -> Result<(), String> {
    let source = Source::of(certificate)?;
    let parameters = "/buildDefinition/externalParameters";
    // https://actions.github.io/buildtypes/workflow/v1
    let workflow = predicate.pointer(&format!("{parameters}/workflow"));
    if let Some(workflow) = workflow {
        let reference = text(workflow, "/ref");
        source.agrees(
            "repository",
            source.repository,
            text(workflow, "/repository"),
        )?;
        match source.started {
            // Its ref is that of the workflow, which need not be that of the source.
            Some(started) => {
                let path = text(workflow, "/path").unwrap_or_default();
                let reference = reference.unwrap_or_default();
                let found = format!("{}/{path}@{reference}", source.repository);
                source.agrees("workflow that was started", started, Some(&found))?;
            }
            None => source.agrees("ref", source.reference, reference)?,
        }
    }
    // https://slsa.dev/container-based-build/v0.1
    let stated = predicate.pointer(&format!("{parameters}/source"));
    if let Some(stated) = stated {
        source.agrees_with_source(text(stated, "/uri"), text(stated, "/digest/sha1"))?;
    }
    let dependency = predicate.pointer("/buildDefinition/resolvedDependencies/0");
    match dependency {
        Some(dependency) => {
            let digest = |kind| text(dependency, kind);
            let commit = digest("/digest/gitCommit").or_else(|| digest("/digest/sha1"));
            source.agrees_with_source(text(dependency, "/uri"), commit)?;
        }
        None if workflow.is_none() && stated.is_none() => {
            return Err("the provenance does not say what was built".to_owned());
        }
        None => {}
    }
    builder(text(predicate, "/runDetails/builder/id"), certificate)
}

fn v0_2(predicate: &Value, certificate: &CertificateInfo) -> Result<(), String> {
    let source = Source::of(certificate)?;
    let stated = predicate.pointer("/invocation/configSource");
    let stated = stated.ok_or("the provenance does not say what was built")?;
    source.agrees_with_source(text(stated, "/uri"), text(stated, "/digest/sha1"))?;
    if let (Some(started), Some(path)) = (source.started, text(stated, "/entryPoint")) {
        let (workflow, _) = started.split_once('@').unwrap_or((started, ""));
        let found = format!("{}/{path}", source.repository);
        source.agrees("workflow that was started", workflow, Some(&found))?;
    }
    builder(text(predicate, "/builder/id"), certificate)
}

/// The builder is the workflow that signed; GitHub's runner, which then must be the one of the certificate; or, where a
/// workflow signs for another one beside it, as slsa-github-generator's delegators do, one of the same repository and ref.
fn builder(found: Option<&str>, certificate: &CertificateInfo) -> Result<(), String> {
    let found = found.ok_or("the provenance does not name its builder")?;
    let signer = certificate.identity.as_ref().map(|it| it.as_str());
    let signer = signer.unwrap_or_default();
    let runner = certificate.ci_claims.runner_environment.as_deref();
    let agrees = match found.strip_prefix("https://github.com/actions/runner") {
        // npm's v0.2, which does not say which runner.
        Some("") => true,
        Some("/github-hosted") => runner == Some(HOSTED),
        Some("/self-hosted") => runner == Some("self-hosted"),
        _ => found == signer || is_beside(found, signer),
    };
    if agrees {
        return Ok(());
    }
    let (found, signer) = (printable(found), printable(signer));
    let runner = printable(runner.unwrap_or("of no kind"));
    Err(format!(
        "as builder the provenance says `{found}`; the certificate says the workflow `{signer}` on a runner that is `{runner}`"
    ))
}

/// Whether two workflows are of the same repository and ref.
fn is_beside(one: &str, other: &str) -> bool {
    let parts = |uri: &'_ str| {
        let (repository, rest) = uri.split_once("/.github/workflows/")?;
        let (_, reference) = rest.split_once('@')?;
        Some((repository.to_owned(), reference.to_owned()))
    };
    let one = parts(one);
    one.is_some() && one == parts(other)
}
