//! `tag`: the next version by the commits since the last tag, its notes, and the tag, whose creation is the lock.
//!
//! History is read with `gix`: no git binary is run, no hook, and nothing that a repository's configuration names. What a
//! shallow clone lacks is asked of GitHub, or else a refusal, as a guess would be a wrong version. Where GitHub is there,
//! its tags are the ones that count, however old the clone is.

use std::fs;
use std::path::{Path, PathBuf};

use release::commit::CommitId;
use release::name::printable;
use release::tag::{Bump, Decision, First, History, PreId, TagFormat, Wanted, plan};
use release::version::Version;
use serde::Serialize;

use crate::config::VersionSource;
use crate::error::Error;
use crate::version::{self, VersionSourceError};

mod error;
mod history;
mod local;
mod remote;
mod repository;
mod walk;

pub use error::TagError;
use repository::Repository;

/// What is to be tagged.
#[derive(Debug, Clone)]
pub struct Request {
    /// A folder inside the repository; the version's file is relative to it.
    pub folder: PathBuf,
    /// How tags are named.
    pub format: TagFormat,
    /// This version instead of the computed one.
    pub version: Option<Version>,
    /// A pre-release of this name.
    pub pre: Option<PreId>,
    /// Where the first version stands, if a configuration says so.
    pub first: Option<VersionSource>,
    /// Where the notes are written, besides.
    pub notes_file: Option<PathBuf>,
    /// Whose name a tag bears where git knows no user.
    pub actor: Option<String>,
    /// Whose tags count, and where the new one is created.
    pub at: Where,
    /// How far it goes.
    pub goal: Goal,
}

/// How far it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    /// Show the plan and stop.
    Plan,
    /// Create the tag.
    Create,
}

/// Whose tags count, and where the new one is created.
#[derive(Debug, Clone)]
pub enum Where {
    /// In the local repository.
    Local,
    /// On GitHub.
    GitHub(github::Write),
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The tag was created.
    Created,
    /// It was there, at this commit.
    Already,
    /// It would be created.
    Planned,
    /// No commit since the last tag calls for a release.
    Nothing,
}

/// What came of it, and why.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// What came of it.
    pub outcome: Outcome,
    /// The version before.
    pub previous: Option<Version>,
    /// The version; none where there is nothing to tag.
    pub version: Option<Version>,
    /// The name of its tag.
    pub tag: Option<String>,
    /// The commit that is tagged.
    pub commit: String,
    /// By how much the version rises; none where that is not what decides.
    pub bump: Option<Bump>,
    /// What decides.
    pub reason: String,
    /// How many commits there are since the version before.
    pub commits: usize,
    /// The notes, in Markdown.
    pub notes: String,
    /// Whether this run created the tag.
    pub created: bool,
    /// What is said in commits, and not done.
    pub warnings: Vec<String>,
}

/// Plans the next version and, if that is the goal, creates its tag.
///
/// # Errors
/// Where history is not all there, the version would not rise, or the tag is at another commit.
pub async fn run(request: &Request) -> Result<Report, Error> {
    let history = history(request).await?;
    let wanted = wanted(request, history.newest.is_none())?;
    let decision = plan(&history, &wanted).map_err(TagError::from)?;
    let mut report = report(request, history.head.to_string(), decision);
    // Before the tag, so that a tag never stands without the notes that a later step reads.
    write_notes(request.notes_file.as_deref(), &report.notes)?;
    if let Some(tag) = report.tag.clone() {
        report.outcome = settle(request, &tag, &history.head, &report.notes).await?;
        report.created = report.outcome == Outcome::Created;
    }
    Ok(report)
}

/// The highest version whose tag is at the commit that is checked out. However shallow the clone is, this is certain.
pub fn version_here(folder: &Path, format: &TagFormat) -> Result<Option<Version>, TagError> {
    let repository = Repository::open(folder)?;
    for tag in repository.tags(format)?.here {
        if repository.commit_of(&tag)? == Some(repository.head) {
            return Ok(Some(tag.version));
        }
    }
    Ok(None)
}

/// What the repository knows; from GitHub what a clone does not have.
async fn history(request: &Request) -> Result<History, TagError> {
    let Where::GitHub(github) = &request.at else {
        let repository = Repository::open(&request.folder)?;
        let tags = repository.tags(&request.format)?;
        return history::read(&repository, request, tags);
    };
    let github = github.read();
    let tags = github.tags(request.format.prefix()).await?;
    let (head, from_clone) = history_by(request, &tags)?;
    match from_clone {
        Err(TagError::Shallow { .. } | TagError::WithoutTags | TagError::Behind(_)) => {
            remote::read(github, request, &head).await
        }
        known => known,
    }
}

/// The head of the clone, and what the clone knows about it, with GitHub's tags for the ones there are.
fn history_by(
    request: &Request,
    tags: &[github::Tag],
) -> Result<(CommitId, Result<History, TagError>), TagError> {
    let repository = Repository::open(&request.folder)?;
    let head = repository::commit_id(repository.head)?;
    let tags = repository.tags_of(tags, &request.format);
    Ok((
        head,
        tags.and_then(|tags| history::read(&repository, request, tags)),
    ))
}

/// What is asked for; the configuration's version is read only where no tag has one.
fn wanted(request: &Request, is_first: bool) -> Result<Wanted, Error> {
    let first = match &request.first {
        Some(source) if is_first && request.version.is_none() => first(request, source)?,
        _ => First::default(),
    };
    Ok(Wanted {
        version: request.version.clone(),
        pre: request.pre.clone(),
        first,
    })
}

fn first(request: &Request, source: &VersionSource) -> Result<First, Error> {
    let place = match source {
        // It comes from here.
        VersionSource::Tag => return Ok(First::default()),
        VersionSource::Literal(_) => "`version` of the configuration",
        VersionSource::PackageJson => "`package.json`",
        VersionSource::CargoToml => "`Cargo.toml`",
    };
    match version::read(&request.folder, source, &request.format) {
        // `0.0.0` is what stands where nobody wrote a version.
        Ok(version) if version.without_prerelease() > Version::nothing() => Ok(First {
            version,
            source: format!("{place} says so"),
        }),
        Ok(_) => Ok(First::default()),
        // `package.json` is where a version is looked for when the configuration says nothing.
        Err(VersionSourceError::Unreadable { source, .. })
            if source.kind() == std::io::ErrorKind::NotFound =>
        {
            Ok(First::default())
        }
        Err(error) => Err(error.into()),
    }
}

fn report(request: &Request, commit: String, decision: Decision) -> Report {
    match decision {
        Decision::Nothing {
            previous,
            commits,
            warnings,
        } => Report {
            outcome: Outcome::Nothing,
            previous: Some(previous),
            version: None,
            tag: None,
            commit,
            bump: None,
            reason: "no commit since then calls for a release".to_owned(),
            commits,
            notes: String::new(),
            created: false,
            warnings,
        },
        Decision::Next(plan) => Report {
            outcome: Outcome::Planned,
            previous: plan.previous,
            tag: Some(request.format.tag(&plan.version)),
            version: Some(plan.version),
            commit,
            bump: plan.bump,
            reason: plan.reason,
            commits: plan.commits,
            notes: plan.notes,
            created: false,
            warnings: plan.warnings,
        },
    }
}

/// Creates the tag, or says that it is there. A plan looks as well: a tag at another commit is no plan.
async fn settle(
    request: &Request,
    tag: &str,
    head: &CommitId,
    notes: &str,
) -> Result<Outcome, TagError> {
    let actor = request.actor.as_deref();
    let created = match (&request.at, request.goal) {
        (Where::Local, Goal::Plan) => {
            let repository = Repository::open(&request.folder)?;
            planned(local::is_there(&repository, tag)?)
        }
        (Where::Local, Goal::Create) => {
            let repository = Repository::open(&request.folder)?;
            local::create(&repository, tag, notes, actor)?
        }
        (Where::GitHub(github), Goal::Plan) => {
            planned(remote::is_there(github.read(), tag, head).await?)
        }
        (Where::GitHub(github), Goal::Create) => {
            let tagger = local::tagger(&Repository::open(&request.folder)?, actor)?;
            remote::create(github, tag, head, &local::message(tag, notes), &tagger).await?
        }
    };
    Ok(created)
}

fn planned(is_there: bool) -> Outcome {
    if is_there {
        Outcome::Already
    } else {
        Outcome::Planned
    }
}

fn write_notes(path: Option<&Path>, notes: &str) -> Result<(), TagError> {
    let Some(path) = path else { return Ok(()) };
    fs::write(path, notes).map_err(|source| TagError::Notes {
        path: printable(&path.to_string_lossy()),
        source,
    })
}
