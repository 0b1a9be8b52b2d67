//! The same through GitHub: history for a clone that does not have it, and the tag, whose reference is the lock.

use github::{Compared, NewTag, Object, Read, Tag, Tagged, Write};
use gix::actor::Signature;
use release::Timestamp;
use release::commit::{Commit, CommitId, Message};
use release::tag::{self, History};

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
) -> Result<History, TagError> {
    check_pushed(github, head).await?;
    let tags = github.tagged_commits().await?;
    let mut tags: Vec<_> = tags
        .into_iter()
        .filter_map(|(name, commit)| {
            let version = request.format.version(&name)?;
            Some(tag::Tagged { version, commit })
        })
        .collect();
    tags.sort_by(|one, other| other.version.cmp(&one.version));
    // What was planned before this tag was made is planned again.
    let (asked, pre) = (request.version.as_ref(), request.pre.as_ref());
    let at_head = tags
        .iter()
        .position(|tag| tag.commit == *head && is_asked_for(&tag.version, asked, pre));
    let at_head = at_head.map(|at| tags.remove(at).version);
    let (newest, stable) = contained(github, head, &tags).await?;
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
        versions: tags.into_iter().map(|tag| tag.version).collect(),
        stable: stable.map(|(tagged, _)| tagged),
        newest: newest.map(|(tagged, _)| tagged),
        at_head,
    })
}

/// The highest version that the head contains, and the highest that is no pre-release. The tags are sorted, highest first.
async fn contained(
    github: &Read,
    head: &CommitId,
    tags: &[tag::Tagged],
) -> Result<(Option<Found>, Option<Found>), TagError> {
    let mut newest: Option<Found> = None;
    let mut misses = 0;
    for tag in tags {
        if newest.is_some() && tag.version.is_prerelease() {
            continue;
        }
        match github.compare(&tag.commit, head).await? {
            Compared::Contains(commits) => {
                let found = (tag.clone(), commits);
                if !tag.version.is_prerelease() {
                    return Ok((newest.or_else(|| Some(found.clone())), Some(found)));
                }
                newest = Some(found);
            }
            Compared::Apart => misses += 1,
        }
        if misses >= MISSES_MAX {
            return Err(TagError::TooMany {
                what: "tags above the last that this commit contains",
                max: MISSES_MAX,
            });
        }
    }
    Ok((newest, None))
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
