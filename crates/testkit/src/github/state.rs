//! What a GitHub holds. One mutex holds all of it, so every request is applied whole.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use hyper::body::Bytes;

use super::fault::Quirks;
use super::objects::{Commit, TagObject};
use super::tokens::Permissions;

/// A release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// GitHub's number for it.
    pub id: u64,
    /// `tag_name`.
    pub tag_name: String,
    /// A branch or a commit.
    pub target_commitish: String,
    /// Its title.
    pub name: Option<String>,
    /// Its notes.
    pub body: Option<String>,
    /// Whether it is not published.
    pub draft: bool,
    /// Whether it is not for everyone.
    pub prerelease: bool,
    /// Whether it cannot be changed any more.
    pub immutable: bool,
    /// What was said of `make_latest`: `true`, `false`, or `legacy`.
    pub make_latest: String,
    /// Seconds since 1970: when its commit was made.
    pub created_at: u64,
    /// Seconds since 1970.
    pub published_at: Option<u64>,
    /// In the order of their uploads, with those that broke off.
    pub assets: Vec<Asset>,
    /// So many lists do not show it yet.
    pub(crate) hidden_lists: usize,
}

/// A file of a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asset {
    /// GitHub's number for it.
    pub id: u64,
    /// As GitHub has rewritten it.
    pub name: String,
    /// What is shown instead of the name.
    pub label: Option<String>,
    /// As it was sent.
    pub content_type: String,
    /// Of an upload that broke off: empty, and in the way.
    pub starter: bool,
    /// What is stored.
    pub bytes: Bytes,
    /// Of what is stored, in lower-case hexadecimal.
    pub sha256: String,
    /// Seconds since 1970.
    pub created_at: u64,
}

/// A commit status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// GitHub's number for it.
    pub id: u64,
    /// The commit.
    pub sha: String,
    /// `error`, `failure`, `pending`, or `success`.
    pub state: String,
    /// What it is about.
    pub context: String,
    /// At most 140 characters.
    pub description: Option<String>,
    /// Where there is more.
    pub target_url: Option<String>,
    /// Seconds since 1970.
    pub created_at: u64,
}

/// A workflow that was started.
#[derive(Debug, Clone, PartialEq)]
pub struct Dispatch {
    /// The file's name, or GitHub's number for it.
    pub workflow: String,
    /// A branch or a tag.
    pub git_ref: String,
    /// Null where none were sent.
    pub inputs: serde_json::Value,
}

/// Where things are, for the links in answers.
#[derive(Debug, Default, Clone)]
pub(crate) struct Places {
    pub(crate) api: String,
    pub(crate) uploads: String,
    pub(crate) web: String,
    pub(crate) storage: String,
}

/// Everything that the server keeps.
#[derive(Default)]
pub(crate) struct State {
    /// `owner/name`.
    pub(crate) repository: String,
    pub(crate) default_branch: String,
    pub(crate) places: Places,
    pub(crate) quirks: Quirks,
    pub(crate) tokens: BTreeMap<String, Permissions>,
    pub(crate) commits: HashMap<String, Commit>,
    pub(crate) tag_objects: BTreeMap<String, TagObject>,
    /// Objects by full name, `refs/heads/main`.
    pub(crate) refs: BTreeMap<String, String>,
    pub(crate) releases: BTreeMap<u64, Release>,
    /// The release that was last said to be the latest.
    pub(crate) latest: Option<u64>,
    /// Tags of immutable releases, which are never free again.
    pub(crate) burned_tags: BTreeSet<String>,
    pub(crate) statuses: Vec<Status>,
    pub(crate) dispatches: Vec<Dispatch>,
    pub(crate) requests_counted: u64,
    /// Histories that were walked; commits never change.
    pub(crate) walks: HashMap<String, Arc<Vec<String>>>,
    last_id: u64,
}

impl State {
    pub(crate) fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        100_000 + self.last_id
    }

    /// `http://…/repos/acme/atlas`, without a slash at its end.
    pub(crate) fn repository_url(&self) -> String {
        format!("{}/repos/{}", self.api(), self.repository)
    }

    pub(crate) fn api(&self) -> String {
        let prefix = if self.quirks.enterprise {
            "/api/v3"
        } else {
            ""
        };
        format!("{}{prefix}", self.places.api)
    }

    pub(crate) fn uploads(&self) -> String {
        let prefix = if self.quirks.enterprise {
            "/api/uploads"
        } else {
            ""
        };
        format!("{}{prefix}", self.places.uploads)
    }

    /// The page of the repository.
    pub(crate) fn page_url(&self) -> String {
        format!("{}/{}", self.places.web, self.repository)
    }

    pub(crate) fn is_repository(&self, owner: &str, name: &str) -> bool {
        self.repository
            .eq_ignore_ascii_case(&format!("{owner}/{name}"))
    }

    /// The asset with this number, and its release.
    pub(crate) fn asset(&self, id: u64) -> Option<(&Release, &Asset)> {
        self.releases.values().find_map(|release| {
            let asset = release.assets.iter().find(|asset| asset.id == id)?;
            Some((release, asset))
        })
    }
}
