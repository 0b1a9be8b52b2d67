//! X.509 certificates (RFC 5280): what the path builder and the report need of them, borrowed from their bytes.

mod name;
mod time;

use std::fmt;

use release::Timestamp;

use crate::der::{BIT_STRING, BOOLEAN, Cursor, DerError, Element, INTEGER, SEQUENCE, context};
use crate::der::{OCTET_STRING, context_primitive};
use crate::key::PublicKey;
use crate::oid::{self, Oid};

pub(crate) use name::Name;
pub(crate) use time::read as read_time;

/// The largest certificate that is read, in bytes. Real ones have about 2,000.
pub(crate) const CERTIFICATE_BYTES_MAX: usize = 64 * 1024;
/// How many extensions a certificate may have.
const EXTENSIONS_MAX: usize = 64;
/// How many extended key usages a certificate may name.
const USAGES_MAX: usize = 64;

/// A certificate.
#[derive(Debug, Clone)]
pub(crate) struct Certificate<'a> {
    /// All its bytes; two certificates are the same where these are.
    pub(crate) raw: &'a [u8],
    /// What is signed.
    pub(crate) signed: &'a [u8],
    pub(crate) serial: &'a [u8],
    pub(crate) issuer: Name<'a>,
    pub(crate) subject: Name<'a>,
    pub(crate) not_before: Timestamp,
    pub(crate) not_after: Timestamp,
    pub(crate) key: PublicKey<'a>,
    /// The bits of the key alone, of which digests name it (RFC 5280 section 4.2.1.2).
    pub(crate) key_bits: &'a [u8],
    /// The AlgorithmIdentifier of the signature, as found.
    pub(crate) signature_algorithm: &'a [u8],
    pub(crate) signature: &'a [u8],
    pub(crate) extensions: Extensions<'a>,
}

/// The extensions that matter here.
#[derive(Debug, Clone, Default)]
pub(crate) struct Extensions<'a> {
    /// The bits of keyUsage, bit 0 first, where the extension is there.
    pub(crate) key_usage: Option<KeyUsage>,
    /// The usages of extKeyUsage, where the extension is there.
    pub(crate) usages: Option<Vec<Oid<'a>>>,
    pub(crate) usages_are_critical: bool,
    pub(crate) authority: Option<BasicConstraints>,
    pub(crate) subject_key: Option<&'a [u8]>,
    pub(crate) authority_key: Option<&'a [u8]>,
    /// Whether an OCSP responder's certificate is not itself to be looked up (RFC 6960 section 4.2.2.2.1).
    pub(crate) is_exempt_from_ocsp: bool,
    /// Markers in Apple's certificates, which say what they are for.
    pub(crate) apple_markers: Vec<Oid<'a>>,
    /// Extensions that must be judged, and that this crate does not judge.
    pub(crate) unknown_critical: Vec<Oid<'a>>,
}

/// keyUsage (RFC 5280 section 4.2.1.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeyUsage(u16);

impl KeyUsage {
    pub(crate) fn signs_data(self) -> bool {
        self.0 & 0x8000 != 0
    }

    pub(crate) fn signs_certificates(self) -> bool {
        self.0 & 0x0400 != 0
    }

    pub(crate) fn signs_revocation_lists(self) -> bool {
        self.0 & 0x0200 != 0
    }
}

/// basicConstraints (RFC 5280 section 4.2.1.9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BasicConstraints {
    pub(crate) is_authority: bool,
    /// How many authorities may follow below.
    pub(crate) below_max: Option<u32>,
}

impl<'a> Certificate<'a> {
    /// Reads one certificate; nothing may follow it.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, DerError> {
        let mut outer = Cursor::new(bytes);
        let whole = outer.expect(SEQUENCE)?;
        outer.end()?;
        Self::read(whole)
    }

    pub(crate) fn read(whole: Element<'a>) -> Result<Self, DerError> {
        if whole.raw.len() > CERTIFICATE_BYTES_MAX {
            return Err(DerError::Value("a certificate is too large"));
        }
        let mut outer = whole.inside()?;
        let to_be_signed = outer.expect(SEQUENCE)?;
        let signature_algorithm = outer.expect(SEQUENCE)?.raw;
        let signature = outer.expect(BIT_STRING)?.bits()?;
        outer.end()?;
        let mut inner = to_be_signed.inside()?;
        if let Some(version) = inner.optional(context(0))? {
            version.inside()?.expect(INTEGER)?;
        }
        let serial = inner.expect(INTEGER)?.value;
        // RFC 5280 section 4.1.1.2: both fields say the same algorithm.
        if inner.expect(SEQUENCE)?.raw != signature_algorithm {
            return Err(DerError::Value(
                "a certificate names two signature algorithms",
            ));
        }
        let issuer = Name::read(&mut inner)?;
        let mut validity = inner.enter(SEQUENCE)?;
        let (not_before, not_after) = (read_time(validity.any()?)?, read_time(validity.any()?)?);
        validity.end()?;
        let subject = Name::read(&mut inner)?;
        let key_bits = key_bits(inner)?;
        let key = PublicKey::read(&mut inner)?;
        let mut extensions = Extensions::default();
        for element in inner {
            let element = element?;
            if element.tag == context(3) {
                extensions = Extensions::read(element)?;
            }
        }
        Ok(Self {
            raw: whole.raw,
            signed: to_be_signed.raw,
            serial,
            issuer,
            subject,
            not_before,
            not_after,
            key,
            key_bits,
            signature_algorithm,
            signature,
            extensions,
        })
    }

    /// Whether the certificate names itself as its issuer.
    pub(crate) fn is_self_issued(&self) -> bool {
        self.issuer == self.subject
    }

    pub(crate) fn is_valid_at(&self, time: Timestamp) -> bool {
        self.not_before <= time && time <= self.not_after
    }

    /// Whether extKeyUsage is there and names this usage itself.
    pub(crate) fn names_usage(&self, usage: Oid<'_>) -> bool {
        let usages = self.extensions.usages.as_ref();
        usages.is_some_and(|usages| usages.contains(&usage))
    }
}

/// The value of an extension of a certificate, whatever it is.
pub(crate) fn extension<'a>(certificate: &'a [u8], wanted: Oid<'_>) -> Option<&'a [u8]> {
    let whole = Cursor::new(certificate).enter(SEQUENCE).ok()?;
    let mut signed = whole.into_iter().next()?.ok()?.inside().ok()?;
    let all = signed.find_map(|field| field.ok().filter(|it| it.tag == context(3)))?;
    let mut extensions = all.inside().ok()?.enter(SEQUENCE).ok()?;
    extensions.find_map(|extension| {
        let mut extension = extension.ok()?.inside().ok()?;
        let oid = Oid::read(&mut extension).ok()?;
        extension.optional(BOOLEAN).ok()?;
        let value = extension.expect(OCTET_STRING).ok()?.value;
        (oid == wanted).then_some(value)
    })
}

/// The bits of the SubjectPublicKeyInfo that comes next.
fn key_bits<'a>(mut cursor: Cursor<'a>) -> Result<&'a [u8], DerError> {
    let mut info = cursor.enter(SEQUENCE)?;
    info.any()?;
    info.any()?.bits()
}

impl<'a> Extensions<'a> {
    fn read(element: Element<'a>) -> Result<Self, DerError> {
        let mut extensions = Self::default();
        let mut seen: Vec<Oid<'a>> = Vec::new();
        for extension in element.inside()?.enter(SEQUENCE)? {
            let mut extension = extension?.inside()?;
            let oid = Oid::read(&mut extension)?;
            let critical = match extension.optional(BOOLEAN)? {
                Some(critical) => critical.boolean()?,
                None => false,
            };
            let value = extension.expect(OCTET_STRING)?.value;
            extension.end()?;
            // RFC 5280 section 4.2: no extension twice.
            if seen.contains(&oid) || seen.len() >= EXTENSIONS_MAX {
                return Err(DerError::Value(
                    "a certificate has an extension twice, or too many",
                ));
            }
            seen.push(oid);
            extensions.take(oid, critical, value)?;
        }
        Ok(extensions)
    }

    fn take(&mut self, oid: Oid<'a>, critical: bool, value: &'a [u8]) -> Result<(), DerError> {
        let mut value = Cursor::new(value);
        match oid {
            oid::KEY_USAGE => {
                let bits = value.expect(BIT_STRING)?.value;
                let bit = |at: usize| u16::from(bits.get(at).copied().unwrap_or(0));
                self.key_usage = Some(KeyUsage(bit(1) << 8 | bit(2)));
            }
            oid::EXTENDED_KEY_USAGE => {
                let mut usages = value.enter(SEQUENCE)?;
                let mut found = Vec::new();
                while usages.peek().is_some() {
                    if found.len() >= USAGES_MAX {
                        return Err(DerError::Value("a certificate has too many usages"));
                    }
                    found.push(Oid::read(&mut usages)?);
                }
                self.usages = Some(found);
                self.usages_are_critical = critical;
            }
            oid::BASIC_CONSTRAINTS => {
                let mut constraints = value.enter(SEQUENCE)?;
                let is_authority = match constraints.optional(BOOLEAN)? {
                    Some(is_authority) => is_authority.boolean()?,
                    None => false,
                };
                let below_max = constraints.optional(INTEGER)?;
                let below_max = below_max.map(|it| it.small()).transpose()?;
                self.authority = Some(BasicConstraints {
                    is_authority,
                    below_max,
                });
            }
            oid::SUBJECT_KEY_IDENTIFIER => {
                self.subject_key = Some(value.expect(OCTET_STRING)?.value);
            }
            oid::AUTHORITY_KEY_IDENTIFIER => {
                let key = value.enter(SEQUENCE)?.optional(context_primitive(0))?;
                self.authority_key = key.map(|key| key.value);
            }
            // They restrict nothing that is asked for here: any policy will do, names other than the subject are not
            // looked at, and where lists of what was revoked are is read where somebody asks.
            oid::CERTIFICATE_POLICIES | oid::SUBJECT_ALT_NAME | oid::CRL_DISTRIBUTION_POINTS => {}
            oid::OCSP_NO_CHECK => self.is_exempt_from_ocsp = true,
            // Names are not compared with constraints here, so an authority that has some is not believed, critical or not.
            oid::NAME_CONSTRAINTS => self.unknown_critical.push(oid),
            _ => {
                if oid.0.starts_with(oid::APPLE_MARKER_ARC.0) {
                    self.apple_markers.push(oid);
                }
                if critical {
                    self.unknown_critical.push(oid);
                }
            }
        }
        Ok(())
    }
}

impl fmt::Display for Certificate<'_> {
    /// The subject by its most telling name, escaped.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.subject.first(oid::COMMON_NAME);
        let name = name.or_else(|| self.subject.first(oid::ORGANIZATION));
        match name {
            Some(name) => write!(f, "`{}`", release::name::printable(&name)),
            None => write!(f, "`{}`", self.subject),
        }
    }
}

#[cfg(test)]
mod tests;
