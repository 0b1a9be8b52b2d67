//! The operations, one arm each; who may ask was asked before.

mod assets;
mod commits;
mod publishing;
mod refs;
mod releases;
mod statuses;
pub(crate) mod web;

use serde_json::json;

use super::answer::Answer;
use super::contract::Asked;
use super::state::State;
use super::tokens::Caller;

/// Requests in an hour.
pub(crate) const RATE_LIMIT: u64 = 5000;

/// One request at its moment.
pub(crate) struct Now<'a> {
    /// Seconds since 1970.
    pub(crate) unix: u64,
    pub(crate) state: &'a mut State,
    pub(crate) asked: &'a Asked,
    pub(crate) caller: &'a Caller,
}

/// What an operation does: an answer, or a refusal, which is one too.
type Done = Result<Answer, Answer>;

impl Now<'_> {
    /// Whether the repository is there for this caller, and the operation allowed.
    pub(crate) fn may(&self, operation: &str) -> Result<(), Answer> {
        if let (Some(owner), Some(repo)) =
            (self.asked.path.get("owner"), self.asked.path.get("repo"))
            && !self.state.is_repository(owner, repo)
        {
            return Err(Answer::not_found());
        }
        self.caller.allow(operation, self.state.quirks.private)
    }

    /// Carries out an operation, except for uploads.
    pub(crate) fn answer(&mut self, operation: &str) -> Answer {
        let done = match operation {
            "repos/get" => Ok(Answer::ok(self.state.repository_json(self.unix))),
            "rate-limit/get" => Ok(self.rate_limit()),
            "git/get-ref" => self.get_ref(),
            "git/list-matching-refs" => Ok(self.list_matching_refs()),
            "repos/list-tags" => Ok(self.list_tags()),
            "git/get-tag" => self.get_tag(),
            "git/create-tag" => self.create_tag(),
            "git/create-ref" => self.create_ref(),
            "git/update-ref" => self.update_ref(),
            "git/get-commit" => self.get_git_commit(),
            "repos/get-commit" => self.get_commit(),
            "repos/list-commits" => self.list_commits(),
            "repos/compare-commits-with-basehead" => self.compare_commits(),
            "repos/list-releases" => Ok(self.list_releases()),
            "repos/get-release" => self.get_release(),
            "repos/get-release-by-tag" => self.get_release_by_tag(),
            "repos/get-latest-release" => self.get_latest_release(),
            "repos/create-release" => self.create_release(),
            "repos/update-release" => self.update_release(),
            "repos/delete-release" => self.delete_release(),
            "repos/generate-release-notes" => self.generate_release_notes(),
            "repos/list-release-assets" => self.list_release_assets(),
            "repos/get-release-asset" => self.get_release_asset(),
            "repos/delete-release-asset" => self.delete_release_asset(),
            "repos/check-immutable-releases" => self.check_immutable_releases(),
            "repos/create-commit-status" => self.create_commit_status(),
            "repos/list-commit-statuses-for-ref" => self.list_commit_statuses(),
            "actions/create-workflow-dispatch" => self.create_workflow_dispatch(),
            other => unreachable!("`{other}` is described and not here"),
        };
        done.unwrap_or_else(|refusal| refusal)
    }

    fn rate_limit(&self) -> Answer {
        let used = self.state.requests_counted;
        let rate = json!({
            "limit": RATE_LIMIT,
            "remaining": RATE_LIMIT.saturating_sub(used),
            "reset": self.unix + 3600,
            "used": used,
        });
        Answer::ok(json!({"rate": rate, "resources": {"core": rate, "search": rate}}))
    }

    fn check_immutable_releases(&self) -> Done {
        if !self.state.quirks.immutable {
            return Err(Answer::not_found());
        }
        Ok(Answer::ok(
            json!({"enabled": true, "enforced_by_owner": false}),
        ))
    }

    /// A parameter of the path.
    fn path(&self, name: &str) -> &str {
        self.asked.path.get(name).map_or("", String::as_str)
    }

    /// A number in the path; what is no number is nowhere.
    fn id(&self, name: &str) -> Result<u64, Answer> {
        self.path(name).parse().map_err(|_| Answer::not_found())
    }

    fn not_empty(&self) -> Result<(), Answer> {
        if self.state.commits.is_empty() {
            return Err(Answer::message(409, "Git Repository is empty."));
        }
        Ok(())
    }
}
