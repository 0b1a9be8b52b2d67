//! What a commit's status says of a verification. The exit code is the truth; a status is where people and branch rules look.

use github::{GitHubError, State, Status, Write};
use release::App;
use release::commit::CommitId;
use signing::ReleaseReport;

use crate::error::Error;

/// The stable name of the status: a branch rule can require it. Where a repository ships several apps each has its own, as
/// the newest of a name is the one that counts.
pub fn context(app: &App, among: Among) -> String {
    match among {
        Among::Itself => "lastmile / verify".to_owned(),
        Among::Others => format!("lastmile / verify ({app})"),
    }
}

/// Whether the configuration has other apps besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Among {
    /// It is the only one.
    Itself,
    /// There are others.
    Others,
}

/// Sets the status of a commit to what verifying came to: how many artifacts passed, or why not.
///
/// # Errors
/// Where GitHub does not answer, or the token may not.
pub async fn set_verified(
    github: &Write,
    commit: &CommitId,
    context: String,
    outcome: Result<&ReleaseReport, &Error>,
    target_url: Option<String>,
) -> Result<(), GitHubError> {
    let (state, description) = match outcome {
        Ok(report) => (State::Success, passed(report)),
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
        context,
        description,
        target_url,
    };
    github.set_status(commit, &status).await
}

/// What is signed, and what the policy lets through without.
fn passed(report: &ReleaseReport) -> String {
    let (total, allowed) = (report.total(), report.allowed().len());
    let signed = total - allowed;
    if allowed == 0 {
        format!("all {total} artifacts are signed, whole, and by whom they must be")
    } else {
        format!(
            "{signed} of {total} artifacts are signed, whole, and by whom they must be; {allowed} allowed without"
        )
    }
}
