//! Why there is no GitHub release.

use release::{FileName, Sha256};
use thiserror::Error;

use crate::error::Exit;

/// Why there is no GitHub release of a version, or why it stays as it is.
#[derive(Debug, Error)]
pub enum GitHubReleaseError {
    /// The tag is the lock on the version.
    #[error(
        "tag `{0}` is not there, and it comes before the release; create it with `lastmile tag`, then publish from that commit"
    )]
    NoTag(String),
    /// The version belongs to another commit.
    #[error(
        "tag `{tag}` is at {found}, and this build is of {commit}; a tag never moves. Build that commit, or release another version"
    )]
    TagElsewhere {
        /// The tag.
        tag: String,
        /// What it leads to.
        found: String,
        /// The commit that was built.
        commit: String,
    },
    /// A name that GitHub changes.
    #[error(
        "`{0}` has a `~` or `..`, which GitHub replaces in the names of assets; nothing was written. Rename the artifact"
    )]
    Name(FileName),
    /// A signature's name that is none.
    #[error("the signature of an artifact cannot be an asset: {0}; shorten the artifact's name")]
    SignatureName(release::name::NameError),
    /// A size that GitHub does not take.
    #[error(
        "`{name}` has {size} bytes, and an asset of a GitHub release has at least one and fewer than 2147483648; nothing was written. Split it, or take `github-release` out"
    )]
    Size {
        /// The artifact.
        name: FileName,
        /// Its size in bytes.
        size: u64,
    },
    /// More than GitHub takes.
    #[error(
        "the release would have {count} assets, and GitHub takes {max}; nothing was written. Put some into an archive"
    )]
    TooMany {
        /// How many there would be.
        count: usize,
        /// How many there can be.
        max: usize,
    },
    /// Other bytes are published.
    #[error(
        "asset `{name}` of {url} is published with other bytes: expected sha256:{expected}, found {found}; it was not changed. A published version never changes: publish a new one"
    )]
    Differs {
        /// The asset.
        name: FileName,
        /// What was built.
        expected: Sha256,
        /// What is there.
        found: String,
        /// The release.
        url: String,
    },
    /// Too late to add anything.
    #[error(
        "asset `{name}` is missing in {url}, which is published and immutable, so nothing can be added; publish a new version"
    )]
    Immutable {
        /// The asset.
        name: FileName,
        /// The release.
        url: String,
    },
    /// A draft has what nobody verified.
    #[error(
        "the draft {url} has `{name}`, which is no artifact of this version and was not verified; delete it there, or make it an artifact, and run it again"
    )]
    Surplus {
        /// The asset.
        name: String,
        /// The release.
        url: String,
    },
    /// What was uploaded is not there.
    #[error("asset `{name}` was uploaded to {url}, and GitHub does not list it; run it again")]
    Missing {
        /// The asset.
        name: FileName,
        /// The release.
        url: String,
    },
    /// Somebody deleted it.
    #[error(
        "the GitHub release {id} of this version was deleted, and no other was made. If there should be another, remove `{key}` from the store and run it again"
    )]
    Gone {
        /// Its number.
        id: u64,
        /// The note that names it.
        key: String,
    },
    /// It is in another repository.
    #[error(
        "this version has its GitHub release in `{noted}`, and this is `{here}`; no other was made. If it has moved, remove `{key}` from the store and run it again"
    )]
    Repository {
        /// Where it is.
        noted: String,
        /// Where we are.
        here: String,
        /// The note that names it.
        key: String,
    },
    /// Somebody turned the draft into another.
    #[error(
        "{url} was made for the tag `{expected}`, and is of `{found}` now; it was left as it is. Give it back its tag, and run it again"
    )]
    Retagged {
        /// The release.
        url: String,
        /// The tag that it was made for.
        expected: String,
        /// The tag that it has.
        found: String,
    },
    /// Somebody published another.
    #[error(
        "the tag `{tag}` has a published release already, {url}, which is not the one that was made for this version; delete it, and run this again to publish the draft {ours}"
    )]
    Foreign {
        /// The tag.
        tag: String,
        /// The release that is published.
        url: String,
        /// The draft.
        ours: String,
    },
    /// The run that holds the version has not made it.
    #[error(
        "run `{run}` holds this version and has not made the GitHub release of `{tag}`; if it is over, go on in its name with `--run {run}`"
    )]
    NotOurs {
        /// The tag.
        tag: String,
        /// The run.
        run: String,
    },
}

impl GitHubReleaseError {
    /// The exit code by meaning.
    pub fn exit(&self) -> Exit {
        match self {
            Self::NoTag(_)
            | Self::TagElsewhere { .. }
            | Self::Name(_)
            | Self::SignatureName(_)
            | Self::Size { .. }
            | Self::TooMany { .. }
            | Self::Gone { .. }
            | Self::Repository { .. } => Exit::Refused,
            Self::Retagged { .. }
            | Self::Foreign { .. }
            | Self::NotOurs { .. }
            | Self::Differs { .. }
            | Self::Immutable { .. }
            | Self::Surplus { .. } => Exit::Conflict,
            Self::Missing { .. } => Exit::Failed,
        }
    }
}
