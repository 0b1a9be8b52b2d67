//! Who is expected to have signed what macOS runs or installs, and whether they did.
//!
//! A Team ID under Apple's roots is the identity: certificates are renewed, names change. Beyond who signed, a team wants to
//! know what macOS will ask of users: a certificate for Developer ID, the hardened runtime, and Apple's notarization.

pub(crate) mod plist;

use release::name::printable;

use crate::checks::{
    APPLE_DEBUGGABLE, APPLE_DEVELOPER_ID, APPLE_HARDENED_RUNTIME, APPLE_NOTARIZED, Check,
    IDENTITY_TEAM_ID, Id, Outcome, TIMESTAMP_PRESENT,
};
use crate::inspection::{AppleReport, Inspection, Kind, SignatureReport};
use crate::judging::outcome;
use crate::oid;
use crate::path::Path;

const DEVELOPER_ID_APPLICATION: &str = "Developer ID Application";
const DEVELOPER_ID_INSTALLER: &str = "Developer ID Installer";

/// Who is expected to have signed, with Developer ID, and what else must be true of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    /// The Team ID, ten letters and digits, exactly.
    pub team_id: String,
    /// Whether programs must run under the hardened runtime.
    pub hardened_runtime: HardenedRuntime,
    /// Whether a notarization ticket must be stapled.
    pub notarized: Notarized,
}

/// Whether programs must run under the hardened runtime.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HardenedRuntime {
    /// Without it Apple notarizes nothing.
    #[default]
    Required,
    /// Other programs may put code into this one, and notarization is out of reach.
    MayBeMissing,
}

/// Whether a notarization ticket must be stapled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Notarized {
    /// What has none opens only on machines that can ask Apple.
    #[default]
    Required,
    /// Gatekeeper may refuse it. A bare program cannot have a ticket; what it comes in can.
    MayBeMissing,
}

impl Inspection {
    /// Judges who signed. Says nothing about the file: it counts only where the verdict is good too.
    pub fn judge_apple(&self, signer: &Signer) -> Vec<Check> {
        if self.signatures.is_empty() {
            let reason = "the file has no signature";
            return vec![Check::fail(IDENTITY_TEAM_ID, reason)];
        }
        let signatures = self.signatures.iter();
        signatures
            .flat_map(|signature| self.judge_one(signature, signer))
            .collect()
    }

    fn judge_one(&self, signature: &SignatureReport, expected: &Signer) -> Vec<Check> {
        let Signer {
            team_id,
            hardened_runtime,
            notarized,
        } = expected;
        let place = &signature.place;
        let check = |id: Id, failure: Option<String>, passes: &str| {
            let failure = failure.map(|failure| format!("{place}: {failure}"));
            outcome(id, failure, format!("{place}: {passes}"))
        };
        let unknown = AppleReport::default();
        let apple = signature.apple.as_ref().unwrap_or(&unknown);
        let wanted = printable(team_id);
        // What an untrusted certificate says of its holder is a claim, and not in here.
        let found = signature.signer.as_ref().and_then(|it| it.team_id.as_ref());
        let failure = match found {
            Some(found) if found == team_id => None,
            Some(found) => Some(format!("signed by team `{found}`, expected `{wanted}`")),
            None => Some(format!(
                "the signer has no trusted Team ID, expected `{wanted}`"
            )),
        };
        let is_package = self.kind == Kind::AppleInstaller;
        // Nothing that runs, but what it holds does.
        let is_container = is_package || self.kind == Kind::AppleDiskImage;
        let mut checks = vec![
            check(
                IDENTITY_TEAM_ID,
                failure,
                &format!("signed by team `{wanted}`"),
            ),
            check_certificate(apple, is_package, &check),
        ];
        let failure = signature.timestamps.is_empty().then(|| {
            "no timestamp that counts: the signature ends with its certificate; sign with `codesign --timestamp`"
                .to_owned()
        });
        checks.push(check(TIMESTAMP_PRESENT, failure, "timestamped"));
        if *hardened_runtime == HardenedRuntime::Required {
            checks.push(if is_container {
                check_runtime_inside(apple, place)
            } else {
                let is_missing = apple.is_executable && !apple.hardened_runtime;
                let failure = is_missing.then(|| {
                    "not under the hardened runtime; sign with `codesign --options runtime`"
                        .to_owned()
                });
                check(
                    APPLE_HARDENED_RUNTIME,
                    failure,
                    "hardened runtime, or no program",
                )
            });
        }
        let is_release =
            *hardened_runtime == HardenedRuntime::Required || *notarized == Notarized::Required;
        if is_release && !is_container {
            let failure = apple.debuggable.then(|| {
                "anyone may debug it: it has the entitlement `com.apple.security.get-task-allow`"
                    .to_owned()
            });
            checks.push(check(APPLE_DEBUGGABLE, failure, "not debuggable"));
        }
        if *notarized == Notarized::Required {
            let failure = match (apple.notarized, &apple.ticket_service) {
                (Some(_), _) => None,
                (None, None) => Some(
                    "no notarization ticket that counts is stapled to it; a bare program cannot have one, a package, disk image, or app can"
                        .to_owned(),
                ),
                (None, Some(said)) => Some(format!(
                    "no notarization ticket that counts is stapled to it, and Apple's ticket service {said}"
                )),
            };
            let passes = match &apple.ticket_service {
                None => "notarized, by its stapled ticket".to_owned(),
                Some(said) => format!("notarized; Apple's ticket service {said}"),
            };
            checks.push(check(APPLE_NOTARIZED, failure, &passes));
        }
        checks
    }
}

fn check_certificate(
    apple: &AppleReport,
    is_package: bool,
    check: &impl Fn(Id, Option<String>, &str) -> Check,
) -> Check {
    let wanted = if is_package {
        DEVELOPER_ID_INSTALLER
    } else {
        DEVELOPER_ID_APPLICATION
    };
    let failure = match apple.certificate {
        Some(found) if found == wanted => None,
        Some(found) => Some(format!("the certificate is for {found}, expected {wanted}")),
        None => Some(format!("the certificate is not known to be for {wanted}")),
    };
    check(APPLE_DEVELOPER_ID, failure, wanted)
}

/// What runs lies in the package or disk image. Apple looks at it before it notarizes, and notarizes nothing without the
/// hardened runtime ("Resolving common notarization issues").
fn check_runtime_inside(apple: &AppleReport, place: &str) -> Check {
    let (outcome, what) = match apple.notarized {
        Some(_) => (Outcome::Pass, "notarized, which nothing is without it"),
        None => (
            Outcome::Unsupported,
            "not notarized, and nobody else looked at all that runs inside",
        ),
    };
    Check::new(APPLE_HARDENED_RUNTIME, outcome, format!("{place}: {what}"))
}

/// What a signer's certificate is for, by Apple's markers in it and in its authority.
///
/// Source: Apple, TN3127 "Inside Code Signing: Requirements": Developer ID is `certificate 1[field.1.2.840.113635.100.6.2.6]`
/// and `certificate leaf[field.1.2.840.113635.100.6.1.13]`.
pub(crate) fn certificate_kind(path: &Path<'_>) -> Option<&'static str> {
    let markers = |index: usize| {
        let certificate = path.certificates.get(index);
        certificate.map_or(&[][..], |it| it.extensions.apple_markers.as_slice())
    };
    let (leaf, authority) = (markers(0), markers(1));
    let is_developer_id = authority.contains(&oid::APPLE_DEVELOPER_ID_AUTHORITY);
    [
        (
            oid::APPLE_DEVELOPER_ID_APPLICATION,
            is_developer_id,
            DEVELOPER_ID_APPLICATION,
        ),
        (
            oid::APPLE_DEVELOPER_ID_INSTALLER,
            is_developer_id,
            DEVELOPER_ID_INSTALLER,
        ),
        (
            oid::APPLE_MAC_APP_STORE_APPLICATION,
            true,
            "the Mac App Store",
        ),
        (oid::APPLE_MAC_DEVELOPMENT, true, "development"),
    ]
    .into_iter()
    .find(|(marker, holds, _)| *holds && leaf.contains(marker))
    .map(|(_, _, kind)| kind)
}

#[cfg(test)]
mod tests;
