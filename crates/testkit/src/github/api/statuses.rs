//! Commit statuses, and workflows that are started.

use serde_json::json;

use super::{Done, Now};
use crate::github::answer::Answer;
use crate::github::page::{linked, slice};
use crate::github::render::text;
use crate::github::state::{Dispatch, Status};

/// "there is a limit of 1000 statuses per sha and context".
const STATUSES_MAX: usize = 1000;
/// GitHub's words: "description is too long (maximum is 140 characters)".
const DESCRIPTION_MAX: usize = 140;

impl Now<'_> {
    pub(super) fn create_commit_status(&mut self) -> Done {
        let sha = self.path("sha").to_owned();
        if !self.state.commits.contains_key(&sha) {
            let message = format!("No commit found for SHA: {sha}");
            return Err(Answer::message(422, &message));
        }
        let description = text(self.asked, "description");
        let length = description.as_ref().map_or(0, |text| text.chars().count());
        if length > DESCRIPTION_MAX {
            let message = "description is too long (maximum is 140 characters)";
            return Err(Answer::custom("Status", "description", message));
        }
        let context = text(self.asked, "context").unwrap_or_else(|| "default".to_owned());
        let same = |status: &&Status| status.sha == sha && status.context == context;
        if self.state.statuses.iter().filter(same).count() >= STATUSES_MAX {
            let message = "This SHA and context has reached the maximum number of statuses.";
            return Err(Answer::custom("Status", "base", message));
        }
        let status = Status {
            id: self.state.next_id(),
            sha,
            state: text(self.asked, "state").unwrap_or_default(),
            context,
            description,
            target_url: text(self.asked, "target_url"),
            created_at: self.unix,
        };
        let answer = Answer::created(self.state.status_json(&status));
        self.state.statuses.push(status);
        Ok(answer)
    }

    pub(super) fn list_commit_statuses(&self) -> Done {
        let name = self.path("ref");
        let sha = self
            .state
            .commit_named(name)
            .ok_or_else(Answer::not_found)?;
        let of_commit = self.state.statuses.iter().rev();
        let found: Vec<_> = of_commit.filter(|status| status.sha == sha).collect();
        let page = slice(&found, self.asked);
        let page = page.iter().map(|status| self.state.status_json(status));
        let url = format!("{}/commits/{sha}/statuses", self.state.repository_url());
        let answer = Answer::ok(page.collect());
        Ok(linked(answer, &url, self.asked, found.len()))
    }

    /// Every file that could be a workflow is one here.
    pub(super) fn create_workflow_dispatch(&mut self) -> Done {
        let details = &self.asked.body["return_run_details"];
        // Enterprise servers are behind, and refuse what they do not know (`benc-uk/workflow-dispatch#86`).
        if self.state.quirks.enterprise && !details.is_null() {
            let message = "Invalid request.\n\n\"return_run_details\" is not a permitted key.";
            return Err(Answer::message(422, message));
        }
        // The version 2026-03-10 always answers with them (`octokit/openapi-types.ts#494`).
        let details = self.asked.newer_api || *details == true;
        let workflow = self.path("workflow_id").to_owned();
        let is_file = [".yml", ".yaml"].iter().any(|end| workflow.ends_with(end));
        if !is_file && workflow.parse::<u64>().is_err() {
            return Err(Answer::not_found());
        }
        let git_ref = text(self.asked, "ref").unwrap_or_default();
        let names = [
            git_ref.clone(),
            format!("refs/heads/{git_ref}"),
            format!("refs/tags/{git_ref}"),
        ];
        if !names.iter().any(|name| self.state.refs.contains_key(name)) {
            let message = format!("No ref found for: {git_ref}");
            return Err(Answer::message(422, &message));
        }
        self.state.dispatches.push(Dispatch {
            workflow,
            git_ref,
            inputs: self.asked.body["inputs"].clone(),
        });
        if !details {
            return Ok(Answer::empty(204));
        }
        let run = self.state.next_id();
        Ok(Answer::ok(json!({
            "workflow_run_id": run,
            "run_url": format!("{}/actions/runs/{run}", self.state.repository_url()),
            "html_url": format!("{}/actions/runs/{run}", self.state.page_url()),
        })))
    }
}
