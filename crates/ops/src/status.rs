//! What a commit's status says of a verification. The exit code is the truth; a status is where people and branch rules look.

use github::{GitHubError, State, Status, Write};
use release::commit::CommitId;

use crate::error::Error;

/// The stable name of the status: a branch rule can require it.
pub const VERIFY: &str = "lastmile / verify";

/// Sets the status of a commit to what verifying came to: how many artifacts passed, or why not.
///
/// # Errors
/// Where GitHub does not answer, or the token may not.
pub async fn set_verified(
    github: &Write,
    commit: &CommitId,
    outcome: Result<usize, &Error>,
    target_url: Option<String>,
) -> Result<(), GitHubError> {
    let (state, description) = match outcome {
        Ok(count) => (
            State::Success,
            format!("all {count} artifacts are signed, whole, and by whom they must be"),
        ),
        Err(Error::Checks(report)) => (
            State::Failure,
            format!(
                "{} of {} artifacts failed their checks",
                report.failed(),
                report.total()
            ),
        ),
        Err(error) => (State::Error, error.to_string()),
    };
    let status = Status {
        state,
        context: VERIFY,
        description,
        target_url,
    };
    github.set_status(commit, &status).await
}
