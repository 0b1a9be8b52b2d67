//! Releases that are read: lists that lag, drafts that few see, and which one is the latest.

use serde_json::json;

use super::{Done, Now};
use crate::github::answer::Answer;
use crate::github::page::{linked, slice};
use crate::github::render::text;
use crate::github::state::{Release, State};

impl State {
    /// The release that was said to be the latest, or else the newest by its commit's date, then by its version, of those
    /// that do not say otherwise. Drafts and prereleases are never the latest.
    pub(crate) fn latest(&self) -> Option<&Release> {
        let full = |release: &&Release| !release.draft && !release.prerelease;
        let said = self.latest.and_then(|id| self.releases.get(&id));
        if let Some(said) = said.filter(full) {
            return Some(said);
        }
        let version = |release: &Release| {
            let digits = release
                .tag_name
                .find(|character: char| character.is_ascii_digit());
            let version = &release.tag_name[digits.unwrap_or(0)..];
            semver::Version::parse(version).ok()
        };
        self.releases
            .values()
            .filter(full)
            .filter(|release| release.make_latest != "false")
            .max_by_key(|release| (release.created_at, version(release), release.id))
    }

    /// The release of a tag that is published; there is at most one.
    pub(crate) fn published(&self, tag: &str) -> Option<&Release> {
        let published = |release: &&Release| !release.draft && release.tag_name == tag;
        self.releases.values().find(published)
    }
}

impl Now<'_> {
    /// The release in the path, if the caller may see it.
    pub(super) fn release(&self) -> Result<&Release, Answer> {
        let release = self.state.releases.get(&self.id("release_id")?);
        release
            .filter(|release| !release.draft || self.caller.sees_drafts())
            .ok_or_else(Answer::not_found)
    }

    pub(super) fn list_releases(&mut self) -> Answer {
        let visible: Vec<_> = self
            .state
            .releases
            .values()
            .rev()
            .filter(|release| !release.draft || self.caller.sees_drafts())
            .filter(|release| release.hidden_lists == 0)
            .collect();
        let page = slice(&visible, self.asked);
        let page = page.iter().map(|release| self.state.release_json(release));
        let url = format!("{}/releases", self.state.repository_url());
        let answer = linked(Answer::ok(page.collect()), &url, self.asked, visible.len());
        for release in self.state.releases.values_mut() {
            release.hidden_lists = release.hidden_lists.saturating_sub(1);
        }
        answer
    }

    pub(super) fn get_release(&self) -> Done {
        Ok(Answer::ok(self.state.release_json(self.release()?)))
    }

    pub(super) fn get_release_by_tag(&self) -> Done {
        let release = self.state.published(self.path("tag"));
        let release = release.ok_or_else(Answer::not_found)?;
        Ok(Answer::ok(self.state.release_json(release)))
    }

    pub(super) fn get_latest_release(&self) -> Done {
        let release = self.state.latest().ok_or_else(Answer::not_found)?;
        Ok(Answer::ok(self.state.release_json(release)))
    }

    pub(super) fn generate_release_notes(&self) -> Done {
        let tag = text(self.asked, "tag_name").unwrap_or_default();
        let previous = text(self.asked, "previous_tag_name");
        let notes = self.notes(&tag, previous.as_deref());
        Ok(Answer::ok(json!({"name": tag, "body": notes})))
    }

    /// GitHub lists pull requests, of which there are none here; what stays is the last line.
    pub(super) fn notes(&self, tag: &str, previous: Option<&str>) -> String {
        let place = match previous {
            Some(previous) => format!("compare/{previous}...{tag}"),
            None => format!("commits/{tag}"),
        };
        format!("**Full Changelog**: {}/{place}", self.state.page_url())
    }
}
