//! What an update feed says of files, whatever its format and whoever wrote it: read out of what a build left behind, and
//! held against the files themselves.

use crate::artifact::Kind;
use crate::digest::{Sha256, Sha512};
use crate::platform::Platform;
use crate::version::Version;

/// How the updater of Tauri is named, whose feeds alone hold the content of a file beside.
pub const TAURI: &str = "Tauri";

/// The files that one feed lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// Whose feed it is: `electron-updater`.
    pub updater: &'static str,
    /// The version that it shows, as it stands; none where each file has one of its own.
    pub version: Option<String>,
    /// Every file that it lists.
    pub files: Vec<Listed>,
    /// Whom it is for, and what its clients there install: one of these kinds.
    pub installs: Vec<(Platform, &'static [Kind])>,
}

/// A file that a feed lists. Nothing here is escaped.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listed {
    /// Where it is: an address, or a name.
    pub url: String,
    /// The version that it brings, where the feed says so for each file.
    pub version: Option<String>,
    /// What its updater compares instead of that.
    pub compared: Option<Compared>,
    /// Its length in bytes.
    pub size: Option<u64>,
    /// The digests that are stated.
    pub digests: Vec<ListedDigest>,
    /// The signature that is stated, in its updater's own form.
    pub signature: Option<String>,
}

/// What an updater compares where that is not the version that people are shown: a build number of Sparkle's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// The build number, as it stands.
    pub build: String,
    /// The system that it is for, as the feed names it: `macos`, `windows-x64`.
    pub system: String,
    /// The channel that a client asks for; without one it is for all.
    pub channel: Option<String>,
}

/// A digest that a feed states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListedDigest {
    /// SHA-1: Squirrel.Windows has nothing else.
    Sha1([u8; 20]),
    /// SHA-256.
    Sha256(Sha256),
    /// SHA-512.
    Sha512(Sha512),
}

impl Listed {
    /// The name of the file: the last part of its address, without what asks a server for something.
    pub fn name(&self) -> String {
        let path = self.url.split(['?', '#']).next().unwrap_or_default();
        unescaped(path.rsplit(['/', '\\']).next().unwrap_or_default())
    }
}

/// Whether two texts are one version. Squirrel's packages have no dots in what follows the hyphen, and `v` stands before some.
pub fn is_version(text: &str, version: &Version) -> bool {
    let plain = |text: &str| match text.split_once('-') {
        Some((numbers, rest)) => format!("{numbers}-{}", rest.replace('.', "")),
        None => text.to_owned(),
    };
    let text = text.trim();
    plain(text.strip_prefix('v').unwrap_or(text)) == plain(&version.to_string())
}

/// Escapes of addresses (RFC 3986, section 2.1) undone. What is none stays.
fn unescaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let digit = |at: usize| char::from(*behind.get(at)?).to_digit(16);
        let escaped = digit(0).zip(digit(1)).filter(|_| *first == b'%');
        match escaped.and_then(|(high, low)| u8::try_from(high * 16 + low).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = behind.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = behind;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_end_of_an_address() {
        let name = |url: &str| {
            let url = url.to_owned();
            Listed {
                url,
                ..Listed::default()
            }
            .name()
        };
        assert_eq!(name("Atlas-1.4.0.exe"), "Atlas-1.4.0.exe");
        assert_eq!(
            name("https://dl.example/a/Atlas%201.4.0.exe?x=/y#z"),
            "Atlas 1.4.0.exe"
        );
        assert_eq!(name("a/100%"), "100%");
        assert_eq!(name("a/%ff"), "%ff");
        assert_eq!(name("https://dl.example/a/"), "");
    }

    #[test]
    fn versions_are_compared_as_updaters_write_them() {
        let version: Version = "1.4.0-beta.1".parse().expect("a version");
        assert!(is_version("1.4.0-beta.1", &version));
        assert!(is_version("v1.4.0-beta1", &version));
        assert!(!is_version("1.4.0", &version));
        assert!(!is_version("1.40-beta.1", &version));
    }
}
