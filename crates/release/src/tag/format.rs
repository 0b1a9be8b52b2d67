//! The names of tags: `v{version}`, `app-v{version}`, `app/v{version}`.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::name::printable;
use crate::version::Version;

/// How a version becomes the name of a tag, and back.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TagFormat {
    before: String,
    after: String,
}

/// Why a text is no format.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "`{}` is no format of tags; expected `{{version}}` once, such as `v{{version}}` or `app/v{{version}}`, and around it at most 100 of A-Z, a-z, 0-9 and `-_./+` that git takes in a name", printable(.0)
)]
pub struct TagFormatError(String);

impl TagFormat {
    /// The name of a version's tag, without `refs/tags/`.
    pub fn tag(&self, version: &Version) -> String {
        format!("{}{version}{}", self.before, self.after)
    }

    /// What every tag's name begins with.
    pub fn prefix(&self) -> &str {
        &self.before
    }

    /// The version that a tag of this name has; none where the name is not of this format.
    pub fn version(&self, tag: &str) -> Option<Version> {
        let rest = tag.strip_prefix(&self.before)?;
        rest.strip_suffix(&self.after)?.parse().ok()
    }
}

impl Default for TagFormat {
    fn default() -> Self {
        Self {
            before: "v".to_owned(),
            after: String::new(),
        }
    }
}

impl FromStr for TagFormat {
    type Err = TagFormatError;

    fn from_str(text: &str) -> Result<Self, TagFormatError> {
        let wrong = || TagFormatError(text.to_owned());
        let (before, after) = text.split_once("{version}").ok_or_else(wrong)?;
        let is_plain = |part: &str| {
            part.bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_./+".contains(&b))
        };
        let format = Self {
            before: before.to_owned(),
            after: after.to_owned(),
        };
        let name = format.tag(&Version::nothing());
        let fits = before.len() + after.len() <= 100;
        if fits && is_plain(before) && is_plain(after) && is_ref_name(&name) {
            return Ok(format);
        }
        Err(wrong())
    }
}

impl fmt::Display for TagFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{{version}}{}", self.before, self.after)
    }
}

/// What git-check-ref-format(1) forbids, of what plain characters can make. A leading hyphen would be read as an option.
fn is_ref_name(name: &str) -> bool {
    let is_component =
        |part: &str| !part.is_empty() && !part.starts_with('.') && !part.ends_with(".lock");
    !name.starts_with('-')
        && !name.ends_with('.')
        && !name.contains("..")
        && name.split('/').all(is_component)
}

/// The name of a pre-release, `beta`: the first identifier after the hyphen, before its counter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreId(String);

/// Why a text names no pre-release.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "`{}` is no name of a pre-release; use 1 to 32 of A-Z, a-z, 0-9 and `-`, not digits alone, such as `beta`", printable(.0)
)]
pub struct PreIdError(String);

impl PreId {
    /// The counter of a pre-release of this name, the 3 of `beta.3`.
    pub fn counter(&self, version: &Version) -> Option<u64> {
        let rest = version.prerelease().strip_prefix(&self.0)?;
        rest.strip_prefix('.')?.parse().ok()
    }
}

impl FromStr for PreId {
    type Err = PreIdError;

    fn from_str(text: &str) -> Result<Self, PreIdError> {
        // Item 9 of semver.org; digits alone would be a counter.
        let is_identifier = (1..=32).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !text.bytes().all(|b| b.is_ascii_digit());
        if is_identifier {
            return Ok(Self(text.to_owned()));
        }
        Err(PreIdError(text.to_owned()))
    }
}

impl fmt::Display for PreId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
