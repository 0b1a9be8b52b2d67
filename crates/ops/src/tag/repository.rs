//! The repository on disk: its head, its tags, its commits.

use std::path::Path;

use gix::ObjectId;
use gix::objs::{Exists as _, Kind};
use gix::prelude::{FindExt as _, HeaderExt as _};
use release::commit::{CommitId, Message};
use release::name::{chain, printable};
use release::tag::TagFormat;
use release::version::Version;

use super::error::TagError;
use super::walk::Node;

/// The most tags that are looked at.
const TAGS_MAX: usize = 200_000;
/// How deep tags of tags are followed.
const NESTING_MAX: usize = 16;
/// The most memory that one object may take, in bytes. Commits and tags are small; only an attack is not.
const OBJECT_BYTES_MAX: usize = 64 * 1024 * 1024;

/// A repository and its head.
pub(super) struct Repository {
    pub(super) git: gix::Repository,
    pub(super) head: ObjectId,
    /// The commits whose parents are missing, sorted.
    cut: Vec<ObjectId>,
}

/// A tag whose name has a version.
pub(super) struct VersionTag {
    pub(super) version: Version,
    name: String,
    target: ObjectId,
    /// What the tag leads to, where packed references say so.
    peeled: Option<ObjectId>,
}

/// The tags that count.
pub(super) struct VersionTags {
    /// Those that the repository can follow, highest version first.
    pub(super) here: Vec<VersionTag>,
    /// The versions of those that it cannot, as it does not have their commits: the head does not contain them.
    pub(super) elsewhere: Vec<Version>,
}

impl Repository {
    /// Opens the repository that the folder is in. `GIT_DIR` and its like are not looked at.
    pub(super) fn open(folder: &Path) -> Result<Self, TagError> {
        let limited = |options: gix::open::Options| {
            options.config_overrides([format!("gitoxide.objects.allocLimit={OBJECT_BYTES_MAX}")])
        };
        let gix::sec::trust::Mapping { full, reduced } = gix::sec::trust::Mapping::default();
        let trust = gix::sec::trust::Mapping {
            full: limited(full),
            reduced: limited(reduced),
        };
        let opened = gix::ThreadSafeRepository::discover_opts(folder, Default::default(), trust);
        let mut git = opened
            .map_err(|error| TagError::NoRepository {
                folder: printable(&folder.to_string_lossy()),
                why: chain(&error),
            })?
            .to_thread_local();
        git.object_cache_size_if_unset(1024 * 1024);
        let head = head(&git)?;
        let cut = git
            .shallow_commits()
            .map_err(|error| TagError::git("read where this shallow clone ends", &error))?
            .map(|commits| commits.iter().copied().collect())
            .unwrap_or_default();
        Ok(Self { git, head, cut })
    }

    /// Whether some commits lack their parents.
    pub(super) fn is_shallow(&self) -> bool {
        !self.cut.is_empty()
    }

    /// Whether this is a clone that leaves tags out (git-config(1), `remote.<name>.tagOpt`).
    pub(super) fn leaves_tags_out(&self) -> bool {
        let option = self.git.config_snapshot().string("remote.origin.tagOpt");
        option.is_some_and(|option| option.as_slice() == b"--no-tags")
    }

    /// Every tag whose name is of this format, highest version first.
    pub(super) fn tags(&self, format: &TagFormat) -> Result<VersionTags, TagError> {
        let failed = |error: gix::Error| TagError::git("list the tags", &error);
        let references = self.git.references().map_err(failed)?;
        let mut tags = Vec::new();
        for (count, reference) in references.tags().map_err(failed)?.enumerate() {
            if count >= TAGS_MAX {
                return Err(TagError::TooMany {
                    what: "tags",
                    max: TAGS_MAX,
                });
            }
            let reference = reference.map_err(failed)?.detach();
            let name = reference.name.shorten();
            let version = std::str::from_utf8(name)
                .ok()
                .and_then(|name| Some((format.version(name)?, name.to_owned())));
            // A symbolic one is a name for another tag.
            if let (Some((version, name)), Some(target)) = (version, reference.target.try_id()) {
                tags.push(VersionTag {
                    version,
                    name,
                    target: target.to_owned(),
                    peeled: reference.peeled,
                });
            }
        }
        tags.sort_by(|one, other| other.version.cmp(&one.version));
        Ok(VersionTags {
            here: tags,
            elsewhere: Vec::new(),
        })
    }

    /// Of the tags that GitHub has, those whose name is of this format.
    ///
    /// # Errors
    /// Where this clone does not have what it takes to know which of them the head contains.
    pub(super) fn tags_of(
        &self,
        known: &[github::Tag],
        format: &TagFormat,
    ) -> Result<VersionTags, TagError> {
        let mut tags = VersionTags {
            here: Vec::new(),
            elsewhere: Vec::new(),
        };
        for tag in known {
            let Some(version) = format.version(&tag.name) else {
                continue;
            };
            let target = object_id(&tag.object.id)?;
            if self.git.objects.exists(&target) {
                tags.here.push(VersionTag {
                    version,
                    name: tag.name.clone(),
                    target,
                    peeled: None,
                });
            } else if self.is_shallow() || tag.object.kind == github::Kind::Tag {
                return Err(TagError::Behind(tag.name.clone()));
            } else {
                tags.elsewhere.push(version);
            }
        }
        tags.here
            .sort_by(|one, other| other.version.cmp(&one.version));
        Ok(tags)
    }

    /// The commit that a tag leads to; none where it leads to a tree or a file, which no version is.
    pub(super) fn commit_of(&self, tag: &VersionTag) -> Result<Option<ObjectId>, TagError> {
        let target = tag.peeled.unwrap_or(tag.target);
        let (id, kind) = self.peel(target).map_err(|error| {
            let name = printable(&tag.name);
            TagError::git(format!("follow the tag `{name}`"), &error)
        })?;
        Ok((kind == Kind::Commit).then_some(id))
    }

    /// What an object leads to, tags followed.
    pub(super) fn peel(&self, id: ObjectId) -> Result<(ObjectId, Kind), gix::Error> {
        let mut at = id;
        let mut buffer = Vec::new();
        for _ in 0..NESTING_MAX {
            let kind = self.git.objects.header(at)?.kind();
            if kind != Kind::Tag {
                return Ok((at, kind));
            }
            at = self
                .git
                .objects
                .find_tag_iter(&at, &mut buffer)?
                .target_id()?;
        }
        Ok((at, Kind::Tag))
    }

    fn commit<'a>(
        &self,
        id: ObjectId,
        buffer: &'a mut Vec<u8>,
    ) -> Result<gix::objs::CommitRefIter<'a>, TagError> {
        let found = self.git.objects.find_commit_iter(&id, buffer);
        found.map_err(|error| TagError::git(format!("read commit {id}"), &error))
    }

    /// The parents and the time of a commit.
    pub(super) fn node(&self, id: ObjectId, buffer: &mut Vec<u8>) -> Result<Node, TagError> {
        let commit = self.commit(id, buffer)?;
        let is_cut = self.cut.binary_search(&id).is_ok();
        let parents = if is_cut {
            Vec::new()
        } else {
            commit.parent_ids().collect()
        };
        // A time that cannot be read only costs speed.
        let time = commit
            .committer()
            .map_or(0, |committer| committer.seconds());
        Ok(Node {
            time,
            parents,
            is_cut,
        })
    }

    /// What a commit says.
    pub(super) fn message(&self, id: ObjectId, buffer: &mut Vec<u8>) -> Result<Message, TagError> {
        let failed = |error: gix::Error| TagError::git(format!("read commit {id}"), &error);
        let commit = self.commit(id, buffer)?;
        Ok(Message::parse(commit.message().map_err(failed)?))
    }
}

/// The name of an object, carried into `gix`.
fn object_id(id: &CommitId) -> Result<ObjectId, TagError> {
    let parsed = ObjectId::from_hex(id.as_str().as_bytes());
    parsed.map_err(|error| TagError::git("name an object", &error))
}

/// The name of a commit, carried out of `gix`.
pub(super) fn commit_id(id: ObjectId) -> Result<CommitId, TagError> {
    let parsed = id.to_string().parse();
    parsed.map_err(|error| TagError::git("name a commit", &error))
}

fn head(git: &gix::Repository) -> Result<ObjectId, TagError> {
    let failed = |error: gix::Error| TagError::git("read `HEAD`", &error);
    let head = git.head().map_err(failed)?;
    let id = head.try_into_peeled_id().map_err(failed)?;
    let id = id.ok_or(TagError::Unborn)?.detach();
    let kind = git.objects.header(id).map_err(failed)?.kind();
    if kind == Kind::Commit {
        return Ok(id);
    }
    Err(TagError::Git {
        what: "tag `HEAD`".to_owned(),
        why: format!("it leads to a {kind}, expected a commit"),
    })
}
