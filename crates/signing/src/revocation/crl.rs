//! Certificate revocation lists (RFC 5280 section 5). A list is read entry by entry, and nothing of it is kept.

use release::Timestamp;

use crate::der::{
    BIT_STRING, BOOLEAN, Cursor, DerError, Element, GENERALIZED_TIME, INTEGER, OCTET_STRING,
    SEQUENCE, UTC_TIME, context, context_primitive,
};
use crate::oid::{self, Oid};
use crate::revocation::answer::{self, About, AnswerError, Found, Reason, Revoked, Status};
use crate::revocation::places::{Places, full_names};
use crate::x509::{Name, read_time};

/// The longest list that is read, in bytes.
pub(super) const BYTES_MAX: usize = 32 * 1024 * 1024;
/// How many extensions a list, or an entry of one, may have.
const EXTENSIONS_MAX: usize = 32;
const OF_SEVERAL: &str = "it is about certificates of several authorities";

/// Judges a list, and looks for a certificate in it.
pub(super) fn judge(
    bytes: &[u8],
    about: &About<'_>,
    places: &Places<'_>,
) -> Result<Found, AnswerError> {
    let List {
        issuer,
        algorithm,
        signed,
        signature,
        this_update,
        next_update,
        entries,
        extensions,
    } = List::parse(bytes)?;
    // departs: a list that another than the issuer signs (an indirect one) is refused.
    if issuer != about.issuer.subject {
        return Err(AnswerError::By {
            found: format!("`{issuer}`"),
            expected: about.issuer.to_string(),
        });
    }
    let usage = about.issuer.extensions.key_usage;
    if usage.is_some_and(|usage| !usage.signs_revocation_lists()) {
        let who = about.issuer.to_string();
        return Err(AnswerError::Responder(
            who,
            "its key usage does not include signing revocation lists",
        ));
    }
    answer::verify(algorithm, signed, signature, &about.issuer.key)?;
    let kept_since = judge_extensions(extensions, about, places)?;
    let next_update = next_update.ok_or(AnswerError::Endless)?;
    answer::judge_times(this_update, next_update, about.now)?;
    let status = match find(entries, about.certificate.serial)? {
        Some(revoked) => Status::Revoked(revoked),
        // Authorities may leave out what ended (RFC 5280 section 3.3), unless they say since when they do not.
        None => match about.certificate.not_after {
            ended if ended >= this_update => Status::Good,
            ended if kept_since.is_some_and(|since| since <= ended) => Status::Good,
            ended => return Err(AnswerError::Ended(ended)),
        },
    };
    Ok(Found {
        status,
        this_update,
        next_update: Some(next_update),
    })
}

/// CertificateList (RFC 5280 section 5.1).
struct List<'a> {
    issuer: Name<'a>,
    algorithm: &'a [u8],
    signed: &'a [u8],
    signature: &'a [u8],
    this_update: Timestamp,
    next_update: Option<Timestamp>,
    entries: Cursor<'a>,
    extensions: Cursor<'a>,
}

impl<'a> List<'a> {
    fn parse(bytes: &'a [u8]) -> Result<Self, AnswerError> {
        if bytes.len() > BYTES_MAX {
            return Err(DerError::Value("the list is too large").into());
        }
        let mut outer = Cursor::new(bytes);
        let mut whole = outer.enter(SEQUENCE)?;
        outer.end()?;
        let to_be_signed = whole.expect(SEQUENCE)?;
        let algorithm = whole.expect(SEQUENCE)?.raw;
        let signature = whole.expect(BIT_STRING)?.bits()?;
        whole.end()?;
        let mut inside = to_be_signed.inside()?;
        // Version 2 is written as 1. A list of version 1 has no extensions.
        let is_first = match inside.optional(INTEGER)? {
            Some(version) if version.small()? == 1 => false,
            Some(_) => return Err(DerError::Value("the list is of an unknown version").into()),
            None => true,
        };
        if inside.expect(SEQUENCE)?.raw != algorithm {
            return Err(DerError::Value("the list names two signature algorithms").into());
        }
        let issuer = Name::read(&mut inside)?;
        let this_update = read_time(inside.any()?)?;
        let next_update = match inside.peek() {
            Some(UTC_TIME | GENERALIZED_TIME) => Some(read_time(inside.any()?)?),
            _ => None,
        };
        let entries = match inside.optional(SEQUENCE)? {
            Some(entries) => entries.inside()?,
            None => Cursor::new(&[]),
        };
        let extensions = match inside.optional(context(0))? {
            Some(_) if is_first => {
                return Err(DerError::Value("a list of version 1 has extensions").into());
            }
            Some(extensions) => {
                let mut around = extensions.inside()?;
                let extensions = around.enter(SEQUENCE)?;
                around.end()?;
                extensions
            }
            None => Cursor::new(&[]),
        };
        inside.end()?;
        Ok(Self {
            issuer,
            algorithm,
            signed: to_be_signed.raw,
            signature,
            this_update,
            next_update,
            entries,
            extensions,
        })
    }
}

/// An extension of a list, of an entry, or of an OCSP response.
pub(super) struct Extension<'a> {
    pub(super) oid: Oid<'a>,
    pub(super) is_critical: bool,
    pub(super) value: &'a [u8],
}

/// Reads extensions, none of them twice.
pub(super) fn extensions(list: Cursor<'_>) -> Result<Vec<Extension<'_>>, DerError> {
    let mut found: Vec<Extension<'_>> = Vec::new();
    for extension in list {
        let mut extension = extension?.inside()?;
        let oid = Oid::read(&mut extension)?;
        let is_critical = match extension.optional(BOOLEAN)? {
            Some(critical) => critical.boolean()?,
            None => false,
        };
        let value = extension.expect(OCTET_STRING)?.value;
        extension.end()?;
        if found.len() >= EXTENSIONS_MAX || found.iter().any(|other| other.oid == oid) {
            return Err(DerError::Value(
                "an extension stands there twice, or there are too many",
            ));
        }
        found.push(Extension {
            oid,
            is_critical,
            value,
        });
    }
    Ok(found)
}

/// Gives since when certificates that ended are kept in the list (ISO/IEC 9594-8, expiredCertsOnCRL).
fn judge_extensions(
    list: Cursor<'_>,
    about: &About<'_>,
    places: &Places<'_>,
) -> Result<Option<Timestamp>, AnswerError> {
    let mut kept_since = None;
    for extension in extensions(list)? {
        match extension.oid {
            oid::DELTA_CRL_INDICATOR => {
                return Err(AnswerError::Scope("it lists changes to another list only"));
            }
            oid::ISSUING_DISTRIBUTION_POINT => {
                Scope::read(extension.value)?.judge(about, places)?;
            }
            oid::EXPIRED_CERTS_ON_CRL => {
                kept_since = Some(read_time(Cursor::new(extension.value).any()?)?);
            }
            // RFC 5280 section 5.2: whoever does not know a critical extension must not use the list.
            other if extension.is_critical => {
                return Err(AnswerError::Critical(other.to_string()));
            }
            _ => {}
        }
    }
    Ok(kept_since)
}

/// IssuingDistributionPoint (RFC 5280 section 5.2.5).
struct Scope<'a> {
    /// The names of the list; none where it is the whole list of its authority.
    names: Option<Vec<&'a [u8]>>,
    users_only: bool,
    authorities_only: bool,
    attributes_only: bool,
    some_reasons_only: bool,
    is_indirect: bool,
}

impl<'a> Scope<'a> {
    fn read(value: &'a [u8]) -> Result<Self, DerError> {
        let mut outer = Cursor::new(value);
        let mut point = outer.enter(SEQUENCE)?;
        outer.end()?;
        let names = match point.optional(context(0))? {
            Some(name) => {
                let names = full_names(name)?.map(|name| name.map(|name| name.raw));
                Some(names.collect::<Result<_, _>>()?)
            }
            None => None,
        };
        let (users_only, authorities_only) = (flag(&mut point, 1)?, flag(&mut point, 2)?);
        let some_reasons = point.optional(context_primitive(3))?;
        let (is_indirect, attributes_only) = (flag(&mut point, 4)?, flag(&mut point, 5)?);
        point.end()?;
        Ok(Self {
            names,
            users_only,
            authorities_only,
            attributes_only,
            some_reasons_only: some_reasons.is_some(),
            is_indirect,
        })
    }

    /// A list about others says nothing of this certificate.
    fn judge(&self, about: &About<'_>, places: &Places<'_>) -> Result<(), AnswerError> {
        let authority = about.certificate.extensions.authority;
        let is_authority = authority.is_some_and(|it| it.is_authority);
        let is_ours = |names: &Vec<&[u8]>| names.iter().any(|it| places.crl_names.contains(it));
        let why = if !self.names.as_ref().is_none_or(is_ours) {
            "it is the list of another place than the certificate names"
        } else if self.users_only && is_authority {
            "it is not about authorities"
        } else if self.authorities_only && !is_authority {
            "it is about authorities only"
        } else if self.attributes_only {
            "it is about attribute certificates only"
        } else if self.is_indirect {
            OF_SEVERAL
        } else if self.some_reasons_only {
            "it is about some reasons only"
        } else {
            return Ok(());
        };
        Err(AnswerError::Scope(why))
    }
}

fn flag(cursor: &mut Cursor<'_>, number: u8) -> Result<bool, DerError> {
    match cursor.optional(context_primitive(number))? {
        Some(Element { value: [byte], .. }) => Ok(*byte != 0),
        Some(_) => Err(DerError::Value("expected a boolean")),
        None => Ok(false),
    }
}

/// Reads everything that is read of a list, whoever signed it.
pub(super) fn throw(bytes: &[u8]) -> Result<(), AnswerError> {
    let list = List::parse(bytes)?;
    find(list.entries, &[1])?;
    for extension in extensions(list.extensions)? {
        drop(Scope::read(extension.value));
    }
    Ok(())
}

/// Looks for a serial number. Every entry is read: one that is not understood could be about any certificate.
fn find(entries: Cursor<'_>, serial: &[u8]) -> Result<Option<Revoked>, AnswerError> {
    let wanted = number(serial);
    let mut found: Option<Revoked> = None;
    for entry in entries {
        let mut entry = entry?.inside()?;
        let serial = entry.expect(INTEGER)?.value;
        let time = entry.any()?;
        let list = match entry.optional(SEQUENCE)? {
            Some(extensions) => extensions.inside()?,
            None => Cursor::new(&[]),
        };
        entry.end()?;
        let mut revoked = Revoked {
            at: read_time(time)?,
            invalid_since: None,
            reason: None,
        };
        for extension in extensions(list)? {
            let mut value = Cursor::new(extension.value);
            match extension.oid {
                oid::CRL_REASON => revoked.reason = Some(Reason::read(value.any()?)?),
                oid::INVALIDITY_DATE => revoked.invalid_since = Some(read_time(value.any()?)?),
                oid::CERTIFICATE_ISSUER => {
                    return Err(AnswerError::Scope(OF_SEVERAL));
                }
                // RFC 5280 section 5.3: nor one of an entry.
                other if extension.is_critical => {
                    return Err(AnswerError::Critical(other.to_string()));
                }
                _ => continue,
            }
            value.end()?;
        }
        if number(serial) == wanted {
            found = Some(revoked.or_worse(found));
        }
    }
    Ok(found)
}

/// A number without the zeros that may stand before it.
pub(super) fn number(mut digits: &[u8]) -> &[u8] {
    while let [0, rest @ ..] = digits {
        digits = rest;
    }
    digits
}
