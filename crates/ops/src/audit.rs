//! `audit show` and `audit verify`: the log is the audit trail.

use std::collections::BTreeMap;

use release::{Sha256, Timestamp};
use serde::{Deserialize, Serialize};
use store::StoredRevision;

use crate::error::Error;
use crate::place::Place;

/// One line of the trail.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Entry {
    /// The revision.
    pub revision: u64,
    /// When it was written, by the store's clock.
    pub written: Timestamp,
    /// Who.
    pub actor: String,
    /// How sure we are of who.
    pub verified: String,
    /// What.
    pub verb: String,
    /// With which arguments.
    pub arguments: BTreeMap<String, String>,
    /// Why.
    pub reason: Option<String>,
    /// The run.
    pub run: String,
    /// The digest of its bytes.
    pub digest: Sha256,
}

/// A trail that holds together.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Audit {
    /// Its revisions, oldest first.
    pub entries: Vec<Entry>,
}

/// Walks the log from the first revision on, checks each against the one before and the last against what clients
/// were shown, and gives all of them.
///
/// # Errors
/// A damaged, missing, or changed revision is [`store::StoreError::Damaged`], which names it.
pub async fn audit(place: &Place) -> Result<Audit, Error> {
    let mut entries = Vec::new();
    place
        .log()
        .verify(|stored| entries.push(entry(stored)))
        .await?;
    Ok(Audit { entries })
}

fn entry(stored: &StoredRevision) -> Entry {
    let revision = &stored.revision;
    Entry {
        revision: revision.revision,
        written: stored.written,
        actor: revision.actor.name.clone(),
        verified: revision.actor.verified.clone(),
        verb: revision.operation.verb.clone(),
        arguments: revision.operation.arguments.clone(),
        reason: revision.reason.clone(),
        run: revision.operation.run.clone(),
        digest: stored.digest,
    }
}
