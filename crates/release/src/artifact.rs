//! Artifacts: bytes named by digest, for one platform and of one kind.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use thiserror::Error;

use crate::digest::{Crc64, Sha256, Sha512};
use crate::name::{FileName, printable};
use crate::platform::Platform;

macro_rules! kinds {
    ($($variant:ident = $text:literal, $media:literal, $doc:literal;)*) => {
        /// What an artifact is to the updater or the person that fetches it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub enum Kind {
            $(#[doc = $doc] $variant,)*
        }

        impl Kind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name as configuration and documents have it.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// The media type that the bytes are served with.
            pub fn content_type(self) -> &'static str {
                match self { $(Self::$variant => $media,)* }
            }
        }
    };
}

kinds! {
    Nsis = "nsis", "application/vnd.microsoft.portable-executable", "A Windows installer made with NSIS.";
    Exe = "exe", "application/vnd.microsoft.portable-executable", "A Windows program that needs no installer.";
    Msi = "msi", "application/x-msi", "A Windows Installer package.";
    Msix = "msix", "application/msix", "A Windows app package.";
    SquirrelFull = "squirrel-full", "application/zip", "A full package of Squirrel.Windows.";
    VelopackFull = "velopack-full", "application/zip", "A full package of Velopack.";
    Dmg = "dmg", "application/x-apple-diskimage", "A macOS disk image.";
    Pkg = "pkg", "application/vnd.apple.installer+xml", "A macOS installer package.";
    Zip = "zip", "application/zip", "A zip archive.";
    AppImage = "appimage", "application/vnd.appimage", "A Linux AppImage.";
    Deb = "deb", "application/vnd.debian.binary-package", "A Debian package.";
    Rpm = "rpm", "application/x-rpm", "An RPM package.";
    TarGz = "tar.gz", "application/gzip", "A gzipped tar archive.";
    Binary = "binary", "application/octet-stream", "A bare program of Linux or macOS.";
    File = "file", "application/octet-stream", "A file that goes along: licences, an SBOM.";
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that names no kind.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{found}` is not a kind of artifact; expected one of {}", Kind::ALL.iter().map(|kind| format!("`{kind}`")).collect::<Vec<_>>().join(", "))]
pub struct KindError {
    found: String,
}

impl FromStr for Kind {
    type Err = KindError;

    fn from_str(text: &str) -> Result<Self, KindError> {
        let known = Self::ALL.iter().copied().find(|kind| kind.as_str() == text);
        known.ok_or_else(|| KindError {
            found: printable(text),
        })
    }
}

impl TryFrom<String> for Kind {
    type Error = KindError;

    fn try_from(text: String) -> Result<Self, KindError> {
        text.parse()
    }
}

impl From<Kind> for String {
    fn from(kind: Kind) -> String {
        kind.as_str().to_owned()
    }
}

/// One artifact as documents name it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Artifact {
    /// The last segment of its key and of its address.
    pub name: FileName,
    /// What it runs on.
    pub platform: Platform,
    /// What it is.
    pub kind: Kind,
    /// Length in bytes.
    pub size: u64,
    /// The digest that names it.
    pub sha256: Sha256,
    /// Present where a feed needs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha512: Option<Sha512>,
    /// The full-object checksum that the store checks on arrival.
    pub crc64nvme: Crc64,
    /// Fields of a newer schema, kept as they are.
    #[serde(flatten)]
    pub unknown: Map<String, Value>,
}
