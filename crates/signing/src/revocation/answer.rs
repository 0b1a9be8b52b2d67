//! What an answer about a certificate comes to, and what any answer must meet: who signed it, and that it is of now.

use std::fmt;
use std::time::Duration;

use release::Timestamp;
use thiserror::Error;

use crate::der::{Cursor, DerError, ENUMERATED, Element};
use crate::digest::DigestAlgorithm;
use crate::key::{PublicKey, RSA_BITS_MIN, Scheme};
use crate::x509::Certificate;

/// By how much clocks may differ, in seconds.
const SKEW_SECONDS: u64 = 300;

/// What is asked about.
#[derive(Debug, Clone, Copy)]
pub(super) struct About<'a> {
    pub(super) certificate: &'a Certificate<'a>,
    /// Who issued it, by a path that is good.
    pub(super) issuer: &'a Certificate<'a>,
    pub(super) now: Timestamp,
}

/// What is known of a certificate, and how that was found out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: Status,
    /// Everybody who was asked, in order. The last one's word is the answer, where there is one.
    pub(super) asked: Vec<Asked>,
    /// Why nobody was asked.
    why_not: Option<String>,
}

/// Somebody who was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    /// `OCSP` or `CRL`.
    pub(super) by: &'static str,
    pub(super) url: String,
    /// The answer, or why there is none that counts.
    pub(super) told: String,
}

impl Answer {
    /// Nobody could be asked.
    pub(super) fn none(why: String) -> Self {
        Self {
            why_not: Some(why),
            ..Self::default()
        }
    }

    /// Everything that was asked and answered, in one line.
    pub(super) fn told(&self) -> String {
        let asked = self.asked.iter();
        let asked = asked.map(|Asked { by, url, told }| format!("{by} at {url}: {told}"));
        let all: Vec<_> = asked.chain(self.why_not.clone()).collect();
        all.join(", ")
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Status {
    Good,
    Revoked(Revoked),
    /// The responder does not know it. It should: whoever issued it runs the responder.
    Unknown,
    #[default]
    NotChecked,
}

/// An answer that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) status: Status,
    /// Since when it says so, and until when it may be relied on.
    pub(super) this_update: Timestamp,
    pub(super) next_update: Option<Timestamp>,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.status {
            Status::Good => f.write_str("good")?,
            Status::Revoked(revoked) => write!(f, "revoked ({revoked})")?,
            Status::Unknown => f.write_str("unknown")?,
            Status::NotChecked => f.write_str("not checked")?,
        }
        write!(f, ", as of {}", self.this_update)?;
        match self.next_update {
            Some(next) => write!(f, ", until {next}"),
            None => Ok(()),
        }
    }
}

/// That a certificate was taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Revoked {
    pub(super) at: Timestamp,
    /// Since when its key is in doubt, where that is stated (invalidityDate, RFC 5280 section 5.3.2).
    pub(super) invalid_since: Option<Timestamp>,
    pub(super) reason: Option<Reason>,
}

impl Revoked {
    /// What was made from then on does not count.
    pub(super) fn since(&self) -> Timestamp {
        self.invalid_since
            .map_or(self.at, |since| since.min(self.at))
    }

    /// Whether it says that the key was never in doubt. RFC 3161 section 4: no reason is no such word.
    pub(super) fn is_harmless(&self) -> bool {
        let harmless = [
            Reason::Unspecified,
            Reason::AffiliationChanged,
            Reason::Superseded,
            Reason::CessationOfOperation,
        ];
        self.reason.is_some_and(|reason| harmless.contains(&reason))
    }

    /// The worse of two entries about the same certificate.
    pub(super) fn or_worse(self, other: Option<Self>) -> Self {
        let Some(other) = other else { return self };
        Self {
            at: self.at.min(other.at),
            invalid_since: Some(self.since().min(other.since())),
            reason: if self.is_harmless() {
                other.reason
            } else {
                self.reason
            },
        }
    }
}

impl fmt::Display for Revoked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at {}", self.at)?;
        if self.since() < self.at {
            write!(f, ", not to be trusted since {}", self.since())?;
        }
        match self.reason {
            Some(reason) => write!(f, ", {}", reason.name()),
            None => f.write_str(", for no stated reason"),
        }
    }
}

/// CRLReason (RFC 5280 section 5.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    Unspecified,
    KeyCompromise,
    AuthorityCompromise,
    AffiliationChanged,
    Superseded,
    CessationOfOperation,
    CertificateHold,
    PrivilegeWithdrawn,
    AttributeAuthorityCompromise,
}

impl Reason {
    /// Reads an ENUMERATED. `removeFromCRL` is none, as it stands in lists of changes only.
    pub(super) fn read(element: Element<'_>) -> Result<Self, DerError> {
        let wrong = DerError::Value("expected a reason for the revocation");
        if element.tag != ENUMERATED {
            return Err(wrong);
        }
        match element.value {
            [0] => Ok(Self::Unspecified),
            [1] => Ok(Self::KeyCompromise),
            [2] => Ok(Self::AuthorityCompromise),
            [3] => Ok(Self::AffiliationChanged),
            [4] => Ok(Self::Superseded),
            [5] => Ok(Self::CessationOfOperation),
            [6] => Ok(Self::CertificateHold),
            [9] => Ok(Self::PrivilegeWithdrawn),
            [10] => Ok(Self::AttributeAuthorityCompromise),
            _ => Err(wrong),
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Unspecified => "unspecified",
            Self::KeyCompromise => "key compromise",
            Self::AuthorityCompromise => "compromise of the authority",
            Self::AffiliationChanged => "affiliation changed",
            Self::Superseded => "superseded",
            Self::CessationOfOperation => "cessation of operation",
            Self::CertificateHold => "on hold",
            Self::PrivilegeWithdrawn => "privilege withdrawn",
            Self::AttributeAuthorityCompromise => "compromise of the attribute authority",
        }
    }
}

/// Why an answer does not count.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(super) enum AnswerError {
    #[error("the answer cannot be read: {0}")]
    Unreadable(#[from] DerError),
    #[error("the answer is refused by the responder: {0}")]
    Refused(&'static str),
    #[error("the answer is by {found}, expected {expected}")]
    By { found: String, expected: String },
    #[error("the signature of the answer does not count: {0}")]
    Signature(String),
    #[error("{0} may not answer for this authority: {1}")]
    Responder(String, &'static str),
    #[error("the answer is of {0}, which is later than now")]
    Early(Timestamp),
    #[error("the answer was good until {0}, and is stale")]
    Stale(Timestamp),
    #[error(
        "the certificate ended at {0}, before the list was made, which need not name it any more"
    )]
    Ended(Timestamp),
    #[error("the answer does not say until when it may be relied on")]
    Endless,
    #[error("the answer has the extension {0}, which must be understood and is not")]
    Critical(String),
    #[error("the list is not about this certificate: {0}")]
    Scope(&'static str),
    #[error("the answer is about other certificates")]
    Other,
}

/// RFC 5280 section 6.3.3, RFC 6960 section 4.2.2.1: neither of the future nor of the past.
pub(super) fn judge_times(
    this_update: Timestamp,
    next_update: Timestamp,
    now: Timestamp,
) -> Result<(), AnswerError> {
    let skew = Duration::from_secs(SKEW_SECONDS);
    if this_update > now.plus(skew) {
        Err(AnswerError::Early(this_update))
    } else if next_update.plus(skew) < now {
        Err(AnswerError::Stale(next_update))
    } else {
        Ok(())
    }
}

/// Checks who signed an answer. SHA-1 counts for nothing: who asks for status may choose what is signed.
pub(super) fn verify(
    algorithm: &[u8],
    signed: &[u8],
    signature: &[u8],
    by: &PublicKey<'_>,
) -> Result<(), AnswerError> {
    let wrong = |why: String| Err(AnswerError::Signature(why));
    let scheme = match Scheme::read(&mut Cursor::new(algorithm), None)? {
        Ok(scheme) => scheme,
        Err(error) => return wrong(error.to_string()),
    };
    if scheme.digest() == DigestAlgorithm::Sha1 {
        return wrong("it is made with SHA-1".to_owned());
    }
    if by.rsa_bits().is_some_and(|bits| bits < RSA_BITS_MIN) {
        return wrong(format!("its RSA key has less than {RSA_BITS_MIN} bits"));
    }
    let hash = scheme.digest().hash(&[signed]);
    match by.verify(scheme, &hash, signature) {
        Ok(()) => Ok(()),
        Err(error) => wrong(error.to_string()),
    }
}
