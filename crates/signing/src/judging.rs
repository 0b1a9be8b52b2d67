//! One signature in CMS, judged but for its content: who made it, when, and whether that can be believed.
//!
//! Every format that is signed with CMS judges its own content and hands the rest to [`Judging`], so that paths, times, and
//! weak algorithms are judged in one place.

use release::Timestamp;
use release::name::printable;

use crate::authenticode::azure_identity;
use crate::checks::{
    CMS_DIGEST_ALGORITHM, CMS_SIGNATURE, CMS_WEAK_DIGEST, Check, Id, Outcome, TIMESTAMP_CHAIN,
    TIMESTAMP_TIME, TIMESTAMP_TOKEN, X509_EC_PARAMETERS, X509_EXTENSIONS, X509_KEY_SIZE,
    X509_KEY_USAGE, X509_PATH, X509_ROOT_PROGRAM, X509_VALIDITY, X509_WEAK_DIGEST,
};
use crate::cms::{BareDigest, SignedData, SignerInfo};
use crate::digest::DigestAlgorithm;
use crate::inspection::{CertificateReport, SignatureReport, SignerReport, TimestampReport};
use crate::key::PublicKey;
use crate::msix::on_windows;
use crate::oid;
use crate::path::{self, Path, Weak, YEAR_2016};
use crate::revocation::Made;
use crate::roots::{LegacyDigests, Origin, Purpose, Trust};
use crate::timestamp::{self, Stamp};
use crate::x509::Certificate;

/// How many timestamps a signature may have.
const TIMESTAMPS_MAX: usize = 4;

/// What one signature is judged with.
pub(crate) struct Judging<'a> {
    pub(crate) signed: &'a SignedData<'a>,
    pub(crate) at: Timestamp,
    pub(crate) trust: &'a Trust,
    /// Whether SHA-1 is accepted, and why.
    pub(crate) weak: Weak,
    /// What the signer's certificate must be for.
    pub(crate) purpose: Purpose,
}

/// What countersignatures in a signature say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Countersignatures {
    /// When it was made, as before RFC 3161.
    AreTimestamps,
    /// That somebody else signed too. They are judged where they are understood.
    AreSignatures,
}

/// The check of something that may have failed.
pub(crate) fn outcome(
    id: Id,
    failure: Option<impl std::fmt::Display>,
    passes: impl Into<String>,
) -> Check {
    match failure {
        None => Check::pass(id, passes),
        Some(failure) => Check::fail(id, failure.to_string()),
    }
}

impl<'a> Judging<'a> {
    /// No certificate of the signature has a curve of its own, whether or not it is used.
    pub(crate) fn judge_curves(&self, checks: &mut Vec<Check>) {
        let explicit = self
            .signed
            .certificates
            .iter()
            .find(|it| it.key == PublicKey::ExplicitCurve);
        let failure = explicit.map(|certificate| {
            format!("the key of {certificate} has explicit curve parameters (CVE-2020-0601)")
        });
        checks.push(outcome(X509_EC_PARAMETERS, failure, "all curves are named"));
    }

    /// Every timestamp must hold; the earliest comes first.
    pub(crate) fn judge_timestamps(
        &self,
        signer: &SignerInfo<'_>,
        checks: &mut Vec<Check>,
    ) -> Vec<Stamp> {
        let unsigned = signer.unsigned.iter();
        let countersignatures = unsigned.flat_map(|it| it.all(oid::COUNTERSIGNATURE));
        let countersignatures = countersignatures.map(|countersignature| {
            let certificates = &self.signed.certificates;
            timestamp::judge_countersignature(
                countersignature,
                signer.signature,
                certificates,
                self.judge(),
            )
        });
        let judged = self.tokens(signer).chain(countersignatures);
        self.judge_stamps(judged, checks)
    }

    /// Judges who signed and when, whatever was signed. Gives the certificate whose key made the signature.
    pub(crate) fn judge_signer(
        &self,
        signer: &SignerInfo<'a>,
        countersignatures: Countersignatures,
        report: &mut SignatureReport,
    ) -> Option<&'a Certificate<'a>> {
        let checks = &mut report.checks;
        let algorithm = match signer.digest() {
            Ok(algorithm) if self.signed.announces(algorithm) => algorithm,
            _ => {
                let reason = "the signature names a digest algorithm that is not supported, or two";
                checks.push(Check::fail(CMS_DIGEST_ALGORITHM, reason));
                return None;
            }
        };
        report.digest = algorithm.to_string();
        let throughout = format!("{algorithm} throughout");
        checks.push(Check::pass(CMS_DIGEST_ALGORITHM, throughout));
        self.judge_curves(checks);
        let certificates: &'a [Certificate<'a>] = &self.signed.certificates;
        let certificate = match signer.verify(certificates, BareDigest::Refused) {
            Ok(certificate) => certificate,
            Err(error) => {
                checks.push(Check::fail(CMS_SIGNATURE, error.to_string()));
                let named = signer.named(certificates);
                report.signer = named.map(|it| self.signer_report(it, None));
                return None;
            }
        };
        let reason = format!("signed with the key of {certificate}");
        checks.push(Check::pass(CMS_SIGNATURE, reason));
        let stamps = match countersignatures {
            Countersignatures::AreTimestamps => self.judge_timestamps(signer, checks),
            Countersignatures::AreSignatures => self.judge_stamps(self.tokens(signer), checks),
        };
        self.judge_digest(signer, stamps.first(), checks);
        let path = self.judge_path(certificate, &stamps, checks);
        report.signer = Some(self.signer_report(certificate, path.as_ref()));
        report.timestamps = stamps.into_iter().map(TimestampReport::from).collect();
        Some(certificate)
    }

    fn judge(&self) -> timestamp::Judge<'a> {
        timestamp::Judge {
            trust: self.trust,
            at: self.at,
            weak: self.weak,
        }
    }

    fn tokens(&self, signer: &SignerInfo<'_>) -> impl Iterator<Item = Result<Stamp, Check>> {
        let of = |kind| {
            let unsigned = signer.unsigned.iter();
            unsigned.flat_map(move |unsigned| unsigned.all(kind))
        };
        of(oid::MICROSOFT_TIMESTAMP_TOKEN)
            .chain(of(oid::TIMESTAMP_TOKEN))
            .map(|token| timestamp::judge_token(token, signer.signature, self.judge()))
    }

    fn judge_stamps(
        &self,
        judged: impl Iterator<Item = Result<Stamp, Check>>,
        checks: &mut Vec<Check>,
    ) -> Vec<Stamp> {
        let mut stamps = Vec::new();
        for (index, judged) in judged.enumerate() {
            if index >= TIMESTAMPS_MAX {
                let reason = format!("there are more than {TIMESTAMPS_MAX} timestamps");
                checks.push(Check::fail(TIMESTAMP_TOKEN, reason));
                break;
            }
            match judged {
                Ok(stamp) => {
                    let Stamp {
                        time,
                        authority,
                        root,
                        ..
                    } = &stamp;
                    let made = format!("made over this signature at {time}");
                    checks.push(Check::pass(TIMESTAMP_TOKEN, made));
                    let chain = format!("`{authority}` chains to {root}");
                    checks.push(Check::pass(TIMESTAMP_CHAIN, chain));
                    checks.push(Check::pass(
                        TIMESTAMP_TIME,
                        format!("{time} is not later than {}", self.at),
                    ));
                    checks.extend(stamp.revocation.clone());
                    stamps.push(stamp);
                }
                Err(check) => checks.push(check),
            }
        }
        stamps.sort_by_key(|stamp| stamp.time);
        stamps
    }

    pub(crate) fn judge_digest(
        &self,
        signer: &SignerInfo<'_>,
        first: Option<&Stamp>,
        checks: &mut Vec<Check>,
    ) {
        if signer.digest != Ok(DigestAlgorithm::Sha1) {
            return;
        }
        let is_old = self.is_old(first);
        let (failure, passes) = match (self.weak, is_old) {
            (Weak::HeldUp, _) => (None, "SHA-1, and a sound SHA-2 signature is nested in it"),
            (_, true) => (
                None,
                "SHA-1, timestamped before 2016, which was asked to be accepted",
            ),
            _ => (
                Some("the signature rests on SHA-1, which is not accepted; sign with SHA-256"),
                "",
            ),
        };
        checks.push(outcome(CMS_WEAK_DIGEST, failure, passes));
    }

    /// Whether the signature is old enough for SHA-1, and that was asked for.
    fn is_old(&self, first: Option<&Stamp>) -> bool {
        self.trust.legacy() == LegacyDigests::AcceptedBefore2016
            && first.is_some_and(|stamp| stamp.time.unix() < YEAR_2016)
    }

    /// The path must be good when the signature was made: at each timestamp, or now where there is none.
    pub(crate) fn judge_path(
        &self,
        certificate: &'a Certificate<'a>,
        stamps: &[Stamp],
        checks: &mut Vec<Check>,
    ) -> Option<Path<'a>> {
        let lifetime = certificate.names_usage(oid::LIFETIME_SIGNING);
        let mut times: Vec<_> = stamps.iter().map(|stamp| stamp.time).collect();
        if times.is_empty() || lifetime {
            times.push(self.at);
        }
        let weak = if self.is_old(stamps.first()) {
            Weak::Old
        } else {
            self.weak
        };
        let mut good = None;
        for time in times {
            let wanted = path::Wanted {
                trust: self.trust,
                pool: &self.signed.certificates,
                purpose: self.purpose,
                at: time,
                weak,
            };
            match path::build(certificate, wanted) {
                Ok(path) => good = good.or(Some(path)),
                Err(error) => {
                    let why = match error.check {
                        X509_VALIDITY => why_no_longer(lifetime, stamps, checks),
                        _ => "",
                    };
                    let reason = format!("{}{why}", error.reason);
                    checks.push(Check::fail(error.check, reason));
                    return None;
                }
            }
        }
        let path = good?;
        let (anchor, set) = (&path.anchor.certificate, path.anchor.set());
        checks.push(Check::pass(X509_PATH, format!("chains to {anchor}, {set}")));
        let at = stamps.first().map_or(self.at, |stamp| stamp.time);
        checks.push(Check::pass(X509_VALIDITY, format!("valid at {at}")));
        for (id, reason) in [
            (X509_KEY_USAGE, "each certificate may do what it does"),
            (X509_EXTENSIONS, "no unknown critical extension"),
            (X509_KEY_SIZE, "no key is too short"),
            (
                X509_WEAK_DIGEST,
                "no certificate is signed with a digest that is refused",
            ),
            (X509_ROOT_PROGRAM, "the root may stand above this"),
        ] {
            checks.push(Check::pass(id, reason));
        }
        if let Some(online) = self.trust.online() {
            let made = match stamps.first() {
                Some(stamp) if !lifetime => Made::By(stamp.time),
                _ => Made::Unknown,
            };
            checks.extend(online.judge(&path, made, self.at));
        }
        Some(path)
    }

    pub(crate) fn signer_report(
        &self,
        certificate: &Certificate<'_>,
        path: Option<&Path<'_>>,
    ) -> SignerReport {
        let shown = |kind| certificate.subject.first(kind).map(|text| printable(&text));
        let above = path.map(|path| {
            let above = path.certificates.iter().skip(1).copied();
            let root = &path.anchor.certificate;
            let root = (root.raw != certificate.raw).then_some(root);
            above.chain(root).map(CertificateReport::of).collect()
        });
        SignerReport {
            certificate: CertificateReport::of(certificate),
            organization: shown(oid::ORGANIZATION),
            organization_as_found: certificate.subject.only(oid::ORGANIZATION),
            subject_on_windows: on_windows(certificate.subject),
            common_name: shown(oid::COMMON_NAME),
            azure_identity: azure_identity(certificate, path),
            team_id: team_id(certificate, path),
            lifetime_signing: certificate.names_usage(oid::LIFETIME_SIGNING),
            path: above.unwrap_or_default(),
            root_set: path.map(|path| path.anchor.set()),
            is_extra_root: path.is_some_and(|path| matches!(path.anchor.origin, Origin::Extra)),
            revocation: match (self.trust.online(), path) {
                (Some(online), Some(path)) => online.reports(path, self.at),
                _ => Vec::new(),
            },
        }
    }
}

/// The organizational unit in a certificate of a good path that Apple marked as a developer's: Apple puts the Team ID there,
/// and checks it. An authority that is no Apple's may write there what it likes.
fn team_id(certificate: &Certificate<'_>, path: Option<&Path<'_>>) -> Option<String> {
    let is_marked = path.is_some() && !certificate.extensions.apple_markers.is_empty();
    let team = certificate.subject.only(oid::ORGANIZATIONAL_UNIT);
    team.filter(|_| is_marked).map(|team| printable(&team))
}

/// Why a timestamp does not carry a signature past the end of its certificate.
fn why_no_longer(lifetime: bool, stamps: &[Stamp], checks: &[Check]) -> &'static str {
    let has_failed = checks.iter().any(|check| {
        matches!(check.id, TIMESTAMP_TOKEN | TIMESTAMP_CHAIN | TIMESTAMP_TIME)
            && check.outcome != Outcome::Pass
    });
    match (lifetime, stamps.is_empty(), has_failed) {
        (true, false, _) => "; its timestamp does not prolong it (lifetime signing)",
        (_, true, true) => "; its timestamp does not count",
        (_, true, false) => "; there is no timestamp",
        _ => "",
    }
}
