//! One signature of a file, judged: content, signer, path, and timestamps.

use release::Timestamp;

use crate::authenticode::content::Content;
use crate::authenticode::nested::{self, SIGNATURES_MAX};
use crate::checks::{
    CMS_DIGEST_ALGORITHM, CMS_MESSAGE_DIGEST, CMS_PARSE, CMS_SIGNATURE, Check, PE_PAGE_HASHES,
};
use crate::cms::{BareDigest, SignedData, SignerInfo};
use crate::digest::DigestAlgorithm;
use crate::inspection::{SignatureReport, TimestampReport};
use crate::judging::{self, outcome};
use crate::oid;
use crate::path::Weak;
use crate::roots::{Purpose, Trust};
use crate::spc::IndirectData;

/// Judges every signature of a file.
pub(crate) fn judge_all(
    found: &[SignedData<'_>],
    content: &Content,
    at: Timestamp,
    trust: &Trust,
) -> Vec<SignatureReport> {
    let all = nested::all(found);
    // From the innermost outwards: a sound SHA-2 signature holds up the SHA-1 one that it is nested in.
    let mut reports: Vec<(Option<usize>, SignatureReport)> = Vec::new();
    for (index, placed) in all.iter().enumerate().rev() {
        let mut inner = reports.iter().filter(|(inside, _)| *inside == Some(index));
        let is_held_up = inner.any(|(_, inner)| holds_up(inner, &placed.signed));
        let weak = if is_held_up {
            Weak::HeldUp
        } else {
            Weak::Refused
        };
        let judging = Judging {
            content,
            common: judging::Judging {
                signed: &placed.signed,
                at,
                trust,
                weak,
                purpose: Purpose::CodeSigning,
            },
        };
        let mut report = judging.report(&placed.place);
        if index == 0 && all.len() >= SIGNATURES_MAX {
            let reason = format!("the file has {SIGNATURES_MAX} signatures or more");
            report.checks.push(Check::fail(CMS_PARSE, reason));
        }
        reports.push((placed.inside, report));
    }
    reports
        .into_iter()
        .rev()
        .map(|(_, report)| report)
        .collect()
}

/// Whether a SHA-1 signature needs no belief of its own, as a sound SHA-2 one by the same organization is nested in it.
fn holds_up(inner: &SignatureReport, outer: &SignedData<'_>) -> bool {
    let Some(signer) = outer.signers.first() else {
        return false;
    };
    let named = signer.named(&outer.certificates);
    let organization = named.and_then(|it| it.subject.only(oid::ORGANIZATION));
    let inner_signer = inner.signer.as_ref();
    signer.digest == Ok(DigestAlgorithm::Sha1)
        && inner.is_good()
        && inner.digest != DigestAlgorithm::Sha1.to_string()
        && organization.is_some()
        && inner_signer.is_some_and(|it| it.organization_as_found == organization)
}

/// What one signature is judged with.
struct Judging<'a> {
    content: &'a Content,
    common: judging::Judging<'a>,
}

impl Judging<'_> {
    /// Every check that can be made, in the order in which one rests on the other.
    fn report(&self, place: &str) -> SignatureReport {
        let mut report = SignatureReport {
            place: place.to_owned(),
            digest: "unknown".to_owned(),
            signer: None,
            timestamps: Vec::new(),
            apple: None,
            checks: Vec::new(),
        };
        report
            .checks
            .extend(nested::nested_in(self.common.signed).filter_map(Result::err));
        let [signer] = self.common.signed.signers.as_slice() else {
            let count = self.common.signed.signers.len();
            let reason = format!("the signature has {count} signers, expected one");
            report.checks.push(Check::fail(CMS_PARSE, reason));
            return report;
        };
        if let Ok(digest) = signer.digest {
            report.digest = digest.to_string();
        }
        self.judge_content(signer, &mut report.checks);
        self.common.judge_curves(&mut report.checks);
        let named = signer.named(&self.common.signed.certificates);
        let certificate = match signer.verify(&self.common.signed.certificates, BareDigest::Refused)
        {
            Ok(certificate) => {
                let reason = format!("signed with the key of {certificate}");
                report.checks.push(Check::pass(CMS_SIGNATURE, reason));
                certificate
            }
            Err(error) => {
                report
                    .checks
                    .push(Check::fail(CMS_SIGNATURE, error.to_string()));
                report.signer =
                    named.map(|certificate| self.common.signer_report(certificate, None));
                return report;
            }
        };
        let stamps = self.common.judge_timestamps(signer, &mut report.checks);
        self.common
            .judge_digest(signer, stamps.first(), &mut report.checks);
        let path = self
            .common
            .judge_path(certificate, &stamps, &mut report.checks);
        report.signer = Some(self.common.signer_report(certificate, path.as_ref()));
        report.timestamps = stamps.into_iter().map(TimestampReport::from).collect();
        report
    }

    /// The content says the digest of this file, and the signed attributes say that of the content.
    fn judge_content(&self, signer: &SignerInfo<'_>, checks: &mut Vec<Check>) {
        let contents = self.common.signed.content.as_deref().unwrap_or_default();
        let read = IndirectData::read(contents);
        let content = match read {
            Ok(content) if self.common.signed.content_type == oid::SPC_INDIRECT_DATA => content,
            Ok(_) => {
                let reason = format!("the content is of type {}", self.common.signed.content_type);
                checks.push(Check::fail(CMS_PARSE, reason));
                return;
            }
            Err(error) => {
                let reason = format!("the content cannot be read: {error}");
                checks.push(Check::fail(CMS_PARSE, reason));
                return;
            }
        };
        if let Some(reason) = self.content.container.mismatch(&content) {
            checks.push(Check::fail(CMS_PARSE, reason));
            return;
        }
        checks.push(Check::pass(
            CMS_PARSE,
            "one signer over Authenticode content",
        ));
        let algorithm = match (content.digest, signer.digest) {
            (Ok(one), Ok(other)) if one == other && self.common.signed.announces(one) => one,
            (Ok(_), Ok(_)) => {
                let reason = "the content, the signer, and the signature as a whole name different digest algorithms";
                checks.push(Check::fail(CMS_DIGEST_ALGORITHM, reason));
                return;
            }
            (Err(oid), _) | (_, Err(oid)) => {
                let what = if oid == oid::MD5 {
                    "MD5, which protects nothing"
                } else {
                    "not supported"
                };
                let reason = format!("the digest algorithm {oid} is {what}");
                checks.push(Check::fail(CMS_DIGEST_ALGORITHM, reason));
                return;
            }
        };
        checks.push(Check::pass(
            CMS_DIGEST_ALGORITHM,
            format!("{algorithm} throughout"),
        ));
        let found = self.content.whole(algorithm).unwrap_or_default();
        let failure = (found != content.hash).then(|| {
            let container = self.content.container;
            format!(
                "{}; the file was changed after signing, or the signature is of another file",
                container.difference(algorithm, content.hash, found)
            )
        });
        checks.push(outcome(
            self.content.container.digest_check(),
            failure,
            "the file has the signed digest",
        ));
        self.judge_pages(&content, checks);
        let bound = signer.binds(
            self.common.signed.content_type,
            &algorithm.hash(&[contents]),
        );
        checks.push(outcome(
            CMS_MESSAGE_DIGEST,
            bound.err(),
            "the signed attributes are about this content",
        ));
    }

    fn judge_pages(&self, content: &IndirectData<'_>, checks: &mut Vec<Check>) {
        for pages in &content.page_hashes {
            let failure = match self.content.pages(pages.digest) {
                None => Some("the pages cannot be told from the section headers"),
                Some(found) if !found.equals(pages.list) => {
                    Some("the pages have other digests than are signed")
                }
                Some(_) => None,
            };
            let passes = format!("the pages have the signed digests ({})", pages.digest);
            checks.push(outcome(PE_PAGE_HASHES, failure, passes));
        }
    }
}
