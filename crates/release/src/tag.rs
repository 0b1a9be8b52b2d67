//! What is tagged next: the version, by the commits since the last tag; the reason; the notes.
//!
//! Values in, a plan out. Which tags and commits there are is somebody else's to read, and to say when it does not know.

use std::collections::BTreeSet;

use serde::Serialize;
use thiserror::Error;

use crate::changelog;
use crate::commit::{Commit, CommitId};
use crate::version::Version;

mod format;
mod next;

pub use format::{PreId, PreIdError, TagFormat, TagFormatError};
pub use next::Bump;

/// A version that has a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tagged {
    /// The version.
    pub version: Version,
    /// The commit that the tag leads to.
    pub commit: CommitId,
}

/// What a repository knows, as far as it matters. Tags that are not reachable from the head count in `versions` alone.
#[derive(Debug, Clone)]
pub struct History {
    /// The commit that would be tagged.
    pub head: CommitId,
    /// The highest version reachable that is no pre-release.
    pub stable: Option<Tagged>,
    /// The highest version reachable.
    pub newest: Option<Tagged>,
    /// The version whose tag is at the head already, of the kind that is asked for. It counts nowhere else, so that what was
    /// planned before the tag was made is planned again.
    pub at_head: Option<Version>,
    /// Every other version that has a tag.
    pub versions: BTreeSet<Version>,
    /// The commits since `stable`, or all if there is none: children before parents.
    pub commits: Vec<Commit>,
    /// Those of them that are not in `newest` either.
    pub since_newest: BTreeSet<CommitId>,
}

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// This version instead of the computed one.
    pub version: Option<Version>,
    /// A pre-release of this name.
    pub pre: Option<PreId>,
    /// The first version of a repository without any.
    pub first: First,
}

/// The first version, and where it comes from.
#[derive(Debug, Clone)]
pub struct First {
    /// The version.
    pub version: Version,
    /// Where it stands, for people.
    pub source: String,
}

impl Default for First {
    /// Item 4 and the FAQ of semver.org: initial development starts at 0.1.0.
    fn default() -> Self {
        Self {
            version: Version::new(0, 1, 0),
            source: "where initial development starts".to_owned(),
        }
    }
}

/// What would be tagged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// No commit since the last tag calls for a release.
    Nothing {
        /// The version before.
        previous: Version,
        /// How many commits were looked at.
        commits: usize,
        /// What is said in commits, and not done.
        warnings: Vec<String>,
    },
    /// This.
    Next(Box<Plan>),
}

/// The next version, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// The version that the notes begin after.
    pub previous: Option<Version>,
    /// The next version.
    pub version: Version,
    /// By how much the commits raise the version; none where something else decides.
    pub bump: Option<Bump>,
    /// What decides, and which commit it is.
    pub reason: String,
    /// How many commits there are since `previous`.
    pub commits: usize,
    /// The notes, in Markdown.
    pub notes: String,
    /// What is said in commits, and not done.
    pub warnings: Vec<String>,
}

/// Why there is no next version.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TagRefusal {
    /// The version asked for is not above the last.
    #[error(
        "version `{asked}` is not above `{newest}`, the highest that this commit contains; give a higher `--version`"
    )]
    NotAbove {
        /// What was asked for.
        asked: Version,
        /// What there is.
        newest: Version,
    },
    /// The computed pre-release would be lower than the last tag.
    #[error(
        "the next `{pre}` would be `{computed}`, which is not above `{newest}`; go on with another `--pre`, or give `--version`"
    )]
    PreBelow {
        /// The name of the pre-release.
        pre: PreId,
        /// The version that would be next.
        computed: Version,
        /// What there is.
        newest: Version,
    },
    /// Numbers end.
    #[error("there is no version above `{0}` that a number of 64 bits can say; give `--version`")]
    NoneAbove(Version),
}

/// Plans the next version.
///
/// # Errors
/// Where the version asked for, or the computed one, would not be above every version that the head contains.
pub fn plan(history: &History, wanted: &Wanted) -> Result<Decision, TagRefusal> {
    let active = next::active(&history.commits);
    let (release_as, warnings) = next::release_as(history, &active);
    let chosen = match &wanted.version {
        Some(version) => next::given(history, version)?,
        None => match next::chosen(history, wanted, &active, release_as)? {
            Some(chosen) => chosen,
            None => {
                let previous = base(history, wanted.pre.is_some());
                return Ok(Decision::Nothing {
                    previous: previous
                        .map_or_else(Version::nothing, |tagged| tagged.version.clone()),
                    commits: counted(history, wanted.pre.is_some()).count(),
                    warnings,
                });
            }
        },
    };
    // A pre-release tells what is new since the last one; a release tells everything since the last release.
    let is_step = chosen.version.is_prerelease();
    let told = active
        .iter()
        .copied()
        .filter(|commit| !is_step || history.since_newest.contains(&commit.id));
    Ok(Decision::Next(Box::new(Plan {
        previous: base(history, is_step).map(|tagged| tagged.version.clone()),
        version: chosen.version,
        bump: chosen.bump,
        reason: chosen.reason,
        commits: counted(history, is_step).count(),
        notes: changelog::render(told),
        warnings,
    })))
}

/// Where the notes begin.
fn base(history: &History, is_step: bool) -> Option<&Tagged> {
    if is_step {
        history.newest.as_ref()
    } else {
        history.stable.as_ref()
    }
}

fn counted(history: &History, is_step: bool) -> impl Iterator<Item = &Commit> {
    let commits = history.commits.iter();
    commits.filter(move |commit| !is_step || history.since_newest.contains(&commit.id))
}

#[cfg(test)]
mod tests;
