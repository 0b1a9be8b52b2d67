//! Statuses of a commit: what pull requests show, and branch rules can require.

use release::commit::CommitId;
use reqwest::Method;
use serde_json::json;

use crate::Write;
use crate::call::Call;
use crate::error::GitHubError;

/// The most characters of a description (docs.github.com, "Create a commit status").
const DESCRIPTION_CHARS_MAX: usize = 140;

/// Where something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It runs.
    Pending,
    /// It is as it must be.
    Success,
    /// It is not.
    Failure,
    /// It could not be found out.
    Error,
}

/// A status of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Where it stands.
    pub state: State,
    /// Its stable name: `lastmile / verify`.
    pub context: String,
    /// What there is to say; cut after 140 characters.
    pub description: String,
    /// Where there is more.
    pub target_url: Option<String>,
}

impl Write {
    /// Sets a status. The newest of a context counts, so setting it again is setting it once.
    ///
    /// # Errors
    /// Where GitHub does not answer, or the token may not.
    pub async fn set_status(&self, commit: &CommitId, status: &Status) -> Result<(), GitHubError> {
        let state = match status.state {
            State::Pending => "pending",
            State::Success => "success",
            State::Failure => "failure",
            State::Error => "error",
        };
        let description: String = status
            .description
            .chars()
            .take(DESCRIPTION_CHARS_MAX)
            .collect();
        let mut body = json!({
            "state": state,
            "context": status.context,
            "description": description,
        });
        if let Some(url) = &status.target_url {
            body["target_url"] = json!(url);
        }
        let path = self.read().repository().path(&format!("statuses/{commit}"));
        let doing = format!("set the status `{}` of {}", status.context, commit.short());
        let call = Call::change(Method::POST, path, Some(body), doing).needing("statuses: write");
        self.client().repeatable(&call).await.map(drop)
    }
}
