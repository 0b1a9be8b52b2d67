//! The store as everybody else uses it: documents and artifacts by [`Key`], written once or replaced, settled when an
//! answer was lost.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use release::{Artifact, Crc64, Sha256, Timestamp, document};

use crate::backend::{Backend, Body, Directory, Info, Object, S3, UPLOAD_BYTES_MAX, Write};
use crate::error::{Conflict, StoreError};
use crate::key::Key;
use crate::location::Location;

/// Told how many more bytes were moved.
pub type Progress = Arc<dyn Fn(u64) + Send + Sync>;

/// How often a write whose outcome is unknown is looked at and tried again.
const SETTLE_TRIES: u32 = 3;

/// A store.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) backend: Backend,
    pub(crate) location: Location,
}

/// What a create-only write came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Created {
    /// We wrote it.
    New,
    /// The same bytes stood there already.
    Same,
}

/// A file to be uploaded, with what was verified of it.
pub struct Source<'a> {
    /// Where it is.
    pub path: PathBuf,
    /// What was verified.
    pub artifact: &'a Artifact,
    /// Told how many more bytes were moved.
    pub progress: Progress,
}

impl Store {
    /// Reaches for the store. Nothing is read or written yet, except that a directory is swept of litter.
    pub async fn open(location: Location) -> Self {
        let backend = match &location {
            Location::S3(s3) => Backend::S3(S3::connect(s3.clone()).await),
            Location::Directory(path) => {
                let directory = Directory::new(path.clone());
                directory.sweep().await;
                Backend::Directory(directory)
            }
        };
        Self { backend, location }
    }

    /// Where it is.
    pub fn location(&self) -> &Location {
        &self.location
    }

    /// The store's time, as of its last answer.
    pub fn now(&self) -> Timestamp {
        self.backend.now()
    }

    /// A document, if it is there.
    pub async fn read(&self, key: &Key) -> Result<Option<Object>, StoreError> {
        self.backend
            .get(&key.path(), document::DOCUMENT_BYTES_MAX)
            .await
    }

    /// The names of the folders under a prefix.
    pub async fn folders(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        self.backend.folders(prefix).await
    }

    /// The paths of the objects under a prefix.
    pub async fn list(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        self.backend.list(prefix, None).await
    }

    /// Writes a document that is written once. The same bytes again are success; other bytes are a [`Conflict`].
    ///
    /// A failed condition or a lost answer is settled by reading back.
    pub async fn create(&self, key: &Key, bytes: &[u8]) -> Result<Created, StoreError> {
        match self.create_or_find(key, bytes).await? {
            None => Ok(Created::New),
            Some(found) if found.bytes == bytes => Ok(Created::Same),
            Some(found) => Err(StoreError::Conflict(Box::new(Conflict {
                key: key.path(),
                ours: format!("sha256 {}", Sha256::of(bytes)),
                theirs: format!("sha256 {}", Sha256::of(&found.bytes)),
                next: "what is written once stays; publish a new version",
            }))),
        }
    }

    /// Writes a document that is written once, or gives what stands there instead, whosever it is.
    pub async fn create_or_find(
        &self,
        key: &Key,
        bytes: &[u8],
    ) -> Result<Option<Object>, StoreError> {
        let (path, headers) = (key.path(), key.headers());
        let mut last = None;
        for attempt in 0..SETTLE_TRIES {
            match self
                .backend
                .create(&path, Body::Bytes(bytes), &headers)
                .await
            {
                Ok(Write::Done) => return Ok(None),
                Ok(Write::ConditionFailed) => {}
                Err(error @ StoreError::Failed { .. }) => last = Some(error),
                Err(error) => return Err(error),
            }
            match self.read(key).await {
                Ok(Some(found)) => return Ok(Some(found)),
                Ok(None) => {}
                // Where not even reading works, the write's own error says more.
                Err(error) => return Err(last.unwrap_or(error)),
            }
            if attempt + 1 < SETTLE_TRIES {
                tokio::time::sleep(jittered(attempt)).await;
            }
        }
        Err(last.unwrap_or_else(|| self.unsettled(&path)))
    }

    /// Uploads an artifact, unless the same bytes are there.
    pub async fn upload(&self, key: &Key, source: &Source<'_>) -> Result<Created, StoreError> {
        let (path, headers) = (key.path(), key.headers());
        if let Some(info) = self.backend.head(&path).await? {
            return same_artifact(&path, source.artifact, &info).map(|()| Created::Same);
        }
        let Artifact {
            size,
            sha256,
            crc64nvme,
            ..
        } = source.artifact;
        let mut last = None;
        for attempt in 0..SETTLE_TRIES {
            let body = Body::File {
                path: &source.path,
                size: *size,
                sha256: *sha256,
                crc64nvme: *crc64nvme,
                progress: &source.progress,
            };
            match self.backend.create(&path, body, &headers).await {
                Ok(Write::Done) => return Ok(Created::New),
                Ok(Write::ConditionFailed) => {}
                Err(error @ StoreError::Failed { .. }) => last = Some(error),
                Err(error) => return Err(error),
            }
            match self.backend.head(&path).await {
                Ok(Some(info)) => {
                    return same_artifact(&path, source.artifact, &info).map(|()| Created::New);
                }
                Ok(None) => {}
                Err(error) => return Err(last.unwrap_or(error)),
            }
            if attempt + 1 < SETTLE_TRIES {
                tokio::time::sleep(jittered(attempt)).await;
            }
        }
        Err(last.unwrap_or_else(|| self.unsettled(&path)))
    }

    /// Whether an artifact stands in the store with the bytes that were verified; a conflict if with others.
    pub async fn holds(&self, key: &Key, artifact: &Artifact) -> Result<bool, StoreError> {
        let path = key.path();
        match self.backend.head(&path).await? {
            Some(info) => same_artifact(&path, artifact, &info).map(|()| true),
            None => Ok(false),
        }
    }

    /// The most bytes that an artifact can have here; none where there is no limit.
    pub fn artifact_bytes_max(&self) -> Option<u64> {
        match &self.backend {
            Backend::S3(_) => Some(UPLOAD_BYTES_MAX),
            Backend::Directory(_) => None,
        }
    }

    /// Whether anything stands under a key, whatever it is.
    pub async fn exists(&self, key: &Key) -> Result<bool, StoreError> {
        Ok(self.backend.head(&key.path()).await?.is_some())
    }

    /// The directory, where the store is one.
    pub fn directory(&self) -> Option<&Path> {
        match &self.backend {
            Backend::Directory(directory) => Some(directory.root()),
            Backend::S3(_) => None,
        }
    }

    fn unsettled(&self, path: &str) -> StoreError {
        StoreError::Failed {
            action: "write",
            key: path.to_owned(),
            store: self.location.to_string(),
            reason: "the store says that the object exists and that it does not; try again"
                .to_owned(),
        }
    }

    pub(crate) fn damaged(&self, key: &Key, reason: String) -> StoreError {
        StoreError::Damaged {
            key: key.path(),
            store: self.location.to_string(),
            reason,
        }
    }
}

/// Compares what a store knows of an object with what was verified.
fn same_artifact(path: &str, artifact: &Artifact, info: &Info) -> Result<(), StoreError> {
    let Info {
        size,
        sha256,
        crc64nvme,
    } = info;
    // The digest is what the writer said (S3) or what the bytes are (a directory); the checksum is the store's own.
    let crc_agrees = crc64nvme.is_none_or(|crc| crc == artifact.crc64nvme);
    if *size == artifact.size && *sha256 == Some(artifact.sha256) && crc_agrees {
        return Ok(());
    }
    let digest = |sha: Option<Sha256>| sha.map_or("unknown".to_owned(), |sha| sha.to_string());
    let shown = |size: u64, sha: Option<Sha256>, crc: Option<Crc64>| {
        let crc = crc
            .filter(|_| !crc_agrees)
            .map(|crc| format!(", crc64nvme {crc}"))
            .unwrap_or_default();
        format!("{size} bytes, sha256 {}{crc}", digest(sha))
    };
    Err(StoreError::Conflict(Box::new(Conflict {
        key: path.to_owned(),
        ours: shown(
            artifact.size,
            Some(artifact.sha256),
            Some(artifact.crc64nvme),
        ),
        theirs: shown(*size, *sha256, *crc64nvme),
        next: "a published name never gets other bytes; publish a new version",
    })))
}

/// A growing wait with a random part. The randomness needs no quality: it only has to differ between processes.
pub(crate) fn jittered(attempt: u32) -> Duration {
    use std::hash::{BuildHasher as _, RandomState};
    let random = RandomState::new().hash_one(attempt);
    let ceiling = 20_u64 << attempt.min(6);
    Duration::from_millis(5 + random % ceiling)
}
