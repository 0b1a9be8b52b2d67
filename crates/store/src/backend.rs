//! The two kinds of store behind one set of primitives. An enum, not a trait: there are two, and both are ours.

use std::path::Path;

use release::{Crc64, Sha256, Timestamp};

use crate::error::StoreError;
use crate::key::Headers;

mod directory;
mod s3;

pub(crate) use directory::Directory;
pub(crate) use s3::{S3, UPLOAD_BYTES_MAX};

/// A stored object, whole.
#[derive(Debug, Clone)]
pub struct Object {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// What it must still be for a replacement to happen; opaque.
    pub tag: String,
    /// When it was written, by the store's clock.
    pub modified: Timestamp,
}

/// What is known of a stored object without its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Info {
    pub(crate) size: u64,
    /// What its bytes are, or what its writer said they are.
    pub(crate) sha256: Option<Sha256>,
    /// What the store computed on arrival.
    pub(crate) crc64nvme: Option<Crc64>,
}

/// What a conditional write came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Write {
    /// It was written.
    Done,
    /// The condition did not hold. The answer to an earlier attempt of ours may have been lost, so read back.
    ConditionFailed,
}

/// Bytes to be written.
pub(crate) enum Body<'a> {
    /// A document.
    Bytes(&'a [u8]),
    /// A file on this host, with what was verified of it.
    File {
        path: &'a Path,
        size: u64,
        sha256: Sha256,
        crc64nvme: Crc64,
        progress: &'a crate::store::Progress,
    },
}

/// A store.
#[derive(Debug, Clone)]
pub(crate) enum Backend {
    S3(S3),
    Directory(Directory),
}

macro_rules! on_each {
    ($self:ident, $backend:ident => $call:expr) => {
        match $self {
            Self::S3($backend) => $call.await,
            Self::Directory($backend) => $call.await,
        }
    };
}

impl Backend {
    /// The object, unless it is larger than `bytes_max`.
    pub(crate) async fn get(
        &self,
        path: &str,
        bytes_max: u64,
    ) -> Result<Option<Object>, StoreError> {
        on_each!(self, backend => backend.get(path, bytes_max))
    }

    pub(crate) async fn head(&self, path: &str) -> Result<Option<Info>, StoreError> {
        on_each!(self, backend => backend.head(path))
    }

    /// Writes only where nothing is.
    pub(crate) async fn create(
        &self,
        path: &str,
        body: Body<'_>,
        headers: &Headers,
    ) -> Result<Write, StoreError> {
        on_each!(self, backend => backend.create(path, body, headers))
    }

    /// Writes only where the object with this tag is.
    pub(crate) async fn replace(
        &self,
        path: &str,
        bytes: &[u8],
        headers: &Headers,
        tag: &str,
    ) -> Result<Write, StoreError> {
        on_each!(self, backend => backend.replace(path, bytes, headers, tag))
    }

    /// The paths that begin with `prefix` and sort after `after`, sorted.
    pub(crate) async fn list(
        &self,
        prefix: &str,
        after: Option<&str>,
    ) -> Result<Vec<String>, StoreError> {
        on_each!(self, backend => backend.list(prefix, after))
    }

    /// The names of the folders directly under `prefix`, sorted.
    pub(crate) async fn folders(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        on_each!(self, backend => backend.folders(prefix))
    }

    /// The store's time: as of its last answer for S3, this host's for a directory.
    pub(crate) fn now(&self) -> Timestamp {
        match self {
            Self::S3(s3) => s3.now(),
            Self::Directory(_) => Directory::now(),
        }
    }
}
