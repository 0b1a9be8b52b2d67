//! What goes wrong with a store: a conflict with somebody else's bytes, a refusal by a rule, or the world.

use release::Refusal;
use thiserror::Error;

/// Other bytes stand under a name that is written once.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "`{key}` exists with other bytes: expected {ours}, found {theirs}; nothing was changed. {next}"
)]
pub struct Conflict {
    /// The key.
    pub key: String,
    /// The digest of what was to be written.
    pub ours: String,
    /// The digest of what is there.
    pub theirs: String,
    /// The next move.
    pub next: &'static str,
}

/// Why something in the store was not read or written.
#[derive(Debug, Error)]
pub enum StoreError {
    /// Somebody else's bytes.
    #[error(transparent)]
    Conflict(#[from] Box<Conflict>),
    /// A rule.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store did not answer, or answered with an error, after bounded retries.
    #[error("{action} `{key}` in {store}: {reason}")]
    Failed {
        /// What was tried.
        action: &'static str,
        /// On which key.
        key: String,
        /// In which store.
        store: String,
        /// What it said.
        reason: String,
    },
    /// A stored document is damaged: not what this code or a newer one writes.
    #[error("`{key}` in {store} is damaged: {reason}. {}", next_move(.key))]
    Damaged {
        /// The key.
        key: String,
        /// In which store.
        store: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A file that was to be uploaded is not what was verified.
    #[error(
        "`{path}` changed after it was verified: expected {expected}, found {found}; nothing was published under its name, build and verify again"
    )]
    SourceChanged {
        /// The local file.
        path: String,
        /// What was verified.
        expected: String,
        /// What was read.
        found: String,
    },
}

/// What helps depends on what is damaged.
fn next_move(key: &str) -> &'static str {
    if key.contains("/log/") {
        "The log is the truth and is never mended by lastmile: restore that object from a copy or an earlier version of it"
    } else if key.ends_with("store.json") {
        "Remove it: the next verb that writes finds out anew what it says"
    } else if key.contains("/releases/") || key.contains("/claims/") {
        "Restore it from a copy, or publish the same build again, which writes what is missing"
    } else {
        "`lastmile reconcile` writes it anew"
    }
}
