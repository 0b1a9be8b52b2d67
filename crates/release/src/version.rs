//! Versions: Semantic Versioning 2.0.0 without build metadata.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::name::printable;

/// A release's version, ordered by semver precedence (semver.org, item 11).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Version(semver::Version);

/// Why a text is not a version.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum VersionError {
    /// Not semver at all.
    #[error(
        "`{found}` is not a semantic version ({why}); expected MAJOR.MINOR.PATCH, such as `1.4.0` or `1.4.0-beta.1`"
    )]
    NotSemver {
        /// The text, escaped for printing.
        found: String,
        /// What the parser missed.
        why: String,
    },
    /// departs: semver item 10 allows build metadata; two versions that differ in nothing else have no order, so no
    /// updater could tell them apart.
    #[error(
        "`{found}` carries build metadata (`+…`), which has no order; leave it out or make it a pre-release"
    )]
    BuildMetadata {
        /// The text, escaped for printing.
        found: String,
    },
}

impl Version {
    /// `0.0.0`, older than every release: what a feed shows when it has nothing to offer.
    pub fn nothing() -> Self {
        Self(semver::Version::new(0, 0, 0))
    }

    /// Whether this is a pre-release, such as `1.4.0-beta.1`.
    pub fn is_prerelease(&self) -> bool {
        !self.0.pre.is_empty()
    }

    /// A version of three numbers.
    pub fn new(major: u64, minor: u64, patch: u64) -> Self {
        Self(semver::Version::new(major, minor, patch))
    }

    /// The three numbers.
    pub fn numbers(&self) -> (u64, u64, u64) {
        (self.0.major, self.0.minor, self.0.patch)
    }

    /// The version that this is a pre-release of; itself if it is none.
    pub fn without_prerelease(&self) -> Self {
        let (major, minor, patch) = self.numbers();
        Self::new(major, minor, patch)
    }

    /// The identifiers after the hyphen (semver.org, item 9), `beta.3`; empty where this is no pre-release.
    pub fn prerelease(&self) -> &str {
        self.0.pre.as_str()
    }
}

impl FromStr for Version {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        let found = || printable(text);
        if text.len() > 64 {
            return Err(VersionError::NotSemver {
                found: found(),
                why: "longer than 64 characters".to_owned(),
            });
        }
        let parsed = semver::Version::parse(text).map_err(|error| VersionError::NotSemver {
            found: found(),
            why: error.to_string(),
        })?;
        if !parsed.build.is_empty() {
            return Err(VersionError::BuildMetadata { found: found() });
        }
        Ok(Self(parsed))
    }
}

impl TryFrom<String> for Version {
    type Error = VersionError;

    fn try_from(text: String) -> Result<Self, VersionError> {
        text.parse()
    }
}

impl From<Version> for String {
    fn from(version: Version) -> String {
        version.to_string()
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// The version-like pieces of a file name, `Atlas-Setup-1.3.0.exe` → `1.3.0`: three numbers with dots between.
/// What follows them is not looked at: `-beta.1` and `-x64` look alike.
pub fn versions_in(name: &str) -> Vec<String> {
    let bytes = name.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let starts = bytes[at].is_ascii_digit()
            && (at == 0 || !(bytes[at - 1].is_ascii_digit() || bytes[at - 1] == b'.'));
        let len = if starts { triple_len(&bytes[at..]) } else { 0 };
        if len > 0 {
            found.push(name[at..at + len].to_owned());
        }
        at += len.max(1);
    }
    found
}

/// The length of `digits.digits.digits` at the start, or 0. A fourth number (`10.0.19041.1`) makes it no version.
fn triple_len(bytes: &[u8]) -> usize {
    let digits = |from: usize| {
        bytes[from..]
            .iter()
            .take_while(|b| b.is_ascii_digit())
            .count()
    };
    let mut at = 0;
    for part in 0..3 {
        let len = digits(at);
        if len == 0 {
            return 0;
        }
        at += len;
        let dot = bytes.get(at) == Some(&b'.');
        let more = dot && bytes.get(at + 1).is_some_and(u8::is_ascii_digit);
        match (part, more) {
            (2, false) => return at,
            (2, true) | (_, false) => return 0,
            _ => at += 1,
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn semver_order_and_refusals() {
        let v = |text: &str| text.parse::<Version>().expect(text);
        assert!(v("1.4.0-beta.2") < v("1.4.0-beta.10") && v("1.4.0-beta.10") < v("1.4.0"));
        for bad in [
            "",
            "1.4",
            "v1.4.0",
            "1.4.0.0",
            "01.4.0",
            "1.4.0+1",
            "1.4.0\n",
            &format!("1.4.0-{}", "a".repeat(80)),
        ] {
            assert!(bad.parse::<Version>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn versions_are_found_in_names() {
        assert_eq!(versions_in("Atlas-Setup-1.3.0.exe"), ["1.3.0"]);
        assert_eq!(versions_in("atlas_1.4.0-beta.1_amd64.deb"), ["1.4.0"]);
        assert_eq!(
            versions_in("app-10.0.19041.1-x64.msix"),
            Vec::<String>::new()
        );
        assert_eq!(versions_in("atlas.dmg"), Vec::<String>::new());
        assert_eq!(versions_in("1.2.3-to-1.4.0.delta"), ["1.2.3", "1.4.0"]);
    }
}
