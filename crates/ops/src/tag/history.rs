//! From tags and commits to what the plan needs, and no further than it needs.

use std::collections::{BTreeSet, HashSet};

use gix::ObjectId;
use release::commit::{Commit, CommitId};
use release::tag::{History, PreId, Tagged};
use release::version::Version;

use super::Request;
use super::error::TagError;
use super::repository::{Repository, VersionTag, VersionTags, commit_id};
use super::walk::{Compared, Graph, Node, SLOP};

/// After so many tags that the head does not contain, all that it contains is looked at once.
const MISSES_MAX: usize = 8;

/// Reads the history of the head, with these tags for the ones there are.
pub(super) fn read(
    repository: &Repository,
    request: &Request,
    tags: VersionTags,
) -> Result<History, TagError> {
    let VersionTags {
        here: mut tags,
        elsewhere,
    } = tags;
    let at_head = take_at_head(repository, request, &mut tags)?;
    let mut buffer = Vec::new();
    let graph = Graph::new(SLOP, |id| repository.node(id, &mut buffer));
    let mut search = Search {
        repository,
        tags: &tags,
        graph,
        misses: 0,
        contained: None,
    };
    let newest = search.highest(|_| true)?;
    let stable = match &newest {
        Some((tag, _)) if tag.version.is_prerelease() => {
            search.highest(|version| !version.is_prerelease())?
        }
        _ => newest.clone(),
    };
    let all = match &stable {
        Some(_) => None,
        None => Some(search.everything()?),
    };
    let is_first = tags.is_empty() && at_head.is_none() && request.version.is_none();
    if is_first && repository.leaves_tags_out() {
        return Err(TagError::WithoutTags);
    }
    let since_stable = stable
        .as_ref()
        .map(|(_, compared)| compared)
        .or(all.as_ref());
    let since_newest = newest
        .as_ref()
        .map(|(_, compared)| compared)
        .or(all.as_ref());
    let ids = |compared: Option<&Compared>| compared.map_or(Vec::new(), |found| found.only.clone());
    Ok(History {
        head: commit_id(repository.head)?,
        commits: commits(repository, &ids(since_stable))?,
        since_newest: named(&ids(since_newest))?,
        stable: stable.map(|(tagged, _)| tagged),
        newest: newest.map(|(tagged, _)| tagged),
        at_head,
        versions: tags
            .into_iter()
            .map(|tag| tag.version)
            .chain(elsewhere)
            .collect(),
    })
}

/// Takes the tag that this very run, or one like it, has made out of the list: what was planned then is planned again.
fn take_at_head(
    repository: &Repository,
    request: &Request,
    tags: &mut Vec<VersionTag>,
) -> Result<Option<Version>, TagError> {
    for at in 0..tags.len() {
        let is_asked_for = is_asked_for(
            &tags[at].version,
            request.version.as_ref(),
            request.pre.as_ref(),
        );
        if is_asked_for && repository.commit_of(&tags[at])? == Some(repository.head) {
            return Ok(Some(tags.remove(at).version));
        }
    }
    Ok(None)
}

pub(super) fn is_asked_for(
    version: &Version,
    asked: Option<&Version>,
    pre: Option<&PreId>,
) -> bool {
    match (asked, pre) {
        (Some(asked), _) => version == asked,
        (None, Some(pre)) => pre.counter(version).is_some(),
        (None, None) => !version.is_prerelease(),
    }
}

/// The search for tags that the head contains.
struct Search<'a, F> {
    repository: &'a Repository,
    tags: &'a [VersionTag],
    graph: Graph<F>,
    misses: usize,
    contained: Option<HashSet<ObjectId>>,
}

impl<F: FnMut(ObjectId) -> Result<Node, TagError>> Search<'_, F> {
    /// The highest version of those wanted, and the commits since.
    fn highest(
        &mut self,
        wants: impl Fn(&Version) -> bool,
    ) -> Result<Option<(Tagged, Compared)>, TagError> {
        let head = self.repository.head;
        for tag in self.tags.iter().filter(|tag| wants(&tag.version)) {
            let Some(commit) = self.repository.commit_of(tag)? else {
                continue;
            };
            if self.misses >= MISSES_MAX && !self.contained()?.contains(&commit) {
                continue;
            }
            let compared = self.graph.compare(head, Some(commit))?;
            if compared.contains {
                self.check_whole(&compared, Some(commit))?;
                let tagged = Tagged {
                    version: tag.version.clone(),
                    commit: commit_id(commit)?,
                };
                return Ok(Some((tagged, compared)));
            }
            self.check_uncut(&compared)?;
            self.misses += 1;
        }
        Ok(None)
    }

    /// Every commit.
    fn everything(&mut self) -> Result<Compared, TagError> {
        let compared = self.graph.compare(self.repository.head, None)?;
        self.check_whole(&compared, None)?;
        Ok(compared)
    }

    fn contained(&mut self) -> Result<&HashSet<ObjectId>, TagError> {
        if self.contained.is_none() {
            let compared = self.everything()?;
            self.contained = Some(compared.only.into_iter().collect());
        }
        Ok(self.contained.get_or_insert_default())
    }

    fn check_uncut(&self, compared: &Compared) -> Result<(), TagError> {
        match compared.cut {
            Some(id) => Err(TagError::Shallow {
                boundary: id.to_string(),
            }),
            None => Ok(()),
        }
    }

    /// Where parents are missing somewhere, commits are only known to be newer than a tag if every way from them leads to
    /// this very tag: the way to an older commit, or to a beginning, may run behind the boundary as well.
    fn check_whole(&self, compared: &Compared, tag: Option<ObjectId>) -> Result<(), TagError> {
        self.check_uncut(compared)?;
        let (Some(tag), true) = (tag, self.repository.is_shallow()) else {
            return Ok(());
        };
        match compared.leaving.iter().find(|(_, to)| *to != Some(tag)) {
            Some((from, to)) => Err(TagError::Shallow {
                boundary: to.unwrap_or(*from).to_string(),
            }),
            None => Ok(()),
        }
    }
}

fn commits(repository: &Repository, ids: &[ObjectId]) -> Result<Vec<Commit>, TagError> {
    let mut buffer = Vec::new();
    let read = |id: &ObjectId| {
        Ok(Commit {
            id: commit_id(*id)?,
            message: repository.message(*id, &mut buffer)?,
        })
    };
    ids.iter().map(read).collect()
}

fn named(ids: &[ObjectId]) -> Result<BTreeSet<CommitId>, TagError> {
    ids.iter().map(|id| commit_id(*id)).collect()
}
