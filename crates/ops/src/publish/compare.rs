//! Comparing with a version that exists: equal is success without a byte sent, anything else is a conflict.

use release::document;
use release::{Artifact, ReleaseRecord};
use store::{Key, Store, StoreError};

use super::Release;
use super::upload::artifact_key;
use crate::error::Error;

/// What stands in the store of a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Existing {
    /// It is not published.
    Nothing,
    /// It is published with exactly these artifacts.
    Whole,
    /// It is published with exactly these artifacts, and some of their bytes are gone from the store.
    Missing,
}

/// Compares with what is published. A difference is an error.
pub(super) async fn look(store: &Store, release: &Release) -> Result<Existing, Error> {
    let key = Key::Record(release.app.clone(), release.version.clone());
    let Some(found) = store.read(&key).await? else {
        return Ok(Existing::Nothing);
    };
    let damaged = |reason| StoreError::Damaged {
        key: key.path(),
        store: store.location().to_string(),
        reason,
    };
    let stored: ReleaseRecord =
        document::parse(&found.bytes, &key.path()).map_err(|error| damaged(error.to_string()))?;
    let differences = differences(&release.record.artifacts, &stored.artifacts);
    if !differences.is_empty() {
        return Err(Error::Published {
            version: release.version.to_string(),
            differences: differences.join("; "),
        });
    }
    // The record says so; whether the bytes still stand is looked at too, one small request for each.
    let mut existing = Existing::Whole;
    for file in &release.files {
        let key = artifact_key(release, &file.artifact);
        if !store.holds(&key, &file.artifact).await? {
            existing = Existing::Missing;
        }
    }
    Ok(existing)
}

fn differences(ours: &[Artifact], theirs: &[Artifact]) -> Vec<String> {
    let mut differences = Vec::new();
    for artifact in ours {
        match theirs.iter().find(|other| other.name == artifact.name) {
            None => differences.push(format!("`{}` is not part of it", artifact.name)),
            Some(other) if other.sha256 != artifact.sha256 => differences.push(format!(
                "`{}` has sha256 {} there, {} here",
                artifact.name, other.sha256, artifact.sha256
            )),
            Some(other) if (other.platform, other.kind) != (artifact.platform, artifact.kind) => {
                differences.push(format!(
                    "`{}` is {} {} there, {} {} here",
                    artifact.name, other.platform, other.kind, artifact.platform, artifact.kind
                ))
            }
            Some(_) => {}
        }
    }
    let extra = theirs
        .iter()
        .filter(|other| !ours.iter().any(|artifact| artifact.name == other.name));
    differences.extend(extra.map(|other| format!("`{}` is missing here", other.name)));
    differences
}
