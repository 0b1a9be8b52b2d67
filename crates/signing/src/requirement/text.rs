//! Requirements as `codesign -d -r-` prints them.

use std::fmt::{self, Display, Formatter};

use release::Timestamp;

use crate::oid::Oid;
use crate::requirement::{Comparison, Order, Place, Requirement};

/// Seconds from 1970 to 2001, from where Apple counts.
const APPLE_EPOCH: i64 = 978_307_200;

/// How tightly what stands around binds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Primary,
    Both,
    Either,
}

impl Display for Requirement {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.write(Level::Either, f)
    }
}

impl Requirement {
    fn write(&self, level: Level, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Never => f.write_str("never"),
            Self::Always => f.write_str("always"),
            Self::Identifier(identifier) => write!(f, "identifier {}", Plain(identifier)),
            Self::Apple => f.write_str("anchor apple"),
            Self::AppleGeneric => f.write_str("anchor apple generic"),
            Self::Certificate(place, hash) => write!(f, "certificate{place} = {}", Hash(hash)),
            Self::Trusted(Some(place)) => write!(f, "certificate{place} trusted"),
            Self::Trusted(None) => f.write_str("anchor trusted"),
            Self::Both(one, other) => pair(level, Level::Both, (one, "and", other), f),
            Self::Either(one, other) => pair(level, Level::Either, (one, "or", other), f),
            Self::Not(inner) => {
                f.write_str("! ")?;
                inner.write(Level::Primary, f)
            }
            Self::CodeHash(hash) => write!(f, "cdhash {}", Hash(hash)),
            Self::InfoIs(key, value) => write!(f, "info[{}] = {}", Dotted(key), Plain(value)),
            Self::Info(key, wanted) => write!(f, "info[{}]{wanted}", Dotted(key)),
            Self::Entitlement(key, wanted) => write!(f, "entitlement[{}]{wanted}", Dotted(key)),
            Self::Subject(place, field, wanted) => {
                write!(f, "certificate{place}[{}]{wanted}", Dotted(field))
            }
            Self::Extension(place, oid, wanted) => {
                write!(f, "certificate{place}[field.{}]{wanted}", Oid(oid))
            }
            Self::Policy(place, oid, wanted) => {
                write!(f, "certificate{place}[policy.{}]{wanted}", Oid(oid))
            }
            Self::Date(place, oid, wanted) => {
                write!(f, "certificate{place}[timestamp.{}]{wanted}", Oid(oid))
            }
            Self::NamedAnchor(name) => write!(f, "anchor apple {}", Plain(name)),
            Self::NamedCode(name) => write!(f, "({})", Plain(name)),
            Self::Platform(number) => write!(f, "platform = {number}"),
            Self::Notarized => f.write_str("notarized"),
            Self::Legacy => f.write_str("legacy"),
        }
    }
}

fn pair(
    around: Level,
    own: Level,
    (one, word, other): (&Requirement, &str, &Requirement),
    f: &mut Formatter<'_>,
) -> fmt::Result {
    let is_looser = around < own;
    f.write_str(if is_looser { "(" } else { "" })?;
    one.write(own, f)?;
    write!(f, " {word} ")?;
    other.write(own, f)?;
    f.write_str(if is_looser { ")" } else { "" })
}

impl Display for Place {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => f.write_str(" leaf"),
            -1 => f.write_str(" root"),
            number => write!(f, " {number}"),
        }
    }
}

impl Display for Comparison {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exists => f.write_str(" /* exists */"),
            Self::Absent => f.write_str(" absent"),
            Self::Equal(value) => write!(f, " = {}", Plain(value)),
            Self::Contains(value) => write!(f, " ~ {}", Plain(value)),
            Self::Begins(value) => write!(f, " = {}*", Plain(value)),
            Self::Ends(value) => write!(f, " = *{}", Plain(value)),
            Self::Ordered(order, value) => write!(f, " {order} {}", Plain(value)),
            Self::Time(order, seconds) => {
                let time = seconds.checked_add(APPLE_EPOCH);
                match time.and_then(|time| Timestamp::from_unix(time).ok()) {
                    Some(time) => write!(f, " {order} timestamp \"{time}\""),
                    None => write!(f, " {order} timestamp {seconds}"),
                }
            }
        }
    }
}

impl Display for Order {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Is => "=",
            Self::Below => "<",
            Self::Above => ">",
            Self::BelowOrIs => "<=",
            Self::AboveOrIs => ">=",
        })
    }
}

/// A digest.
struct Hash<'a>(&'a [u8]);

impl Display for Hash<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "H\"{}\"", crate::digest::hex(self.0))
    }
}

/// A word, or a text in quotes, or digits where it is neither. Nothing in it is printed that a terminal obeys.
struct Plain<'a>(&'a [u8]);

impl Display for Plain<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        text(self.0, f, |byte| byte.is_ascii_alphanumeric())
    }
}

/// The same, where dots need no quotes.
struct Dotted<'a>(&'a [u8]);

impl Display for Dotted<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        text(self.0, f, |byte| {
            byte.is_ascii_alphanumeric() || byte == b'.'
        })
    }
}

fn text(bytes: &[u8], f: &mut Formatter<'_>, is_of_word: impl Fn(u8) -> bool) -> fmt::Result {
    let is_printable = bytes.iter().all(|it| it.is_ascii_graphic() || *it == b' ');
    let Some(text) = std::str::from_utf8(bytes).ok().filter(|_| is_printable) else {
        return write!(f, "0x{}", crate::digest::hex(bytes));
    };
    let begins = bytes.first().is_some_and(u8::is_ascii_alphabetic);
    if begins && bytes.iter().all(|it| is_of_word(*it)) {
        return f.write_str(text);
    }
    write!(f, "\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
