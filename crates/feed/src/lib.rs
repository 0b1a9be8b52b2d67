//! Update feeds: what shipped updaters read, rendered from a channel's view, and parsed back. One module per updater.
//!
//! A feed shows what its updater can be trusted with: a candidate only where the updater itself keeps to the share,
//! else the baseline. Nothing is written here, and nothing decided about a channel.

use std::fmt;
use std::str::FromStr;

use release::name::printable;
use release::{ChannelView, Client, Platform};
use serde::{Deserialize, Serialize};
use thiserror::Error;

pub mod built;
pub mod electron_updater;
pub mod manifest;
mod shown;

pub use shown::Shown;

/// The largest feed that is read back, in bytes.
const BYTES_MAX: usize = 1024 * 1024;

/// The feeds that this version writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Feed {
    /// electron-updater's `latest*.yml`.
    ElectronUpdater,
    /// A manifest of releases for command-line tools.
    Manifest,
}

/// A file of a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedFile {
    /// Its name in the feed's folder.
    pub file: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// What a feed can do by itself to keep to a share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Staging {
    /// The client buckets itself, in whole percents, without a salt; those outside are offered nothing.
    WholePercents,
    /// None: it shows the baseline until the rollout completes.
    None,
}

impl fmt::Display for Staging {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::WholePercents => {
                "a static file stages in whole percents by the client's own unsalted formula; \
                 below 1 % and for cohorts it shows the baseline"
            }
            Self::None => {
                "a static file cannot stage: it shows the baseline until the rollout completes"
            }
        })
    }
}

/// Which revision of which channel a stored file was derived from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// The revision.
    pub revision: u64,
    /// The channel.
    pub channel: String,
}

impl Stamp {
    pub(crate) fn of(view: &ChannelView) -> Self {
        Self {
            revision: view.revision,
            channel: view.channel.to_string(),
        }
    }
}

/// Bytes that are no feed of ours.
#[derive(Debug, Error)]
pub enum FeedError {
    /// Too many.
    #[error(
        "larger than {BYTES_MAX} bytes, or nested deeper than {}",
        release::document::NESTING_MAX
    )]
    TooLarge,
    /// Not what the format says.
    #[error("not a feed: {}", printable(.0))]
    Malformed(String),
}

/// A text that names no feed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{found}` is not a feed; expected one of {}", Feed::ALL.map(|feed| format!("`{feed}`")).join(", "))]
pub struct UnknownFeed {
    found: String,
}

impl Feed {
    /// Every feed.
    pub const ALL: [Self; 2] = [Self::ElectronUpdater, Self::Manifest];

    /// The name, which is also its folder.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ElectronUpdater => "electron-updater",
            Self::Manifest => "manifest",
        }
    }

    /// Every file that the feed shows of a channel.
    pub fn render(self, view: &ChannelView) -> Vec<FeedFile> {
        match self {
            Self::ElectronUpdater => electron_updater::render(view),
            Self::Manifest => manifest::render(view),
        }
    }

    /// What it shows on a platform, and why.
    pub fn shows(self, view: &ChannelView, platform: Platform) -> Shown {
        match self {
            Self::ElectronUpdater => electron_updater::shows(view, platform),
            Self::Manifest => manifest::shows(view, platform),
        }
    }

    /// What a client gets from the static file, by its updater's own rules, in a sentence.
    pub fn explain(self, view: &ChannelView, client: &Client) -> String {
        let shown = self.shows(view, client.platform);
        match (self, shown.staged_percent, client.id.as_deref()) {
            (Self::ElectronUpdater, Some(percent), Some(id)) => {
                let inside = if electron_updater::is_within(id, percent) {
                    "inside"
                } else {
                    "outside"
                };
                format!("{shown}; by the client's own formula this id is {inside}")
            }
            _ => shown.to_string(),
        }
    }

    /// What it can do by itself.
    pub fn staging(self) -> Staging {
        match self {
            Self::ElectronUpdater => Staging::WholePercents,
            Self::Manifest => Staging::None,
        }
    }

    /// What its clients do about a lower version, for people.
    pub fn downgrade(self) -> &'static str {
        match self {
            Self::ElectronUpdater => {
                "clients that have the withdrawn release keep it until a newer one exists (unless the app sets `allowDowngrade`); \
                 everyone else gets the baseline"
            }
            Self::Manifest => {
                "clients compare versions themselves: those that have the withdrawn release keep it until a newer one exists"
            }
        }
    }

    /// Whether its files need SHA-512.
    pub fn needs_sha512(self) -> bool {
        match self {
            Self::ElectronUpdater => true,
            Self::Manifest => false,
        }
    }

    /// Reads out of a stored file which revision it was derived from.
    pub fn revision_of(bytes: &[u8]) -> Result<Stamp, FeedError> {
        #[derive(Deserialize)]
        struct Stamped {
            #[serde(rename = "x-lastmile")]
            stamp: Stamp,
        }
        // JSON is YAML, so one parser reads both.
        read::<Stamped>(bytes).map(|stamped| stamped.stamp)
    }
}

pub(crate) fn read<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<T, FeedError> {
    if bytes.len() > BYTES_MAX || release::document::is_nested_too_deep(bytes) {
        return Err(FeedError::TooLarge);
    }
    serde_yaml::from_slice(bytes).map_err(|error| FeedError::Malformed(error.to_string()))
}

impl fmt::Display for Feed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Feed {
    type Err = UnknownFeed;

    fn from_str(text: &str) -> Result<Self, UnknownFeed> {
        Self::ALL
            .into_iter()
            .find(|feed| feed.as_str() == text)
            .ok_or_else(|| UnknownFeed {
                found: printable(text),
            })
    }
}

#[cfg(test)]
mod tests;
