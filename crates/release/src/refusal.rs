//! Refusals: a rule said no. What the world does wrong is somebody else's error type.

use thiserror::Error;

use crate::name::{Channel, TierName};
use crate::platform::Platform;
use crate::revision::Stage;
use crate::version::Version;

/// Why a change to a channel or a release is not made. Each names the object, what was expected, what was found, and
/// the next move.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// A document asks for a newer binary.
    #[error(
        "`{what}` needs writer {needed}, this binary is writer {ours}; use a newer lastmile (only `halt` is allowed)"
    )]
    NewerWriter {
        /// The document.
        what: String,
        /// Its `min-writer`.
        needed: u32,
        /// [`crate::document::WRITER`].
        ours: u32,
    },
    /// The channel has no revision yet.
    #[error(
        "channel `{0}` has no revision in this store; is it the right store, app, and channel? A channel begins with `lastmile rollout start`"
    )]
    NoChannel(Channel),
    /// None of the chosen platforms is part of this.
    #[error("{verb}: no platform to act on: {why}")]
    NoPlatform {
        /// The verb.
        verb: &'static str,
        /// What was found per platform.
        why: String,
    },
    /// Starting something older than what everyone gets.
    #[error(
        "`{version}` is not newer than the baseline `{baseline}` of `{platform}`; to go back use `lastmile rollout rollback --to {version}`"
    )]
    NotNewer {
        /// The version asked for.
        version: Version,
        /// The platform's baseline.
        baseline: Version,
        /// The platform.
        platform: Platform,
    },
    /// Starting something older than what is on its way.
    #[error(
        "`{active}` is on its way on `{platform}` and newer than `{version}`; halt it first, then start again"
    )]
    Supersedes {
        /// The version asked for.
        version: Version,
        /// The candidate that is active.
        active: Version,
        /// The platform.
        platform: Platform,
    },
    /// Starting what was halted.
    #[error(
        "`{version}` is halted on `{platform}`; use `lastmile rollout resume`, or start a newer version"
    )]
    Halted {
        /// The version.
        version: Version,
        /// The platform.
        platform: Platform,
    },
    /// A withdrawn version.
    #[error("`{0}` is yanked: it is never offered again; start another version")]
    Yanked(Version),
    /// The rollout is not in a state that allows the verb.
    #[error("cannot {verb} `{version}` on `{platform}`: it is {stage}; {next}")]
    WrongStage {
        /// The verb.
        verb: &'static str,
        /// The candidate.
        version: Version,
        /// The platform.
        platform: Platform,
        /// What was found.
        stage: Stage,
        /// What to do instead.
        next: &'static str,
    },
    /// Tiers are taken one at a time.
    #[error("`{platform}` is at tier `{at}`; the next step is `{next}`, not `{asked}`")]
    NotNextTier {
        /// The platform.
        platform: Platform,
        /// Its tier.
        at: String,
        /// The step that comes next.
        next: String,
        /// The step that was asked for.
        asked: String,
    },
    /// The tier was not watched for long enough.
    #[error(
        "tier `{tier}` soaks for {soak}, of which {left} are left on `{platform}`; try again at {until}"
    )]
    SoakNotOver {
        /// The tier.
        tier: String,
        /// Its soak time.
        soak: String,
        /// What is left of it.
        left: String,
        /// When it is over.
        until: String,
        /// The platform.
        platform: Platform,
    },
    /// Resuming must not expose more than was exposed.
    #[error(
        "resume never raises the share: `{platform}` was at tier `{was}`, `{asked}` is above it"
    )]
    ResumesHigher {
        /// The platform.
        platform: Platform,
        /// Where it was halted.
        was: TierName,
        /// What was asked for.
        asked: TierName,
    },
    /// A tier that the frozen plan does not have.
    #[error("this rollout has no tier `{asked}`; its frozen tiers are {tiers}")]
    NoTier {
        /// What was asked for.
        asked: String,
        /// What there is.
        tiers: String,
    },
    /// Going back only to what was a baseline here.
    #[error(
        "`{version}` was never the baseline of `{platform}` on this channel (these were: {past}); a version that never went through the tiers is not a way back; name the platforms that have it with `--platform`"
    )]
    NeverBaseline {
        /// What was asked for.
        version: Version,
        /// The platform.
        platform: Platform,
        /// What it could be.
        past: String,
    },
    /// A store without conditional writes.
    #[error(
        "store `{store}` ignores `{condition}`: {request} was answered {answer}, expected 412; two writers could both win, so nothing is written. Use a store with conditional writes"
    )]
    StoreIgnoresConditions {
        /// The store.
        store: String,
        /// The header that was ignored.
        condition: &'static str,
        /// The request that shows it.
        request: &'static str,
        /// What it was answered.
        answer: String,
    },
    /// A directory on a network file system.
    #[error(
        "`{path}` is on {file_system}, where `link` and locks are not dependable; use a local directory or an `s3://` store"
    )]
    NetworkFileSystem {
        /// The directory.
        path: String,
        /// Its type.
        file_system: String,
    },
}
