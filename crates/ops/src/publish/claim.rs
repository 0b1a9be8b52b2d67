//! The claim: one run alone creates the objects of a version. Any other only compares.

use std::time::{Duration, Instant};

use release::claim::Standing;
use release::{Claim, document};
use store::{Created, Key, Store, StoreError};

use super::Release;
use super::compare::{self, Existing};
use crate::error::Error;
use crate::progress::{Event, Reporter};

/// How often another run's progress is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Who holds the claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Held {
    /// This run: it writes.
    ByUs,
    /// Another run, which published the same bytes.
    ByAnother(String),
}

pub(super) fn path(release: &Release) -> String {
    key(release).path()
}

fn key(release: &Release) -> Key {
    Key::Claim(release.app.clone(), release.version.clone())
}

/// Takes the claim, continues one's own, or waits for another run that claimed the same bytes.
pub(super) async fn take(
    store: &Store,
    release: &Release,
    wait: Duration,
    reporter: &Reporter,
) -> Result<Held, Error> {
    let bytes = document::render(&release.claim);
    match store.create(&key(release), &bytes).await {
        Ok(Created::New | Created::Same) => return Ok(Held::ByUs),
        Err(StoreError::Conflict(_)) => {}
        Err(error) => return Err(error.into()),
    }
    let stored = read(store, release).await?;
    match release.claim.standing(&stored) {
        Standing::Ours => Ok(Held::ByUs),
        Standing::Same => wait_for(store, release, &stored, wait, reporter).await,
        Standing::Other => {
            let next = "Publish a new version, or go on with that run".to_owned();
            Err(claimed(
                release,
                &stored,
                difference(&release.claim, &stored),
                next,
            ))
        }
    }
}

/// Whose version it is that exists already. One whose claim is gone is anybody's.
pub(super) async fn held(store: &Store, release: &Release) -> Result<Held, Error> {
    if store.read(&key(release)).await?.is_none() {
        return Ok(Held::ByUs);
    }
    let stored = read(store, release).await?;
    Ok(match release.claim.standing(&stored) {
        Standing::Ours => Held::ByUs,
        Standing::Same | Standing::Other => Held::ByAnother(stored.run),
    })
}

async fn read(store: &Store, release: &Release) -> Result<Claim, Error> {
    let key = key(release);
    let damaged = |reason| StoreError::Damaged {
        key: key.path(),
        store: store.location().to_string(),
        reason,
    };
    let Some(found) = store.read(&key).await? else {
        return Err(damaged("it vanished after it was found".to_owned()).into());
    };
    document::parse(&found.bytes, &key.path()).map_err(|error| damaged(error.to_string()).into())
}

async fn wait_for(
    store: &Store,
    release: &Release,
    stored: &Claim,
    wait: Duration,
    reporter: &Reporter,
) -> Result<Held, Error> {
    let begun = Instant::now();
    reporter.tell(Event::Waiting(format!(
        "run `{}` is publishing the same bytes; waiting up to {}s for it",
        release::name::printable(&stored.run),
        wait.as_secs()
    )));
    loop {
        if compare::look(store, release).await? == Existing::Whole {
            return Ok(Held::ByAnother(stored.run.clone()));
        }
        if begun.elapsed() >= wait {
            let next = format!(
                "Run it again, or go on in its name with `--run {}`",
                release::name::printable(&stored.run)
            );
            return Err(claimed(
                release,
                stored,
                "the same bytes, not complete yet".to_owned(),
                next,
            ));
        }
        tokio::time::sleep(LOOK_EVERY.min(wait)).await;
    }
}

fn claimed(release: &Release, stored: &Claim, found: String, next: String) -> Error {
    let run = release::name::printable(&stored.run);
    Error::Claimed {
        version: release.version.to_string(),
        run,
        found,
        next,
    }
}

/// The first artifact that differs, with both digests.
fn difference(ours: &Claim, theirs: &Claim) -> String {
    for artifact in &ours.artifacts {
        match theirs
            .artifacts
            .iter()
            .find(|other| other.name == artifact.name)
        {
            None => return format!("it does not have `{}`", artifact.name),
            Some(other) if other != artifact => {
                return format!(
                    "`{}` has sha256 {} there, {} here",
                    artifact.name, other.sha256, artifact.sha256
                );
            }
            Some(_) => {}
        }
    }
    let extra = theirs.artifacts.iter().find(|other| {
        !ours
            .artifacts
            .iter()
            .any(|artifact| artifact.name == other.name)
    });
    extra.map_or("other details".to_owned(), |extra| {
        format!("it has `{}` besides", extra.name)
    })
}
