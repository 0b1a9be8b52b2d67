//! One signature of a file, judged: content, signer, path, and timestamps.

use release::Timestamp;
use release::name::printable;

use crate::authenticode::content::Content;
use crate::authenticode::identity;
use crate::authenticode::nested::{self, SIGNATURES_MAX};
use crate::checks::{
    CMS_DIGEST_ALGORITHM, CMS_MESSAGE_DIGEST, CMS_PARSE, CMS_SIGNATURE, CMS_WEAK_DIGEST, Check, Id,
    Outcome, PE_PAGE_HASHES, TIMESTAMP_CHAIN, TIMESTAMP_TIME, TIMESTAMP_TOKEN, X509_EC_PARAMETERS,
    X509_EXTENSIONS, X509_KEY_SIZE, X509_KEY_USAGE, X509_PATH, X509_ROOT_PROGRAM, X509_VALIDITY,
    X509_WEAK_DIGEST,
};
use crate::cms::{BareDigest, SignedData, SignerInfo};
use crate::digest::{DigestAlgorithm, hex};
use crate::inspection::{CertificateReport, SignatureReport, SignerReport, TimestampReport};
use crate::key::PublicKey;
use crate::oid;
use crate::path::{self, Path, Weak, YEAR_2016};
use crate::roots::{LegacyDigests, Origin, Purpose, Trust};
use crate::spc::IndirectData;
use crate::timestamp::{self, Stamp};
use crate::x509::Certificate;

/// How many timestamps a signature may have.
const TIMESTAMPS_MAX: usize = 4;

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
            signed: &placed.signed,
            content,
            at,
            trust,
            weak,
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
    signed: &'a SignedData<'a>,
    content: &'a Content,
    at: Timestamp,
    trust: &'a Trust,
    /// Whether SHA-1 is accepted because a sound SHA-2 signature stands inside.
    weak: Weak,
}

fn outcome(id: Id, failure: Option<impl std::fmt::Display>, passes: impl Into<String>) -> Check {
    match failure {
        None => Check::pass(id, passes),
        Some(failure) => Check::fail(id, failure.to_string()),
    }
}

impl<'a> Judging<'a> {
    /// Every check that can be made, in the order in which one rests on the other.
    fn report(&self, place: &str) -> SignatureReport {
        let mut report = SignatureReport {
            place: place.to_owned(),
            digest: "unknown".to_owned(),
            signer: None,
            timestamps: Vec::new(),
            checks: Vec::new(),
        };
        report
            .checks
            .extend(nested::nested_in(self.signed).filter_map(Result::err));
        let [signer] = self.signed.signers.as_slice() else {
            let count = self.signed.signers.len();
            let reason = format!("the signature has {count} signers, expected one");
            report.checks.push(Check::fail(CMS_PARSE, reason));
            return report;
        };
        if let Ok(digest) = signer.digest {
            report.digest = digest.to_string();
        }
        self.judge_content(signer, &mut report.checks);
        self.judge_curves(&mut report.checks);
        let named = signer.named(&self.signed.certificates);
        let certificate = match signer.verify(&self.signed.certificates, BareDigest::Refused) {
            Ok(certificate) => {
                let reason = format!("signed with the key of {certificate}");
                report.checks.push(Check::pass(CMS_SIGNATURE, reason));
                certificate
            }
            Err(error) => {
                report
                    .checks
                    .push(Check::fail(CMS_SIGNATURE, error.to_string()));
                report.signer = named.map(|certificate| self.signer_report(certificate, None));
                return report;
            }
        };
        let stamps = self.judge_timestamps(signer, &mut report.checks);
        self.judge_digest(signer, stamps.first(), &mut report.checks);
        let path = self.judge_path(certificate, &stamps, &mut report.checks);
        report.signer = Some(self.signer_report(certificate, path.as_ref()));
        report.timestamps = stamps.into_iter().map(TimestampReport::from).collect();
        report
    }

    /// The content says the digest of this file, and the signed attributes say that of the content.
    fn judge_content(&self, signer: &SignerInfo<'_>, checks: &mut Vec<Check>) {
        let contents = self.signed.content.as_deref().unwrap_or_default();
        let read = IndirectData::read(contents);
        let content = match read {
            Ok(content) if self.signed.content_type == oid::SPC_INDIRECT_DATA => content,
            Ok(_) => {
                let reason = format!("the content is of type {}", self.signed.content_type);
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
            (Ok(one), Ok(other)) if one == other && self.signed.announces(one) => one,
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
            format!(
                "signed is {} {}, found {}; the file was changed after signing, or the signature is of another file",
                algorithm,
                hex(content.hash.get(..64).unwrap_or(content.hash)),
                hex(found)
            )
        });
        checks.push(outcome(
            self.content.container.digest_check(),
            failure,
            "the file has the signed digest",
        ));
        self.judge_pages(&content, checks);
        let bound = signer.binds(self.signed.content_type, &algorithm.hash(&[contents]));
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

    /// No certificate of the signature has a curve of its own, whether or not it is used.
    fn judge_curves(&self, checks: &mut Vec<Check>) {
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
    fn judge_timestamps(&self, signer: &SignerInfo<'_>, checks: &mut Vec<Check>) -> Vec<Stamp> {
        let Some(unsigned) = &signer.unsigned else {
            return Vec::new();
        };
        let judge = timestamp::Judge {
            trust: self.trust,
            at: self.at,
            weak: self.weak,
        };
        let tokens = unsigned
            .all(oid::MICROSOFT_TIMESTAMP_TOKEN)
            .chain(unsigned.all(oid::TIMESTAMP_TOKEN))
            .map(|token| timestamp::judge_token(token, signer.signature, judge));
        let countersignatures = unsigned.all(oid::COUNTERSIGNATURE).map(|countersignature| {
            let certificates = &self.signed.certificates;
            timestamp::judge_countersignature(
                countersignature,
                signer.signature,
                certificates,
                judge,
            )
        });
        let mut stamps = Vec::new();
        for (index, judged) in tokens.chain(countersignatures).enumerate() {
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
                    stamps.push(stamp);
                }
                Err(check) => checks.push(check),
            }
        }
        stamps.sort_by_key(|stamp| stamp.time);
        stamps
    }

    fn judge_digest(
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
    fn judge_path(
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
                purpose: Purpose::CodeSigning,
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
        Some(path)
    }

    fn signer_report(
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
            common_name: shown(oid::COMMON_NAME),
            azure_identity: identity::azure_identity(certificate, path),
            lifetime_signing: certificate.names_usage(oid::LIFETIME_SIGNING),
            path: above.unwrap_or_default(),
            root_set: path.map(|path| path.anchor.set()),
            is_extra_root: path.is_some_and(|path| matches!(path.anchor.origin, Origin::Extra)),
        }
    }
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
