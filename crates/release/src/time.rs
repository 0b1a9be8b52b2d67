//! Points in time and soak times. Nothing here reads a clock: "now" is always handed in.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::name::printable;

/// A point in time, to the second: what S3's `Last-Modified` and `Date` can say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Timestamp(jiff::Timestamp);

/// A text or number that is no point in time.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{found}` is not a time; expected RFC 3339 in UTC, such as `2026-11-23T08:00:00Z`")]
pub struct TimestampError {
    found: String,
}

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(jiff::Timestamp::UNIX_EPOCH);

    /// From seconds since 1970-01-01T00:00:00Z.
    pub fn from_unix(seconds: i64) -> Result<Self, TimestampError> {
        jiff::Timestamp::from_second(seconds)
            .map(Self)
            .map_err(|_| TimestampError {
                found: seconds.to_string(),
            })
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    pub fn unix(self) -> i64 {
        self.0.as_second()
    }

    /// How long it is from `earlier` to here; nothing if `earlier` is later, as clocks of several servers may differ.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_secs(u64::try_from(self.unix() - earlier.unix()).unwrap_or(0))
    }

    /// This time and a while; the end of time if that is later.
    pub fn plus(self, by: Duration) -> Self {
        let later = i64::try_from(by.as_secs())
            .ok()
            .and_then(|by| self.unix().checked_add(by));
        Self(
            later
                .and_then(|at| jiff::Timestamp::from_second(at).ok())
                .unwrap_or(jiff::Timestamp::MAX),
        )
    }

    /// The calendar date in UTC, `2026-11-23`.
    pub fn date(self) -> String {
        self.0.strftime("%Y-%m-%d").to_string()
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, TimestampError> {
        let parsed = text
            .parse::<jiff::Timestamp>()
            .map_err(|_| TimestampError {
                found: printable(text),
            })?;
        Self::from_unix(parsed.as_second())
    }
}

impl TryFrom<String> for Timestamp {
    type Error = TimestampError;

    fn try_from(text: String) -> Result<Self, TimestampError> {
        text.parse()
    }
}

impl From<Timestamp> for String {
    fn from(time: Timestamp) -> String {
        time.to_string()
    }
}

/// How long a tier must be watched before the next, in seconds; written `30m`, `4h`, `2d`, or `0` for not at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Soak(u64);

/// A text that is no soak time.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "`{found}` is not a soak time; expected a whole number and `s`, `m`, `h`, or `d`, such as `4h`, up to `90d`"
)]
pub struct SoakError {
    found: String,
}

impl Soak {
    /// The time as a duration.
    pub fn duration(self) -> Duration {
        Duration::from_secs(self.0)
    }
}

impl FromStr for Soak {
    type Err = SoakError;

    fn from_str(text: &str) -> Result<Self, SoakError> {
        let wrong = || SoakError {
            found: printable(text),
        };
        if text == "0" {
            return Ok(Self(0));
        }
        let unit = text.chars().last().ok_or_else(wrong)?;
        let seconds = match unit {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            _ => return Err(wrong()),
        };
        let number = &text[..text.len() - 1];
        if number.is_empty() || number.len() > 8 || !number.bytes().all(|b| b.is_ascii_digit()) {
            return Err(wrong());
        }
        let total = number.parse::<u64>().map_err(|_| wrong())? * seconds;
        if total > 90 * 86_400 {
            Err(wrong())
        } else {
            Ok(Self(total))
        }
    }
}

impl fmt::Display for Soak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&spoken(self.duration()))
    }
}

/// A duration for people, in its two largest units: `1d 4h`, `3h`, `12s`.
pub fn spoken(duration: Duration) -> String {
    let mut rest = duration.as_secs();
    let mut parts = Vec::new();
    for (seconds, unit) in [(86_400, 'd'), (3_600, 'h'), (60, 'm'), (1, 's')] {
        if rest >= seconds && parts.len() < 2 {
            parts.push(format!("{}{unit}", rest / seconds));
            rest %= seconds;
        }
    }
    if parts.is_empty() {
        "0s".to_owned()
    } else {
        parts.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn soaks_and_times() {
        let soak = |text: &str| {
            text.parse::<Soak>()
                .map(|soak| soak.duration().as_secs())
                .ok()
        };
        assert_eq!(
            [soak("4h"), soak("30m"), soak("0"), soak("90d")],
            [Some(14_400), Some(1_800), Some(0), Some(7_776_000)]
        );
        assert_eq!(
            [
                soak("4"),
                soak("4w"),
                soak("-1h"),
                soak("91d"),
                soak(""),
                soak("é"),
                soak("999999999d")
            ],
            [None; 7]
        );
        assert_eq!(spoken(Duration::from_secs(100_000)), "1d 3h");
        let at = "2026-11-23T08:00:00Z".parse::<Timestamp>().expect("time");
        assert_eq!(
            (at.to_string(), at.date()),
            ("2026-11-23T08:00:00Z".to_owned(), "2026-11-23".to_owned())
        );
        assert_eq!(at.since(at.plus(Duration::from_secs(5))), Duration::ZERO);
        assert!(at.plus(Duration::MAX).since(at).as_secs() > 1_000_000_000);
    }
}
