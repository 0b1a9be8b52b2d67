//! UTCTime and GeneralizedTime (RFC 5280 section 4.1.2.5, RFC 3161 section 2.4.2), always in UTC.

use std::time::Duration;

use release::Timestamp;

use crate::der::{DerError, Element, GENERALIZED_TIME, UTC_TIME};

const WRONG: DerError = DerError::Value("expected a time in UTC");

/// Reads a time. Fractions of seconds are dropped; a year beyond what can be held counts as the end of time.
pub(crate) fn read(element: Element<'_>) -> Result<Timestamp, DerError> {
    let text = element.value.strip_suffix(b"Z").ok_or(WRONG)?;
    let (year, rest) = match element.tag {
        UTC_TIME => {
            let (year, rest) = text.split_at_checked(2).ok_or(WRONG)?;
            let year = number(year)?;
            // RFC 5280 section 4.1.2.5.1: two digits are 1950 to 2049.
            (year + if year < 50 { 2000 } else { 1900 }, rest)
        }
        GENERALIZED_TIME => {
            let (year, rest) = text.split_at_checked(4).ok_or(WRONG)?;
            (number(year)?, rest)
        }
        _ => return Err(WRONG),
    };
    let (fields, fraction) = rest.split_at_checked(10).ok_or(WRONG)?;
    match fraction {
        [] => {}
        [b'.', digits @ ..] if element.tag == GENERALIZED_TIME && !digits.is_empty() => {
            // Only looked at so that nothing else hides there.
            if digits.len() > 12 || !digits.iter().all(u8::is_ascii_digit) {
                return Err(WRONG);
            }
        }
        _ => return Err(WRONG),
    }
    let mut parts = fields.chunks_exact(2).map(number);
    let mut part = |low: i64, high: i64| match parts.next() {
        Some(Ok(part)) if (low..=high).contains(&part) => Ok(part),
        _ => Err(WRONG),
    };
    let (month, day) = (part(1, 12)?, part(1, 31)?);
    let (hour, minute, second) = (part(0, 23)?, part(0, 59)?, part(0, 60)?);
    let days = days_since_epoch(year, month, day);
    let unix = days * 86_400 + hour * 3_600 + minute * 60 + second;
    let latest = || Timestamp::EPOCH.plus(Duration::from_secs(u64::MAX));
    Ok(Timestamp::from_unix(unix).unwrap_or_else(|_| latest()))
}

fn number(digits: &[u8]) -> Result<i64, DerError> {
    digits.iter().try_fold(0, |number, digit| match digit {
        b'0'..=b'9' => Ok(number * 10 + i64::from(digit - b'0')),
        _ => Err(WRONG),
    })
}

/// Days from 1970-01-01 in the Gregorian calendar; years count from March, so that the leap day comes last.
fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day_of_year
        - 719_468
}
