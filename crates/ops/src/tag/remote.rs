//! The same through GitHub: history for a clone that does not have it, and the tag, whose reference is the lock.

use github::{Compared, NewTag, Object, Read, Tag, Tagged, Write};
use gix::actor::Signature;
use release::Timestamp;
use release::commit::{Commit, CommitId, Message};
use release::tag::{self, History};
use release::version::Version;

use super::error::TagError;
use super::history::is_asked_for;
use super::{Outcome, Request};

/// How many tags that the head does not contain are asked about, one request for each.
const MISSES_MAX: usize = 50;

/// A tag that the head contains, and the commits since.
type Found = (tag::Tagged, Vec<github::Commit>);

/// Reads the history of the head as GitHub walks it: its answer is that of `git log tag..head`.
pub(super) async fn read(
    github: &Read,
    request: &Request,
    head: &CommitId,
    tags: Vec<Tag>,
) -> Result<History, TagError> {
    check_pushed(github, head).await?;
    let mut tags: Vec<(Version, Tag)> = tags
        .into_iter()
        .filter_map(|tag| Some((request.format.version(&tag.name)?, tag)))
        .collect();
    tags.sort_by(|one, other| other.0.cmp(&one.0));
    let mut search = Search::default();
    for (version, tag) in &tags {
        if search.wants(version) {
            search.look(github, request, head, version, tag).await?;
        }
        if search.stable.is_some() {
            break;
        }
    }
    let Search {
        at_head,
        newest,
        stable,
        ..
    } = search;
    // The notes of a first release tell of everything.
    let all = match &stable {
        Some(_) => Vec::new(),
        None => github.commits(head).await?,
    };
    let since_stable = stable.as_ref().map_or(&all, |(_, commits)| commits);
    let since_newest = newest.as_ref().map_or(&all, |(_, commits)| commits);
    let commit = |commit: &github::Commit| Commit {
        id: commit.id.clone(),
        message: Message::parse(commit.message.as_bytes()),
    };
    Ok(History {
        head: head.clone(),
        commits: since_stable.iter().map(commit).collect(),
        since_newest: since_newest.iter().map(|one| one.id.clone()).collect(),
        versions: tags
            .into_iter()
            .map(|(version, _)| version)
            .filter(|version| Some(version) != at_head.as_ref())
            .collect(),
        stable: stable.map(|(tagged, _)| tagged),
        newest: newest.map(|(tagged, _)| tagged),
        at_head,
    })
}

/// The search for tags that the head contains, highest version first.
#[derive(Default)]
struct Search {
    at_head: Option<Version>,
    newest: Option<Found>,
    stable: Option<Found>,
    misses: usize,
}

impl Search {
    /// Whether this version can still answer something.
    fn wants(&self, version: &Version) -> bool {
        self.newest.is_none() || !version.is_prerelease()
    }

    async fn look(
        &mut self,
        github: &Read,
        request: &Request,
        head: &CommitId,
        version: &Version,
        tag: &Tag,
    ) -> Result<(), TagError> {
        let target = github.follow(tag).await?.target;
        if target.kind != github::Kind::Commit {
            return Ok(());
        }
        let Compared::Contains(commits) = github.compare(&target.id, head).await? else {
            self.misses += 1;
            if self.misses >= MISSES_MAX {
                return Err(TagError::Behind(tag.name.clone()));
            }
            return Ok(());
        };
        let (asked, pre) = (request.version.as_ref(), request.pre.as_ref());
        if target.id == *head && self.at_head.is_none() && is_asked_for(version, asked, pre) {
            // What was planned before this tag was made is planned again.
            self.at_head = Some(version.clone());
            return Ok(());
        }
        let tagged = tag::Tagged {
            version: version.clone(),
            commit: target.id,
        };
        if !version.is_prerelease() {
            self.stable = Some((tagged.clone(), commits.clone()));
        }
        self.newest.get_or_insert((tagged, commits));
        Ok(())
    }
}

/// Of a commit that GitHub does not have it answers nothing, and tags none.
async fn check_pushed(github: &Read, head: &CommitId) -> Result<(), TagError> {
    if github.has_commit(head).await? {
        return Ok(());
    }
    Err(TagError::NotPushed {
        commit: head.to_string(),
        repository: github.repository().to_string(),
    })
}

/// Whether the tag is there.
///
/// # Errors
/// Where it is at another commit.
pub(super) async fn is_there(github: &Read, tag: &str, head: &CommitId) -> Result<bool, TagError> {
    match github.tag(tag).await? {
        None => Ok(false),
        Some(found) => is_at(github, tag, found.object, head).await.map(|()| true),
    }
}

async fn is_at(github: &Read, tag: &str, object: Object, head: &CommitId) -> Result<(), TagError> {
    let name = tag.to_owned();
    let target = github.follow(&Tag { name, object }).await?.target;
    if target.kind == github::Kind::Commit && target.id == *head {
        return Ok(());
    }
    let found = match target.kind {
        github::Kind::Commit => target.id.to_string(),
        kind => format!("the {kind} {}", target.id),
    };
    Err(TagError::elsewhere(tag, found, head.as_str()))
}

/// Creates the tag, unless it is there.
pub(super) async fn create(
    github: &Write,
    tag: &str,
    head: &CommitId,
    message: &str,
    tagger: &Signature,
) -> Result<Outcome, TagError> {
    if is_there(github.read(), tag, head).await? {
        return Ok(Outcome::Already);
    }
    check_pushed(github.read(), head).await?;
    let date = Timestamp::from_unix(tagger.time.seconds).unwrap_or(Timestamp::EPOCH);
    let new = NewTag {
        name: tag.to_owned(),
        commit: head.clone(),
        message: message.to_owned(),
        tagger: (tagger.name.to_string(), tagger.email.to_string()),
        date: date.to_string(),
    };
    match github.create_tag(&new).await? {
        Tagged::New => Ok(Outcome::Created),
        // Whoever was faster decides: the same commit is as good as ours.
        Tagged::There(object) => is_at(github.read(), tag, object, head)
            .await
            .map(|()| Outcome::Already),
    }
}
