//! SignerInfo (RFC 5652 section 5.3), and whether its signature covers the content.

use thiserror::Error;

use crate::cms::{Attributes, SignedData};
use crate::der::{Cursor, DerError, Element, INTEGER, OCTET_STRING, SEQUENCE};
use crate::der::{context, context_primitive};
use crate::digest::DigestAlgorithm;
use crate::key::{KeyError, Scheme};
use crate::oid::{self, Oid};
use crate::x509::{Certificate, Name};

/// One signer.
#[derive(Debug, Clone)]
pub(crate) struct SignerInfo<'a> {
    sid: SignerIdentifier<'a>,
    /// The digest algorithm, or the identifier of one that is not supported.
    pub(crate) digest: Result<DigestAlgorithm, Oid<'a>>,
    pub(crate) signed: Option<Attributes<'a>>,
    /// The AlgorithmIdentifier of the signature.
    algorithm: Element<'a>,
    pub(crate) signature: &'a [u8],
    pub(crate) unsigned: Option<Attributes<'a>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SignerIdentifier<'a> {
    /// Versions 0 and 1; 0 is wrong, and in the wild.
    Issuer { name: Name<'a>, serial: &'a [u8] },
    /// Version 3.
    SubjectKey(&'a [u8]),
}

/// Why a signer's signature does not cover what it should.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum SignerError {
    #[error("the certificate of the signer is not in the signature")]
    NoCertificate,
    #[error("the digest algorithm {0} is not supported")]
    Digest(String),
    #[error("there are no signed attributes, which content of this type must have")]
    NoAttributes,
    #[error("there are signed attributes, and the content was taken to be signed without")]
    Attributes,
    #[error("the signed attributes do not state the type of the content, or another one")]
    ContentType,
    #[error("the signed attributes state another digest than the content has")]
    MessageDigest,
    #[error("{0}")]
    Key(#[from] KeyError),
    #[error("the algorithm of the signature cannot be read: {0}")]
    Der(#[from] DerError),
}

impl<'a> SignerInfo<'a> {
    pub(crate) fn read(element: Element<'a>) -> Result<Self, DerError> {
        let mut signer = element.inside()?;
        // RFC 5652 section 5.3: 1 or 3. departs: 0 is in the wild, made by an old signer.
        if !matches!(signer.expect(INTEGER)?.small()?, 0 | 1 | 3) {
            return Err(DerError::Value("the version of SignerInfo is unknown"));
        }
        let sid = if signer.peek() == Some(SEQUENCE) {
            let mut sid = signer.enter(SEQUENCE)?;
            let name = Name::read(&mut sid)?;
            let serial = sid.expect(INTEGER)?.value;
            sid.end()?;
            SignerIdentifier::Issuer { name, serial }
        } else {
            SignerIdentifier::SubjectKey(signer.expect(context_primitive(0))?.value)
        };
        let digest = DigestAlgorithm::read(&mut signer)?;
        let signed = signer.optional(context(0))?;
        let signed = signed.map(Attributes::read).transpose()?;
        let algorithm = signer.expect(SEQUENCE)?;
        let signature = signer.expect(OCTET_STRING)?.value;
        let unsigned = signer.optional(context(1))?;
        let unsigned = unsigned.map(Attributes::read).transpose()?;
        signer.end()?;
        Ok(Self {
            sid,
            digest,
            signed,
            algorithm,
            signature,
            unsigned,
        })
    }

    /// The certificates that the signer says its own is among.
    fn candidates<'c>(
        &self,
        certificates: &'c [Certificate<'a>],
    ) -> impl Iterator<Item = &'c Certificate<'a>> {
        let sid = self.sid;
        certificates.iter().filter(move |certificate| match sid {
            SignerIdentifier::Issuer { name, serial } => {
                certificate.issuer == name && certificate.serial == serial
            }
            SignerIdentifier::SubjectKey(key) => certificate.extensions.subject_key == Some(key),
        })
    }

    /// The first certificate that the signer names, whether or not its key made the signature.
    pub(crate) fn named<'c>(
        &self,
        certificates: &'c [Certificate<'a>],
    ) -> Option<&'c Certificate<'a>> {
        self.candidates(certificates).next()
    }

    pub(crate) fn digest(&self) -> Result<DigestAlgorithm, SignerError> {
        self.digest
            .map_err(|oid| SignerError::Digest(oid.to_string()))
    }

    /// Checks the attributes against the content: its type, and the digest of it.
    pub(crate) fn binds(
        &self,
        content_type: Oid<'_>,
        content_digest: &[u8],
    ) -> Result<(), SignerError> {
        let signed = self.signed.as_ref().ok_or(SignerError::NoAttributes)?;
        let stated = signed.single(oid::CONTENT_TYPE);
        if stated.is_none_or(|stated| {
            stated.tag != crate::der::OBJECT_IDENTIFIER || Oid(stated.value) != content_type
        }) {
            return Err(SignerError::ContentType);
        }
        match signed.single(oid::MESSAGE_DIGEST) {
            Some(stated) if stated.tag == OCTET_STRING && stated.value == content_digest => Ok(()),
            _ => Err(SignerError::MessageDigest),
        }
    }

    /// Checks the signature over the signed attributes; gives the certificate whose key made it.
    pub(crate) fn verify<'c>(
        &self,
        certificates: &'c [Certificate<'a>],
        bare: BareDigest,
    ) -> Result<&'c Certificate<'a>, SignerError> {
        let digest = self.digest()?;
        let signed = self.signed.as_ref().ok_or(SignerError::NoAttributes)?;
        let hash = digest.hash(&signed.signed_bytes());
        self.verify_hash(digest, &hash, certificates, bare)
    }

    /// Checks a signature over the content itself, where there are no signed attributes. RFC 5652 section 5.3 allows that
    /// for content of the type `data`; gives the certificate whose key made it.
    pub(crate) fn verify_content<'c>(
        &self,
        content: &[u8],
        certificates: &'c [Certificate<'a>],
    ) -> Result<&'c Certificate<'a>, SignerError> {
        let digest = self.digest()?;
        if self.signed.is_some() {
            return Err(SignerError::Attributes);
        }
        let hash = digest.hash(&[content]);
        self.verify_hash(digest, &hash, certificates, BareDigest::Refused)
    }

    fn verify_hash<'c>(
        &self,
        digest: DigestAlgorithm,
        hash: &[u8],
        certificates: &'c [Certificate<'a>],
        bare: BareDigest,
    ) -> Result<&'c Certificate<'a>, SignerError> {
        let mut error = SignerError::NoCertificate;
        for certificate in self.candidates(certificates) {
            let scheme = Scheme::read(&mut Cursor::new(self.algorithm.raw), Some(digest))??;
            match certificate.key.verify(scheme, hash, self.signature) {
                Ok(()) => return Ok(certificate),
                Err(KeyError::Wrong)
                    if bare == BareDigest::Accepted
                        && digest == DigestAlgorithm::Sha1
                        && certificate.key.verify_bare(hash, self.signature).is_ok() =>
                {
                    return Ok(certificate);
                }
                Err(wrong) => error = wrong.into(),
            }
        }
        Err(error)
    }
}

/// Whether an RSA signature may cover a SHA-1 digest without a DigestInfo around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BareDigest {
    /// Only legacy countersignatures need this.
    Accepted,
    Refused,
}

impl<'a> SignedData<'a> {
    /// Checks that a signer's signature covers the content; gives the certificate whose key made it.
    pub(crate) fn verify(&self, signer: &SignerInfo<'a>) -> Result<&Certificate<'a>, SignerError> {
        let digest = signer.digest()?;
        let content = self.content.as_deref().unwrap_or_default();
        signer.binds(self.content_type, &digest.hash(&[content]))?;
        signer.verify(&self.certificates, BareDigest::Refused)
    }
}
