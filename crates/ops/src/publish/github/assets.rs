//! Which files a release has as assets, and which of them are still to be uploaded.

use std::sync::Arc;

use github::{AssetState, Body};
use release::FileName;
use store::Key;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::*;

/// How many assets travel at a time (docs.github.com, "Best practices for using the REST API": few at once).
const AT_ONCE: usize = 3;
/// A file must be smaller (docs.github.com, "About releases": "under 2 GiB").
const BYTES_END: u64 = 2 * 1024 * 1024 * 1024;
/// The most assets of a release, by the same page.
const ASSETS_MAX: usize = 1_000;
const TEXT: &str = "text/plain; charset=utf-8";

/// A file that is to be uploaded, and what stands in its place.
pub(super) type Todo = Vec<(Upload, Option<Asset>)>;

/// Refuses what GitHub would not take, or would take under another name.
pub(super) fn fit(release: &Release) -> Result<(), GitHubReleaseError> {
    let mut count = 1 + usize::from(release.sums_signature.is_some());
    for file in &release.files {
        let (name, size) = (&file.artifact.name, file.artifact.size);
        count += 1 + usize::from(file.signature.is_some());
        // GitHub puts one dot there without a word.
        if name.as_str().contains('~') || name.as_str().contains("..") {
            return Err(GitHubReleaseError::Name(name.clone()));
        }
        if size == 0 || size >= BYTES_END {
            return Err(GitHubReleaseError::Size {
                name: name.clone(),
                size,
            });
        }
    }
    if count > ASSETS_MAX {
        return Err(GitHubReleaseError::TooMany {
            count,
            max: ASSETS_MAX,
        });
    }
    Ok(())
}

/// Every asset: the artifacts, their signatures, and the digests. Of a signature the one that the store has counts, as a
/// build that runs again signs anew.
pub(super) async fn uploads(store: &Store, release: &Release) -> Result<Vec<Upload>, Error> {
    let mut uploads = Vec::new();
    for file in &release.files {
        let artifact = &file.artifact;
        uploads.push(Upload {
            name: artifact.name.clone(),
            content_type: artifact.kind.content_type(),
            size: artifact.size,
            sha256: artifact.sha256,
            body: Body::File(file.file.clone()),
        });
        if let Some(local) = &file.signature {
            let (app, version) = (release.app.clone(), release.version.clone());
            let key = Key::ArtifactSignature(app, version, artifact.name.clone());
            let name = format!("{}.minisig", artifact.name);
            uploads.push(small(&name, stored(store, &key, local).await?)?);
        }
    }
    uploads.push(small("SHA256SUMS", release.sums.clone())?);
    if let Some(local) = &release.sums_signature {
        let key = Key::SumsSignature(release.app.clone(), release.version.clone());
        uploads.push(small(
            "SHA256SUMS.minisig",
            stored(store, &key, local).await?,
        )?);
    }
    Ok(uploads)
}

async fn stored(store: &Store, key: &Key, local: &[u8]) -> Result<Vec<u8>, Error> {
    let found = store.read(key).await?;
    Ok(found.map_or_else(|| local.to_vec(), |found| found.bytes))
}

fn small(name: &str, bytes: Vec<u8>) -> Result<Upload, Error> {
    let name: FileName = name
        .parse()
        .map_err(|error: release::name::NameError| GitHubReleaseError::SignatureName(error))?;
    Ok(Upload {
        name,
        content_type: TEXT,
        size: bytes.len() as u64,
        sha256: Sha256::of(&bytes),
        body: Body::Bytes(bytes),
    })
}

/// What is still to be uploaded. What is published is never replaced; a draft has nothing but what we put there.
pub(super) async fn todo(
    read: &Read,
    on: &github::Release,
    uploads: &[Upload],
    there: &[Asset],
) -> Result<Todo, Error> {
    let mut todo = Vec::new();
    for upload in uploads {
        let found = there
            .iter()
            .find(|asset| asset.name == upload.name.as_str());
        let Some(asset) = found else {
            todo.push((upload.clone(), None));
            continue;
        };
        if read.holds(asset, upload).await? {
            continue;
        }
        if !on.draft && asset.state == AssetState::Uploaded {
            return Err(GitHubReleaseError::Differs {
                name: upload.name.clone(),
                expected: upload.sha256,
                found: asset
                    .digest
                    .as_deref()
                    .map_or_else(|| format!("{} bytes", asset.size), release::name::printable),
                url: release::name::printable(&on.html_url),
            }
            .into());
        }
        todo.push((upload.clone(), Some(asset.clone())));
    }
    if on.immutable
        && let Some((upload, _)) = todo.first()
    {
        return Err(GitHubReleaseError::Immutable {
            name: upload.name.clone(),
            url: release::name::printable(&on.html_url),
        }
        .into());
    }
    match others(uploads, there).into_iter().next() {
        Some(name) if on.draft => Err(GitHubReleaseError::Surplus {
            name,
            url: release::name::printable(&on.html_url),
        }
        .into()),
        _ => Ok(todo),
    }
}

/// The assets that are none of ours, safe to print.
pub(super) fn others(uploads: &[Upload], there: &[Asset]) -> Vec<String> {
    let is_ours = |asset: &&Asset| {
        let same = |upload: &Upload| upload.name.as_str() == asset.name;
        uploads.iter().any(same)
    };
    let others = there.iter().filter(|asset| !is_ours(asset));
    others
        .map(|asset| release::name::printable(&asset.name))
        .collect()
}

/// Fails unless GitHub lists every asset as it must be. Lists lag behind, so it is asked a few times.
pub(super) async fn check_all_there(
    read: &Read,
    draft: &github::Release,
    uploads: &[Upload],
) -> Result<(), Error> {
    const LOOKS: u32 = 5;
    for look in 1.. {
        let left = todo(read, draft, uploads, &read.assets(draft).await?).await?;
        let Some((upload, _)) = left.first() else {
            break;
        };
        if look == LOOKS {
            return Err(GitHubReleaseError::Missing {
                name: upload.name.clone(),
                url: release::name::printable(&draft.html_url),
            }
            .into());
        }
        tokio::time::sleep(Duration::from_millis(300) * look).await;
    }
    Ok(())
}

/// Uploads what is to be uploaded, a few at a time.
pub(super) async fn upload(
    write: &Write,
    draft: &github::Release,
    todo: Todo,
    reporter: &Reporter,
) -> Result<(), Error> {
    reporter.tell(Event::Stage {
        name: "github",
        bytes: todo.iter().map(|(upload, _)| upload.size).sum(),
    });
    let turns = Arc::new(Semaphore::new(AT_ONCE));
    let mut uploads = JoinSet::new();
    for (upload, leftover) in todo {
        let (write, draft) = (write.clone(), draft.clone());
        let (turns, reporter) = (turns.clone(), reporter.clone());
        uploads.spawn(async move {
            // The semaphore is never closed, so a turn always comes.
            let _turn = turns.acquire().await;
            write
                .upload(&draft, &upload, leftover.as_ref(), &reporter.bytes())
                .await?;
            reporter.tell(Event::Finished(upload.name.to_string()));
            Ok::<_, Error>(())
        });
    }
    while let Some(done) = uploads.join_next().await {
        done.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))?;
    }
    Ok(())
}
