//! Comparisons with what was found: in Info.plist, in entitlements, in certificates.

use std::cmp::Ordering;

use crate::apple::plist::Value;
use crate::requirement::{Answer, Comparison, Order};

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Found<'a> {
    Nothing,
    /// `false`.
    No,
    /// There, and nothing that is compared: a number, a dictionary.
    Something,
    Text(&'a str),
    /// Any of them may do.
    Several(Vec<Self>),
}

impl<'a> Found<'a> {
    pub(super) fn of(value: Option<&'a Value>) -> Self {
        match value {
            None => Self::Nothing,
            // It is there, so it is not absent, and does not count as existing (`reqinterp.cpp`, `Match`).
            Some(Value::Bool(false)) => Self::No,
            Some(Value::Text(text)) => Self::Text(text),
            Some(Value::Array(values)) => {
                Self::Several(values.iter().map(|it| Self::of(Some(it))).collect())
            }
            Some(_) => Self::Something,
        }
    }
}

impl Comparison {
    /// Compares. `what` says what was looked at.
    pub(super) fn judge(&self, found: &Found<'_>, what: &str) -> Answer {
        if matches!(self, Self::Time(..)) {
            return Answer::Unknown(format!("{what}: dates are not compared"));
        }
        match self.holds(found) {
            true => Answer::Holds,
            false => Answer::Fails(format!("{what} is {}", shown(found))),
        }
    }

    fn holds(&self, found: &Found<'_>) -> bool {
        if let (Found::Several(several), false) =
            (found, matches!(self, Self::Exists | Self::Absent))
        {
            return several.iter().any(|one| self.holds(one));
        }
        let text = match found {
            Found::Text(text) => Some(text.as_bytes()),
            _ => None,
        };
        match self {
            Self::Exists => !matches!(found, Found::Nothing | Found::No),
            Self::Absent => *found == Found::Nothing,
            Self::Equal(wanted) => text == Some(wanted.as_slice()),
            Self::Contains(wanted) => text.is_some_and(|text| contains(text, wanted)),
            Self::Begins(wanted) => text.is_some_and(|text| text.starts_with(wanted)),
            Self::Ends(wanted) => text.is_some_and(|text| text.ends_with(wanted)),
            Self::Ordered(order, wanted) => text.is_some_and(|text| {
                let found = compared(text, wanted);
                match order {
                    Order::Is => found == Ordering::Equal,
                    Order::Below => found == Ordering::Less,
                    Order::Above => found == Ordering::Greater,
                    Order::BelowOrIs => found != Ordering::Greater,
                    Order::AboveOrIs => found != Ordering::Less,
                }
            }),
            Self::Time(..) => false,
        }
    }
}

fn contains(text: &[u8], wanted: &[u8]) -> bool {
    wanted.is_empty() || text.windows(wanted.len()).any(|window| window == wanted)
}

/// Compares texts in which numbers count as such: `1.10` is above `1.9` (kCFCompareNumerically).
fn compared(one: &[u8], other: &[u8]) -> Ordering {
    let (mut one, mut other) = (one, other);
    loop {
        let (digits, more) = (digits(one), digits(other));
        if digits > 0 && more > 0 {
            let (a, rest) = one.split_at_checked(digits).unwrap_or((one, &[]));
            let (b, behind) = other.split_at_checked(more).unwrap_or((other, &[]));
            let plain = |it: &[u8]| {
                it.iter()
                    .copied()
                    .skip_while(|it| *it == b'0')
                    .collect::<Vec<_>>()
            };
            let (a, b) = (plain(a), plain(b));
            let found = a.len().cmp(&b.len()).then_with(|| a.cmp(&b));
            if found != Ordering::Equal {
                return found;
            }
            (one, other) = (rest, behind);
            continue;
        }
        match (one.split_first(), other.split_first()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some((a, rest)), Some((b, behind))) => {
                if a != b {
                    return a.cmp(b);
                }
                (one, other) = (rest, behind);
            }
        }
    }
}

fn digits(text: &[u8]) -> usize {
    let is_digit = |byte: &&u8| byte.is_ascii_digit();
    text.iter().take_while(is_digit).count()
}

fn shown(found: &Found<'_>) -> String {
    match found {
        Found::Nothing => "not there".to_owned(),
        Found::No => "`false`".to_owned(),
        Found::Something => "there, and no text".to_owned(),
        Found::Text(text) => format!("`{}`", release::name::printable(text)),
        Found::Several(several) => {
            let shown: Vec<_> = several.iter().take(4).map(shown).collect();
            shown.join(", ")
        }
    }
}
