//! Things as GitHub writes them in JSON.

mod repository;

use serde_json::{Value, json};

use super::contract::Asked;
use super::objects::{Person, time};
use super::page::encoded;
use super::state::{Asset, Release, State, Status};

impl State {
    /// The account behind a workflow's token.
    pub(crate) fn actor(&self) -> Value {
        self.account("github-actions[bot]", 41_898_282, "Bot")
    }

    fn account(&self, login: &str, id: u64, kind: &str) -> Value {
        let url = format!("{}/users/{}", self.api(), encoded(login));
        let page = format!("{}/{}", self.places.web, encoded(login));
        json!({
            "login": login,
            "id": id,
            "node_id": format!("U_{id}"),
            "avatar_url": format!("{page}.png"),
            "gravatar_id": "",
            "url": url,
            "html_url": page,
            "followers_url": format!("{url}/followers"),
            "following_url": format!("{url}/following{{/other_user}}"),
            "gists_url": format!("{url}/gists{{/gist_id}}"),
            "starred_url": format!("{url}/starred{{/owner}}{{/repo}}"),
            "subscriptions_url": format!("{url}/subscriptions"),
            "organizations_url": format!("{url}/orgs"),
            "repos_url": format!("{url}/repos"),
            "events_url": format!("{url}/events{{/privacy}}"),
            "received_events_url": format!("{url}/received_events"),
            "type": kind,
            "site_admin": false,
        })
    }

    pub(crate) fn ref_json(&self, name: &str, sha: &str) -> Value {
        let url = self.repository_url();
        let kind = if self.tag_objects.contains_key(sha) {
            "tag"
        } else {
            "commit"
        };
        json!({
            "ref": name,
            "node_id": format!("REF_{name}"),
            "url": format!("{url}/git/{name}"),
            "object": {"type": kind, "sha": sha, "url": format!("{url}/git/{kind}s/{sha}")},
        })
    }

    pub(crate) fn tag_json(&self, sha: &str) -> Option<Value> {
        let tag = self.tag_objects.get(sha)?;
        let url = self.repository_url();
        let nobody = Person {
            name: String::new(),
            email: String::new(),
            at: 0,
            zone: "+0000".to_owned(),
        };
        Some(json!({
            "node_id": format!("TA_{sha}"),
            "tag": tag.tag,
            "sha": sha,
            "url": format!("{url}/git/tags/{sha}"),
            "message": tag.message,
            "tagger": person(tag.tagger.as_ref().unwrap_or(&nobody)),
            "object": {
                "type": tag.kind,
                "sha": tag.object,
                "url": format!("{url}/git/{}s/{}", tag.kind, tag.object),
            },
            "verification": unsigned(),
        }))
    }

    /// A commit as `git/get-commit` has it.
    pub(crate) fn git_commit_json(&self, sha: &str) -> Option<Value> {
        let commit = self.commits.get(sha)?;
        let url = self.repository_url();
        Some(json!({
            "sha": sha,
            "node_id": format!("C_{sha}"),
            "url": format!("{url}/git/commits/{sha}"),
            "html_url": format!("{}/commit/{sha}", self.page_url()),
            "author": person(&commit.author),
            "committer": person(&commit.committer),
            "tree": {"sha": commit.tree, "url": format!("{url}/git/trees/{}", commit.tree)},
            "message": commit.message,
            "parents": self.parents_json(&commit.parents, "/git/commits"),
            "verification": unsigned(),
        }))
    }

    /// A commit as the other operations have it. Nobody here has an account, so `author` is null.
    pub(crate) fn commit_json(&self, sha: &str) -> Value {
        let url = self.repository_url();
        let Some(commit) = self.commits.get(sha) else {
            return Value::Null;
        };
        json!({
            "sha": sha,
            "node_id": format!("C_{sha}"),
            "commit": {
                "author": person(&commit.author),
                "committer": person(&commit.committer),
                "message": commit.message,
                "tree": {"sha": commit.tree, "url": format!("{url}/git/trees/{}", commit.tree)},
                "url": format!("{url}/git/commits/{sha}"),
                "comment_count": 0,
                "verification": unsigned(),
            },
            "url": format!("{url}/commits/{sha}"),
            "html_url": format!("{}/commit/{sha}", self.page_url()),
            "comments_url": format!("{url}/commits/{sha}/comments"),
            "author": null,
            "committer": null,
            "parents": self.parents_json(&commit.parents, "/commits"),
        })
    }

    fn parents_json(&self, parents: &[String], place: &str) -> Vec<Value> {
        let parent = |sha: &String| {
            json!({
                "sha": sha,
                "url": format!("{}{place}/{sha}", self.repository_url()),
                "html_url": format!("{}/commit/{sha}", self.page_url()),
            })
        };
        parents.iter().map(parent).collect()
    }

    /// A release. Uploads that broke off are not among its assets, as users have met it (`itchio/gothub#1`).
    pub(crate) fn release_json(&self, release: &Release) -> Value {
        let url = format!("{}/releases/{}", self.repository_url(), release.id);
        let page = format!("{}/releases/tag/{}", self.page_url(), shown_tag(release));
        let ball = |kind: &str| {
            let place = format!("{}/{kind}/{}", self.repository_url(), release.tag_name);
            (!release.draft).then_some(place)
        };
        let uploaded = release.assets.iter().filter(|asset| !asset.starter);
        json!({
            "url": url,
            "assets_url": format!("{url}/assets"),
            "upload_url": format!(
                "{}/repos/{}/releases/{}/assets{{?name,label}}",
                self.uploads(), self.repository, release.id
            ),
            "html_url": page,
            "id": release.id,
            "author": self.actor(),
            "node_id": format!("RE_{}", release.id),
            "tag_name": release.tag_name,
            "target_commitish": release.target_commitish,
            "name": release.name,
            "draft": release.draft,
            "immutable": release.immutable,
            "prerelease": release.prerelease,
            "created_at": time(release.created_at.cast_signed()),
            "published_at": release.published_at.map(|at| time(at.cast_signed())),
            "assets": uploaded.map(|asset| self.asset_json(release, asset)).collect::<Vec<_>>(),
            "tarball_url": ball("tarball"),
            "zipball_url": ball("zipball"),
            "body": release.body,
        })
    }

    pub(crate) fn asset_json(&self, release: &Release, asset: &Asset) -> Value {
        let digest = format!("sha256:{}", asset.sha256);
        json!({
            "url": format!("{}/releases/assets/{}", self.repository_url(), asset.id),
            "id": asset.id,
            "node_id": format!("RA_{}", asset.id),
            "name": asset.name,
            "label": asset.label.as_deref().unwrap_or_default(),
            "uploader": self.actor(),
            "content_type": asset.content_type,
            "state": if asset.starter { "starter" } else { "uploaded" },
            "size": asset.bytes.len(),
            "digest": (!asset.starter && !self.quirks.no_digests).then_some(digest),
            "download_count": 0,
            "created_at": time(asset.created_at.cast_signed()),
            "updated_at": time(asset.created_at.cast_signed()),
            "browser_download_url": format!(
                "{}/releases/download/{}/{}",
                self.page_url(), shown_tag(release), encoded(&asset.name)
            ),
        })
    }

    pub(crate) fn status_json(&self, status: &Status) -> Value {
        json!({
            "url": format!("{}/statuses/{}", self.repository_url(), status.sha),
            "avatar_url": null,
            "id": status.id,
            "node_id": format!("SC_{}", status.id),
            "state": status.state,
            "description": status.description,
            "target_url": status.target_url,
            "context": status.context,
            "created_at": time(status.created_at.cast_signed()),
            "updated_at": time(status.created_at.cast_signed()),
            "creator": self.actor(),
        })
    }
}

/// A draft has no place under its tag yet, and GitHub names one that nobody can guess.
pub(crate) fn shown_tag(release: &Release) -> String {
    if release.draft {
        format!("untagged-{:020x}", release.id)
    } else {
        release.tag_name.clone()
    }
}

fn person(person: &Person) -> Value {
    json!({"name": person.name, "email": person.email, "date": person.date()})
}

fn unsigned() -> Value {
    json!({
        "verified": false,
        "reason": "unsigned",
        "signature": null,
        "payload": null,
        "verified_at": null,
    })
}

/// A text of a request's body; none where it is missing or null.
pub(crate) fn text(asked: &Asked, key: &str) -> Option<String> {
    asked.body[key].as_str().map(str::to_owned)
}
