//! Commits: one, a history, and what lies between two.

use serde_json::{Value, json};

use super::{Done, Now};
use crate::github::answer::Answer;
use crate::github::history::Comparison;
use crate::github::page::{encoded, linked, slice};

/// "the returned list is limited to 250 commits" where no paging is asked for.
const COMPARED: usize = 250;

impl Now<'_> {
    pub(super) fn get_git_commit(&self) -> Done {
        let commit = self.state.git_commit_json(self.path("commit_sha"));
        commit.map(Answer::ok).ok_or_else(Answer::not_found)
    }

    pub(super) fn get_commit(&self) -> Done {
        self.not_empty()?;
        let name = self.path("ref");
        let Some(sha) = self.state.commit_named(name) else {
            let message = format!("No commit found for SHA: {name}");
            return Err(Answer::message(422, &message));
        };
        let mut commit = self.state.commit_json(&sha);
        commit["stats"] = json!({"total": 0, "additions": 0, "deletions": 0});
        commit["files"] = json!([]);
        Ok(Answer::ok(commit))
    }

    pub(super) fn list_commits(&mut self) -> Done {
        self.not_empty()?;
        let missing = ["path", "author", "committer", "since", "until"];
        if let Some(missing) = missing
            .iter()
            .find(|name| self.asked.query.contains_key(**name))
        {
            return Err(Answer::not_here(&format!("commits by `{missing}`")));
        }
        let name = self.asked.query.get("sha");
        let name = name.unwrap_or(&self.state.default_branch);
        let head = self
            .state
            .commit_named(name)
            .ok_or_else(Answer::not_found)?;
        let walked = self.state.walk(&head);
        let page = slice(&walked, self.asked);
        let commits = page.iter().map(|sha| self.state.commit_json(sha)).collect();
        let url = format!("{}/commits", self.state.repository_url());
        Ok(linked(Answer::ok(commits), &url, self.asked, walked.len()))
    }

    pub(super) fn compare_commits(&mut self) -> Done {
        self.not_empty()?;
        let basehead = self.path("basehead").to_owned();
        let (base, head) = basehead.split_once("...").ok_or_else(Answer::not_found)?;
        let named = |name: &str| self.state.commit_named(name).ok_or_else(Answer::not_found);
        let (base_sha, head_sha) = (named(base)?, named(head)?);
        let Some(found) = self.state.compare(&base_sha, &head_sha) else {
            let message = format!("No common ancestor between {base} and {head}.");
            return Err(Answer::message(404, &message));
        };
        let paged = ["page", "per_page"]
            .iter()
            .any(|name| self.asked.query.contains_key(*name));
        let commits = if paged {
            slice(&found.ahead, self.asked)
        } else {
            &found.ahead[found.ahead.len().saturating_sub(COMPARED)..]
        };
        let answer = Answer::ok(self.comparison_json(&basehead, &found, commits));
        if !paged {
            return Ok(answer);
        }
        let path = basehead.split("...").map(encoded).collect::<Vec<_>>();
        let url = format!(
            "{}/compare/{}",
            self.state.repository_url(),
            path.join("...")
        );
        Ok(linked(answer, &url, self.asked, found.ahead.len()))
    }

    fn comparison_json(&self, basehead: &str, found: &Comparison, commits: &[String]) -> Value {
        let status = match (found.ahead.len(), found.behind) {
            (0, 0) => "identical",
            (_, 0) => "ahead",
            (0, _) => "behind",
            _ => "diverged",
        };
        let path = basehead
            .split("...")
            .map(encoded)
            .collect::<Vec<_>>()
            .join("...");
        let page = format!("{}/compare/{path}", self.state.page_url());
        let commits: Vec<_> = commits
            .iter()
            .map(|sha| self.state.commit_json(sha))
            .collect();
        json!({
            "url": format!("{}/compare/{path}", self.state.repository_url()),
            "html_url": page,
            "permalink_url": page,
            "diff_url": format!("{page}.diff"),
            "patch_url": format!("{page}.patch"),
            "base_commit": self.state.commit_json(&found.base),
            "merge_base_commit": self.state.commit_json(&found.merge_base),
            "status": status,
            "ahead_by": found.ahead.len(),
            "behind_by": found.behind,
            "total_commits": found.ahead.len(),
            "commits": commits,
            "files": [],
        })
    }
}
