//! The GitHub release of a version. It comes after the record, because what is published there may have no way back.
//!
//! What can be known before anything is written is looked at first: the tag, the names, the limits, the permission, and a
//! release that is there already. Then: a draft, the note of its number, the assets, their digests, and last its publication.

use std::time::{Duration, Instant};

use github::{Asset, Draft, Kind, Publication, Read, Upload, Write};
use release::Sha256;
use release::commit::CommitId;
use release::tag::TagFormat;
use serde::Serialize;
use store::Store;

use super::Release;
use crate::error::Error;
use crate::progress::{Event, Reporter};

mod assets;
mod error;
mod find;

pub use error::GitHubReleaseError;

/// How often another run's progress is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Where the release is made.
#[derive(Debug, Clone)]
pub struct Target {
    /// The repository.
    pub github: Write,
    /// How its tags are named.
    pub tag_format: TagFormat,
}

/// What came of it.
#[derive(Debug, Clone, Serialize)]
pub struct OnGitHub {
    /// Its page.
    pub url: String,
    /// Its number.
    pub id: u64,
    /// Its tag.
    pub tag: String,
    /// How many assets it has of ours.
    pub assets: usize,
    /// Its assets that are none of ours, which nobody verified.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<String>,
    /// Whether nothing but its text can change any more.
    pub immutable: bool,
    /// Whether it was there already, whole.
    pub already: bool,
}

/// What is known before anything is written.
pub(super) struct Plan {
    draft: Draft,
    found: Found,
}

/// What is there already.
enum Found {
    Nothing,
    /// Something is missing, or it is a draft.
    Part(github::Release),
    /// It is published with all of its assets.
    Whole(OnGitHub, github::Release),
}

/// Looks whether the release can be made, before anything is written.
pub(super) async fn plan(store: &Store, target: &Target, release: &Release) -> Result<Plan, Error> {
    let read = target.github.read();
    let tag = target.tag_format.tag(&release.version);
    assets::fit(release)?;
    let tagged = tagged(read, &tag, release).await?;
    let draft = Draft {
        marker: marker(release),
        prerelease: release.version.is_prerelease(),
        tag,
        commit: tagged.commit,
        notes: tagged.notes,
    };
    let prove = async || {
        let doing = format!("create the release of `{}`", draft.tag);
        target.github.prove_contents(&draft.tag, &doing).await
    };
    let found = match find::release(store, read, release, &draft).await {
        Ok(None) => Found::Nothing,
        Ok(Some(found)) => {
            let uploads = assets::uploads(store, release).await?;
            let there = read.assets(&found).await?;
            let todo = assets::todo(read, &found, &uploads, &there).await?;
            if found.draft || !todo.is_empty() {
                Found::Part(found)
            } else {
                let mut whole = on_github(&found, uploads.len(), true);
                whole.others = assets::others(&uploads, &there);
                Found::Whole(whole, found)
            }
        }
        // Who may not write does not even see a draft: what seems to be gone may only be hidden.
        Err(error @ Error::GitHubRelease(GitHubReleaseError::Gone { .. })) => {
            prove().await?;
            return Err(error);
        }
        Err(error) => return Err(error),
    };
    // Only who has something to write needs to be allowed to.
    if !matches!(found, Found::Whole(..)) {
        prove().await?;
    }
    Ok(Plan { draft, found })
}

/// Makes the release, or goes on with it. Each step is as good the second time. Gives it, and the note if it was written.
pub(super) async fn apply(
    store: &Store,
    target: &Target,
    plan: Plan,
    release: &Release,
    reporter: &Reporter,
) -> Result<(OnGitHub, Option<String>), Error> {
    let (write, read) = (&target.github, target.github.read());
    let draft = match plan.found {
        Found::Whole(whole, found) => {
            let (_, note) = find::keep(store, write, release, found, &plan.draft).await?;
            return Ok((whole, note));
        }
        // What was found before the artifacts travelled may be hours old.
        Found::Part(found) => read.release(found.id).await?.unwrap_or(found),
        Found::Nothing => write.create_draft(&plan.draft).await?,
    };
    // Of two drafts the one that the note names is the release, whoever wrote it.
    let (draft, note) = find::keep(store, write, release, draft, &plan.draft).await?;
    let uploads = assets::uploads(store, release).await?;
    let todo = assets::todo(read, &draft, &uploads, &read.assets(&draft).await?).await?;
    if !todo.is_empty() {
        assets::upload(write, &draft, todo, reporter).await?;
        // Only what GitHub itself says it has is published.
        assets::check_all_there(read, &draft, &uploads).await?;
    }
    if !draft.draft {
        return Ok((on_github(&draft, uploads.len(), false), note));
    }
    // The tag is the lock, and it was looked at before the artifacts travelled.
    tagged(read, &plan.draft.tag, release).await?;
    let publication = publication(read, target, release).await?;
    let published = write
        .publish_release(draft.id, &plan.draft, publication)
        .await;
    let published = match published {
        Ok(published) => published,
        Err(error) => return Err(find::in_the_way(read, &draft, &plan.draft, error).await),
    };
    find::sweep(write, &published, &plan.draft).await;
    Ok((on_github(&published, uploads.len(), false), note))
}

/// Waits until the run that holds the version has made its release.
pub(super) async fn wait_for(
    store: &Store,
    target: &Target,
    plan: &Plan,
    release: &Release,
    run: &str,
    wait: Duration,
    reporter: &Reporter,
) -> Result<OnGitHub, Error> {
    let read = target.github.read();
    let uploads = assets::uploads(store, release).await?;
    let begun = Instant::now();
    let mut is_told = false;
    loop {
        let found = find::release(store, read, release, &plan.draft).await?;
        if let Some(found) = found.filter(|found| !found.draft) {
            let there = read.assets(&found).await?;
            if assets::todo(read, &found, &uploads, &there)
                .await?
                .is_empty()
            {
                return Ok(on_github(&found, uploads.len(), true));
            }
        }
        if begun.elapsed() >= wait {
            return Err(GitHubReleaseError::NotOurs {
                tag: plan.draft.tag.clone(),
                run: release::name::printable(run),
            }
            .into());
        }
        if !is_told {
            is_told = true;
            let text = format!(
                "another run makes the GitHub release of `{}`",
                plan.draft.tag
            );
            reporter.tell(Event::Waiting(text));
        }
        tokio::time::sleep(LOOK_EVERY.min(wait)).await;
    }
}

fn on_github(release: &github::Release, assets: usize, already: bool) -> OnGitHub {
    OnGitHub {
        url: release.html_url.clone(),
        id: release.id,
        tag: release.tag_name.clone(),
        assets,
        others: Vec::new(),
        immutable: release.immutable,
        already,
    }
}

/// What the tag of a version says.
struct Tagged {
    commit: CommitId,
    notes: String,
}

/// The tag, whose message has the notes. It is the lock on the version, so it must be there, at the commit that was built.
async fn tagged(read: &Read, name: &str, release: &Release) -> Result<Tagged, Error> {
    let Some(commit) = &release.record.commit else {
        return Err(Error::Missing {
            what: "commit",
            next:
                "a GitHub release is of the commit that was built; give `--commit`, or GITHUB_SHA"
                    .to_owned(),
        });
    };
    let Some(tag) = read.tag(name).await? else {
        read.check_readable().await?;
        return Err(GitHubReleaseError::NoTag(name.to_owned()).into());
    };
    let followed = read.follow(&tag).await?;
    let is_here = followed.target.kind == Kind::Commit
        && commit.parse::<CommitId>().as_ref() == Ok(&followed.target.id);
    if !is_here {
        return Err(GitHubReleaseError::TagElsewhere {
            tag: name.to_owned(),
            found: followed.target.id.to_string(),
            commit: release::name::printable(commit),
        }
        .into());
    }
    // The first line of a tag's message is its name, as `lastmile tag` makes them.
    let message = followed.message.unwrap_or_default();
    let notes = message.strip_prefix(name).unwrap_or(&message);
    Ok(Tagged {
        commit: followed.target.id,
        notes: notes.trim().to_owned(),
    })
}

/// A line that tells our drafts from others. It depends on nothing but what is released.
fn marker(release: &Release) -> String {
    let what = format!("{}\0{}", release.app, release.version);
    let digest = Sha256::of(what.as_bytes()).to_string();
    format!("<!-- lastmile:op={} -->", &digest[..32])
}

/// Links to the newest release lead to the highest version of this app, whichever is published last. Several apps of one
/// repository take the latest from each other, as there is only one.
async fn publication(
    read: &Read,
    target: &Target,
    release: &Release,
) -> Result<Publication, Error> {
    if release.version.is_prerelease() {
        return Ok(Publication::Beside);
    }
    let format = &target.tag_format;
    let is_above = |tag: &str| {
        let version = format.version(tag);
        version.is_some_and(|version| !version.is_prerelease() && version > release.version)
    };
    let tags = read.tags(format.prefix()).await?;
    Ok(if tags.iter().any(|tag| is_above(&tag.name)) {
        Publication::Beside
    } else {
        Publication::Latest
    })
}
