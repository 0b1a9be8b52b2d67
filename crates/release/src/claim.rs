//! Claims: who is publishing a version. The claiming run alone creates objects of it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::digest::Sha256;
use crate::name::{App, FileName};
use crate::version::Version;

/// The create-only note at `state/<app>/claims/<version>.json`, the first write of a publication.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Claim {
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
    /// The run that holds the claim, without its attempt: a re-run of the same run continues it.
    pub run: String,
    /// What will be published, sorted by name.
    pub artifacts: Vec<Claimed>,
    /// Fields of a newer schema, kept as they are.
    #[serde(flatten)]
    pub unknown: Map<String, Value>,
}

/// One artifact of a claim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claimed {
    /// File name.
    pub name: FileName,
    /// Length in bytes.
    pub size: u64,
    /// Digest.
    pub sha256: Sha256,
}

/// What a claim found in the store means for the run that found it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The claim is this run's own: continue.
    Ours,
    /// Another run publishes the same bytes: wait for it and compare, write nothing.
    Same,
    /// Other bytes are claimed under this version: a conflict, whoever holds it.
    Other,
}

impl Claim {
    /// What the stored claim means for the run that would have written `self`.
    pub fn standing(&self, stored: &Self) -> Standing {
        if self.artifacts != stored.artifacts {
            Standing::Other
        } else if self.run == stored.run {
            Standing::Ours
        } else {
            Standing::Same
        }
    }
}
