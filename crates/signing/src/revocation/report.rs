//! What was asked about a certificate, and answered. All texts are escaped for printing.

use release::Timestamp;
use serde::Serialize;

use crate::digest::hex;
use crate::revocation::answer::{Answer, Asked, Status};
use crate::x509::Certificate;

/// What came of asking about one certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RevocationReport {
    /// The subject of the certificate.
    pub certificate: String,
    /// Its serial number in lower-case hexadecimal.
    pub serial: String,
    /// What is known of it.
    pub status: RevocationStatus,
    /// Since when what it signed does not count, where it was revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked: Option<Timestamp>,
    /// Why it was revoked, where that is stated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// Everybody who was asked, in order; the last one's word counts, where it gave one.
    pub asked: Vec<AskedReport>,
    /// All of that in one line.
    #[serde(skip)]
    pub told: String,
}

/// What is known of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RevocationStatus {
    /// It was not revoked.
    Good,
    /// It was revoked.
    Revoked,
    /// Its authority's responder does not know it.
    Unknown,
    /// Nobody answered.
    NotChecked,
}

impl RevocationStatus {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Revoked => "revoked",
            Self::Unknown => "unknown",
            Self::NotChecked => "not checked",
        }
    }
}

/// Somebody who was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AskedReport {
    /// `OCSP` or `CRL`.
    pub by: &'static str,
    /// Where.
    pub url: String,
    /// What was answered, or why that does not count.
    pub answer: String,
}

impl RevocationReport {
    pub(super) fn of(certificate: &Certificate<'_>, answer: &Answer) -> Self {
        let revoked = match answer.status {
            Status::Revoked(revoked) => Some(revoked),
            Status::Good | Status::Unknown | Status::NotChecked => None,
        };
        let asked = answer.asked.iter().cloned();
        Self {
            certificate: certificate.subject.to_string(),
            serial: hex(certificate.serial),
            status: match answer.status {
                Status::Good => RevocationStatus::Good,
                Status::Revoked(_) => RevocationStatus::Revoked,
                Status::Unknown => RevocationStatus::Unknown,
                Status::NotChecked => RevocationStatus::NotChecked,
            },
            revoked: revoked.map(|it| it.since()),
            reason: revoked.and_then(|it| it.reason).map(|it| it.name()),
            asked: asked
                .map(|Asked { by, url, told }| AskedReport {
                    by,
                    url,
                    answer: told,
                })
                .collect(),
            told: answer.told(),
        }
    }
}
