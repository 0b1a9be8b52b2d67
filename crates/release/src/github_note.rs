//! The note of which GitHub release a version has: drafts have no tag that leads to them, and lists lag behind.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::name::App;
use crate::version::Version;

/// The create-only note at `state/<app>/github/<version>.json`. Whoever writes it decides which of two drafts it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct GitHubNote {
    /// The shape of the document.
    pub schema: u32,
    /// The oldest [`crate::document::WRITER`] that may build on it.
    pub min_writer: u32,
    /// The app.
    pub app: App,
    /// The version.
    pub version: Version,
    /// The repository, `owner/name`.
    pub repository: String,
    /// The tag.
    pub tag: String,
    /// The number of the release.
    pub release: u64,
    /// Fields of a newer schema, kept as they are.
    #[serde(flatten)]
    pub unknown: Map<String, Value>,
}
