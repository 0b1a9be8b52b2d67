//! The countersignature of a repository over the signature of an author (RFC 5652 section 11.4).

use crate::checks::{CMS_MESSAGE_DIGEST, Check, NUGET_COUNTERSIGNATURE};
use crate::cms::SignerInfo;
use crate::der::{OBJECT_IDENTIFIER, OCTET_STRING};
use crate::inspection::SignatureReport;
use crate::judging::outcome;
use crate::nuget::signature::{Judging, Role, empty};
use crate::oid;

/// Every countersignature, judged. NuGet takes one, by a repository over the signature of an author.
pub(super) fn reports<'a>(
    judging: Judging<'a>,
    signer: &SignerInfo<'a>,
    role: Option<Role>,
) -> Vec<SignatureReport> {
    let unsigned = signer.unsigned.iter();
    let found = unsigned.flat_map(|it| it.all(oid::COUNTERSIGNATURE));
    let mut reports = Vec::new();
    for (index, element) in found.enumerate() {
        let mut report = empty("repository countersignature");
        let failed = |reason: String| Check::fail(NUGET_COUNTERSIGNATURE, reason);
        if index > 0 {
            let reason = "there is more than one countersignature";
            report.checks.push(failed(reason.to_owned()));
            reports.push(report);
            break;
        }
        let countersigner = match SignerInfo::read(element) {
            Ok(countersigner) => countersigner,
            Err(error) => {
                report
                    .checks
                    .push(failed(format!("it cannot be read: {error}")));
                reports.push(report);
                continue;
            }
        };
        let failure = match (role, Role::of(&countersigner)) {
            (Some(Role::Author), Some(Role::Repository)) => None,
            (_, Some(Role::Repository)) => {
                Some("what it countersigns is no signature of an author")
            }
            _ => Some("its signed attributes do not say that a repository made it"),
        };
        let passes = "a repository countersigned the signature of the author";
        report
            .checks
            .push(outcome(NUGET_COUNTERSIGNATURE, failure, passes));
        let failure = (!is_about(&countersigner, signer.signature))
            .then_some("the signed attributes are not about the signature of the author");
        let passes = "the signed attributes are about the signature of the author";
        report
            .checks
            .push(outcome(CMS_MESSAGE_DIGEST, failure, passes));
        judging.judge_signer(&countersigner, &mut report);
        reports.push(report);
    }
    reports
}

/// Whether the signed attributes state the digest of a signature. A countersignature has no type of content (section 11.4);
/// departs: `data` is taken, as old signers write it.
fn is_about(countersigner: &SignerInfo<'_>, signature: &[u8]) -> bool {
    let (Some(signed), Ok(digest)) = (&countersigner.signed, countersigner.digest) else {
        return false;
    };
    let is_data = signed
        .all(oid::CONTENT_TYPE)
        .all(|it| it.tag == OBJECT_IDENTIFIER && it.value == oid::DATA.0);
    let stated = signed.single(oid::MESSAGE_DIGEST);
    is_data
        && stated.is_some_and(|stated| {
            stated.tag == OCTET_STRING && stated.value == digest.hash(&[signature])
        })
}
