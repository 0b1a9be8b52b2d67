//! One bundle, verified by `sigstore-verify`, and what failed by the ids of this crate.
//!
//! It holds the bundle to: a time by the log's promise or RFC 3161; a certificate of Fulcio's at each such time, logged;
//! inclusion in the log by proof and signed checkpoint; the signature; and a log entry about this very artifact, signature,
//! and key (CVE-2022-36056, CVE-2026-22703). departs: it also refuses what its own clock says is of the future. That can only
//! refuse more, and the verdict by `at` is made here.

use release::Timestamp;
use release::name::printable;
use sigstore_verify::bundle::Error as BundleError;
use sigstore_verify::crypto::CertificateInfo;
use sigstore_verify::types::{Artifact as Material, SignatureContent};
use sigstore_verify::{Error, Policy, TransparencyLogError, VerificationResult, Verifier};

use super::bundles::{Artifact, Opened};
use super::roots::{Instance, SIGSTORE_ROOT_SET};
use crate::checks::{
    Check, Id, SIGSTORE_CERTIFICATE, SIGSTORE_PARSE, SIGSTORE_SIGNATURE, SIGSTORE_SUBJECT,
    SIGSTORE_TIMESTAMP, SIGSTORE_TRANSPARENCY_LOG,
};
use crate::x509::Certificate;

/// A bundle that holds: who signed, and the checks that passed.
pub(super) struct Held {
    pub(super) certificate: CertificateInfo,
    pub(super) checks: Vec<Check>,
}

/// Verifies a bundle by a certificate; gives the first check that fails.
pub(super) fn verify(opened: &Opened, artifact: &Artifact, at: Timestamp) -> Result<Held, Check> {
    let fails = |reason: &str| Check::fail(SIGSTORE_CERTIFICATE, reason);
    let leaf = opened.bundle.signing_certificate().ok_or_else(|| {
        fails("the bundle has no certificate; a bundle that is signed with a key says nothing of who built")
    })?;
    let leaf = Certificate::parse(leaf.as_bytes())
        .map_err(|error| fails(&format!("the certificate cannot be read: {error}")))?;
    let instance = Instance::of(&leaf);
    let verifier = instance.verifier().map_err(fails)?;
    let digest = opened.digest(artifact).ok_or_else(|| another(opened))?;
    let material = Material::from_digest(digest);
    let is_named = opened.names(artifact);
    let demands = instance.demands();
    let result = run(verifier, opened, material, &demands, is_named, at);
    let result = result.map_err(by_which_roots)?;
    let certificate = result.certificate().cloned();
    let certificate = certificate.ok_or_else(|| fails("the certificate was not looked at"))?;
    Ok(Held {
        checks: passed(opened, instance, &result),
        certificate,
    })
}

/// Runs the verification, and holds its times to the one asked about. Where the bundle itself names the artifact, only the
/// entry in the log can be about another one.
pub(super) fn run(
    verifier: &Verifier,
    opened: &Opened,
    material: Material<'_>,
    policy: &impl Policy,
    is_named: bool,
    at: Timestamp,
) -> Result<VerificationResult, Check> {
    let result = verifier.verify(material, &opened.bundle, policy);
    let result = result.map_err(|error| {
        let is_of_the_log = is_named && matches!(error, Error::ArtifactMismatch(_));
        let id = match is_of_the_log {
            true => SIGSTORE_TRANSPARENCY_LOG,
            false => id(&error),
        };
        Check::fail(id, printable(&error.to_string()))
    })?;
    let times = result.verified_timestamps().iter();
    if let Some(late) = times.map(|it| it.as_second()).find(|it| *it > at.unix()) {
        let late =
            Timestamp::from_unix(late).map_or_else(|_| late.to_string(), |it| it.to_string());
        let reason = format!("the signature was made at {late}, later than {at}");
        return Err(Check::fail(SIGSTORE_TIMESTAMP, reason));
    }
    Ok(result)
}

/// What is compiled in grows old, so whoever reads of a certificate that is not believed must see of when that is.
fn by_which_roots(mut check: Check) -> Check {
    if check.id == SIGSTORE_CERTIFICATE {
        check.reason = format!("{}; judged by the {SIGSTORE_ROOT_SET}", check.reason);
    }
    check
}

/// The check that a bundle is about something else.
fn another(opened: &Opened) -> Check {
    let about = opened.first_subject();
    let about = about.map_or_else(String::new, |name| format!(", but `{name}`"));
    Check::fail(
        SIGSTORE_SUBJECT,
        format!("the bundle does not name this artifact{about}"),
    )
}

/// What each failure means here. Whatever is not known fails as unreadable: it fails in any case.
fn id(error: &Error) -> Id {
    match error {
        Error::SignatureInvalid(_) => SIGSTORE_SIGNATURE,
        Error::ArtifactMismatch(_) | Error::UnsupportedArtifact(_) => SIGSTORE_SUBJECT,
        Error::Certificate(_) | Error::InvalidTrustRoot(_) | Error::TrustRoot(_) => {
            SIGSTORE_CERTIFICATE
        }
        Error::TransparencyLog(TransparencyLogError::IntegratedTime(_)) | Error::Timestamp(_) => {
            SIGSTORE_TIMESTAMP
        }
        Error::TransparencyLog(_) => SIGSTORE_TRANSPARENCY_LOG,
        Error::Bundle(
            BundleError::MissingInclusionPromise(_)
            | BundleError::MissingInclusionProof(_)
            | BundleError::MissingCheckpoint
            | BundleError::LogIndexOutOfRange { .. }
            | BundleError::CheckpointRootMismatch,
        ) => SIGSTORE_TRANSPARENCY_LOG,
        Error::Bundle(BundleError::MissingSigningTimeEvidence | BundleError::MissingTimestamp) => {
            SIGSTORE_TIMESTAMP
        }
        _ => SIGSTORE_PARSE,
    }
}

fn passed(opened: &Opened, instance: Instance, result: &VerificationResult) -> Vec<Check> {
    let times = result.verified_timestamps().iter();
    let times: Vec<_> = times.map(ToString::to_string).collect();
    let log = match instance {
        Instance::PublicGood => {
            "in the log by proof and checkpoint, for this artifact, signature, and key"
        }
        Instance::GitHub => "this instance has no log; the time is vouched for by RFC 3161",
    };
    let subject = match &opened.bundle.content {
        SignatureContent::DsseEnvelope(_) => "the attestation names the artifact by its digest",
        _ => "the signature is over the digest of the artifact",
    };
    vec![
        Check::pass(SIGSTORE_PARSE, "the bundle can be read"),
        Check::pass(
            SIGSTORE_TIMESTAMP,
            format!("signed at {}", times.join(" and ")),
        ),
        Check::pass(
            SIGSTORE_CERTIFICATE,
            format!("issued by {} for that time", instance.name()),
        ),
        Check::pass(SIGSTORE_TRANSPARENCY_LOG, log),
        Check::pass(SIGSTORE_SIGNATURE, "made with the key of the certificate"),
        Check::pass(SIGSTORE_SUBJECT, subject),
    ]
}
