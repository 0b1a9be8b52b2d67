//! Checks: what was looked at, by an id that never changes its meaning, and what came of it.

use serde::{Serialize, Serializer};

/// What came of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It holds.
    Pass,
    /// It does not hold.
    Fail,
    /// This version cannot look; that fails too, unless it is allowed.
    Unsupported,
    /// It does not hold, and the policy allows that by path, reason, and date.
    Allowed,
}

/// One check of one artifact, or of the release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Which, one of [`CHECKS`].
    pub id: Id,
    /// What came of it.
    pub outcome: Outcome,
    /// What was expected and found, in a sentence that is safe to print.
    pub reason: String,
}

/// The id of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Id(pub(crate) &'static str);

impl Id {
    /// The id as text.
    pub fn as_str(self) -> &'static str {
        self.0
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0)
    }
}

macro_rules! checks {
    ($($name:ident = $id:literal, $what:literal;)*) => {
        $(#[doc = $what] pub(crate) const $name: Id = Id($id);)*
        /// Every id with what it says.
        pub const CHECKS: &[(&str, &str)] = &[$(($id, $what)),*];
    };
}

checks! {
    MINISIGN_PRESENT = "minisign.present", "A minisign signature stands beside the artifact, and can be read.";
    MINISIGN_KEY_ID = "minisign.key-id", "The signature was made by the key that the policy names.";
    MINISIGN_SIGNATURE = "minisign.signature", "The signature covers these bytes, and its trusted comment.";
    MINISIGN_FILE_NAME = "minisign.file-name", "The trusted comment names this file, where it names one.";
    MINISIGN_VERSION = "minisign.version", "The trusted comment names this version, where it names one.";
    SUMS_SIGNATURE = "sha256sums.signature", "The document of checksums can be read and is signed by the key that the policy names.";
    SUMS_DIGEST = "sha256sums.digest", "The artifact has the digest that the document of checksums says.";
    SUMS_COVERAGE = "sha256sums.coverage", "The document of checksums names the artifact.";
    SUMS_EXTRA = "sha256sums.extra", "The document of checksums names nothing that is not there.";
    FORMAT_UNSUPPORTED = "format.unsupported", "No rule covers the artifact, and its own kind of signature cannot be checked by this version.";
    ALLOW_UNSIGNED = "policy.allow-unsigned", "The policy allows the artifact to be unsigned.";
    ALLOW_EXPIRED = "policy.allow-expired", "The date until which the policy allows it is not past.";
    ALLOW_DIGEST = "policy.allow-digest", "The artifact has the digest for which the policy allows it.";
}

impl Check {
    pub(crate) fn new(id: Id, outcome: Outcome, reason: impl Into<String>) -> Self {
        Self {
            id,
            outcome,
            reason: reason.into(),
        }
    }

    pub(crate) fn pass(id: Id, reason: impl Into<String>) -> Self {
        Self::new(id, Outcome::Pass, reason)
    }

    pub(crate) fn fail(id: Id, reason: impl Into<String>) -> Self {
        Self::new(id, Outcome::Fail, reason)
    }
}
