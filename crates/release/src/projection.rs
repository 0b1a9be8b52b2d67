//! What clients may see of a channel: the projection at `public/<app>/channels/<channel>.json`.
//!
//! It holds the revision's state without actors and reasons, and the releases that the state names. Together they are
//! all that [`crate::decide`] needs.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::artifact::Artifact;
use crate::digest::Sha256;
use crate::document::{SCHEMA, WRITER};
use crate::name::{App, Channel};
use crate::platform::Platform;
use crate::record::ReleaseRecord;
use crate::revision::{ChannelState, Revision};
use crate::time::Timestamp;
use crate::version::Version;

/// A channel as clients see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ChannelView {
    /// The shape of the document.
    pub schema: u32,
    /// The oldest writer that may replace it.
    pub min_writer: u32,
    /// The app.
    pub app: App,
    /// The channel.
    pub channel: Channel,
    /// The revision that this is derived from: an older one never replaces a newer.
    pub revision: u64,
    /// The digest of that revision's bytes.
    pub digest: Sha256,
    /// The state.
    pub state: ChannelState,
    /// The releases that the state names.
    pub releases: Catalog,
    /// Fields of a newer schema.
    #[serde(flatten)]
    pub unknown: Map<String, Value>,
}

/// The releases that a channel names, by version.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Catalog(pub BTreeMap<Version, CatalogRelease>);

/// A release as far as offering it goes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct CatalogRelease {
    /// When it was made, as its publisher states it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<Timestamp>,
    /// Its artifacts.
    pub artifacts: Vec<Artifact>,
    /// Whether it is never to be offered again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub yanked: bool,
    /// The oldest operating system that runs it, by platform.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub minimum_os: BTreeMap<Platform, OsVersion>,
}

impl CatalogRelease {
    /// From the release record.
    pub fn new(record: ReleaseRecord, yanked: bool) -> Self {
        Self {
            date: record.date,
            artifacts: record.artifacts,
            yanked,
            minimum_os: BTreeMap::new(),
        }
    }

    /// The artifacts for a platform.
    pub fn artifacts_for(&self, platform: Platform) -> impl Iterator<Item = &Artifact> {
        self.artifacts
            .iter()
            .filter(move |artifact| artifact.platform == platform)
    }
}

/// The version of an operating system: numbers compared one by one, `10.0.19041`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OsVersion(pub Vec<u32>);

impl ChannelView {
    /// The view of a revision. `digest` is that of the revision's stored bytes.
    pub fn new(revision: &Revision, digest: Sha256, releases: Catalog) -> Self {
        Self {
            schema: revision.schema.max(SCHEMA),
            min_writer: revision.min_writer.max(WRITER),
            app: revision.app.clone(),
            channel: revision.channel.clone(),
            revision: revision.revision,
            digest,
            state: revision.state.clone(),
            releases,
            unknown: Map::new(),
        }
    }
}

/// Every version that a state names: what its projection needs the records of.
pub fn versions_named(state: &ChannelState) -> BTreeSet<Version> {
    let platforms = state.platforms.known.values();
    platforms
        .flat_map(|platform| {
            let candidate = platform.rollout.as_ref().map(|rollout| &rollout.version);
            platform
                .baseline
                .iter()
                .chain(&platform.public)
                .chain(&platform.past)
                .chain(&platform.rolled_back)
                .chain(candidate)
        })
        .cloned()
        .collect()
}
