//! What must be true of where an artifact was built: the policy, as configuration says it, parsed.
//!
//! Every part is compared as a whole, never by a pattern: a check by repository alone accepts any workflow of it, and a
//! pattern accepts what its writer did not think of.

use std::fmt;
use std::str::FromStr;

use release::name::printable;
use thiserror::Error;

/// Where an artifact must have been built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provenance {
    /// The repository whose source was built.
    pub repository: Repository,
    /// The workflow that signed: the one that attests, which is another one than the caller where it is reusable.
    pub workflow: Workflow,
    /// The ref that was built, `refs/tags/v1.4.0`. None accepts every branch and tag, pull requests among them.
    pub reference: Option<Reference>,
    /// Which machines may build.
    pub runner: Runner,
}

/// Which machines may build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Runner {
    /// GitHub's own, each of which serves one job and is thrown away.
    Hosted,
    /// Any, also a machine of one's own, which keeps what an earlier job left on it.
    Any,
}

/// A repository on GitHub, `owner/name`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository(String);

/// A workflow by its path, `.github/workflows/release.yml`, or in another repository,
/// `owner/name/.github/workflows/release.yml`; with `@` and a ref where it must be of that ref.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workflow {
    repository: Option<Repository>,
    file: String,
    reference: Option<String>,
}

/// A whole ref, `refs/tags/v1.4.0`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference(String);

/// A text that is no part of a provenance.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{found}` is not a {what}; expected {expected}")]
pub struct ProvenanceError {
    what: &'static str,
    expected: &'static str,
    found: String,
}

const WORKFLOWS: &str = ".github/workflows/";

impl Provenance {
    /// The repository as certificates name it.
    pub(super) fn repository_uri(&self) -> String {
        self.repository.uri()
    }

    /// The workflow as certificates name it, up to its ref.
    pub(super) fn workflow_uri(&self) -> String {
        let repository = self.workflow.repository.as_ref();
        let repository = repository.unwrap_or(&self.repository).uri();
        format!("{repository}/{WORKFLOWS}{}", self.workflow.file)
    }
}

impl Repository {
    fn uri(&self) -> String {
        format!("https://github.com/{}", self.0)
    }
}

impl Workflow {
    /// The ref that the workflow itself must be of.
    pub(super) fn reference(&self) -> Option<&str> {
        self.reference.as_deref()
    }
}

impl Reference {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// What GitHub lets names of repositories and files have.
fn is_name(text: &str) -> bool {
    let of_name = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    !text.is_empty()
        && text.len() <= 100
        && text.bytes().all(of_name)
        && !matches!(text, "." | "..")
}

/// Whether this can stand behind the `@` of a workflow: a ref, or a commit. A file that is named `release.yml@x.yml` would
/// otherwise pass as `release.yml`.
pub(super) fn is_reference_or_commit(text: &str) -> bool {
    is_reference(text)
        || (matches!(text.len(), 40 | 64) && text.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn is_reference(text: &str) -> bool {
    let named = ["refs/heads/", "refs/tags/", "refs/pull/"];
    let name = named.iter().find_map(|kind| text.strip_prefix(kind));
    name.is_some_and(|name| {
        !name.is_empty() && !name.contains(|c: char| c.is_control() || c.is_whitespace())
    })
}

impl FromStr for Repository {
    type Err = ProvenanceError;

    fn from_str(text: &str) -> Result<Self, ProvenanceError> {
        match text.split_once('/') {
            Some((owner, name)) if is_name(owner) && is_name(name) => Ok(Self(text.to_owned())),
            _ => Err(ProvenanceError {
                what: "repository",
                expected: "owner and name, such as `octo-org/atlas`",
                found: printable(text),
            }),
        }
    }
}

impl FromStr for Workflow {
    type Err = ProvenanceError;

    fn from_str(text: &str) -> Result<Self, ProvenanceError> {
        let parse = || {
            let (path, reference) = match text.split_once('@') {
                Some((path, reference)) => (path, Some(reference)),
                None => (text, None),
            };
            let (repository, file) = path.split_once(WORKFLOWS)?;
            let repository = match repository {
                "" => None,
                other => Some(other.strip_suffix('/')?.parse().ok()?),
            };
            let is_file = is_name(file) && (file.ends_with(".yml") || file.ends_with(".yaml"));
            let is_good = is_file && reference.is_none_or(is_reference_or_commit);
            is_good.then(|| Self {
                repository,
                file: file.to_owned(),
                reference: reference.map(str::to_owned),
            })
        };
        parse().ok_or_else(|| ProvenanceError {
            what: "workflow",
            expected: "its whole path, such as `.github/workflows/release.yml` or `octo-org/shared/.github/workflows/release.yml@refs/tags/v2`",
            found: printable(text),
        })
    }
}

impl FromStr for Reference {
    type Err = ProvenanceError;

    fn from_str(text: &str) -> Result<Self, ProvenanceError> {
        if is_reference(text) {
            return Ok(Self(text.to_owned()));
        }
        Err(ProvenanceError {
            what: "ref",
            expected: "a whole ref, such as `refs/tags/v1.4.0` or `refs/heads/main`",
            found: printable(text),
        })
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Workflow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(repository) = &self.repository {
            write!(f, "{repository}/")?;
        }
        write!(f, "{WORKFLOWS}{}", self.file)?;
        match &self.reference {
            Some(reference) => write!(f, "@{reference}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
