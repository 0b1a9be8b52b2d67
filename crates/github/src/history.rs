//! Commits, as GitHub walks them: for clones that do not have them.

use release::commit::CommitId;
use serde::Deserialize;

use crate::Read;
use crate::call::Call;
use crate::error::GitHubError;

/// A commit and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Its name.
    pub id: CommitId,
    /// Its message, as GitHub decodes it.
    pub message: String,
}

/// What the head has that the base has not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Compared {
    /// The head contains the base; these are the commits of the head alone, children before parents.
    Contains(Vec<Commit>),
    /// It does not.
    Apart,
}

#[derive(Deserialize)]
struct Comparison {
    status: Standing,
    total_commits: usize,
    commits: Vec<Listed>,
}

/// Of the head, seen from the base.
#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Standing {
    Ahead,
    Behind,
    Diverged,
    Identical,
}

#[derive(Deserialize)]
struct Listed {
    sha: CommitId,
    commit: Inner,
}

#[derive(Deserialize)]
struct Inner {
    message: String,
}

impl From<Listed> for Commit {
    fn from(listed: Listed) -> Self {
        Self {
            id: listed.sha,
            message: listed.commit.message,
        }
    }
}

impl Read {
    /// Whether the repository has this commit.
    ///
    /// # Errors
    /// Where GitHub does not answer.
    pub async fn has_commit(&self, id: &CommitId) -> Result<bool, GitHubError> {
        let path = self.repository().path(&format!("git/commits/{id}"));
        let call = Call::get(path, format!("read the commit {}", id.short()));
        Ok(self.0.find(&call).await?.is_some())
    }

    /// Whether the head contains the base, and what it has besides.
    ///
    /// # Errors
    /// Where GitHub does not answer or does not have one of them; more than 10,000 commits.
    pub async fn compare(&self, base: &CommitId, head: &CommitId) -> Result<Compared, GitHubError> {
        let path = self.repository().path(&format!("compare/{base}...{head}"));
        let call = Call::get(path, "read the commits since the last tag");
        let mut commits = Vec::new();
        let mut number = 0;
        loop {
            number += 1;
            // The first page answers whether to go on, so this is no plain list.
            let one = Call {
                path: format!("{}?per_page=100&page={number}", call.path),
                ..call.clone()
            };
            let answer = self.0.repeatable(&one).await?;
            let page: Comparison = answer.json(&call, self.repository())?;
            if matches!(page.status, Standing::Behind | Standing::Diverged) {
                return Ok(Compared::Apart);
            }
            commits.extend(page.commits.into_iter().map(Commit::from));
            if !answer.has_next {
                // Fewer than there are would be a wrong version.
                if commits.len() != page.total_commits {
                    let (found, total) = (commits.len(), page.total_commits);
                    let why = format!("it lists {found} of {total} commits");
                    return Err(self.0.unreadable(&call, why));
                }
                break;
            }
            if number >= self.0.limits.pages_max {
                return Err(self.too_many_commits(&call));
            }
        }
        // As `git log base..head` has them, but oldest first (docs.github.com, "Compare two commits").
        commits.reverse();
        Ok(Compared::Contains(commits))
    }

    /// Every commit that leads to the head, children before parents.
    ///
    /// # Errors
    /// As [`compare`](Self::compare).
    pub async fn commits(&self, head: &CommitId) -> Result<Vec<Commit>, GitHubError> {
        let path = self.repository().path(&format!("commits?sha={head}"));
        let call = Call::get(path, "read the commits");
        let mut commits = Vec::new();
        let page = |page: Vec<Listed>| commits.extend(page.into_iter().map(Commit::from));
        self.0.pages(&call, "commits", page).await?;
        Ok(commits)
    }

    fn too_many_commits(&self, call: &Call) -> GitHubError {
        GitHubError::TooMany {
            doing: call.doing.clone(),
            repository: self.repository().to_string(),
            what: "commits",
            max: self.0.limits.pages_max * 100,
        }
    }
}
