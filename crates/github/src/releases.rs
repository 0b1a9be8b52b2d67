//! Releases: found by their number or by a list, as a draft has no tag that leads to it; created as drafts; published.

use release::commit::CommitId;
use reqwest::Method;
use serde::Deserialize;
use serde_json::json;

use crate::call::{Call, Trouble, encoded};
use crate::error::GitHubError;
use crate::{Read, Write};

/// How many pages of the newest releases are looked through for a draft. Lists are newest first.
const PAGES_OF_DRAFTS: usize = 10;
/// How many releases a page has. Each brings all of its assets along.
const PAGE: usize = 20;
/// The most characters of a body that GitHub takes.
const BODY_CHARS_MAX: usize = 125_000;

/// A release as far as it matters.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Release {
    /// Its number.
    pub id: u64,
    /// The tag it is of.
    pub tag_name: String,
    /// Its notes.
    #[serde(default)]
    pub body: Option<String>,
    /// Whether only those who may write see it.
    pub draft: bool,
    /// Whether it is a pre-release.
    pub prerelease: bool,
    /// Whether nothing but its text can change any more.
    #[serde(default)]
    pub immutable: bool,
    /// Its page.
    pub html_url: String,
    /// Where assets are uploaded to: an RFC 6570 template.
    pub upload_url: String,
}

/// A release to be created, seen by nobody until it is published.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The tag it is of.
    pub tag: String,
    /// Its notes; cut where they are longer than GitHub takes.
    pub notes: String,
    /// The commit that the tag leads to. Where the tag is gone when it is published, GitHub makes it there.
    pub commit: CommitId,
    /// A line of its body by which it is known again.
    pub marker: String,
    /// Whether it is a pre-release.
    pub prerelease: bool,
}

/// How a draft is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Publication {
    /// As the newest, which links lead to.
    Latest,
    /// Beside a newer one, or as a pre-release.
    Beside,
}

impl Read {
    /// The release of this number, if it is there and may be seen.
    ///
    /// # Errors
    /// Where GitHub does not answer.
    pub async fn release(&self, id: u64) -> Result<Option<Release>, GitHubError> {
        let path = self.repository().path(&format!("releases/{id}"));
        self.one(Call::get(path, format!("read the release {id}")))
            .await
    }

    /// The published release of a tag. Drafts are never found so.
    ///
    /// # Errors
    /// Where GitHub does not answer.
    pub async fn release_of(&self, tag: &str) -> Result<Option<Release>, GitHubError> {
        let path = self
            .repository()
            .path(&format!("releases/tags/{}", encoded(tag)));
        self.one(Call::get(path, format!("read the release of `{tag}`")))
            .await
    }

    /// Whether the token may read the repository at all: where it may not, everything in it seems not to be there.
    ///
    /// # Errors
    /// Where it may not, or GitHub does not answer.
    pub async fn check_readable(&self) -> Result<(), GitHubError> {
        let path = self.repository().path("");
        let call = Call::get(path.trim_end_matches('/').to_owned(), "read the repository");
        self.0.repeatable(&call).await.map(drop)
    }

    /// The release that links to the newest lead to.
    ///
    /// # Errors
    /// Where GitHub does not answer.
    pub async fn latest_release(&self) -> Result<Option<Release>, GitHubError> {
        let path = self.repository().path("releases/latest");
        self.one(Call::get(path, "read the latest release")).await
    }

    async fn one(&self, call: Call) -> Result<Option<Release>, GitHubError> {
        match self.0.find(&call).await? {
            Some(answer) => answer.json(&call, self.repository()).map(Some),
            None => Ok(None),
        }
    }

    /// The drafts whose body has this line, oldest first, of the newest releases that there are. A draft that was made a
    /// moment ago can be missing: lists lag behind.
    ///
    /// # Errors
    /// Where GitHub does not answer.
    pub async fn drafts(&self, marker: &str) -> Result<Vec<Release>, GitHubError> {
        let mut drafts: Vec<Release> = Vec::new();
        for page in 1..=PAGES_OF_DRAFTS {
            let path = format!("releases?per_page={PAGE}&page={page}");
            let call = Call::get(self.repository().path(&path), "list the releases");
            let answer = self.0.repeatable(&call).await?;
            let releases: Vec<Release> = answer.json(&call, self.repository())?;
            let is_ours = |release: &Release| {
                let mut lines = release.body.as_deref().unwrap_or_default().lines();
                release.draft && lines.any(|line| line == marker)
            };
            drafts.extend(releases.into_iter().filter(is_ours));
            if !answer.has_next {
                break;
            }
        }
        drafts.sort_by_key(|release| release.id);
        Ok(drafts)
    }
}

impl Write {
    /// Finds out whether the token may write contents, without writing any: composing notes takes the same permission
    /// (docs.github.com, "Generate release notes content for a release") and changes nothing.
    ///
    /// # Errors
    /// Where it may not. Whatever else goes wrong says nothing about that, and is no error.
    pub async fn prove_contents(&self, tag: &str, doing: &str) -> Result<(), GitHubError> {
        let path = self.read().repository().path("releases/generate-notes");
        let body = json!({ "tag_name": tag });
        let call = Call::change(Method::POST, path, Some(body), doing);
        match self.client().once(&call).await {
            Err(Trouble::Final(
                error @ (GitHubError::Forbidden { .. }
                | GitHubError::Unauthorized { .. }
                | GitHubError::Moved { .. }
                | GitHubError::NotFound { .. }),
            )) => Err(error),
            _ => Ok(()),
        }
    }

    /// Creates a draft. Where an answer is lost, the draft is looked for by its marker before another is made.
    ///
    /// # Errors
    /// Where GitHub does not answer, or the token may not.
    pub async fn create_draft(&self, draft: &Draft) -> Result<Release, GitHubError> {
        let repository = self.read().repository();
        let body = json!({
            "tag_name": draft.tag,
            "target_commitish": draft.commit,
            "name": draft.tag,
            "body": draft.body(),
            "draft": true,
            "prerelease": draft.prerelease,
        });
        let doing = format!("create the release of `{}`", draft.tag);
        let call = Call::change(Method::POST, repository.path("releases"), Some(body), doing);
        let mut tries = self.client().tries();
        let mut is_unknown = false;
        loop {
            let (why, wait) = match self.client().once(&call).await {
                Ok(answer) => return answer.json(&call, repository),
                Err(Trouble::Final(error)) => return Err(error),
                Err(Trouble::NotDone { why, wait }) => (why, wait),
                Err(Trouble::Unknown { why }) => {
                    is_unknown = true;
                    (why, None)
                }
            };
            tries.pause(&call, repository, why, wait).await?;
            if is_unknown && let Some(made) = self.look_for(&draft.marker).await? {
                return Ok(made);
            }
        }
    }

    /// The oldest draft of this marker. Looked for several times, as lists lag behind.
    async fn look_for(&self, marker: &str) -> Result<Option<Release>, GitHubError> {
        const LOOKS: u32 = 4;
        for look in 0..LOOKS {
            if let Some(found) = self.read().drafts(marker).await?.into_iter().next() {
                return Ok(Some(found));
            }
            if look + 1 < LOOKS {
                tokio::time::sleep(self.client().limits.pause * 2_u32.pow(look)).await;
            }
        }
        Ok(None)
    }

    /// Publishes a draft: everybody sees it, with the assets that it has, and for what it was made, whatever somebody
    /// turned it into meanwhile.
    ///
    /// # Errors
    /// Where GitHub does not answer, the token may not, it stays a draft, or the tag has a published release already.
    pub async fn publish_release(
        &self,
        id: u64,
        draft: &Draft,
        publication: Publication,
    ) -> Result<Release, GitHubError> {
        let repository = self.read().repository();
        let path = repository.path(&format!("releases/{id}"));
        let make_latest = match publication {
            Publication::Latest => "true",
            Publication::Beside => "false",
        };
        let body = json!({
            "draft": false,
            "make_latest": make_latest,
            "tag_name": draft.tag,
            "target_commitish": draft.commit,
            "prerelease": draft.prerelease,
        });
        let doing = format!("publish the release of `{}`", draft.tag);
        let call = Call::change(Method::PATCH, path, Some(body), doing);
        // Saying the same of a release again leaves it as it is.
        let published: Release = self
            .client()
            .repeatable(&call)
            .await?
            .json(&call, repository)?;
        if published.draft {
            return Err(GitHubError::Unreadable {
                doing: call.doing,
                repository: repository.to_string(),
                why: "it says that the release is still a draft".to_owned(),
            });
        }
        Ok(published)
    }

    /// Deletes a draft, if it still is one. One that is gone is as good as deleted.
    ///
    /// # Errors
    /// Where GitHub does not answer, or the token may not.
    pub async fn delete_draft(&self, draft: &Release) -> Result<(), GitHubError> {
        let still = self.read().release(draft.id).await?;
        if still.is_none_or(|still| !still.draft) {
            return Ok(());
        }
        let path = self
            .read()
            .repository()
            .path(&format!("releases/{}", draft.id));
        let doing = format!("delete a second draft of `{}`", draft.tag_name);
        let call = Call::change(Method::DELETE, path, None, doing);
        self.client().find(&call).await.map(drop)
    }
}

impl Draft {
    fn body(&self) -> String {
        let room = BODY_CHARS_MAX - self.marker.chars().count() - 64;
        let notes = self.notes.trim_end();
        let mut body: String = notes.chars().take(room).collect();
        if body.len() < notes.len() {
            body.push_str("\n\n…");
        }
        if !body.is_empty() {
            body.push_str("\n\n");
        }
        body + &self.marker
    }
}
