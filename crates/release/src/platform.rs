//! Platforms: what an artifact runs on.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::name::printable;

/// An operating system, or the web.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Os {
    /// Microsoft Windows.
    Windows,
    /// Apple macOS.
    Macos,
    /// Linux.
    Linux,
    /// A browser.
    Web,
}

impl Os {
    /// Every operating system.
    pub const ALL: [Self; 4] = [Self::Windows, Self::Macos, Self::Linux, Self::Web];

    /// The name as configuration has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Windows => "windows",
            Self::Macos => "macos",
            Self::Linux => "linux",
            Self::Web => "web",
        }
    }
}

impl fmt::Display for Os {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

macro_rules! platforms {
    ($($variant:ident = $text:literal, $os:ident, $doc:literal;)*) => {
        /// One operating system and architecture, `windows-x64`; a rollout has one state for each.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub enum Platform {
            $(#[doc = $doc] $variant,)*
        }

        impl Platform {
            /// Every platform.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name as configuration and documents have it.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// The operating system alone.
            pub fn os(self) -> Os {
                match self { $(Self::$variant => Os::$os,)* }
            }
        }
    };
}

platforms! {
    WindowsX64 = "windows-x64", Windows, "Windows on x86-64.";
    WindowsArm64 = "windows-arm64", Windows, "Windows on Arm.";
    WindowsIa32 = "windows-ia32", Windows, "Windows on 32-bit x86.";
    MacosX64 = "macos-x64", Macos, "macOS on Intel.";
    MacosArm64 = "macos-arm64", Macos, "macOS on Apple silicon.";
    MacosUniversal = "macos-universal", Macos, "macOS on both, in one artifact.";
    LinuxX64 = "linux-x64", Linux, "Linux on x86-64.";
    LinuxArm64 = "linux-arm64", Linux, "Linux on 64-bit Arm.";
    LinuxArmv7l = "linux-armv7l", Linux, "Linux on 32-bit Arm.";
    Web = "web", Web, "A browser.";
}

impl Platform {
    /// The architecture alone, `x64`; `web` for the web.
    pub fn arch(self) -> &'static str {
        self.as_str()
            .split_once('-')
            .map_or("web", |(_, arch)| arch)
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that names no platform.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{found}` is not a platform; expected one of {}", listed())]
pub struct PlatformError {
    found: String,
}

fn listed() -> String {
    Platform::ALL
        .iter()
        .map(|platform| format!("`{platform}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

impl FromStr for Platform {
    type Err = PlatformError;

    fn from_str(text: &str) -> Result<Self, PlatformError> {
        let known = Self::ALL
            .iter()
            .copied()
            .find(|platform| platform.as_str() == text);
        known.ok_or_else(|| PlatformError {
            found: printable(text),
        })
    }
}

impl TryFrom<String> for Platform {
    type Error = PlatformError;

    fn try_from(text: String) -> Result<Self, PlatformError> {
        text.parse()
    }
}

impl From<Platform> for String {
    fn from(platform: Platform) -> String {
        platform.as_str().to_owned()
    }
}

/// What a person may say where platforms are chosen: one of them, or a whole operating system (`macos`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlatformPattern {
    /// Exactly this platform.
    One(Platform),
    /// Every platform of this operating system.
    Every(Os),
}

impl PlatformPattern {
    /// Whether the pattern covers the platform.
    pub fn covers(self, platform: Platform) -> bool {
        match self {
            Self::One(one) => one == platform,
            Self::Every(os) => os == platform.os(),
        }
    }
}

impl FromStr for PlatformPattern {
    type Err = PlatformError;

    fn from_str(text: &str) -> Result<Self, PlatformError> {
        match Os::ALL.into_iter().find(|os| os.as_str() == text) {
            Some(os) => Ok(Self::Every(os)),
            None => text.parse().map(Self::One),
        }
    }
}

impl fmt::Display for PlatformPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(platform) => fmt::Display::fmt(platform, f),
            Self::Every(os) => fmt::Display::fmt(os, f),
        }
    }
}
