//! The release file: one paragraph of fields (`deb822(5)`), of which some list files with their digests.
//!
//! Believed is `SHA256`. apt believes `SHA512` as much, so that may not list what the other does not. It passes over what is in
//! `MD5Sum` and `SHA1` alone (apt 2.6: "provides only weak security information"), and so is it here.

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
    /// A line of the other list that is none.
    #[error("a line of `SHA512` is not `<digest> <bytes> <path>`: `{0}`")]
    OtherFile(String),
    /// A file that only the other list has.
    #[error("`SHA512` lists `{0}`, which apt reads, and `SHA256` does not")]
    Unlisted(String),
    /// A name that is refused.
    #[error("`{list}` lists a name that is refused: {reason}")]
    Name { list: &'static str, reason: String },
    /// A file twice.
    #[error("`SHA256` lists `{0}` twice")]
    FileTwice(String),
    /// Too many of them.
    #[error("`{0}` lists more files than are read")]
    TooMany(&'static str),
}

/// What is listed of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) sha256: Sha256,
    pub(super) size: u64,
}

/// Whether anybody who installs reads an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Readers {
    /// apt asks for no such name.
    Nobody,
    Clients,
}

#[derive(Debug, Clone)]
pub(super) struct ReleaseFile {
    date: Timestamp,
    valid_until: Option<Timestamp>,
    /// Those that are named; none where the field is missing, and then apt takes what its source names.
    components: Option<Vec<String>>,
    architectures: Option<Vec<String>>,
    /// `No-Support-for-Architecture-all: Packages`: packages of all architectures are in the index of each.
    is_all_unread: bool,
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
            let path = path_of("SHA256", path)?;
            if files.len() >= Limits::FILES {
                return Err(ReleaseFileError::TooMany("SHA256"));
            }
            if files.insert(path.clone(), listed).is_some() {
                return Err(ReleaseFileError::FileTwice(printable(&path)));
            }
        }
        if let Some(listed) = fields.get("sha512") {
            check_other(listed, &files)?;
        }
        let words = |key: &str| {
            let words = fields.get(key).map(|value| value.split_ascii_whitespace());
            let words: Vec<_> = words?.map(str::to_owned).collect();
            (!words.is_empty()).then_some(words)
        };
        let unread = words("no-support-for-architecture-all").unwrap_or_default();
        Ok(Self {
            date,
            valid_until,
            components: words("components"),
            architectures: words("architectures"),
            is_all_unread: unread.iter().any(|it| it == INDEX),
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

    /// Whether apt asks for an index, by its name when it is not packed: `<component>/binary-<architecture>/Packages`, or
    /// `Packages` of a flat repository, and only where that name is listed, whichever form of it is got then.
    ///
    /// departs: apt 2.6 takes components and architectures that are not named too, where a source asks for them; here they must
    /// be, `all` among them.
    pub(super) fn readers(&self, index: &str) -> Readers {
        if !self.files.contains_key(index) {
            return Readers::Nobody;
        }
        if index == INDEX {
            return Readers::Clients;
        }
        let parts = index
            .strip_suffix(INDEX)
            .and_then(|folder| folder.strip_suffix('/')?.rsplit_once('/'));
        let parts = parts.and_then(|(component, folder)| {
            let architecture = folder.strip_prefix("binary-")?;
            Some((component, architecture))
        });
        let Some((component, architecture)) = parts else {
            return Readers::Nobody;
        };
        // Debian's updates name `updates/main`, which lies at `main`.
        let is_component = |it: &String| it == component || it.ends_with(&format!("/{component}"));
        let components = self.components.as_ref();
        let architectures = self.architectures.as_ref();
        let is_named = components.is_none_or(|named| named.iter().any(is_component))
            && architectures.is_none_or(|named| named.iter().any(|it| it == architecture));
        match is_named && !(architecture == "all" && self.is_all_unread) {
            true => Readers::Clients,
            false => Readers::Nobody,
        }
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

/// Refuses a list by SHA-512 with anything that is not listed by SHA-256, as apt believes either. Its digests need not be read:
/// apt demands that both hold.
fn check_other(listed: &str, files: &BTreeMap<String, Listed>) -> Result<(), ReleaseFileError> {
    for line in listed.lines().filter(|line| !line.trim().is_empty()) {
        let wrong = || ReleaseFileError::OtherFile(printable(line));
        let words: Vec<_> = line.split_ascii_whitespace().collect();
        let [_, size, path] = words.as_slice() else {
            return Err(wrong());
        };
        digits(size).ok_or_else(wrong)?;
        let path = path_of("SHA512", path)?;
        if !files.contains_key(&path) {
            return Err(ReleaseFileError::Unlisted(printable(&path)));
        }
    }
    Ok(())
}

/// A path that is listed. apt compares them as they are spelt, so `./main` is not `main`.
fn path_of(list: &'static str, path: &str) -> Result<String, ReleaseFileError> {
    let wrong = |reason| ReleaseFileError::Name { list, reason };
    let found = relative(path.as_bytes()).map_err(|error| wrong(error.to_string()))?;
    match found == path {
        true => Ok(found),
        false => {
            let (path, found) = (printable(path), printable(&found));
            Err(wrong(format!("`{path}`, which apt looks for as `{found}`")))
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
