//! Asking a requirement of code.

use release::name::printable;

use crate::apple::plist::Value;
use crate::der::{Cursor, OBJECT_IDENTIFIER, SEQUENCE};
use crate::digest::DigestAlgorithm;
use crate::oid::{self, Oid};
use crate::requirement::code::Shown;
use crate::requirement::matching::Found;
use crate::requirement::{Comparison, Place, Requirement};
use crate::x509::{self, Certificate};

/// Who signs what belongs to macOS (`reqinterp.cpp`, appleIntermediateCN and appleIntermediateO).
const APPLE_AUTHORITY: [(Oid<'static>, &str); 2] = [
    (
        oid::COMMON_NAME,
        "Apple Code Signing Certification Authority",
    ),
    (oid::ORGANIZATION, "Apple Inc."),
];

/// A reason that is longer gets nothing more.
const REASON_BYTES_MAX: usize = 300;

/// Whether code is what a requirement demands. Reasons are safe to print.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    Holds,
    /// It is not, and why.
    Fails(String),
    /// Nobody here can know, and why.
    Unknown(String),
}

impl Answer {
    fn of(holds: bool, otherwise: impl FnOnce() -> String) -> Self {
        match holds {
            true => Self::Holds,
            false => Self::Fails(otherwise()),
        }
    }

    fn and(self, other: impl FnOnce() -> Self) -> Self {
        match self {
            Self::Fails(_) => self,
            Self::Holds => other(),
            Self::Unknown(_) => match other() {
                fails @ Self::Fails(_) => fails,
                Self::Holds | Self::Unknown(_) => self,
            },
        }
    }

    fn or(self, other: impl FnOnce() -> Self) -> Self {
        match (self, other) {
            (Self::Holds, _) => Self::Holds,
            (Self::Fails(one), other) => match other() {
                // Enough is said by the first few.
                Self::Fails(other) if one != other && one.len() < REASON_BYTES_MAX => {
                    Self::Fails(format!("{one}, and {other}"))
                }
                Self::Fails(_) => Self::Fails(one),
                found => found,
            },
            (unknown @ Self::Unknown(_), other) => match other() {
                Self::Holds => Self::Holds,
                Self::Fails(_) | Self::Unknown(_) => unknown,
            },
        }
    }
}

impl Requirement {
    /// Asks it of code.
    pub(crate) fn judge(&self, shown: Shown<'_>) -> Answer {
        let code = shown.code;
        match self {
            Self::Never => Answer::Fails("it accepts nothing".to_owned()),
            Self::Always => Answer::Holds,
            Self::Identifier(wanted) => Answer::of(code.identifier == *wanted, || {
                let found = String::from_utf8_lossy(&code.identifier);
                format!("the code is `{}`", printable(&found))
            }),
            Self::AppleGeneric => apple_generic(shown),
            Self::Apple => apple_generic(shown).and(|| by_apple_itself(shown)),
            Self::Certificate(place, wanted) => {
                let found = code.certificate(place.0);
                let found = found.map(|it| DigestAlgorithm::Sha1.hash(&[it]));
                Answer::of(found.as_ref() == Some(wanted), || match found {
                    Some(found) => format!(
                        "certificate{place} has the SHA-1 {}",
                        crate::digest::hex(&found)
                    ),
                    None => format!("there is no certificate{place} that is trusted"),
                })
            }
            Self::Both(one, other) => one.judge(shown).and(|| other.judge(shown)),
            Self::Either(one, other) => one.judge(shown).or(|| other.judge(shown)),
            Self::Not(inner) => match inner.judge(shown) {
                Answer::Holds => Answer::Fails(format!("`{inner}` holds")),
                Answer::Fails(_) => Answer::Holds,
                unknown @ Answer::Unknown(_) => unknown,
            },
            Self::CodeHash(wanted) => Answer::of(code.code_hashes.contains(wanted), || {
                "it accepts one build alone, by its hash".to_owned()
            }),
            Self::InfoIs(key, wanted) => info(key, &Comparison::Equal(wanted.clone()), shown),
            Self::Info(key, wanted) => info(key, wanted, shown),
            Self::Entitlement(key, wanted) => entitlement(key, wanted, shown),
            Self::Subject(place, field, wanted) => {
                of_certificate(*place, shown, |it| subject(it, *place, field, wanted))
            }
            Self::Extension(place, field, wanted) => of_certificate(*place, shown, |it| {
                let what = format!("certificate{place}[field.{}]", Oid(field));
                match (x509::extension(it.raw, Oid(field)), wanted) {
                    (None, _) => wanted.judge(&Found::Nothing, &what),
                    (Some(_), Comparison::Exists | Comparison::Absent) => {
                        wanted.judge(&Found::Something, &what)
                    }
                    (Some(_), _) => Answer::Unknown(format!("{what} is not compared")),
                }
            }),
            Self::Policy(place, field, wanted) => of_certificate(*place, shown, |it| {
                let found = match names_policy(it, Oid(field)) {
                    true => Found::Something,
                    false => Found::Nothing,
                };
                wanted.judge(
                    &found,
                    &format!("certificate{place}[policy.{}]", Oid(field)),
                )
            }),
            Self::Platform(wanted) => Answer::of(u32::from(code.platform) == *wanted, || {
                format!("the platform is {}", code.platform)
            }),
            Self::Trusted(_)
            | Self::Date(..)
            | Self::NamedAnchor(_)
            | Self::NamedCode(_)
            | Self::Notarized
            | Self::Legacy => {
                Answer::Unknown(format!("`{self}` is known to the system it runs on alone"))
            }
        }
    }
}

fn apple_generic(shown: Shown<'_>) -> Answer {
    let code = shown.code;
    Answer::of(code.is_apple && !code.path.is_empty(), || {
        match code.is_ad_hoc {
            true => "nobody signed the code".to_owned(),
            false => "no certificate of Apple's, or no trusted one, signed the code".to_owned(),
        }
    })
}

fn by_apple_itself(shown: Shown<'_>) -> Answer {
    of_certificate(Place(-2), shown, |it| {
        let is_it = APPLE_AUTHORITY
            .iter()
            .all(|(kind, wanted)| it.subject.only(*kind).as_deref() == Some(*wanted));
        Answer::of(is_it, || "Apple itself did not sign the code".to_owned())
    })
}

fn of_certificate(
    place: Place,
    shown: Shown<'_>,
    ask: impl FnOnce(&Certificate<'_>) -> Answer,
) -> Answer {
    let found = shown.code.certificate(place.0).map(Certificate::parse);
    match found {
        Some(Ok(certificate)) => ask(&certificate),
        Some(Err(_)) | None => {
            Answer::Fails(format!("there is no certificate{place} that is trusted"))
        }
    }
}

fn info(key: &[u8], wanted: &Comparison, shown: Shown<'_>) -> Answer {
    let key = String::from_utf8_lossy(key);
    let found = Found::of(shown.info.and_then(|info| info.get(&key)));
    wanted.judge(&found, &format!("`{}` of Info.plist", printable(&key)))
}

fn entitlement(key: &[u8], wanted: &Comparison, shown: Shown<'_>) -> Answer {
    let list = shown.code.entitlements.as_deref().map(Value::parse);
    let list = match list.transpose() {
        Ok(list) => list,
        Err(_) => return Answer::Unknown("the entitlements cannot be read".to_owned()),
    };
    let key = String::from_utf8_lossy(key);
    let found = Found::of(list.as_ref().and_then(|list| list.get(&key)));
    wanted.judge(&found, &format!("the entitlement `{}`", printable(&key)))
}

fn subject(
    certificate: &Certificate<'_>,
    place: Place,
    field: &[u8],
    wanted: &Comparison,
) -> Answer {
    let kind = match field {
        b"subject.CN" => oid::COMMON_NAME,
        b"subject.O" => oid::ORGANIZATION,
        b"subject.OU" => oid::ORGANIZATIONAL_UNIT,
        b"subject.C" => oid::COUNTRY,
        b"subject.L" => oid::LOCALITY,
        _ => {
            let field = String::from_utf8_lossy(field);
            return Answer::Unknown(format!("`{}` is not looked at", printable(&field)));
        }
    };
    let parts = certificate.subject.parts();
    let values: Vec<_> = parts
        .filter(|(oid, _)| *oid == kind)
        .map(|(_, it)| it)
        .collect();
    let mut found: Vec<_> = values.iter().map(|it| Found::Text(it)).collect();
    let found = match found.len() {
        0 => Found::Nothing,
        1 => found.remove(0),
        _ => Found::Several(found),
    };
    let field = String::from_utf8_lossy(field);
    wanted.judge(&found, &format!("certificate{place}[{field}]"))
}

/// Whether a certificate was issued under a policy (RFC 5280, section 4.2.1.4).
fn names_policy(certificate: &Certificate<'_>, wanted: Oid<'_>) -> bool {
    let value = x509::extension(certificate.raw, oid::CERTIFICATE_POLICIES);
    let policies = value.and_then(|value| Cursor::new(value).enter(SEQUENCE).ok());
    let mut policies = policies.into_iter().flatten().map_while(Result::ok);
    policies.any(|policy| {
        let mut policy = policy.inside().ok();
        let named = policy.as_mut().map(|it| it.expect(OBJECT_IDENTIFIER));
        named.is_some_and(|it| it.is_ok_and(|it| it.value == wanted.0))
    })
}
