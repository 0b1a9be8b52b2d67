//! Who is expected to have signed, and whether they did.
//!
//! Certificates are renewed, Azure Artifact Signing's every day, so no thumbprint is ever compared: an identity is an
//! organization under a trusted root, or a durable identity under Microsoft's own.

use release::name::printable;

use crate::checks::{Check, IDENTITY_AZURE, IDENTITY_ORGANIZATION, Id, TIMESTAMP_PRESENT};
use crate::inspection::{Inspection, SignatureReport};
use crate::oid;
use crate::path::Path;
use crate::roots::{Origin, sha256_hex};
use crate::x509::Certificate;

/// SHA-256 of "Microsoft Identity Verification Root Certificate Authority 2020", the only public root of Azure Artifact
/// Signing. Without it anyone's authority could issue anyone's durable identity.
const IDENTITY_VERIFICATION_ROOT: &str =
    "5367f20c7ade0e2bca790915056d086b720c33c1fa2a2661acf787e3292e1270";
/// Numbers behind the root of durable identities.
const DURABLE_ARCS: usize = 4;

/// Who is expected to have signed. Each that is given must hold; where neither is given, nothing does.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Signer {
    /// The organization in the signer's certificate, exactly.
    pub organization: Option<String>,
    /// The durable identity of Azure Artifact Signing, `1.3.6.1.4.1.311.97.…`.
    pub azure_identity: Option<String>,
    /// Whether a timestamp is required.
    pub timestamp: TimestampRule,
}

/// Whether a signature must have a timestamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TimestampRule {
    /// Without one the signature ends with its certificate, after 460 days at most.
    #[default]
    Required,
    /// The signature may end with its certificate: users will see warnings from that day on.
    MayBeMissing,
}

impl Inspection {
    /// Judges who signed. Says nothing about the file: it counts only where the verdict is good too.
    ///
    /// The first signature counts, as it is the one that Windows shows; where that one is SHA-1, also the SHA-2 signature
    /// that holds it up.
    pub fn judge(&self, signer: &Signer) -> Vec<Check> {
        let Some(first) = self.signatures.first() else {
            let reason = "the file has no signature";
            return vec![Check::fail(IDENTITY_ORGANIZATION, reason)];
        };
        let held_up_by = self
            .signatures
            .iter()
            .skip(1)
            .find(|it| first.digest == "SHA-1" && it.is_good() && it.digest != "SHA-1");
        let counted = [Some(first), held_up_by];
        counted
            .into_iter()
            .flatten()
            .flat_map(|signature| judge(signature, signer))
            .collect()
    }
}

fn judge(signature: &SignatureReport, expected: &Signer) -> Vec<Check> {
    let Signer {
        organization,
        azure_identity,
        timestamp,
    } = expected;
    let mut checks = Vec::new();
    let signer = signature.signer.as_ref();
    if let Some(expected) = organization {
        // What an untrusted certificate says of its holder is a claim.
        let trusted = signer.filter(|signer| signer.root_set.is_some());
        let found = trusted.and_then(|signer| signer.organization_as_found.as_ref());
        checks.push(compare(
            IDENTITY_ORGANIZATION,
            "organization",
            expected,
            found,
        ));
    }
    if let Some(expected) = azure_identity {
        let found = signer.and_then(|signer| signer.azure_identity.as_ref());
        checks.push(compare(IDENTITY_AZURE, "durable identity", expected, found));
    }
    if organization.is_none() && azure_identity.is_none() {
        checks.push(Check::fail(
            IDENTITY_ORGANIZATION,
            "no signer is expected; name an organization or a durable identity",
        ));
    }
    checks.push(match (timestamp, signature.timestamps.first()) {
        (_, Some(timestamp)) => {
            Check::pass(TIMESTAMP_PRESENT, format!("timestamped at {}", timestamp.time))
        }
        (TimestampRule::MayBeMissing, None) => {
            Check::pass(TIMESTAMP_PRESENT, "no timestamp, and none is required")
        }
        (TimestampRule::Required, None) => Check::fail(
            TIMESTAMP_PRESENT,
            "no timestamp that counts: the signature ends with its certificate; sign with `/tr <url> /td sha256`",
        ),
    });
    checks
}

fn compare(id: Id, what: &str, expected: &str, found: Option<&String>) -> Check {
    let wanted = printable(expected);
    match found {
        Some(found) if found == expected => Check::pass(id, format!("signed by {what} `{wanted}`")),
        Some(found) => Check::fail(
            id,
            format!(
                "signed by {what} `{}`, expected `{wanted}`",
                printable(found)
            ),
        ),
        None => Check::fail(
            id,
            format!("the signer has no {what} that is trusted, expected `{wanted}`"),
        ),
    }
}

/// The durable identity in a signer's certificate: an extended key usage of four numbers behind 1.3.6.1.4.1.311.97, beside
/// the one for public trust, under Microsoft's root for it or one that the caller added.
///
/// Source: Microsoft Learn, "Artifact Signing certificate management", section on the subscriber identity validation EKU.
pub(crate) fn azure_identity(
    certificate: &Certificate<'_>,
    path: Option<&Path<'_>>,
) -> Option<String> {
    let anchor = &path?.anchor;
    let is_microsoft = sha256_hex(anchor.certificate.raw) == IDENTITY_VERIFICATION_ROOT;
    if !is_microsoft && !matches!(anchor.origin, Origin::Extra) {
        return None;
    }
    if !certificate.names_usage(oid::ARTIFACT_SIGNING) {
        return None;
    }
    let usages = certificate.extensions.usages.as_ref()?;
    let mut durable = usages.iter().filter(|usage| {
        let behind = usage.0.strip_prefix(oid::ARTIFACT_SIGNING_ARC.0);
        // The last byte of each number has its highest bit clear.
        behind.is_some_and(|behind| {
            behind.iter().filter(|byte| **byte < 0x80).count() == DURABLE_ARCS
        })
    });
    match (durable.next(), durable.next()) {
        (Some(durable), None) => Some(durable.to_string()),
        _ => None,
    }
}
