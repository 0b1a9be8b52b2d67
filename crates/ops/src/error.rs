//! Why a verb did not do its work, and the exit code that says which kind of why.

use release::rollout::TransitionError;
use release::{FileName, Refusal};
use signing::{Check, MeasureError, OpenPgpError, ReleaseReport, RootError};
use store::{LocationError, StoreError};
use thiserror::Error;

use crate::artifacts::ArtifactsError;
use crate::config::ConfigErrors;
use crate::project::Lag;
use crate::publish::GitHubReleaseError;
use crate::tag::TagError;
use crate::version::VersionSourceError;

/// What a process says at its end; one meaning each, for every verb.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done, or already done.
    Done = 0,
    /// A check failed.
    CheckFailed = 1,
    /// The command line, the configuration, or the files given are wrong.
    Usage = 2,
    /// A rule said no.
    Refused = 3,
    /// Somebody else's bytes, claim, or revision.
    Conflict = 4,
    /// The world failed, after bounded retries.
    Failed = 5,
    /// Committed, but not yet visible everywhere.
    Lagging = 6,
}

/// Why a verb did not do its work.
#[derive(Debug, Error)]
pub enum Error {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigErrors),
    /// The files on disk are not what the configuration says.
    #[error(transparent)]
    Artifacts(#[from] ArtifactsError),
    /// The version could not be read.
    #[error(transparent)]
    Version(#[from] VersionSourceError),
    /// The store's place is not one.
    #[error(transparent)]
    Location(#[from] LocationError),
    /// Something that must be given was not.
    #[error("`{what}` is missing: {next}")]
    Missing {
        /// What.
        what: &'static str,
        /// How to give it.
        next: String,
    },
    /// The signatures or digests are not as the policy demands.
    #[error("{} of {} artifacts failed their checks; nothing was written", .0.failed(), .0.total())]
    Checks(Box<ReleaseReport>),
    /// A Sigstore bundle does not hold.
    #[error("the bundle does not hold: {}: {}", .0.id.as_str(), .0.reason)]
    Bundle(Check),
    /// A rule said no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A change to a channel was refused, or planned on an older revision.
    #[error(transparent)]
    Transition(#[from] TransitionError),
    /// Another run holds the version.
    #[error("version `{version}` is claimed by run `{run}`: {found}; nothing was written. {next}")]
    Claimed {
        /// The version.
        version: String,
        /// The run that holds it.
        run: String,
        /// What it claimed.
        found: String,
        /// The next move.
        next: String,
    },
    /// The version exists with other artifacts.
    #[error(
        "version `{version}` is published with other bytes: {differences}; nothing was changed. A published version never changes: publish a new one"
    )]
    Published {
        /// The version.
        version: String,
        /// What differs, with both digests.
        differences: String,
    },
    /// A file of OpenPGP keys that holds none.
    #[error("`{path}` is no file of OpenPGP keys: {source}")]
    Keys {
        /// The file.
        path: String,
        /// Why.
        source: OpenPgpError,
    },
    /// A file of roots that holds none.
    #[error("`{path}` is no file of roots: {source}")]
    Roots {
        /// The file.
        path: String,
        /// Why.
        source: RootError,
    },
    /// Some of the files that were inspected are not signed, whole, and chained.
    #[error("{failed} of {total} files are not signed, whole, and chained to a trusted root")]
    Inspected {
        /// How many are not.
        failed: usize,
        /// How many there are.
        total: usize,
    },
    /// An artifact that the store cannot hold.
    #[error(
        "`{name}` has {size} bytes, more than the {bytes_max} that one upload to S3 takes; nothing was written. Split it"
    )]
    TooLarge {
        /// The artifact.
        name: FileName,
        /// Its size.
        size: u64,
        /// The most that there can be.
        bytes_max: u64,
    },
    /// A release that is to be let out is not there.
    #[error(
        "release `{version}` of `{app}` is not in {store}; publish it first with `lastmile publish`"
    )]
    NoRelease {
        /// The app.
        app: String,
        /// The version.
        version: String,
        /// The store.
        store: String,
    },
    /// The store said no, or nothing.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// So many others write that no turn came.
    #[error(
        "channel `{channel}` changed under {tries} attempts to write its next revision; try again"
    )]
    Crowded {
        /// The channel.
        channel: String,
        /// How often it was tried.
        tries: u32,
    },
    /// An artifact could not be read, or changed while it was.
    #[error(transparent)]
    Measure(#[from] MeasureError),
    /// A local file could not be read.
    #[error("cannot read `{path}`: {source}")]
    Local {
        /// The file.
        path: String,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// Nothing was tagged.
    #[error(transparent)]
    Tag(#[from] TagError),
    /// What should lead to GitHub does not.
    #[error(transparent)]
    GitHubPlace(#[from] github::PlaceError),
    /// GitHub did not do what it was asked to.
    #[error(transparent)]
    GitHub(#[from] github::GitHubError),
    /// There is no GitHub release, by a rule or somebody else's doing.
    #[error(transparent)]
    GitHubRelease(#[from] GitHubReleaseError),
    /// The version exists, and its GitHub release does not yet.
    #[error(
        "version `{version}` is published in the store, but its GitHub release is not: {why}{next}"
    )]
    GitHubLagging {
        /// The version.
        version: String,
        /// What failed.
        why: Box<Error>,
        /// The next move, if it is not in there.
        next: &'static str,
    },
    /// The change is made, but not everything shows it.
    #[error("revision {revision} is committed, but not visible everywhere; lagging: {}. Run the same command again, or `lastmile reconcile`", .lagging.iter().map(|lag| format!("{lag}")).collect::<Vec<_>>().join("; "))]
    Lagging {
        /// The revision.
        revision: u64,
        /// What lags, and why.
        lagging: Vec<Lag>,
    },
}

impl Error {
    /// The exit code by meaning.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Version(VersionSourceError::Tags(error)) => error.exit(),
            Self::Config(_) | Self::Artifacts(_) | Self::Version(_) | Self::Location(_) => {
                Exit::Usage
            }
            Self::GitHubPlace(_)
            | Self::Missing { .. }
            | Self::NoRelease { .. }
            | Self::TooLarge { .. }
            | Self::Roots { .. }
            | Self::Keys { .. } => Exit::Usage,
            Self::Checks(_) | Self::Bundle(_) | Self::Inspected { .. } => Exit::CheckFailed,
            Self::Refused(_) | Self::Transition(TransitionError::Refused(_)) => Exit::Refused,
            Self::Store(StoreError::Refused(_)) => Exit::Refused,
            Self::Transition(TransitionError::Stale { .. })
            | Self::Claimed { .. }
            | Self::Published { .. } => Exit::Conflict,
            Self::Store(StoreError::Conflict(_)) | Self::Crowded { .. } => Exit::Conflict,
            Self::Store(
                StoreError::Failed { .. }
                | StoreError::Damaged { .. }
                | StoreError::SourceChanged { .. },
            ) => Exit::Failed,
            Self::Local { .. } | Self::Measure(_) => Exit::Failed,
            Self::Tag(error) => error.exit(),
            Self::GitHub(error) => of_github(error),
            Self::GitHubRelease(error) => error.exit(),
            Self::GitHubLagging { why, .. } => match why.exit() {
                Exit::Failed => Exit::Lagging,
                code => code,
            },
            Self::Lagging { .. } => Exit::Lagging,
        }
    }
}

/// GitHub says no by its rules, somebody else was there before, or the world failed.
pub(crate) fn of_github(error: &github::GitHubError) -> Exit {
    if matches!(error, github::GitHubError::Taken { .. }) {
        Exit::Conflict
    } else if error.is_refusal() {
        Exit::Refused
    } else {
        Exit::Failed
    }
}
