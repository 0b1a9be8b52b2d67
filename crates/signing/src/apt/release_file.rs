//! The release file: one paragraph of fields (`deb822(5)`), of which one lists files with their digests.

use std::collections::BTreeMap;

use release::name::printable;
use release::{Sha256, Timestamp};
use thiserror::Error;

use super::{INDEX, Limits, PACKINGS};
use crate::walk::names::relative;

/// Why a release file is not read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ReleaseFileError {
    /// A line that is no field.
    #[error("line {0} is no field, or the text has more than one paragraph")]
    Line(usize),
    /// A field twice.
    #[error("line {line} has the field `{field}` again")]
    Twice { line: usize, field: String },
    /// A field that is missing.
    #[error("it has no field `{0}`")]
    Missing(&'static str),
    /// A time that is none.
    #[error("`{field}` is `{found}`, expected a time such as `Wed, 25 Nov 2026 14:00:00 UTC`")]
    Time { field: &'static str, found: String },
    /// A line of the list that is none.
    #[error("a line of `SHA256` is not `<64 hexadecimal digits> <bytes> <path>`: `{0}`")]
    File(String),
    /// A name that is refused.
    #[error("`SHA256` lists a name that is refused: {0}")]
    Name(String),
    /// A file twice.
    #[error("`SHA256` lists `{0}` twice")]
    FileTwice(String),
    /// Too many of them.
    #[error("`SHA256` lists more files than are read")]
    TooMany,
}

/// What is listed of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) sha256: Sha256,
    pub(super) size: u64,
}

#[derive(Debug, Clone)]
pub(super) struct ReleaseFile {
    date: Timestamp,
    valid_until: Option<Timestamp>,
    /// By path, relative to the folder of the release file.
    pub(super) files: BTreeMap<String, Listed>,
}

impl ReleaseFile {
    pub(super) fn parse(text: &str) -> Result<Self, ReleaseFileError> {
        let fields = fields(text)?;
        let time = |field: &'static str, key: &str| {
            let found = fields.get(key).map(|value| value.trim());
            let parsed = found.map(|found| (found, time(found)));
            match parsed {
                None => Ok(None),
                Some((_, Some(time))) => Ok(Some(time)),
                Some((found, None)) => Err(ReleaseFileError::Time {
                    field,
                    found: printable(found),
                }),
            }
        };
        let date = time("Date", "date")?.ok_or(ReleaseFileError::Missing("Date"))?;
        let valid_until = time("Valid-Until", "valid-until")?;
        let listed = fields.get("sha256");
        let listed = listed.ok_or(ReleaseFileError::Missing("SHA256"))?;
        let mut files = BTreeMap::new();
        for line in listed.lines().filter(|line| !line.trim().is_empty()) {
            let wrong = || ReleaseFileError::File(printable(line));
            let mut words = line.split_ascii_whitespace();
            let (Some(sha256), Some(size), Some(path), None) =
                (words.next(), words.next(), words.next(), words.next())
            else {
                return Err(wrong());
            };
            let listed = Listed {
                sha256: sha256.parse().map_err(|_| wrong())?,
                size: digits(size).ok_or_else(wrong)?,
            };
            let path = relative(path.as_bytes())
                .map_err(|error| ReleaseFileError::Name(error.to_string()))?;
            if files.len() >= Limits::FILES {
                return Err(ReleaseFileError::TooMany);
            }
            if files.insert(path.clone(), listed).is_some() {
                return Err(ReleaseFileError::FileTwice(printable(&path)));
            }
        }
        Ok(Self {
            date,
            valid_until,
            files,
        })
    }

    /// Every index of packages, once, by its name when it is not packed.
    pub(super) fn indexes(&self) -> Vec<&str> {
        let mut found: Vec<&str> = self
            .files
            .keys()
            .filter_map(|path| index_of(path))
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    /// What is said of a time, or why it is not valid then.
    pub(super) fn valid_at(&self, at: Timestamp) -> Result<String, String> {
        let Self {
            date, valid_until, ..
        } = self;
        if *date > at {
            return Err(format!("it is of {date}, which is later than {at}"));
        }
        match valid_until {
            Some(until) if *until < at => {
                Err(format!("it was valid until {until}, and it is {at}"))
            }
            Some(until) => Ok(format!("of {date}, valid until {until}")),
            None => Ok(format!("of {date}, without an end")),
        }
    }
}

/// The name of an index without what it is packed with. Other files, `Packages.diff/Index` among them, are none. Those packed in
/// a way that is not read count too: then another form of them must be there.
fn index_of(path: &str) -> Option<&str> {
    let name = path.rsplit('/').next()?;
    let ending = name.strip_prefix(INDEX)?;
    let is_packed = PACKINGS.iter().any(|(known, _)| *known == ending);
    let is_index = is_packed || matches!(ending, ".lz4" | ".lz");
    is_index.then(|| path.strip_suffix(ending)).flatten()
}

/// Fields by their names in lower case; values of several lines with their line feeds.
pub(super) fn fields(text: &str) -> Result<BTreeMap<String, String>, ReleaseFileError> {
    let mut fields: BTreeMap<String, String> = BTreeMap::new();
    let mut last: Option<String> = None;
    let text = text.trim_end_matches('\n');
    for (line, content) in (1..).zip(text.split('\n')) {
        if content.starts_with([' ', '\t']) {
            let value = last.as_ref().and_then(|last| fields.get_mut(last));
            let value = value.ok_or(ReleaseFileError::Line(line))?;
            value.push('\n');
            value.push_str(content);
            continue;
        }
        let (name, value) = content
            .split_once(':')
            .ok_or(ReleaseFileError::Line(line))?;
        let is_name = !name.is_empty()
            && !name.starts_with(['-', '#'])
            && name.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_name {
            return Err(ReleaseFileError::Line(line));
        }
        let name = name.to_ascii_lowercase();
        if fields.insert(name.clone(), value.to_owned()).is_some() {
            let field = printable(&name);
            return Err(ReleaseFileError::Twice { line, field });
        }
        last = Some(name);
    }
    Ok(fields)
}

/// A number in digits alone.
pub(super) fn digits(text: &str) -> Option<u64> {
    let is_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_digits.then(|| text.parse().ok()).flatten()
}

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];
const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// A time as RFC 1123 writes it, in UTC as apt demands: `Wed, 25 Nov 2026 14:00:00 UTC`.
fn time(text: &str) -> Option<Timestamp> {
    let words: Vec<_> = text.split(' ').filter(|word| !word.is_empty()).collect();
    let [day_name, day, month, year, clock, zone] = words.as_slice() else {
        return None;
    };
    let is_named = day_name
        .strip_suffix(',')
        .is_some_and(|day| DAYS.contains(&day));
    let is_utc = matches!(*zone, "UTC" | "GMT" | "Z" | "+0000");
    let is_clock = clock.len() == 8
        && clock.bytes().enumerate().all(|(at, byte)| match at {
            2 | 5 => byte == b':',
            _ => byte.is_ascii_digit(),
        });
    let (day, year) = (digits(day)?, digits(year)?);
    let month = MONTHS.iter().position(|known| known == month)? + 1;
    if !is_named || !is_utc || !is_clock || year > 9999 {
        return None;
    }
    let text = format!("{year:04}-{month:02}-{day:02}T{clock}Z");
    text.parse().ok()
}
