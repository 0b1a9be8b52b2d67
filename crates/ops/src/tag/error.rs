//! Why nothing was tagged.

use release::tag::TagRefusal;
use thiserror::Error;

use crate::error::Exit;

/// Why nothing was tagged.
#[derive(Debug, Error)]
pub enum TagError {
    /// No repository around the folder.
    #[error(
        "`{folder}` is in no git repository that can be read ({why}); run it in a checkout, or give `--config`"
    )]
    NoRepository {
        /// The folder.
        folder: String,
        /// What `gix` found.
        why: String,
    },
    /// Nothing is committed.
    #[error("`HEAD` has no commit yet; commit first, then tag")]
    Unborn,
    /// History ends before the question is answered.
    #[error(
        "this clone is shallow and its history ends at {boundary}, before the last tag is certain, so any version would be a guess; nothing was tagged. Fetch all of it: `fetch-depth: 0` with `actions/checkout`, or `git fetch --unshallow --tags`"
    )]
    Shallow {
        /// A commit whose parents are missing.
        boundary: String,
    },
    /// Nobody fetched tags.
    #[error(
        "this clone leaves tags out (`remote.origin.tagOpt` is `--no-tags`) and has none, so the first version cannot be told from the next; nothing was tagged. Fetch them with `git fetch --tags`, or give `--version`"
    )]
    WithoutTags,
    /// The tag is somewhere else.
    #[error(
        "tag `{tag}` exists at {found}, and this is {commit}; nothing was changed, as a tag never moves. Check out that commit, or give another `--version`"
    )]
    Elsewhere {
        /// The tag.
        tag: String,
        /// What it leads to.
        found: String,
        /// The commit that was to be tagged.
        commit: String,
    },
    /// GitHub has a tag that this clone cannot follow.
    #[error(
        "this clone does not have what the tag `{}` of GitHub leads to; fetch all of it: `fetch-depth: 0` with `actions/checkout`, or `git fetch --unshallow --tags`", release::name::printable(.0)
    )]
    Behind(String),
    /// The commit is nobody's but ours.
    #[error(
        "commit {commit} is not in `{repository}`, and only what is there can be tagged; push it first. Nothing was tagged"
    )]
    NotPushed {
        /// The commit.
        commit: String,
        /// The repository.
        repository: String,
    },
    /// GitHub did not do what it was asked to.
    #[error(transparent)]
    GitHub(#[from] github::GitHubError),
    /// The version does not rise.
    #[error(transparent)]
    Refused(#[from] TagRefusal),
    /// More than is read.
    #[error("the repository has more than {max} {what}, which is more than is read")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// The limit.
        max: usize,
    },
    /// The notes could not be written.
    #[error("cannot write the notes to `{path}`: {source}; nothing was tagged")]
    Notes {
        /// The file.
        path: String,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The repository cannot be read or written.
    #[error("cannot {what}: {why}")]
    Git {
        /// What was tried.
        what: String,
        /// What `gix` says.
        why: String,
    },
}

impl TagError {
    /// A failure of `gix`, in its words, made safe to print.
    pub(super) fn git(what: impl Into<String>, error: &(dyn std::error::Error + 'static)) -> Self {
        Self::Git {
            what: what.into(),
            why: release::name::chain(error),
        }
    }

    /// A tag that is not where it would be created.
    pub(super) fn elsewhere(tag: &str, found: String, commit: &str) -> Self {
        Self::Elsewhere {
            tag: release::name::printable(tag),
            found,
            commit: commit.to_owned(),
        }
    }

    /// The exit code by meaning.
    pub fn exit(&self) -> Exit {
        match self {
            Self::NoRepository { .. } | Self::Unborn => Exit::Usage,
            Self::Refused(TagRefusal::NotAbove { .. }) => Exit::Usage,
            Self::Refused(TagRefusal::PreBelow { .. } | TagRefusal::NoneAbove(_)) => Exit::Refused,
            Self::Shallow { .. }
            | Self::WithoutTags
            | Self::Elsewhere { .. }
            | Self::Behind(_)
            | Self::NotPushed { .. }
            | Self::TooMany { .. } => Exit::Refused,
            Self::Notes { .. } | Self::Git { .. } => Exit::Failed,
            Self::GitHub(error) => crate::error::of_github(error),
        }
    }
}
