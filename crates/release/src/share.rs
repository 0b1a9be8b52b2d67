//! Shares of all installs, in basis points: 1 % is 100, everyone is 10,000.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::name::printable;

/// A share of all installs, 0 to 10,000 hundredths of a percent.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(try_from = "u16", into = "u16")]
pub struct BasisPoints(u16);

/// Why a text or number is not a share.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "`{found}` is not a share; expected a percentage from `0%` to `100%` with at most two decimals, such as `0.5%`"
)]
pub struct ShareError {
    found: String,
}

impl BasisPoints {
    /// Nobody.
    pub const NONE: Self = Self(0);
    /// Everyone.
    pub const ALL: Self = Self(10_000);

    /// The number, 0 to 10,000.
    pub fn get(self) -> u16 {
        self.0
    }

    /// Whole percents, rounded down: all that an updater with integer steps can express.
    pub fn whole_percents(self) -> u16 {
        self.0 / 100
    }
}

impl TryFrom<u16> for BasisPoints {
    type Error = ShareError;

    fn try_from(number: u16) -> Result<Self, ShareError> {
        if number <= 10_000 {
            Ok(Self(number))
        } else {
            Err(ShareError {
                found: format!("{number} basis points"),
            })
        }
    }
}

impl From<BasisPoints> for u16 {
    fn from(share: BasisPoints) -> u16 {
        share.0
    }
}

impl FromStr for BasisPoints {
    type Err = ShareError;

    fn from_str(text: &str) -> Result<Self, ShareError> {
        let wrong = || ShareError {
            found: printable(text),
        };
        let digits = |text: &str| {
            !text.is_empty() && text.len() <= 3 && text.bytes().all(|b| b.is_ascii_digit())
        };
        let number = text.trim_end().strip_suffix('%').ok_or_else(wrong)?.trim();
        let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
        if !digits(whole) || !digits(part) || part.len() > 2 {
            return Err(wrong());
        }
        let hundredths: u16 = format!("{part:0<2}").parse().map_err(|_| wrong())?;
        let whole: u16 = whole.parse().map_err(|_| wrong())?;
        // 660 % is no share, and not 4.64 % either.
        let points = whole
            .checked_mul(100)
            .and_then(|it| it.checked_add(hundredths));
        points.and_then(|it| it.try_into().ok()).ok_or_else(wrong)
    }
}

impl fmt::Display for BasisPoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part) = (self.0 / 100, self.0 % 100);
        match (part, part % 10) {
            (0, _) => write!(f, "{whole} %"),
            (_, 0) => write!(f, "{whole}.{} %", part / 10),
            _ => write!(f, "{whole}.{part:02} %"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_parse_exactly() {
        let bp = |text: &str| text.parse::<BasisPoints>().map(BasisPoints::get).ok();
        assert_eq!(
            [bp("1%"), bp("0.1%"), bp("0.05 %"), bp("100%"), bp("33.33%")],
            [Some(100), Some(10), Some(5), Some(10_000), Some(3333)]
        );
        assert_eq!(
            [
                bp("1"),
                bp("101%"),
                bp("660%"),
                bp("0.001%"),
                bp("-1%"),
                bp("1e2%"),
                bp("%"),
                bp("1.%")
            ],
            [None; 8]
        );
        assert_eq!(
            ["0.1%", "12.05%", "100%"].map(|t| t.parse::<BasisPoints>().expect(t).to_string()),
            ["0.1 %", "12.05 %", "100 %"]
        );
    }
}
