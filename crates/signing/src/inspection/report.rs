//! What is reported of a signature. All texts are escaped for printing.

use std::sync::Arc;

use release::Timestamp;
use serde::{Serialize, Serializer};

use crate::checks::{Check, Outcome};
use crate::digest::{DigestAlgorithm, hex};
use crate::macho::HashKind;
use crate::requirement::Code;
use crate::revocation::RevocationReport;
use crate::roots::sha256_hex;
use crate::ticket::Notarization;
use crate::timestamp::{Stamp, StampKind};
use crate::x509::Certificate;

/// One signature.
#[derive(Debug, Clone, Serialize)]
pub struct SignatureReport {
    /// Where it stands: `entry 1`, or `entry 1, nested 2`.
    pub place: String,
    /// The digest algorithm, `SHA-256`; `unknown` where it cannot be read.
    pub digest: String,
    /// Who signed, where that can be read. Believe it only where the checks pass.
    pub signer: Option<SignerReport>,
    /// Every timestamp that holds.
    pub timestamps: Vec<TimestampReport>,
    /// What only Apple's signatures say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub apple: Option<AppleReport>,
    /// Every check of it.
    pub checks: Vec<Check>,
}

impl SignatureReport {
    /// What was asked about each certificate of the signer and of the timestamps, where the network is asked.
    pub fn revocations(&self) -> impl Iterator<Item = &RevocationReport> {
        let signer = self.signer.iter().flat_map(|signer| &signer.revocation);
        let timestamps = self.timestamps.iter().flat_map(|it| &it.revocation);
        signer.chain(timestamps).map(AsRef::as_ref)
    }

    /// Whether every check passed.
    pub fn is_good(&self) -> bool {
        self.checks
            .iter()
            .all(|check| check.outcome == Outcome::Pass)
    }
}

/// Who signed. All texts are escaped for printing.
#[derive(Debug, Clone, Serialize)]
pub struct SignerReport {
    /// The certificate of the signer.
    pub certificate: CertificateReport,
    /// Its organization, as policies name it.
    pub organization: Option<String>,
    /// The same, not escaped and not shortened, to be compared. None also where the certificate names several.
    #[serde(skip)]
    pub(crate) organization_as_found: Option<String>,
    /// The subject as Windows writes it, not escaped and not shortened, to be compared.
    #[serde(skip)]
    pub(crate) subject_on_windows: String,
    /// Its common name.
    pub common_name: Option<String>,
    /// The durable identity of Azure Artifact Signing, `1.3.6.1.4.1.311.97.…`: the same after each renewal.
    pub azure_identity: Option<String>,
    /// Apple's Team ID, where a certificate of Apple's names one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team_id: Option<String>,
    /// Whether a timestamp does not prolong the signature (lifetime signing).
    pub lifetime_signing: bool,
    /// The certificates above it up to the root, where a good path was found.
    pub path: Vec<CertificateReport>,
    /// Where the root of that path is from.
    pub root_set: Option<&'static str>,
    /// Whether that root is an extra one, which the caller trusts and the world does not.
    pub is_extra_root: bool,
    /// What was asked about each certificate below the root, where the network is asked.
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "shared")]
    pub revocation: Vec<Arc<RevocationReport>>,
}

/// What only Apple's signatures say. All texts are escaped for printing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct AppleReport {
    /// What the signer's certificate is for, by Apple's markers in it, where its path is good: `Developer ID Application`.
    pub certificate: Option<&'static str>,
    /// The identifier in the code directory, `org.example.app`.
    pub identifier: Option<String>,
    /// What macOS and notarization know the code by: digests over each code directory, cut to 20 bytes, in hexadecimal.
    pub code_hashes: Vec<String>,
    /// Whether it is a program that is started, not a library.
    pub is_executable: bool,
    /// Whether it runs under the hardened runtime.
    pub hardened_runtime: bool,
    /// The keys of its entitlements.
    pub entitlements: Vec<String>,
    /// Whether anyone may debug it: the entitlement `com.apple.security.get-task-allow` is granted.
    pub debuggable: bool,
    /// What each code directory says besides.
    #[serde(skip)]
    pub(crate) bound: Vec<Bound>,
    /// What a requirement of other code finds in it.
    #[serde(skip)]
    pub(crate) code: Arc<Code>,
    /// When Apple made the notarization ticket that covers it: the one that is stapled to it, or, where the network is asked,
    /// the one that Apple's ticket service has.
    pub notarized: Option<Timestamp>,
    /// What that service said, where it was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ticket_service: Option<String>,
}

impl AppleReport {
    /// Takes over whether it is notarized, and how that is known.
    pub(crate) fn take(&mut self, notarization: Notarization) {
        let Notarization { time, service } = notarization;
        self.notarized = time;
        self.ticket_service = service;
    }
}

/// What a code directory binds that lies outside the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bound {
    pub(crate) hash: HashKind,
    /// What macOS knows the code by.
    pub(crate) code_hash: Vec<u8>,
    /// The digest of `Info.plist`; none where there is none.
    pub(crate) info_plist: Option<Vec<u8>>,
    /// The digest of `CodeResources`.
    pub(crate) resources: Option<Vec<u8>>,
    /// The digest of the end of a disk image.
    pub(crate) representation: Option<Vec<u8>>,
}

/// A certificate. All texts are escaped for printing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CertificateReport {
    /// Its subject.
    pub subject: String,
    /// Its issuer.
    pub issuer: String,
    /// Its serial number in lower-case hexadecimal.
    pub serial: String,
    /// SHA-1 over it in lower-case hexadecimal: what Windows shows as the thumbprint.
    pub thumbprint: String,
    /// SHA-256 over it in lower-case hexadecimal.
    pub sha256: String,
    /// Valid from.
    pub not_before: Timestamp,
    /// Valid until.
    pub not_after: Timestamp,
}

/// A timestamp that holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TimestampReport {
    /// When the signature was there.
    pub time: Timestamp,
    /// `RFC 3161`, or `countersignature` for the older kind.
    pub kind: &'static str,
    /// Who vouches for it.
    pub authority: String,
    /// The root above that authority, and where it is from.
    pub root: String,
    /// What was asked about the certificates of that authority, where the network is asked.
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "shared")]
    pub revocation: Vec<Arc<RevocationReport>>,
}

/// Reports that are shared are written where they are shown.
fn shared<S: Serializer>(
    reports: &[Arc<RevocationReport>],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(reports.iter().map(AsRef::as_ref))
}

impl CertificateReport {
    pub(crate) fn of(certificate: &Certificate<'_>) -> Self {
        Self {
            subject: certificate.subject.to_string(),
            issuer: certificate.issuer.to_string(),
            serial: hex(certificate.serial),
            thumbprint: hex(&DigestAlgorithm::Sha1.hash(&[certificate.raw])),
            sha256: sha256_hex(certificate.raw),
            not_before: certificate.not_before,
            not_after: certificate.not_after,
        }
    }
}

impl From<Stamp> for TimestampReport {
    fn from(stamp: Stamp) -> Self {
        let Stamp {
            time,
            kind,
            authority,
            root,
            revocation: _,
            asked,
        } = stamp;
        Self {
            time,
            kind: match kind {
                StampKind::Token => "RFC 3161",
                StampKind::Countersignature => "countersignature",
            },
            authority,
            root,
            revocation: asked,
        }
    }
}
