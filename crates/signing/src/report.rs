//! The report of a verification, and the proof that it was good.

use release::{FileName, Platform, Sha256};
use serde::Serialize;

use crate::checks::{Check, Outcome};
use crate::continuity::ContinuityReport;
use crate::inspection::Inspection;
use crate::measure::Measured;
use crate::roots::ExtraRoot;

/// What is to be said of an artifact as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Signed, whole, and by whom we expect.
    Valid,
    /// A signature or digest does not hold.
    Invalid,
    /// Signed and whole, but by nobody who is trusted.
    Untrusted,
    /// What must be signed is not.
    Unsigned,
    /// This version cannot look.
    Unsupported,
    /// Unsigned or not looked at, and the policy allows that.
    Allowed,
}

impl Verdict {
    /// Whether the artifact may be published.
    pub fn is_good(self) -> bool {
        matches!(self, Self::Valid | Self::Allowed)
    }

    /// The worse of two: what is said of a whole by its parts.
    pub fn worse(self, other: Self) -> Self {
        let rank = |verdict: Self| match verdict {
            Self::Valid => 0,
            Self::Allowed => 1,
            Self::Unsupported => 2,
            Self::Unsigned => 3,
            Self::Untrusted => 4,
            Self::Invalid => 5,
        };
        if rank(other) > rank(self) {
            other
        } else {
            self
        }
    }
}

/// One artifact.
#[derive(Debug, Clone, Serialize)]
pub struct ArtifactReport {
    /// Its path as found.
    pub path: String,
    /// Its name.
    pub name: FileName,
    /// What it runs on.
    pub platform: Platform,
    /// The verdict.
    pub verdict: Verdict,
    /// Every check.
    pub checks: Vec<Check>,
    /// Its own signature, where such was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signature: Option<Inspection>,
    /// What is inside, where such was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contents: Option<ContentsReport>,
    /// What its bytes are.
    #[serde(skip)]
    pub(crate) measured: Measured,
}

/// What is inside an artifact.
#[derive(Debug, Clone, Serialize)]
pub struct ContentsReport {
    /// How many files there are.
    pub files: u64,
    /// Each that can carry a signature, in the order in which they were found.
    pub leaves: Vec<LeafReport>,
}

/// A file inside an artifact.
#[derive(Debug, Clone, Serialize)]
pub struct LeafReport {
    /// Its path behind that of the artifact, `dist/app.zip!/helper.dll`, safe to print.
    pub path: String,
    /// What it is.
    pub format: &'static str,
    /// What `allow-unsigned` calls it: the digest of its bytes, or of the list of its files where it is a bundle.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Sha256>,
    /// The verdict.
    pub verdict: Verdict,
    /// Every check.
    pub checks: Vec<Check>,
    /// Its own signature, where this version can look at it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signature: Option<Inspection>,
}

/// An update feed that stands beside the artifacts.
#[derive(Debug, Clone, Serialize)]
pub struct FeedReport {
    /// Its path as found, safe to print.
    pub path: String,
    /// Whose it is, where it can be read.
    pub updater: Option<&'static str>,
    /// Every check.
    pub checks: Vec<Check>,
}

/// A whole release.
#[derive(Debug, Clone, Serialize)]
pub struct ReleaseReport {
    /// The shape of this report.
    pub schema: u32,
    /// Every artifact.
    pub artifacts: Vec<ArtifactReport>,
    /// Update feeds that stand beside them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub feeds: Vec<FeedReport>,
    /// Whether installed copies of the previous release accept this one, where that was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub continuity: Option<ContinuityReport>,
    /// Checks of the release as a whole.
    pub checks: Vec<Check>,
    /// Roots that were trusted besides the platform's own. Whoever holds one can sign anything: show them loudly.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub extra_roots: Vec<ExtraRoot>,
}

impl ArtifactReport {
    /// The digest of its bytes as they were examined, for messages: what may be published is in [`Verified::measured`].
    pub fn sha256(&self) -> Sha256 {
        self.measured.sha256
    }

    /// Whether a minisign signature beside it was checked, and holds.
    pub(crate) fn has_good_signature(&self) -> bool {
        let mut of_it = self
            .checks
            .iter()
            .filter(|check| check.id.as_str().starts_with("minisign."))
            .peekable();
        of_it.peek().is_some() && of_it.all(|check| check.outcome == Outcome::Pass)
    }
}

impl ReleaseReport {
    /// Whether a minisign signature beside the artifact was checked, and holds.
    pub fn has_good_signature(&self, name: &FileName) -> bool {
        self.artifacts
            .iter()
            .any(|artifact| artifact.name == *name && artifact.has_good_signature())
    }

    /// What the bytes of each artifact are, in the order of the report.
    pub fn measured(&self) -> impl Iterator<Item = (&FileName, &Measured)> {
        let artifacts = self.artifacts.iter();
        artifacts.map(|artifact| (&artifact.name, &artifact.measured))
    }

    /// The artifacts that are not signed, and that the policy lets through.
    pub fn allowed(&self) -> Vec<FileName> {
        let allowed = |artifact: &&ArtifactReport| artifact.verdict == Verdict::Allowed;
        let artifacts = self.artifacts.iter().filter(allowed);
        artifacts.map(|artifact| artifact.name.clone()).collect()
    }

    /// How many artifacts there are.
    pub fn total(&self) -> usize {
        self.artifacts.len()
    }

    /// How many artifacts are not good; at least one where a feed, the step from the previous release, or
    /// the release as a whole is not.
    pub fn failed(&self) -> usize {
        let artifacts = self
            .artifacts
            .iter()
            .filter(|artifact| !artifact.verdict.is_good())
            .count();
        let feeds = self.feeds.iter().flat_map(|feed| &feed.checks);
        let continuity = self.continuity.iter().flat_map(|it| it.checks());
        let mut besides = self.checks.iter().chain(feeds).chain(continuity);
        artifacts.max(usize::from(
            besides.any(|check| check.outcome == Outcome::Fail),
        ))
    }

    /// The proof, if everything is good.
    pub fn into_verified(self) -> Result<Verified<Self>, Box<Self>> {
        // A release without artifacts proves nothing: nobody looked at anything.
        if self.failed() == 0 && self.total() > 0 {
            Ok(Verified(self))
        } else {
            Err(Box::new(self))
        }
    }
}

/// Something that passed verification. Only [`ReleaseReport::into_verified`] makes one.
#[derive(Debug)]
pub struct Verified<T>(T);

impl<T> Verified<T> {
    /// What passed.
    pub fn get(&self) -> &T {
        &self.0
    }
}

impl Verified<ReleaseReport> {
    /// What the bytes of each artifact are, in the order of the report.
    pub fn measured(&self) -> impl Iterator<Item = (&FileName, &Measured)> {
        self.0.measured()
    }
}
