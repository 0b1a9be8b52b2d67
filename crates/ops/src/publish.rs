//! `publish`: a verified release becomes a version that exists, atomically. Nothing half-finished is ever visible.
//!
//! It does not let the release out: that is `rollout start`, another job with another role.

use std::time::Duration;

use release::document::{SCHEMA, WRITER};
use release::name::{App, FileName};
use release::{Artifact, Claim, ReleaseRecord, Sha256, Timestamp, Version, document};
use serde::Serialize;
use serde_json::Map;
use signing::ExtraRoot;
use store::Store;

use crate::error::{Error, Exit};
use crate::progress::Reporter;
use crate::verify::{self, Checked};

mod claim;
mod compare;
mod github;
mod upload;

use claim::Held;
use compare::Existing;
pub use github::{GitHubReleaseError, OnGitHub, Target};

/// A release to be published.
#[derive(Debug, Clone)]
pub struct Request {
    /// What to verify first.
    pub verify: verify::Request,
    /// The app.
    pub app: App,
    /// The commit that was built.
    pub commit: Option<String>,
    /// When the release was made; feeds show it.
    pub date: Option<Timestamp>,
    /// The run, without its attempt: a re-run of the same run continues.
    pub run: String,
    /// How long to wait for another run that publishes the same bytes.
    pub wait: Duration,
    /// Where a GitHub release is made, if one is.
    pub github: Option<Target>,
}

/// What publishing came to.
#[derive(Debug, Clone, Serialize)]
pub struct Published {
    /// The version.
    pub version: Version,
    /// Whether everything was there already, so that nothing was written.
    pub already: bool,
    /// The digest of the release record.
    pub record: Sha256,
    /// The artifacts.
    pub artifacts: Vec<Artifact>,
    /// Those of them that are not signed, and that the policy lets through by path, reason, and date.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allowed: Vec<FileName>,
    /// Roots that were trusted besides the platform's own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub extra_roots: Vec<ExtraRoot>,
    /// The paths that were written, in the order of the law.
    pub written: Vec<String>,
    /// The page of the GitHub release.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release_url: Option<String>,
    /// The GitHub release.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub github: Option<OnGitHub>,
}

/// Everything that is going to stand in the store for this version, ready to be written.
pub(crate) struct Release {
    pub(crate) app: App,
    pub(crate) version: Version,
    pub(crate) claim: Claim,
    pub(crate) record: ReleaseRecord,
    pub(crate) files: Vec<upload::File>,
    pub(crate) sums: Vec<u8>,
    pub(crate) sums_signature: Option<Vec<u8>>,
    pub(crate) sums_rule: Option<signing::SumsRule>,
    pub(crate) allowed: Vec<FileName>,
    pub(crate) extra_roots: Vec<ExtraRoot>,
}

/// Publishes. The order of these steps is the law of order (`release::order`), and the reason is in each.
pub async fn run(
    store: &Store,
    request: &Request,
    reporter: &Reporter,
) -> Result<Published, Error> {
    // Nothing is written before every artifact has passed: what fails here was never seen by anybody.
    let checked = verify::run(&request.verify, reporter).await?;
    let release = prepare(request, checked);
    fits(store, &release)?;
    // The tag comes before everything, and what GitHub would refuse later is refused now.
    let planned = match &request.github {
        Some(target) => Some((target, github::plan(store, target, &release).await?)),
        None => None,
    };
    // A store without conditional writes could lose any of the steps below.
    store.prove().await?;
    let (mut written, held) = write(store, request, &release, reporter).await?;
    // From the record on nothing is undone, and what is published on GitHub may have no way back: it comes last.
    let on_github = match planned {
        None => None,
        Some((target, plan)) => {
            let made = match held {
                Held::ByUs => github::apply(store, target, plan, &release, reporter).await,
                Held::ByAnother(run) => {
                    let wait = request.wait;
                    let made =
                        github::wait_for(store, target, &plan, &release, &run, wait, reporter)
                            .await;
                    made.map(|made| (made, None))
                }
            };
            let (made, note) = made.map_err(|error| lagging(&release, error))?;
            written.extend(note);
            Some(made)
        }
    };
    Ok(published(&release, written, on_github))
}

/// Writes the objects of the version, the record last. Gives what was written, and whose version it is.
async fn write(
    store: &Store,
    request: &Request,
    release: &Release,
    reporter: &Reporter,
) -> Result<(Vec<String>, Held), Error> {
    // A version that exists is compared, never written.
    match compare::look(store, release).await? {
        Existing::Nothing => {}
        Existing::Whole => return Ok((Vec::new(), claim::held(store, release).await?)),
        // What was lost comes back under its name with the bytes that its record names; nothing else may.
        Existing::Missing => {
            let written = upload::artifacts(store, request, release, reporter).await?;
            return Ok((written, claim::held(store, release).await?));
        }
    }
    // The claim is the lock on every name below it.
    let held = claim::take(store, release, request.wait, reporter).await?;
    if held != Held::ByUs {
        return Ok((Vec::new(), held));
    }
    let mut written = vec![claim::path(release)];
    // Artifacts before anything that names them.
    written.extend(upload::artifacts(store, request, release, reporter).await?);
    written.extend(upload::sums(store, release).await?);
    // The commit point of "this version exists": from here on nothing is undone.
    written.extend(upload::record(store, release).await?);
    Ok((written, Held::ByUs))
}

/// The version exists, whatever GitHub does about it, and that is said. What the world failed at is finished by running
/// again (6); what a rule forbids, or somebody did, is not, and keeps its own code.
fn lagging(release: &Release, error: Error) -> Error {
    Error::GitHubLagging {
        version: release.version.to_string(),
        next: match error.exit() {
            Exit::Failed => ". Run the same command again",
            _ => "",
        },
        why: Box::new(error),
    }
}

/// Refuses what the store cannot take, before anything is claimed.
fn fits(store: &Store, release: &Release) -> Result<(), Error> {
    let Some(bytes_max) = store.artifact_bytes_max() else {
        return Ok(());
    };
    let too_large = release
        .files
        .iter()
        .find(|file| file.artifact.size > bytes_max);
    match too_large {
        Some(file) => Err(Error::TooLarge {
            name: file.artifact.name.clone(),
            size: file.artifact.size,
            bytes_max,
        }),
        None => Ok(()),
    }
}

fn prepare(request: &Request, checked: Checked) -> Release {
    // The proof ends here: nothing below takes anything but what `verify` gave.
    let Checked {
        artifacts,
        signatures,
        sums,
        sums_signature,
        sums_rule,
        report,
    } = checked;
    let allowed = report.get().allowed();
    let extra_roots = report.get().extra_roots.clone();
    let version = request.verify.version.clone();
    let claim = Claim {
        schema: SCHEMA,
        min_writer: WRITER,
        app: request.app.clone(),
        version: version.clone(),
        commit: request.commit.clone(),
        run: request.run.clone(),
        artifacts: artifacts
            .iter()
            .map(|(artifact, _)| claimed(artifact))
            .collect(),
        unknown: Map::new(),
    };
    let record = ReleaseRecord {
        schema: SCHEMA,
        min_writer: WRITER,
        app: request.app.clone(),
        version: version.clone(),
        commit: request.commit.clone(),
        date: request.date,
        artifacts: artifacts
            .iter()
            .map(|(artifact, _)| artifact.clone())
            .collect(),
        unknown: Map::new(),
    };
    let signature = |name: &FileName| signatures.get(name).cloned();
    let files = artifacts
        .into_iter()
        .map(|(artifact, file)| upload::File {
            signature: signature(&artifact.name),
            artifact,
            file,
        })
        .collect();
    Release {
        app: request.app.clone(),
        version,
        claim,
        record,
        files,
        sums,
        sums_signature,
        sums_rule,
        allowed,
        extra_roots,
    }
}

fn claimed(artifact: &Artifact) -> release::claim::Claimed {
    release::claim::Claimed {
        name: artifact.name.clone(),
        size: artifact.size,
        sha256: artifact.sha256,
    }
}

fn published(release: &Release, written: Vec<String>, github: Option<OnGitHub>) -> Published {
    let is_whole = github.as_ref().is_none_or(|on_github| on_github.already);
    Published {
        version: release.version.clone(),
        already: written.is_empty() && is_whole,
        release_url: github.as_ref().map(|on_github| on_github.url.clone()),
        github,
        record: document::digest(&release.record),
        artifacts: release.record.artifacts.clone(),
        allowed: release.allowed.clone(),
        extra_roots: release.extra_roots.clone(),
        written,
    }
}
