//! Finding the release of a version: by the note in the store, by its tag where it is published, by its marker where it is
//! a draft. Never more than one is kept.

use release::document::{SCHEMA, WRITER};
use release::{GitHubNote, document};
use serde_json::Map;
use store::{Key, StoreError};

use super::*;

/// The release that is there, if any.
pub(super) async fn release(
    store: &Store,
    read: &Read,
    release: &Release,
    draft: &Draft,
) -> Result<Option<github::Release>, Error> {
    if let Some(note) = note(store, release).await? {
        return noted(read, release, &note, draft).await.map(Some);
    }
    if let Some(published) = read.release_of(&draft.tag).await? {
        return Ok(Some(published));
    }
    let drafts = read.drafts(&draft.marker).await?;
    Ok(drafts.into_iter().find(|found| found.tag_name == draft.tag))
}

/// Writes the note, or gives up a draft for the one that the note names. Gives the path of the note if it was written.
pub(super) async fn keep(
    store: &Store,
    write: &Write,
    release: &Release,
    ours: github::Release,
    draft: &Draft,
) -> Result<(github::Release, Option<String>), Error> {
    let note = GitHubNote {
        schema: SCHEMA,
        min_writer: WRITER,
        app: release.app.clone(),
        version: release.version.clone(),
        repository: write.read().repository().to_string(),
        tag: draft.tag.clone(),
        release: ours.id,
        unknown: Map::new(),
    };
    let Some(found) = store
        .create_or_find(&key(release), &document::render(&note))
        .await?
    else {
        return Ok((ours, Some(key(release).path())));
    };
    let note = parse(store, release, &found.bytes)?;
    if note.release == ours.id {
        return Ok((ours, None));
    }
    let theirs = noted(write.read(), release, &note, draft).await?;
    if ours.draft {
        write.delete_draft(&ours).await?;
    }
    Ok((theirs, None))
}

/// Deletes drafts that a lost answer left behind: of this very version, by their marker, and not the one that is kept.
/// A courtesy: nobody but those who may write sees them, so what goes wrong with it is nobody's loss.
pub(super) async fn sweep(write: &Write, kept: &github::Release, draft: &Draft) {
    let strays = write.read().drafts(&draft.marker).await;
    for stray in strays.unwrap_or_default() {
        if stray.id != kept.id && stray.tag_name == draft.tag {
            let _ = write.delete_draft(&stray).await;
        }
    }
}

/// Why a draft cannot be published: somebody published another release of its tag, or what GitHub said.
pub(super) async fn in_the_way(
    read: &Read,
    ours: &github::Release,
    draft: &Draft,
    error: github::GitHubError,
) -> Error {
    match read.release_of(&draft.tag).await {
        Ok(Some(theirs)) if theirs.id != ours.id => GitHubReleaseError::Foreign {
            tag: draft.tag.clone(),
            url: release::name::printable(&theirs.html_url),
            ours: release::name::printable(&ours.html_url),
        }
        .into(),
        _ => error.into(),
    }
}

fn key(release: &Release) -> Key {
    Key::GitHubNote(release.app.clone(), release.version.clone())
}

async fn note(store: &Store, release: &Release) -> Result<Option<GitHubNote>, Error> {
    match store.read(&key(release)).await? {
        Some(found) => parse(store, release, &found.bytes).map(Some),
        None => Ok(None),
    }
}

fn parse(store: &Store, release: &Release, bytes: &[u8]) -> Result<GitHubNote, Error> {
    let key = key(release).path();
    document::parse(bytes, &key).map_err(|error| {
        StoreError::Damaged {
            key,
            store: store.location().to_string(),
            reason: error.to_string(),
        }
        .into()
    })
}

/// The release that the note names.
async fn noted(
    read: &Read,
    release: &Release,
    note: &GitHubNote,
    draft: &Draft,
) -> Result<github::Release, Error> {
    let here = read.repository().to_string();
    // GitHub takes names of any case for the same.
    if !note.repository.eq_ignore_ascii_case(&here) {
        return Err(GitHubReleaseError::Repository {
            noted: release::name::printable(&note.repository),
            here,
            key: key(release).path(),
        }
        .into());
    }
    let Some(found) = read.release(note.release).await? else {
        return Err(GitHubReleaseError::Gone {
            id: note.release,
            key: key(release).path(),
        }
        .into());
    };
    if found.tag_name != draft.tag {
        return Err(GitHubReleaseError::Retagged {
            url: release::name::printable(&found.html_url),
            expected: draft.tag.clone(),
            found: release::name::printable(&found.tag_name),
        }
        .into());
    }
    Ok(found)
}
