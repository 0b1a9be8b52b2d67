//! The signature of a package: who made it, in which role, and when.

use release::Timestamp;

use crate::checks::{
    CMS_MESSAGE_DIGEST, CMS_PARSE, Check, NUGET_CERTIFICATE, NUGET_CONTENT, NUGET_TYPE,
};
use crate::cms::{SignedData, SignerInfo};
use crate::inspection::SignatureReport;
use crate::judging::{self, Countersignatures, outcome};
use crate::key::PublicKey;
use crate::nuget::content::ContentError;
use crate::nuget::countersignature;
use crate::oid::{self, Oid};
use crate::path::Weak;
use crate::roots::{Purpose, Trust};
use crate::timestamp::names_certificate;
use crate::x509::Certificate;

/// In which role somebody signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Author,
    Repository,
}

impl Role {
    /// What the signed attributes commit to: one of the two, once.
    pub(super) fn of(signer: &SignerInfo<'_>) -> Option<Self> {
        let signed = signer.signed.as_ref()?;
        let mut values = signed.all(oid::COMMITMENT_TYPE);
        let (value, None) = (values.next()?, values.next()) else {
            return None;
        };
        match Oid::read(&mut value.inside().ok()?).ok()? {
            oid::PROOF_OF_ORIGIN => Some(Self::Author),
            oid::PROOF_OF_RECEIPT => Some(Self::Repository),
            _ => None,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Author => "author",
            Self::Repository => "repository",
        }
    }
}

/// What signatures are judged with.
#[derive(Clone, Copy)]
pub(super) struct Judging<'a> {
    pub(super) signed: &'a SignedData<'a>,
    pub(super) at: Timestamp,
    pub(super) trust: &'a Trust,
}

/// A report with nothing in it.
pub(super) fn empty(place: &str) -> SignatureReport {
    SignatureReport {
        place: place.to_owned(),
        digest: "unknown".to_owned(),
        signer: None,
        timestamps: Vec::new(),
        apple: None,
        checks: Vec::new(),
    }
}

impl<'a> Judging<'a> {
    /// The signature, and the countersignatures to it. What is wrong with the content is given.
    pub(super) fn reports(self, content: Option<ContentError>) -> Vec<SignatureReport> {
        let mut report = empty("signature");
        let [signer] = self.signed.signers.as_slice() else {
            let count = self.signed.signers.len();
            let reason = format!("the signature has {count} signers, expected one");
            report.checks.push(Check::fail(CMS_PARSE, reason));
            return vec![report];
        };
        if self.signed.content_type != oid::DATA || self.signed.content.is_none() {
            let reason = format!("the content is of type {}", self.signed.content_type);
            report.checks.push(Check::fail(CMS_PARSE, reason));
            return vec![report];
        }
        let checks = &mut report.checks;
        checks.push(Check::pass(CMS_PARSE, "one signer over a text"));
        let passes = "what is signed is the digest of a package";
        checks.push(outcome(NUGET_CONTENT, content, passes));
        let role = Role::of(signer);
        checks.push(match role {
            Some(role) => Check::pass(NUGET_TYPE, format!("signed as {}", role.name())),
            None => Check::fail(
                NUGET_TYPE,
                "the signed attributes do not say whether an author or a repository signed",
            ),
        });
        if let Some(role) = role {
            report.place = format!("{} signature", role.name());
        }
        let bound = signer.digest().and_then(|digest| {
            let content = self.signed.content.as_deref().unwrap_or_default();
            signer.binds(oid::DATA, &digest.hash(&[content]))
        });
        let passes = "the signed attributes are about this content";
        checks.push(outcome(CMS_MESSAGE_DIGEST, bound.err(), passes));
        self.judge_signer(signer, &mut report);
        let mut reports = vec![report];
        reports.extend(countersignature::reports(self, signer, role));
        reports
    }

    /// Who signed and when, whatever was signed.
    pub(super) fn judge_signer(self, signer: &SignerInfo<'a>, report: &mut SignatureReport) {
        let common = judging::Judging {
            signed: self.signed,
            at: self.at,
            trust: self.trust,
            weak: Weak::Refused,
            purpose: Purpose::CodeSigning,
        };
        let countersignatures = Countersignatures::AreSignatures;
        if let Some(certificate) = common.judge_signer(signer, countersignatures, report) {
            report.checks.push(certificate_check(signer, certificate));
        }
    }
}

/// The signed attributes must name the certificate, so that nobody puts another with the same key in its place. NuGet takes
/// RSA alone (error NU3013 for anything else).
fn certificate_check(signer: &SignerInfo<'_>, certificate: &Certificate<'_>) -> Check {
    let is_rsa = matches!(certificate.key, PublicKey::Rsa { .. });
    let failure = match names_certificate(signer, certificate) {
        Some(true) if is_rsa => None,
        Some(true) => Some("the key of the certificate is no RSA key, and NuGet takes no other"),
        Some(false) => {
            Some("the signed attributes name another certificate than made the signature")
        }
        None => Some("the signed attributes do not name the certificate of the signer"),
    };
    let passes = "the signed attributes name the certificate, whose key is one of RSA";
    outcome(NUGET_CERTIFICATE, failure, passes)
}
