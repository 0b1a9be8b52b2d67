//! Keys: the one home of every path in a store, and of the headers it is served with.

use release::address;
use release::name::{App, Channel, FileName};
use release::{Kind, Version};

/// Everything that a store holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// An artifact of a release.
    Artifact(App, Version, FileName, Kind),
    /// The signature of an artifact, which stands beside it.
    ArtifactSignature(App, Version, FileName),
    /// The digests of all artifacts of a release.
    Sums(App, Version),
    /// The signature of those.
    SumsSignature(App, Version),
    /// The release record.
    Record(App, Version),
    /// A file of a feed: updater, file.
    Feed(App, &'static str, String),
    /// A channel as clients see it.
    Channel(App, Channel),
    /// The claim on a version.
    Claim(App, Version),
    /// The note of which GitHub release a version has.
    GitHubNote(App, Version),
    /// The note that a version is never to be offered again.
    Yanked(App, Version),
    /// A revision of a channel.
    Revision(App, Channel, u64),
    /// The layout and the probed capabilities of the store itself.
    StoreInfo,
}

/// What an object is served with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Headers {
    /// `Content-Type`.
    pub content_type: &'static str,
    /// `Cache-Control`.
    pub cache_control: &'static str,
    /// `Content-Disposition`.
    pub content_disposition: Option<String>,
}

/// For what is written once: cached for ever (RFC 8246).
const FOR_EVER: &str = "public, max-age=31536000, immutable";
/// For what follows a channel: stale answers included, at most ten minutes old, so that a halt reaches everyone.
const SHORTLY: &str = "public, max-age=60, stale-while-revalidate=60, stale-if-error=480";
/// For what no client reads.
const NEVER: &str = "no-store";

impl Key {
    /// The path under the root of the store.
    pub fn path(&self) -> String {
        match self {
            Self::Artifact(app, version, name, _) => {
                format!("public/{}", address::artifact(app, version, name))
            }
            Self::ArtifactSignature(app, version, name) => {
                format!("public/{}.minisig", address::artifact(app, version, name))
            }
            Self::Sums(app, version) => {
                format!("public/{}/SHA256SUMS", address::release(app, version))
            }
            Self::SumsSignature(app, version) => format!(
                "public/{}/SHA256SUMS.minisig",
                address::release(app, version)
            ),
            Self::Record(app, version) => {
                format!("public/{}/release.json", address::release(app, version))
            }
            Self::Feed(app, updater, file) => {
                format!("public/{}", address::feed(app, updater, file))
            }
            Self::Channel(app, channel) => format!("public/{}", address::channel(app, channel)),
            Self::Claim(app, version) => format!("state/{app}/claims/{version}.json"),
            Self::GitHubNote(app, version) => format!("state/{app}/github/{version}.json"),
            Self::Yanked(app, version) => format!("state/{app}/yanked/{version}.json"),
            Self::Revision(app, channel, number) => {
                format!("{}{number:010}.json", Self::log_prefix(app, channel))
            }
            Self::StoreInfo => "state/store.json".to_owned(),
        }
    }

    /// What it is served with.
    pub fn headers(&self) -> Headers {
        let (content_type, cache_control) = match self {
            Self::Artifact(.., kind) => (kind.content_type(), FOR_EVER),
            Self::ArtifactSignature(..) | Self::Sums(..) | Self::SumsSignature(..) => {
                ("text/plain; charset=utf-8", FOR_EVER)
            }
            Self::Record(..) => ("application/json", FOR_EVER),
            Self::Feed(_, _, file) if file.ends_with(".yml") => {
                ("text/yaml; charset=utf-8", SHORTLY)
            }
            Self::Feed(..) | Self::Channel(..) => ("application/json", SHORTLY),
            Self::Claim(..)
            | Self::GitHubNote(..)
            | Self::Yanked(..)
            | Self::Revision(..)
            | Self::StoreInfo => ("application/json", NEVER),
        };
        let content_disposition = match self {
            // RFC 6266: a `FileName` holds no character that a quoted string would have to escape.
            Self::Artifact(_, _, name, _) => Some(format!("attachment; filename=\"{name}\"")),
            _ => None,
        };
        Headers {
            content_type,
            cache_control,
            content_disposition,
        }
    }

    /// Whether it is a projection: rewritten freely, never the truth. Everything else is written once.
    pub fn is_projection(&self) -> bool {
        match self {
            Self::Feed(..) | Self::Channel(..) => true,
            Self::Artifact(..)
            | Self::ArtifactSignature(..)
            | Self::Sums(..)
            | Self::SumsSignature(..)
            | Self::Record(..)
            | Self::Claim(..)
            | Self::GitHubNote(..)
            | Self::Yanked(..)
            | Self::Revision(..)
            | Self::StoreInfo => false,
        }
    }

    /// The folder of a channel's log.
    pub fn log_prefix(app: &App, channel: &Channel) -> String {
        format!("{}{channel}/log/", Self::channels_prefix(app))
    }

    /// The number of a revision, from its path.
    pub(crate) fn revision_number(path: &str) -> Option<u64> {
        let digits = path.rsplit('/').next()?.strip_suffix(".json")?;
        if digits.len() == 10 {
            digits.parse().ok()
        } else {
            None
        }
    }

    /// The folder that holds a folder for each channel.
    pub fn channels_prefix(app: &App) -> String {
        format!("state/{app}/channels/")
    }

    /// The folder that holds a folder for each app.
    pub fn apps_prefix() -> &'static str {
        "state/"
    }

    /// The folder that holds a note for each yanked version.
    pub fn yanked_prefix(app: &App) -> String {
        format!("state/{app}/yanked/")
    }

    /// File names that a release's folder needs for itself.
    pub fn is_reserved(name: &FileName) -> bool {
        let name = name.as_str().to_ascii_lowercase();
        matches!(name.as_str(), "release.json" | "sha256sums") || name.ends_with(".minisig")
    }
}
