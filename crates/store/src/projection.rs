//! Writing projections: a newer one is never replaced by an older one, however late a writer wakes up.

use crate::backend::{Body, Write};
use crate::error::StoreError;
use crate::key::Key;
use crate::store::{Store, jittered};

/// How often a projection that others are writing too is tried.
const TRIES: u32 = 12;

/// What writing a projection came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Projected {
    /// It was written.
    Written,
    /// The same bytes were there.
    Same,
    /// One of a newer revision is there, of this number. It stays.
    Newer(u64),
}

impl Store {
    /// Writes a projection that is derived from revision `revision`, unless a newer one is there.
    ///
    /// `revision_of` reads the revision out of stored bytes; what has none, or is damaged, is replaced. The write is
    /// bound to exactly what was looked at (`If-Match`, or `If-None-Match` where nothing was), so a writer that was
    /// stalled between the look and the write does not win.
    pub async fn project(
        &self,
        key: &Key,
        bytes: &[u8],
        revision: u64,
        revision_of: impl Fn(&[u8]) -> Option<u64>,
    ) -> Result<Projected, StoreError> {
        debug_assert!(key.is_projection(), "{key:?} is written once");
        let (path, headers) = (key.path(), key.headers());
        let mut last = None;
        for attempt in 0..TRIES {
            let current = self.read(key).await?;
            if let Some(current) = &current {
                if current.bytes == bytes {
                    return Ok(Projected::Same);
                }
                match revision_of(&current.bytes) {
                    Some(found) if found > revision => return Ok(Projected::Newer(found)),
                    _ => {}
                }
            }
            let written = match &current {
                Some(current) => {
                    self.backend
                        .replace(&path, bytes, &headers, &current.tag)
                        .await
                }
                None => {
                    self.backend
                        .create(&path, Body::Bytes(bytes), &headers)
                        .await
                }
            };
            match written {
                Ok(Write::Done) => return Ok(Projected::Written),
                // Ours whose answer was lost, or somebody else's: the next look tells.
                Ok(Write::ConditionFailed) => {}
                Err(error @ StoreError::Failed { .. }) => last = Some(error),
                Err(error) => return Err(error),
            }
            if last.is_some() && attempt >= 2 {
                break;
            }
            tokio::time::sleep(jittered(attempt)).await;
        }
        Err(last.unwrap_or_else(|| StoreError::Failed {
            action: "replace",
            key: path,
            store: self.location.to_string(),
            reason: format!("it changed under {TRIES} attempts; try again"),
        }))
    }
}
