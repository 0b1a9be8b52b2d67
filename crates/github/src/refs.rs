//! References to tags, and tag objects. Creating the reference is the lock: it must not exist.

use std::fmt;

use release::commit::CommitId;
use reqwest::Method;
use serde::Deserialize;
use serde_json::json;

use crate::call::{Call, Trouble, encoded};
use crate::error::GitHubError;
use crate::{Read, Write};

/// How deep tags of tags are followed.
const NESTING_MAX: usize = 16;
/// The most tags that are listed.
const TAGS_MAX: usize = 200_000;

/// What kind of object a reference or a tag leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A commit.
    Commit,
    /// An annotated tag.
    Tag,
    /// A folder.
    Tree,
    /// A file.
    Blob,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Commit => "commit",
            Self::Tag => "tag",
            Self::Tree => "tree",
            Self::Blob => "blob",
        })
    }
}

/// An object by its name. Git names all objects alike.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Object {
    /// Its name.
    #[serde(rename = "sha")]
    pub id: CommitId,
    /// Its kind.
    #[serde(rename = "type")]
    pub kind: Kind,
}

/// A tag and the object that its reference names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// Its name, without `refs/tags/`.
    pub name: String,
    /// The commit, or the tag object where the tag is annotated.
    pub object: Object,
}

/// What a tag leads to, tags of tags followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagObject {
    /// The object at the end.
    pub target: Object,
    /// What the outermost tag object says; none where the tag is no object of its own.
    pub message: Option<String>,
}

/// A tag to be created.
#[derive(Debug, Clone)]
pub struct NewTag {
    /// Its name, without `refs/tags/`.
    pub name: String,
    /// The commit.
    pub commit: CommitId,
    /// Its message.
    pub message: String,
    /// Who tags: a name and an address.
    pub tagger: (String, String),
    /// When, by RFC 3339. The same for each try, so that each makes the same object.
    pub date: String,
}

/// What came of creating a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tagged {
    /// This call made it.
    New,
    /// It was there, and leads to this.
    There(Object),
}

#[derive(Deserialize)]
struct Reference {
    #[serde(rename = "ref")]
    name: String,
    object: Object,
}

#[derive(Deserialize)]
struct Listed {
    name: String,
    commit: Named,
}

#[derive(Deserialize)]
struct Named {
    sha: CommitId,
}

#[derive(Deserialize)]
struct FullTag {
    sha: CommitId,
    #[serde(default)]
    message: String,
    object: Object,
}

impl Read {
    /// The tag of this name, if it is there.
    ///
    /// # Errors
    /// Where GitHub does not answer, or the token may not read the repository.
    pub async fn tag(&self, name: &str) -> Result<Option<Tag>, GitHubError> {
        let path = self
            .repository()
            .path(&format!("git/ref/tags/{}", encoded(name)));
        let call = Call::get(path, format!("read the tag `{name}`"));
        let Some(answer) = self.0.find(&call).await? else {
            return Ok(None);
        };
        let reference: Reference = answer.json(&call, self.repository())?;
        Ok(Some(Tag {
            name: name.to_owned(),
            object: reference.object,
        }))
    }

    /// Every tag whose name begins so.
    ///
    /// # Errors
    /// As [`tag`](Self::tag); more than 200,000 tags.
    pub async fn tags(&self, prefix: &str) -> Result<Vec<Tag>, GitHubError> {
        let repository = self.repository();
        let path = repository.path(&format!("git/matching-refs/tags/{}", encoded(prefix)));
        let call = Call::get(path, "list the tags");
        // This list has no pages (docs.github.com, "List matching references").
        let answer = self.0.repeatable(&call).await?;
        let references: Vec<Reference> = answer.json(&call, repository)?;
        if answer.has_next || references.len() > TAGS_MAX {
            return Err(GitHubError::TooMany {
                doing: call.doing,
                repository: repository.to_string(),
                what: "tags",
                max: TAGS_MAX,
            });
        }
        let tag = |reference: Reference| {
            let name = reference.name.strip_prefix("refs/tags/")?.to_owned();
            Some(Tag {
                name,
                object: reference.object,
            })
        };
        Ok(references.into_iter().filter_map(tag).collect())
    }

    /// Every tag with the commit that it leads to. A tag that leads to none is not listed.
    ///
    /// # Errors
    /// As [`tag`](Self::tag); more than 10,000 tags.
    pub async fn tagged_commits(&self) -> Result<Vec<(String, CommitId)>, GitHubError> {
        let call = Call::get(self.repository().path("tags"), "list the tags");
        let mut tags = Vec::new();
        let page =
            |page: Vec<Listed>| tags.extend(page.into_iter().map(|tag| (tag.name, tag.commit.sha)));
        self.0.pages(&call, "tags", page).await?;
        Ok(tags)
    }

    /// What a tag leads to.
    ///
    /// # Errors
    /// As [`tag`](Self::tag).
    pub async fn follow(&self, tag: &Tag) -> Result<TagObject, GitHubError> {
        let mut target = tag.object.clone();
        let mut message = None;
        for _ in 0..NESTING_MAX {
            if target.kind != Kind::Tag {
                break;
            }
            let path = self.repository().path(&format!("git/tags/{}", target.id));
            let call = Call::get(path, format!("follow the tag `{}`", tag.name));
            let answer = self.0.repeatable(&call).await?;
            let full: FullTag = answer.json(&call, self.repository())?;
            message.get_or_insert(full.message);
            target = full.object;
        }
        Ok(TagObject { target, message })
    }
}

impl Write {
    /// Creates an annotated tag, unless one of this name is there.
    ///
    /// # Errors
    /// Where GitHub does not answer, the token may not, or a rule of the repository forbids it.
    pub async fn create_tag(&self, new: &NewTag) -> Result<Tagged, GitHubError> {
        let repository = self.read().repository();
        let doing = format!("create the tag `{}`", new.name);
        let object = json!({
            "tag": new.name,
            "message": new.message,
            "object": new.commit,
            "type": "commit",
            "tagger": { "name": new.tagger.0, "email": new.tagger.1, "date": new.date },
        });
        // An object's name is the digest of what it holds: making it again makes the same one.
        let path = repository.path("git/tags");
        let call = Call::change(Method::POST, path, Some(object), doing.clone());
        let made: FullTag = self
            .client()
            .repeatable(&call)
            .await?
            .json(&call, repository)?;
        let reference = json!({ "ref": format!("refs/tags/{}", new.name), "sha": made.sha });
        let path = repository.path("git/refs");
        let call = Call::change(Method::POST, path, Some(reference), doing);
        let mut tries = self.client().tries();
        let mut is_unknown = false;
        loop {
            let trouble = match self.client().once(&call).await {
                Ok(_) => return Ok(Tagged::New),
                Err(trouble) => trouble,
            };
            let (why, wait) = match trouble {
                // "Reference already exists", a rule of the repository, or a commit that GitHub does not have: a look tells.
                Trouble::Final(error @ GitHubError::Invalid { .. }) => {
                    if let Some(tag) = self.read().tag(&new.name).await? {
                        return Ok(came_of(tag.object, &made.sha, is_unknown));
                    }
                    // One side of GitHub knows the reference already, the other does not yet.
                    if !error.to_string().contains("already exists") {
                        return Err(error);
                    }
                    ("the tag exists, and cannot be read yet".to_owned(), None)
                }
                Trouble::Final(error) => return Err(error),
                Trouble::NotDone { why, wait } => (why, wait),
                Trouble::Unknown { why } => {
                    is_unknown = true;
                    (why, None)
                }
            };
            tries.pause(&call, repository, why, wait).await?;
            if is_unknown && let Some(tag) = self.read().tag(&new.name).await? {
                return Ok(came_of(tag.object, &made.sha, is_unknown));
            }
        }
    }
}

/// A reference to our object is ours if one of our requests may have made it.
fn came_of(object: Object, ours: &CommitId, is_unknown: bool) -> Tagged {
    if is_unknown && object.id == *ours {
        Tagged::New
    } else {
        Tagged::There(object)
    }
}
