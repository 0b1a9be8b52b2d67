//! Where to ask about a certificate: cRLDistributionPoints (RFC 5280 section 4.2.1.13) and authorityInfoAccess (4.2.2.1).

use crate::der::{Cursor, DerError, Element, SEQUENCE, context, context_primitive};
use crate::oid::{self, Oid};
use crate::x509::{self, Certificate};

/// How many places of each kind are asked.
const PLACES_MAX: usize = 3;
/// How many names are read.
const NAMES_MAX: usize = 32;
/// How long a URL may be, in bytes.
const URL_BYTES_MAX: usize = 512;
/// `uniformResourceIdentifier [6]` of a GeneralName.
const URI: u8 = context_primitive(6);

/// Where to ask, in the order of the certificate.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Places<'a> {
    pub(super) ocsp: Vec<&'a str>,
    pub(super) crl: Vec<&'a str>,
    /// Every name of the lists that are about all reasons and signed by the issuer itself, as found.
    pub(super) crl_names: Vec<&'a [u8]>,
}

impl<'a> Places<'a> {
    pub(super) fn of(certificate: &Certificate<'a>) -> Result<Self, DerError> {
        let mut places = Self::default();
        let extension = |oid| x509::extension(certificate.raw, oid);
        if let Some(points) = extension(oid::CRL_DISTRIBUTION_POINTS) {
            places.read_points(points)?;
        }
        if let Some(info) = extension(oid::AUTHORITY_INFO_ACCESS) {
            places.read_info(info)?;
        }
        Ok(places)
    }

    fn read_points(&mut self, bytes: &'a [u8]) -> Result<(), DerError> {
        for point in whole(bytes)? {
            let mut point = point?.inside()?;
            let name = point.optional(context(0))?;
            let reasons = point.optional(context_primitive(1))?;
            let issuer = point.optional(context(2))?;
            point.end()?;
            // departs: lists for some reasons only, and lists that others sign, are not asked for (RFC 5280 section 6.3.3
            // lets several be put together).
            let (Some(name), None, None) = (name, reasons, issuer) else {
                continue;
            };
            for name in full_names(name)? {
                let name = name?;
                if self.crl_names.len() >= NAMES_MAX {
                    return Err(DerError::Value("a certificate names too many lists"));
                }
                self.crl_names.push(name.raw);
                add(&mut self.crl, name);
            }
        }
        Ok(())
    }

    fn read_info(&mut self, bytes: &'a [u8]) -> Result<(), DerError> {
        for access in whole(bytes)?.take(NAMES_MAX) {
            let mut access = access?.inside()?;
            let method = Oid::read(&mut access)?;
            let location = access.any()?;
            access.end()?;
            if method == oid::OCSP {
                add(&mut self.ocsp, location);
            }
        }
        Ok(())
    }
}

/// The elements of a SEQUENCE that is all there is.
fn whole(bytes: &[u8]) -> Result<Cursor<'_>, DerError> {
    let mut outer = Cursor::new(bytes);
    let inside = outer.enter(SEQUENCE)?;
    outer.end()?;
    Ok(inside)
}

/// The names of a DistributionPointName; none of one that is relative to the name of its issuer, which nobody uses.
pub(super) fn full_names<'a>(point: Element<'a>) -> Result<Cursor<'a>, DerError> {
    let mut name = point.inside()?;
    let names = match name.optional(context(0))? {
        Some(names) => names.inside()?,
        None => {
            name.any()?;
            Cursor::new(&[])
        }
    };
    name.end()?;
    Ok(names)
}

/// Adds a name that is a place on the web.
fn add<'a>(places: &mut Vec<&'a str>, name: Element<'a>) {
    let text = std::str::from_utf8(name.value).ok();
    let is_web = |text: &&str| {
        let scheme = text.split_once("://").map(|(scheme, _)| scheme);
        let is_web = scheme
            .is_some_and(|it| it.eq_ignore_ascii_case("http") || it.eq_ignore_ascii_case("https"));
        is_web && text.len() <= URL_BYTES_MAX && text.bytes().all(|byte| byte.is_ascii_graphic())
    };
    if let Some(text) = text.filter(|text| name.tag == URI && is_web(text))
        && places.len() < PLACES_MAX
        && !places.contains(&text)
    {
        places.push(text);
    }
}
