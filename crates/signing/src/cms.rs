//! Cryptographic Message Syntax: SignedData and who signed it (RFC 5652; PKCS #7 1.5, RFC 2315, which Authenticode follows).
//!
//! What a signature covers is taken as found: the contents without their outer tag and length, and the signed attributes
//! with the tag of a SET in front. Nothing is encoded again, as not every signer sorted them.

mod attributes;
mod signer;

use std::borrow::Cow;

use crate::der::{Cursor, DerError, INTEGER, OBJECT_IDENTIFIER, SEQUENCE, SET, context};
use crate::digest::DigestAlgorithm;
use crate::oid::{self, Oid};
use crate::x509::Certificate;

pub(crate) use attributes::Attributes;
pub(crate) use signer::{BareDigest, SignerInfo};

/// How many certificates one signature may carry.
const CERTIFICATES_MAX: usize = 64;
/// How many digest algorithms, signers, or attributes there may be.
pub(crate) const ITEMS_MAX: usize = 32;

/// A SignedData (RFC 5652 section 5.1).
#[derive(Debug, Clone)]
pub(crate) struct SignedData<'a> {
    pub(crate) digest_algorithms: Vec<Oid<'a>>,
    pub(crate) content_type: Oid<'a>,
    /// What is signed: the contents of the content, without tag and length. None where it is detached.
    pub(crate) content: Option<Cow<'a, [u8]>>,
    /// Certificates that can be read, in order, each once. Some signers add one twice (Azure Artifact Signing its leaf).
    pub(crate) certificates: Vec<Certificate<'a>>,
    pub(crate) signers: Vec<SignerInfo<'a>>,
}

impl<'a> SignedData<'a> {
    /// Reads a ContentInfo that holds a SignedData, and gives how many bytes it takes.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<(Self, usize), DerError> {
        let mut cursor = Cursor::new(bytes);
        let mut info = cursor.enter(SEQUENCE)?;
        let used = bytes.len() - cursor.rest().len();
        if Oid::read(&mut info)? != oid::SIGNED_DATA {
            return Err(DerError::Value("expected signedData"));
        }
        let mut signed = info.enter(context(0))?.enter(SEQUENCE)?;
        info.end()?;
        // RFC 5652 section 5.1: 1, 3, 4, or 5. Signers are careless with which, so it says nothing here.
        if !matches!(signed.expect(INTEGER)?.small()?, 1..=5) {
            return Err(DerError::Value("the version of SignedData is unknown"));
        }
        let mut digest_algorithms = Vec::new();
        for algorithm in signed.enter(SET)?.take(ITEMS_MAX) {
            digest_algorithms.push(Oid::read(&mut algorithm?.inside()?)?);
        }
        let mut encapsulated = signed.enter(SEQUENCE)?;
        if encapsulated.peek() != Some(OBJECT_IDENTIFIER) {
            return Err(DerError::Value("expected the type of the content"));
        }
        let content_type = Oid::read(&mut encapsulated)?;
        let content = match encapsulated.optional(context(0))? {
            Some(content) => Some(contents(&mut content.inside()?)?),
            None => None,
        };
        encapsulated.end()?;
        let certificates = match signed.optional(context(0))? {
            Some(set) => certificates(set.inside()?)?,
            None => Vec::new(),
        };
        signed.optional(context(1))?;
        let mut signers = Vec::new();
        for signer in signed.enter(SET)? {
            if signers.len() >= ITEMS_MAX {
                return Err(DerError::Value("there are too many signers"));
            }
            signers.push(SignerInfo::read(signer?)?);
        }
        signed.end()?;
        let signed = Self {
            digest_algorithms,
            content_type,
            content,
            certificates,
            signers,
        };
        Ok((signed, used))
    }

    /// Whether SignedData announces this digest algorithm.
    pub(crate) fn announces(&self, algorithm: DigestAlgorithm) -> bool {
        self.digest_algorithms
            .iter()
            .any(|oid| DigestAlgorithm::from_oid(*oid) == Some(algorithm))
    }
}

/// What is signed of the one element inside `[0]`. RFC 5652 puts an OCTET STRING there, PKCS #7 anything: in both cases
/// the contents without tag and length are signed (RFC 5652 sections 5.2.1 and 5.4).
fn contents<'a>(cursor: &mut Cursor<'a>) -> Result<Cow<'a, [u8]>, DerError> {
    let content = cursor.any()?;
    cursor.end()?;
    match content.octets() {
        Ok(octets) => Ok(octets),
        // Its tag is not signed, and everything that is signed like this is a SEQUENCE.
        Err(_) if content.tag == SEQUENCE => Ok(Cow::Borrowed(content.value)),
        Err(_) => Err(DerError::Value(
            "expected octets or a SEQUENCE as the content",
        )),
    }
}

/// The certificates that can be read. Others cannot be used, and that is judged where one is missing.
fn certificates<'a>(set: Cursor<'a>) -> Result<Vec<Certificate<'a>>, DerError> {
    let mut certificates: Vec<Certificate<'a>> = Vec::new();
    for (index, element) in set.enumerate() {
        let element = element?;
        if index >= CERTIFICATES_MAX {
            return Err(DerError::Value("there are too many certificates"));
        }
        // CertificateChoices other than `certificate` have context-specific tags (RFC 5652 section 10.2.2).
        if element.tag != SEQUENCE || certificates.iter().any(|it| it.raw == element.raw) {
            continue;
        }
        certificates.extend(Certificate::read(element).ok());
    }
    Ok(certificates)
}
