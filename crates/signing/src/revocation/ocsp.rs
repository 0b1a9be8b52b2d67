//! The online certificate status protocol (RFC 6960), asked as its lightweight profile says (RFC 5019): about one
//! certificate, by SHA-1, without a nonce, as responders answer millions of askers from one signed response. So an answer
//! is believed for as long as it says, and one that does not say for an hour.

use std::time::Duration;

use release::Timestamp;

use crate::der::{
    BIT_STRING, Cursor, DerError, ENUMERATED, Element, GENERALIZED_TIME, INTEGER,
    OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, context, context_primitive,
};
use crate::digest::DigestAlgorithm;
use crate::oid::{self, Oid};
use crate::revocation::answer::{self, About, AnswerError, Found, Reason, Revoked, Status};
use crate::revocation::crl;
use crate::x509::{Certificate, Name, read_time};

/// The longest response that is read, in bytes. Real ones have about 2,000.
pub(super) const BYTES_MAX: usize = 256 * 1024;
/// How many certificates and statuses a response may have.
const PARTS_MAX: usize = 16;
/// How long an answer counts that does not say.
const NO_NEXT_UPDATE: Duration = Duration::from_secs(3600);

/// An OCSPRequest (RFC 6960 section 4.1.1).
pub(super) fn request(about: &About<'_>) -> Vec<u8> {
    let sha1 = DigestAlgorithm::Sha1;
    let algorithm = element(
        SEQUENCE,
        &[&element(OBJECT_IDENTIFIER, &[oid::SHA1.0]), &[5, 0]],
    );
    let identifier = element(
        SEQUENCE,
        &[
            &algorithm,
            &element(OCTET_STRING, &[&sha1.hash(&[about.issuer.subject.raw()])]),
            &element(OCTET_STRING, &[&sha1.hash(&[about.issuer.key_bits])]),
            &element(INTEGER, &[about.certificate.serial]),
        ],
    );
    // Request, requestList, TBSRequest, OCSPRequest.
    (0..4).fold(identifier, |inside, _| element(SEQUENCE, &[&inside]))
}

pub(super) fn element(tag: u8, contents: &[&[u8]]) -> Vec<u8> {
    let length = contents.iter().map(|it| it.len()).sum::<usize>();
    let mut written = vec![tag];
    let octets = length.to_be_bytes();
    let octets = crl::number(&octets);
    // A length in one byte, or in as many as it takes (X.690 8.1.3).
    match (length, u8::try_from(length), u8::try_from(octets.len())) {
        (..0x80, Ok(short), _) => written.push(short),
        (_, _, Ok(count)) => {
            written.push(0x80 | count);
            written.extend(octets);
        }
        _ => {}
    }
    contents.iter().for_each(|it| written.extend(*it));
    written
}

/// Judges a response, and looks for a certificate in it.
pub(super) fn judge(bytes: &[u8], about: &About<'_>) -> Result<Found, AnswerError> {
    let Response {
        signed,
        algorithm,
        signature,
        certificates,
        responder,
        produced,
        statuses,
    } = Response::parse(bytes)?;
    let by = authorized(&responder, &certificates, about)?;
    answer::verify(algorithm, signed, signature, &by.key)?;
    answer::judge_times(produced, about.now, about.now)?;
    let mut found: Option<Found> = None;
    for status in statuses {
        let status = Single::read(status)?;
        if !status.is_about(about) {
            continue;
        }
        let next_update = status.next_update;
        let until = next_update.unwrap_or_else(|| status.this_update.plus(NO_NEXT_UPDATE));
        answer::judge_times(status.this_update, until, about.now)?;
        let one = Found {
            status: status.status,
            this_update: status.this_update,
            next_update,
        };
        found = Some(match (found, one) {
            (None, one) => one,
            (Some(first), second) => worse(first, second),
        });
    }
    found.ok_or(AnswerError::Other)
}

/// Reads everything that is read of a response, whoever signed it.
pub(super) fn throw(bytes: &[u8]) -> Result<(), AnswerError> {
    for status in Response::parse(bytes)?.statuses {
        Single::read(status)?;
    }
    Ok(())
}

fn worse(first: Found, second: Found) -> Found {
    match (first.status, second.status) {
        (Status::Revoked(one), Status::Revoked(other)) => Found {
            status: Status::Revoked(one.or_worse(Some(other))),
            ..first
        },
        (Status::Revoked(_), _) => first,
        (_, Status::Revoked(_)) => second,
        (Status::Unknown, _) => first,
        _ => second,
    }
}

/// BasicOCSPResponse (RFC 6960 section 4.2.1).
struct Response<'a> {
    signed: &'a [u8],
    algorithm: &'a [u8],
    signature: &'a [u8],
    certificates: Vec<Certificate<'a>>,
    responder: ResponderId<'a>,
    produced: Timestamp,
    statuses: Vec<Element<'a>>,
}

enum ResponderId<'a> {
    Name(Name<'a>),
    /// SHA-1 of the bits of its key.
    Key(&'a [u8]),
}

impl ResponderId<'_> {
    fn names(&self, certificate: &Certificate<'_>) -> bool {
        match self {
            Self::Name(name) => *name == certificate.subject,
            Self::Key(hash) => DigestAlgorithm::Sha1.hash(&[certificate.key_bits]) == *hash,
        }
    }
}

impl<'a> Response<'a> {
    fn parse(bytes: &'a [u8]) -> Result<Self, AnswerError> {
        if bytes.len() > BYTES_MAX {
            return Err(DerError::Value("the response is too large").into());
        }
        let mut outer = Cursor::new(bytes);
        let mut whole = outer.enter(SEQUENCE)?;
        outer.end()?;
        let status = whole.expect(ENUMERATED)?.value;
        if status != [0] {
            return Err(AnswerError::Refused(match status {
                [1] => "it does not understand the request",
                [2] => "it has an internal error",
                [3] => "try later",
                [5] => "it wants signed requests",
                [6] => "it does not answer for this certificate (unauthorized)",
                _ => "it does not say why",
            }));
        }
        let mut around = whole.enter(context(0))?;
        let mut typed = around.enter(SEQUENCE)?;
        around.end()?;
        whole.end()?;
        if Oid::read(&mut typed)? != oid::OCSP_BASIC {
            return Err(DerError::Value("the response is of an unknown kind").into());
        }
        let mut inside = Cursor::new(typed.expect(OCTET_STRING)?.value);
        typed.end()?;
        let mut basic = inside.enter(SEQUENCE)?;
        inside.end()?;
        let data = basic.expect(SEQUENCE)?;
        let algorithm = basic.expect(SEQUENCE)?.raw;
        let signature = basic.expect(BIT_STRING)?.bits()?;
        let certificates = match basic.optional(context(0))? {
            Some(certificates) => read_certificates(certificates)?,
            None => Vec::new(),
        };
        basic.end()?;
        let mut inside = data.inside()?;
        if let Some(version) = inside.optional(context(0))?
            && version.inside()?.expect(INTEGER)?.small()? != 0
        {
            return Err(DerError::Value("the response is of an unknown version").into());
        }
        let responder = ResponderId::read(inside.any()?)?;
        let produced = read_time(inside.expect(GENERALIZED_TIME)?)?;
        let statuses: Result<Vec<_>, _> = inside.enter(SEQUENCE)?.take(PARTS_MAX + 1).collect();
        let statuses = statuses?;
        if statuses.len() > PARTS_MAX {
            return Err(DerError::Value("the response has too many statuses").into());
        }
        no_critical(&mut inside, context(1))?;
        inside.end()?;
        Ok(Self {
            signed: data.raw,
            algorithm,
            signature,
            certificates,
            responder,
            produced,
            statuses,
        })
    }
}

impl<'a> ResponderId<'a> {
    fn read(element: Element<'a>) -> Result<Self, DerError> {
        const NAME: u8 = context(1);
        const KEY: u8 = context(2);
        let mut inside = element.inside()?;
        let read = match element.tag {
            NAME => Self::Name(Name::read(&mut inside)?),
            KEY => Self::Key(inside.expect(OCTET_STRING)?.value),
            _ => return Err(DerError::Value("the responder cannot be read")),
        };
        inside.end()?;
        Ok(read)
    }
}

fn read_certificates(element: Element<'_>) -> Result<Vec<Certificate<'_>>, DerError> {
    let mut around = element.inside()?;
    let mut list = around.enter(SEQUENCE)?;
    around.end()?;
    let mut read = Vec::new();
    while list.peek().is_some() {
        if read.len() >= PARTS_MAX {
            return Err(DerError::Value("the response has too many certificates"));
        }
        read.push(Certificate::read(list.expect(SEQUENCE)?)?);
    }
    Ok(read)
}

/// Nothing here must be understood that is not.
fn no_critical(cursor: &mut Cursor<'_>, tag: u8) -> Result<Option<Timestamp>, AnswerError> {
    let mut invalid_since = None;
    let Some(around) = cursor.optional(tag)? else {
        return Ok(None);
    };
    let mut around = around.inside()?;
    let list = around.enter(SEQUENCE)?;
    around.end()?;
    for extension in crl::extensions(list)? {
        match extension.oid {
            oid::INVALIDITY_DATE => {
                let mut value = Cursor::new(extension.value);
                invalid_since = Some(read_time(value.any()?)?);
                value.end()?;
            }
            other if extension.is_critical => {
                return Err(AnswerError::Critical(other.to_string()));
            }
            _ => {}
        }
    }
    Ok(invalid_since)
}

/// Whoever issued the certificate may answer for it, and to whom it gave that right itself (RFC 6960 section 4.2.2.2).
fn authorized<'r>(
    responder: &ResponderId<'_>,
    certificates: &'r [Certificate<'r>],
    about: &'r About<'r>,
) -> Result<&'r Certificate<'r>, AnswerError> {
    if responder.names(about.issuer) {
        return Ok(about.issuer);
    }
    let Some(delegate) = certificates.iter().find(|it| responder.names(it)) else {
        let found = match responder {
            ResponderId::Name(name) => format!("`{name}`"),
            ResponderId::Key(_) => "somebody whose certificate is not in it".to_owned(),
        };
        let expected = about.issuer.to_string();
        return Err(AnswerError::By { found, expected });
    };
    let refused = |why| Err(AnswerError::Responder(delegate.to_string(), why));
    let extensions = &delegate.extensions;
    if delegate.issuer != about.issuer.subject {
        return refused("its certificate is not by the authority");
    }
    let (algorithm, signed) = (delegate.signature_algorithm, delegate.signed);
    answer::verify(algorithm, signed, delegate.signature, &about.issuer.key)?;
    if !delegate.names_usage(oid::OCSP_SIGNING) {
        return refused("its extended key usage does not include OCSP signing");
    }
    if extensions
        .key_usage
        .is_some_and(|usage| !usage.signs_data())
    {
        return refused("its key usage does not include digital signatures");
    }
    if !delegate.is_valid_at(about.now) {
        return refused("its certificate is not valid now");
    }
    if !extensions.unknown_critical.is_empty() {
        return refused("its certificate has a critical extension that is not understood");
    }
    // departs: without this mark it would have to be looked up itself (RFC 6960 section 4.2.2.2.1).
    if !extensions.is_exempt_from_ocsp {
        return refused("its certificate does not say that it need not be looked up");
    }
    Ok(delegate)
}

/// SingleResponse.
struct Single<'a> {
    digest: Option<DigestAlgorithm>,
    issuer_name: &'a [u8],
    issuer_key: &'a [u8],
    serial: &'a [u8],
    status: Status,
    this_update: Timestamp,
    next_update: Option<Timestamp>,
}

impl<'a> Single<'a> {
    fn read(element: Element<'a>) -> Result<Self, AnswerError> {
        const GOOD: u8 = context_primitive(0);
        const REVOKED: u8 = context(1);
        const UNKNOWN: u8 = context_primitive(2);
        let mut single = element.inside()?;
        let mut identifier = single.enter(SEQUENCE)?;
        let digest = DigestAlgorithm::read(&mut identifier)?.ok();
        let issuer_name = identifier.expect(OCTET_STRING)?.value;
        let issuer_key = identifier.expect(OCTET_STRING)?.value;
        let serial = identifier.expect(INTEGER)?.value;
        identifier.end()?;
        let status = single.any()?;
        let mut status = match status.tag {
            GOOD if status.value.is_empty() => Status::Good,
            UNKNOWN if status.value.is_empty() => Status::Unknown,
            REVOKED => Status::Revoked(read_revoked(status.inside()?)?),
            _ => return Err(DerError::Value("the status cannot be read").into()),
        };
        let this_update = read_time(single.expect(GENERALIZED_TIME)?)?;
        let next_update = match single.optional(context(0))? {
            Some(next) => {
                let mut inside = next.inside()?;
                let time = read_time(inside.expect(GENERALIZED_TIME)?)?;
                inside.end()?;
                Some(time)
            }
            None => None,
        };
        // RFC 6960 section 4.4.5: as in an entry of a list.
        let invalid_since = no_critical(&mut single, context(1))?;
        if let Status::Revoked(revoked) = &mut status {
            revoked.invalid_since = invalid_since;
        }
        single.end()?;
        Ok(Self {
            digest,
            issuer_name,
            issuer_key,
            serial,
            status,
            this_update,
            next_update,
        })
    }

    /// CertID (RFC 6960 section 4.1.1), by whichever digest.
    fn is_about(&self, about: &About<'_>) -> bool {
        let Some(digest) = self.digest else {
            return false;
        };
        crl::number(self.serial) == crl::number(about.certificate.serial)
            && digest.hash(&[about.issuer.subject.raw()]) == self.issuer_name
            && digest.hash(&[about.issuer.key_bits]) == self.issuer_key
    }
}

fn read_revoked(mut inside: Cursor<'_>) -> Result<Revoked, DerError> {
    let at = read_time(inside.expect(GENERALIZED_TIME)?)?;
    let reason = match inside.optional(context(0))? {
        Some(reason) => {
            let mut around = reason.inside()?;
            let reason = Reason::read(around.any()?)?;
            around.end()?;
            Some(reason)
        }
        None => None,
    };
    inside.end()?;
    Ok(Revoked {
        at,
        invalid_since: None,
        reason,
    })
}
