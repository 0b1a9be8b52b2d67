//! What is stored, and the conditions under which it changes. One mutex holds all of it, so conditions are atomic.

use std::collections::BTreeMap;
use std::time::SystemTime;

use s3s::{S3Result, s3_error};

use super::fault::Quirks;

/// A stored object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// What it holds.
    pub bytes: Vec<u8>,
    /// `Content-Type`.
    pub content_type: Option<String>,
    /// `Cache-Control`.
    pub cache_control: Option<String>,
    /// `Content-Disposition`.
    pub content_disposition: Option<String>,
    /// `x-amz-meta-*`, without that beginning.
    pub metadata: BTreeMap<String, String>,
    /// The CRC-64/NVME of the whole object in base64, as it was when it was stored.
    pub crc64nvme: String,
    /// The ETag without its quotes: a function of the bytes, as on Amazon.
    pub etag: String,
    /// When it was stored, by the server's clock.
    pub last_modified: SystemTime,
}

impl Object {
    pub(crate) fn new(bytes: Vec<u8>, now: SystemTime) -> Self {
        use sha2::Digest as _;
        let digest = sha2::Sha256::digest(&bytes);
        let etag = digest[..16]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Self {
            crc64nvme: super::checksum::crc64nvme(&bytes),
            content_type: None,
            cache_control: None,
            content_disposition: None,
            metadata: BTreeMap::new(),
            etag,
            last_modified: now,
            bytes,
        }
    }
}

/// The conditions of a request, as its headers carry them.
#[derive(Debug, Default, Clone)]
pub(crate) struct Conditions {
    pub(crate) if_match: Option<String>,
    pub(crate) if_none_match: Option<String>,
}

/// Everything that the server keeps.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) objects: BTreeMap<String, Object>,
    pub(crate) quirks: Quirks,
}

impl State {
    /// Stores an object if the conditions hold.
    pub(crate) fn put(
        &mut self,
        key: &str,
        object: Object,
        conditions: &Conditions,
    ) -> S3Result<()> {
        self.allow_change(key, conditions)?;
        self.objects.insert(key.to_owned(), object);
        Ok(())
    }

    /// Removes an object, which need not be there, if the conditions hold.
    pub(crate) fn delete(&mut self, key: &str, conditions: &Conditions) -> S3Result<()> {
        self.allow_change(key, conditions)?;
        self.objects.remove(key);
        Ok(())
    }

    fn allow_change(&self, key: &str, conditions: &Conditions) -> S3Result<()> {
        let denied = self.quirks.deny_writes_under.as_ref();
        if denied.is_some_and(|prefix| key.starts_with(prefix.as_str())) {
            return Err(s3_error!(AccessDenied, "Access Denied"));
        }
        if self.quirks.conditions_ignored {
            return Ok(());
        }
        let found = self.objects.get(key);
        if let Some(none_match) = &conditions.if_none_match {
            if none_match != "*" {
                return Err(s3_error!(
                    NotImplemented,
                    "If-None-Match on a write takes only *"
                ));
            }
            if found.is_some() {
                return Err(s3_error!(
                    PreconditionFailed,
                    "At least one of the pre-conditions you specified did not hold"
                ));
            }
        }
        if let Some(wanted) = &conditions.if_match {
            let Some(found) = found else {
                return Err(s3_error!(NoSuchKey, "The specified key does not exist."));
            };
            if *wanted != self.tag_as_conditions_have_it(found) {
                return Err(s3_error!(
                    PreconditionFailed,
                    "At least one of the pre-conditions you specified did not hold"
                ));
            }
        }
        Ok(())
    }

    fn tag_as_conditions_have_it(&self, object: &Object) -> String {
        if self.quirks.unquoted_etags_only {
            object.etag.clone()
        } else {
            format!("\"{}\"", object.etag)
        }
    }
}
