//! The release record: the commit point of "this version exists".

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::artifact::{Artifact, Kind};
use crate::name::App;
use crate::platform::Platform;
use crate::time::Timestamp;
use crate::version::Version;

/// A version of an app and its artifacts; immutable once stored at `public/<app>/releases/<version>/release.json`.
///
/// Nothing in it depends on when or how often the publication ran, so a re-run writes the same bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ReleaseRecord {
    /// The shape of the document.
    pub schema: u32,
    /// The oldest [`crate::document::WRITER`] that may build on it.
    pub min_writer: u32,
    /// The app.
    pub app: App,
    /// The version.
    pub version: Version,
    /// The commit that was built, as the publisher states it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// When the release was made, as the publisher states it; feeds show it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<Timestamp>,
    /// Every artifact, sorted by name. Those of a platform or kind that this code does not know are left out when
    /// reading: a record is never written back, and its digest is taken over its stored bytes.
    #[serde(deserialize_with = "known_artifacts")]
    pub artifacts: Vec<Artifact>,
    /// Fields of a newer schema, kept as they are.
    #[serde(flatten)]
    pub unknown: Map<String, Value>,
}

fn known_artifacts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Artifact>, D::Error> {
    let all = Vec::<Value>::deserialize(deserializer)?;
    let known = |artifact: &Value| {
        let text = |key: &str| {
            artifact
                .get(key)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        text("platform").parse::<Platform>().is_ok() && text("kind").parse::<Kind>().is_ok()
    };
    let parse = |artifact| Artifact::deserialize(artifact).map_err(serde::de::Error::custom);
    all.into_iter().filter(known).map(parse).collect()
}

impl ReleaseRecord {
    /// The platforms that this release has artifacts for, sorted.
    pub fn platforms(&self) -> Vec<Platform> {
        let mut platforms: Vec<_> = self
            .artifacts
            .iter()
            .map(|artifact| artifact.platform)
            .collect();
        platforms.sort_unstable();
        platforms.dedup();
        platforms
    }
}
