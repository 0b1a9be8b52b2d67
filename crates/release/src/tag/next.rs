//! Which version is next.
//!
//! - A breaking change raises MAJOR, a feature MINOR, a fix, a gain in performance, or a revert PATCH (semver.org items 6
//!   to 8, conventionalcommits.org items 2, 3, 11 to 16). Any other type raises nothing.
//! - While MAJOR is 0 a breaking change raises MINOR. Item 4 lets anything change there; that a break is a new MINOR is what
//!   package managers take it for, and leaving 0 stays somebody's decision: `Release-As: 1.0.0`, or `--version`.
//! - A commit and its revert, both since the last tag, come to nothing.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{History, PreId, TagRefusal, Wanted};
use crate::commit::{ChangeKind, Commit, CommitId};
use crate::name::printable;
use crate::version::Version;

/// By how much a version is raised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bump {
    /// The third number.
    Patch,
    /// The second.
    Minor,
    /// The first.
    Major,
}

impl Bump {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Patch => "patch",
            Self::Minor => "minor",
            Self::Major => "major",
        }
    }

    /// What a commit asks for.
    fn of(commit: &Commit) -> Option<Self> {
        if commit.message.is_breaking() {
            return Some(Self::Major);
        }
        match commit.message.kind()? {
            ChangeKind::Feature => Some(Self::Minor),
            ChangeKind::Fix | ChangeKind::Performance | ChangeKind::Revert => Some(Self::Patch),
            ChangeKind::Other => None,
        }
    }
}

impl Version {
    /// The next version; none where a number would not fit.
    fn raised(&self, bump: Bump) -> Option<(Self, Bump)> {
        let (major, minor, patch) = self.numbers();
        let bump = if major == 0 {
            bump.min(Bump::Minor)
        } else {
            bump
        };
        let next = match bump {
            Bump::Patch => Self::new(major, minor, patch.checked_add(1)?),
            Bump::Minor => Self::new(major, minor.checked_add(1)?, 0),
            Bump::Major => Self::new(major.checked_add(1)?, 0, 0),
        };
        Some((next, bump))
    }
}

/// A version, and what decided it.
pub(super) struct Chosen {
    pub(super) version: Version,
    pub(super) bump: Option<Bump>,
    pub(super) reason: String,
}

/// The commits without those that undo each other. A revert that is undone itself undoes nothing, so newest first.
pub(super) fn active(commits: &[Commit]) -> Vec<&Commit> {
    let by_id: BTreeMap<&str, &CommitId> = commits
        .iter()
        .map(|commit| (commit.id.as_str(), &commit.id))
        .collect();
    let mut gone = BTreeSet::new();
    for commit in commits {
        if gone.contains(&commit.id) || commit.message.reverts.is_empty() {
            continue;
        }
        let reverts = commit.message.reverts.iter();
        let undone: Option<Vec<_>> = reverts.map(|name| the_only(&by_id, name)).collect();
        // What undoes also a commit that users have is a change of its own.
        if let Some(undone) = undone {
            gone.extend(undone.into_iter().cloned());
            gone.insert(commit.id.clone());
        }
    }
    commits
        .iter()
        .filter(|commit| !gone.contains(&commit.id))
        .collect()
}

/// The commit that a name or its beginning means. An abbreviation that fits two commits names neither.
fn the_only<'a>(by_id: &BTreeMap<&str, &'a CommitId>, name: &str) -> Option<&'a CommitId> {
    let mut fits = by_id
        .range(name..)
        .take_while(|(id, _)| id.starts_with(name));
    let (_, found) = fits.next()?;
    fits.next().is_none().then_some(*found)
}

/// The version that the newest good footer `Release-As` asks for, and what is wrong with those above it.
pub(super) fn release_as<'a>(
    history: &History,
    active: &[&'a Commit],
) -> (Option<(Version, &'a Commit)>, Vec<String>) {
    let mut warnings = Vec::new();
    for commit in active {
        let Some(text) = &commit.message.release_as else {
            continue;
        };
        let why = match text.parse::<Version>() {
            Ok(version) if is_above(&version, history) => {
                return (Some((version, commit)), warnings);
            }
            // It was heard: a tag came of it.
            Ok(version) if history.versions.contains(&version) => continue,
            Ok(version) => format!("`{version}` is not above the last version"),
            Err(error) => error.to_string(),
        };
        // One bad line after the other would bury what counts.
        if warnings.len() < 10 {
            let id = commit.id.short();
            warnings.push(format!("`Release-As` of {id} is ignored: {why}"));
        }
    }
    (None, warnings)
}

fn is_above(version: &Version, history: &History) -> bool {
    let newest = history.newest.as_ref();
    newest.is_none_or(|newest| *version > newest.version)
}

/// The version that was asked for. One that has a tag passes: whether it is this commit's is not known here.
pub(super) fn given(history: &History, version: &Version) -> Result<Chosen, TagRefusal> {
    if let Some(newest) = &history.newest
        && *version <= newest.version
        && !history.versions.contains(version)
        && history.at_head.as_ref() != Some(version)
    {
        return Err(TagRefusal::NotAbove {
            asked: version.clone(),
            newest: newest.version.clone(),
        });
    }
    Ok(Chosen {
        version: version.clone(),
        bump: None,
        reason: "it was asked for".to_owned(),
    })
}

/// The next version, or the one whose tag is at the head; none where no commit calls for one.
pub(super) fn chosen(
    history: &History,
    wanted: &Wanted,
    active: &[&Commit],
    release_as: Option<(Version, &Commit)>,
) -> Result<Option<Chosen>, TagRefusal> {
    let computed = choose(history, wanted, active, release_as);
    let Some(tagged) = &history.at_head else {
        return computed;
    };
    match computed {
        Ok(Some(chosen)) if chosen.version == *tagged => Ok(Some(chosen)),
        // Somebody decided otherwise when it was tagged.
        _ => Ok(Some(Chosen {
            version: tagged.clone(),
            bump: None,
            reason: "it is tagged already".to_owned(),
        })),
    }
}

/// The version that commits and tags come to.
fn choose(
    history: &History,
    wanted: &Wanted,
    active: &[&Commit],
    release_as: Option<(Version, &Commit)>,
) -> Result<Option<Chosen>, TagRefusal> {
    let is_new = |commit: &&&Commit| history.since_newest.contains(&commit.id);
    let calls = |commit: &&Commit| Bump::of(commit).is_some();
    if wanted.pre.is_some()
        && history.newest.is_some()
        && release_as.is_none()
        && !active.iter().filter(is_new).any(calls)
    {
        return Ok(None);
    }
    let Some(target) = target(history, wanted, active, release_as)? else {
        return Ok(None);
    };
    match &wanted.pre {
        Some(pre) if !target.version.is_prerelease() => step(history, pre, target).map(Some),
        _ => Ok(Some(target)),
    }
}

/// The version without regard to pre-releases that were asked for.
fn target(
    history: &History,
    wanted: &Wanted,
    active: &[&Commit],
    release_as: Option<(Version, &Commit)>,
) -> Result<Option<Chosen>, TagRefusal> {
    if let Some((version, commit)) = release_as {
        let reason = format!("`Release-As` of {}", shown(commit));
        let bump = None;
        return Ok(Some(Chosen {
            version,
            bump,
            reason,
        }));
    }
    // What a pre-release announced is completed, even where the commits since the last release ask for less.
    let announced = history
        .newest
        .as_ref()
        .filter(|newest| newest.version.is_prerelease());
    let announced = announced.map(|newest| Chosen {
        version: newest.version.without_prerelease(),
        bump: None,
        reason: format!("`{}` announced it", newest.version),
    });
    let Some(stable) = &history.stable else {
        let first = || Chosen {
            version: wanted.first.version.clone(),
            bump: None,
            reason: format!("no version is tagged yet: {}", wanted.first.source),
        };
        return Ok(Some(announced.unwrap_or_else(first)));
    };
    let strongest = active
        .iter()
        .filter_map(|commit| Some((Bump::of(commit)?, commit)))
        // The newest of the strongest, as they come newest first.
        .reduce(|best, next| if next.0 > best.0 { next } else { best });
    let Some((bump, commit)) = strongest else {
        return Ok(announced);
    };
    let raised = stable.version.raised(bump);
    let (version, bump) = raised.ok_or_else(|| TagRefusal::NoneAbove(stable.version.clone()))?;
    let computed = Chosen {
        version,
        bump: Some(bump),
        reason: shown(commit),
    };
    Ok(Some(match announced {
        Some(announced) if announced.version > computed.version => announced,
        _ => computed,
    }))
}

/// The next pre-release of a version: one more than the highest that has a tag anywhere, as a name is given once.
fn step(history: &History, pre: &PreId, target: Chosen) -> Result<Chosen, TagRefusal> {
    let of_target = history
        .versions
        .iter()
        .filter(|version| version.without_prerelease() == target.version);
    let highest = of_target.filter_map(|version| pre.counter(version)).max();
    let none_above = || TagRefusal::NoneAbove(target.version.clone());
    let counter = highest.unwrap_or(0).checked_add(1).ok_or_else(none_above)?;
    let text = format!("{}-{pre}.{counter}", target.version);
    let version: Version = text.parse().map_err(|_| none_above())?;
    match &history.newest {
        Some(newest) if version <= newest.version => Err(TagRefusal::PreBelow {
            pre: pre.clone(),
            computed: version,
            newest: newest.version.clone(),
        }),
        _ => Ok(Chosen { version, ..target }),
    }
}

/// A commit, on one line.
fn shown(commit: &Commit) -> String {
    format!(
        "{} `{}`",
        commit.id.short(),
        printable(&commit.message.title)
    )
}
