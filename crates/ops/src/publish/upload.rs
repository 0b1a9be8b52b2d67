//! Writing the objects of a version: artifacts with their signatures, then the sums, then the record.

use std::path::PathBuf;
use std::sync::Arc;

use release::{Artifact, document};
use store::{Created, Key, Source, Store};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::{Release, Request};
use crate::error::Error;
use crate::progress::{Event, Reporter};
use crate::verify;

/// How many artifacts travel at a time.
const AT_ONCE: usize = 4;

/// A local file that is an artifact.
#[derive(Debug, Clone)]
pub(crate) struct File {
    pub(crate) artifact: Artifact,
    pub(crate) file: PathBuf,
    pub(crate) signature: Option<Vec<u8>>,
}

pub(super) fn artifact_key(release: &Release, artifact: &Artifact) -> Key {
    Key::Artifact(
        release.app.clone(),
        release.version.clone(),
        artifact.name.clone(),
        artifact.kind,
    )
}

/// Uploads what is not there yet. Gives the paths that were written, sorted.
pub(super) async fn artifacts(
    store: &Store,
    request: &Request,
    release: &Release,
    reporter: &Reporter,
) -> Result<Vec<String>, Error> {
    let bytes = release.files.iter().map(|file| file.artifact.size).sum();
    reporter.tell(Event::Stage {
        name: "publish",
        bytes,
    });
    let turns = Arc::new(Semaphore::new(AT_ONCE));
    let mut uploads = JoinSet::new();
    for file in &release.files {
        let key = artifact_key(release, &file.artifact);
        let signature_key = Key::ArtifactSignature(
            release.app.clone(),
            release.version.clone(),
            file.artifact.name.clone(),
        );
        let (store, file, reporter, turns) =
            (store.clone(), file.clone(), reporter.clone(), turns.clone());
        let policy = request.verify.clone();
        uploads.spawn(async move {
            // The semaphore is never closed, so a turn always comes.
            let _turn = turns.acquire().await;
            let mut written = Vec::new();
            let source = Source {
                path: file.file.clone(),
                artifact: &file.artifact,
                progress: reporter.bytes(),
            };
            if store.upload(&key, &source).await? == Created::New {
                written.push(key.path());
            }
            if let Some(signature) = &file.signature {
                let stands = |stored: &[u8]| {
                    verify::is_signed_by(&policy, &file.artifact, &file.file, stored)
                };
                written.extend(keep(&store, &signature_key, signature, stands).await?);
            }
            reporter.tell(Event::Finished(file.artifact.name.to_string()));
            Ok::<_, Error>(written)
        });
    }
    let mut written = Vec::new();
    while let Some(done) = uploads.join_next().await {
        // Dropping the set on the first error stops the others: nothing names what they wrote so far.
        written.extend(done.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))?);
    }
    written.sort_unstable();
    Ok(written)
}

/// Writes a signature, or keeps the one that stands there if it is as good: a job that runs again signs again, and no
/// two signatures are the same bytes. Gives the path if it was written.
async fn keep(
    store: &Store,
    key: &Key,
    signature: &[u8],
    stands: impl FnOnce(&[u8]) -> Result<bool, Error>,
) -> Result<Option<String>, Error> {
    match store.create_or_find(key, signature).await? {
        None => Ok(Some(key.path())),
        Some(found) if found.bytes == signature || stands(&found.bytes)? => Ok(None),
        // Something else stands there: the comparison names both.
        Some(_) => store
            .create(key, signature)
            .await
            .map(|_| None)
            .map_err(Error::from),
    }
}

/// Writes the digests of all artifacts, and the signature over them where the build gave one.
pub(super) async fn sums(store: &Store, release: &Release) -> Result<Vec<String>, Error> {
    let mut written = Vec::new();
    let key = Key::Sums(release.app.clone(), release.version.clone());
    if store.create(&key, &release.sums).await? == Created::New {
        written.push(key.path());
    }
    if let Some(signature) = &release.sums_signature {
        let key = Key::SumsSignature(release.app.clone(), release.version.clone());
        let stands = |stored: &[u8]| {
            let good = |rule| signing::is_minisigned(rule, &release.sums, stored);
            Ok(release.sums_rule.as_ref().is_some_and(good))
        };
        written.extend(keep(store, &key, signature, stands).await?);
    }
    Ok(written)
}

/// Writes the release record.
pub(super) async fn record(store: &Store, release: &Release) -> Result<Vec<String>, Error> {
    let key = Key::Record(release.app.clone(), release.version.clone());
    store
        .create(&key, &document::render(&release.record))
        .await?;
    Ok(vec![key.path()])
}
