//! Why GitHub did not do what it was asked to.

use std::time::Duration;

use thiserror::Error;

/// Why GitHub did not do what it was asked to. `doing` says what that was: "create the release of `v1.4.0`".
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum GitHubError {
    /// No client can be built.
    #[error("cannot talk to GitHub: {0}")]
    Client(String),
    /// The token is none, or not valid any more.
    #[error(
        "cannot {doing} in `{repository}`: GitHub knows no such token ({said}); give a valid one in `GITHUB_TOKEN`, such as `${{{{ github.token }}}}`"
    )]
    Unauthorized {
        /// What was asked.
        doing: String,
        /// Where.
        repository: String,
        /// What GitHub says.
        said: String,
    },
    /// The token is valid and may not.
    #[error(
        "cannot {doing} in `{repository}`: the token may not ({said}); give the job `permissions: {{ {needs} }}`"
    )]
    Forbidden {
        /// What was asked.
        doing: String,
        /// Where.
        repository: String,
        /// The permission that is needed: `contents: write`.
        needs: &'static str,
        /// What GitHub says.
        said: String,
    },
    /// It is not there, or the token may not even know that it is.
    #[error(
        "cannot {doing} in `{repository}`: GitHub does not find it; check the name, and that the token may read that repository (`permissions: {{ {needs} }}`)"
    )]
    NotFound {
        /// What was asked.
        doing: String,
        /// Where.
        repository: String,
        /// The permission that is needed.
        needs: &'static str,
    },
    /// The repository has another name now.
    #[error(
        "cannot {doing} in `{repository}`: GitHub says that it has moved; use its new name (`--repository`, GITHUB_REPOSITORY)"
    )]
    Moved {
        /// What was asked.
        doing: String,
        /// The old name.
        repository: String,
    },
    /// Somebody else's bytes are published under the name of an asset.
    #[error(
        "cannot {doing} in `{repository}`: other bytes are published under that name: expected sha256:{expected}, found {found}; they were not changed. A published version never changes: publish a new one"
    )]
    Taken {
        /// What was asked.
        doing: String,
        /// Where.
        repository: String,
        /// What was to be uploaded, in hexadecimal.
        expected: String,
        /// What is there.
        found: String,
    },
    /// GitHub understood, and does not do it.
    #[error("cannot {doing} in `{repository}`: GitHub answers {status}, {said}")]
    Invalid {
        /// What was asked.
        doing: String,
        /// Where.
        repository: String,
        /// The HTTP status.
        status: u16,
        /// What GitHub says.
        said: String,
    },
    /// The limit on requests, for longer than is waited.
    #[error(
        "cannot {doing} in `{repository}`: GitHub limits requests for another {}s, longer than is waited; run it again then", .wait.as_secs()
    )]
    Limited {
        /// What was asked.
        doing: String,
        /// Where.
        repository: String,
        /// What it asks to wait.
        wait: Duration,
    },
    /// No answer, or an answer that says nothing, after bounded retries.
    #[error(
        "cannot {doing} in `{repository}`: {why} (tried {tries} times); look at githubstatus.com, and run it again"
    )]
    Failed {
        /// What was asked.
        doing: String,
        /// Where.
        repository: String,
        /// The last reason.
        why: String,
        /// How often it was tried.
        tries: u32,
    },
    /// An answer that is not what the API describes.
    #[error("cannot {doing} in `{repository}`: GitHub's answer is unreadable: {why}")]
    Unreadable {
        /// What was asked.
        doing: String,
        /// Where.
        repository: String,
        /// What is wrong with it.
        why: String,
    },
    /// More than is read.
    #[error(
        "cannot {doing} in `{repository}`: there are more than {max} {what}, which is more than is read"
    )]
    TooMany {
        /// What was asked.
        doing: String,
        /// Where.
        repository: String,
        /// Of what.
        what: &'static str,
        /// The limit.
        max: usize,
    },
    /// The file that was to be uploaded could not be read, or is not what it was.
    #[error("cannot {doing} in `{repository}`: {why}")]
    Source {
        /// What was asked.
        doing: String,
        /// Where.
        repository: String,
        /// What is wrong with it.
        why: String,
    },
}

impl GitHubError {
    /// Whether GitHub said no, rather than nothing: asking again would not help.
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Unauthorized { .. }
            | Self::Forbidden { .. }
            | Self::NotFound { .. }
            | Self::Moved { .. }
            | Self::Taken { .. }
            | Self::Invalid { .. }
            | Self::TooMany { .. } => true,
            Self::Client(_)
            | Self::Limited { .. }
            | Self::Failed { .. }
            | Self::Unreadable { .. }
            | Self::Source { .. } => false,
        }
    }
}
