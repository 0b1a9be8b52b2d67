//! Releases that are made, changed, published, and deleted.

use serde_json::Value;

use super::refs::name_is_good;
use super::{Done, Now};
use crate::github::answer::Answer;
use crate::github::render::text;
use crate::github::state::Release;

impl Now<'_> {
    pub(super) fn create_release(&mut self) -> Done {
        let tag_name = text(self.asked, "tag_name").unwrap_or_default();
        let draft = self.flag("draft").unwrap_or(false);
        self.allow_discussion()?;
        let target = text(self.asked, "target_commitish");
        let mut release = Release {
            id: self.state.next_id(),
            target_commitish: target.unwrap_or_else(|| self.state.default_branch.clone()),
            name: text(self.asked, "name"),
            body: text(self.asked, "body"),
            draft: true,
            prerelease: self.flag("prerelease").unwrap_or(false),
            immutable: false,
            make_latest: "true".to_owned(),
            created_at: self.unix,
            published_at: None,
            assets: Vec::new(),
            hidden_lists: self.state.quirks.list_lag,
            tag_name,
        };
        if self.flag("generate_release_notes") == Some(true) {
            let notes = self.notes(&release.tag_name, None);
            release.body = Some(match release.body.take() {
                Some(body) => format!("{body}\n\n{notes}"),
                None => notes,
            });
            release.name.get_or_insert_with(|| release.tag_name.clone());
        }
        if !name_is_good(&format!("refs/tags/{}", release.tag_name)) {
            return Err(Answer::custom(
                "Release",
                "tag_name",
                "tag_name is not well-formed",
            ));
        }
        let said = self.make_latest();
        if !draft {
            refuse_latest(said.as_deref(), false, release.prerelease)?;
            self.publish(&mut release, said)?;
        }
        let answer = Answer::created(self.state.release_json(&release));
        self.state.releases.insert(release.id, release);
        Ok(answer)
    }

    pub(super) fn update_release(&mut self) -> Done {
        let old = self.release()?.clone();
        self.allow_discussion()?;
        let mut release = old.clone();
        if let Some(tag_name) = text(self.asked, "tag_name") {
            release.tag_name = tag_name;
        }
        if let Some(target) = text(self.asked, "target_commitish") {
            release.target_commitish = target;
        }
        if let Some(name) = text(self.asked, "name") {
            release.name = Some(name);
        }
        if let Some(body) = text(self.asked, "body") {
            release.body = Some(body);
        }
        if let Some(prerelease) = self.flag("prerelease") {
            release.prerelease = prerelease;
        }
        let draft = self.flag("draft").unwrap_or(old.draft);
        let said = self.make_latest();
        refuse_latest(said.as_deref(), draft, release.prerelease)?;
        if old.immutable {
            let frozen = |release: &Release| {
                let Release {
                    tag_name,
                    target_commitish,
                    prerelease,
                    ..
                } = release;
                (tag_name.clone(), target_commitish.clone(), *prerelease)
            };
            if draft || frozen(&old) != frozen(&release) {
                let message = "Only the title and the notes of an immutable release can change.";
                return Err(Answer::custom("Release", "base", message));
            }
        }
        release.draft = draft || old.draft;
        if draft {
            release.published_at = None;
        } else if old.draft {
            self.publish(&mut release, said)?;
        } else {
            if self.taken(&release) {
                return Err(already_exists());
            }
            if let Some(said) = said {
                release.make_latest = said;
                self.say_latest(&release);
            }
        }
        let answer = Answer::ok(self.state.release_json(&release));
        self.state.releases.insert(release.id, release);
        Ok(answer)
    }

    pub(super) fn delete_release(&mut self) -> Done {
        let id = self.release()?.id;
        self.state.releases.remove(&id);
        Ok(Answer::empty(204))
    }

    /// Makes a release public, and its tag where there is none. What was said of the latest when the draft was made does not
    /// count any more: it must be said now, or it is `true` (`softprops/action-gh-release#703`).
    fn publish(&mut self, release: &mut Release, said: Option<String>) -> Result<(), Answer> {
        if self.taken(release) {
            return Err(already_exists());
        }
        if self.state.burned_tags.contains(&release.tag_name) {
            return Err(burned());
        }
        release.make_latest = said.unwrap_or_else(|| "true".to_owned());
        let tag = format!("refs/tags/{}", release.tag_name);
        let commit = match self.state.refs.get(&tag).cloned() {
            Some(sha) => self.state.peeled(&sha),
            None => {
                let target = &release.target_commitish;
                let target = self.state.commit_named(target).ok_or_else(|| {
                    if self.state.commits.is_empty() {
                        Answer::custom("Release", "base", "Repository is empty.")
                    } else {
                        Answer::invalid("Release", "invalid", "target_commitish")
                    }
                })?;
                self.state.refs.insert(tag, target.clone());
                Some(target)
            }
        };
        // "The `created_at` attribute is the date of the commit used for the release".
        if let Some(commit) = commit.and_then(|sha| self.state.commits.get(&sha)) {
            release.created_at = commit.committer.at.cast_unsigned();
        }
        release.draft = false;
        release.published_at = Some(self.unix);
        if self.state.quirks.immutable {
            release.immutable = true;
            self.state.burned_tags.insert(release.tag_name.clone());
        }
        self.say_latest(release);
        Ok(())
    }

    /// Whether another release of the tag is published.
    fn taken(&self, release: &Release) -> bool {
        let found = self.state.published(&release.tag_name);
        found.is_some_and(|found| found.id != release.id)
    }

    /// Heeds what is said of the latest, which drafts and prereleases cannot be.
    fn say_latest(&mut self, release: &Release) {
        if release.make_latest == "true" && !release.prerelease {
            self.state.latest = Some(release.id);
        } else if release.make_latest == "legacy" || self.state.latest == Some(release.id) {
            self.state.latest = None;
        }
    }

    fn flag(&self, key: &str) -> Option<bool> {
        self.asked.body[key].as_bool()
    }

    fn make_latest(&self) -> Option<String> {
        text(self.asked, "make_latest")
    }

    /// There are no discussions here.
    fn allow_discussion(&self) -> Result<(), Answer> {
        match &self.asked.body["discussion_category_name"] {
            Value::Null => Ok(()),
            _ => Err(Answer::not_found()),
        }
    }
}

fn already_exists() -> Answer {
    Answer::invalid("Release", "already_exists", "tag_name")
}

/// GitHub's words, as `openclaw/openclaw#139297` met them with a draft.
fn refuse_latest(said: Option<&str>, draft: bool, prerelease: bool) -> Result<(), Answer> {
    if said == Some("true") && (draft || prerelease) {
        let message = "Latest release cannot be draft or prerelease";
        return Err(Answer::custom("Release", "make_latest", message));
    }
    Ok(())
}

/// The tag of an immutable release is not free again when the release is gone. A draft may carry it still, and cannot be
/// published (`microsoft/hve-core#554`).
fn burned() -> Answer {
    let message = "tag_name was used by an immutable release";
    Answer::custom("Release", "tag_name", message)
}
