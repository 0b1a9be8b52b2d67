//! What a reader of containers shows: one entry after the other, whatever the container.

use std::io::{self, Read};

/// A thing in a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Relative, `/` between, without `.`, `..`, or empty parts; empty for the folder itself.
    pub(crate) path: String,
    pub(crate) kind: EntryKind,
    /// Whether its owner may execute it; none where the container does not say.
    pub(crate) is_executable: Option<bool>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum EntryKind {
    Folder,
    File,
    /// What it points to, as found.
    Link(String),
    /// Another name of a file before it.
    HardLink(String),
}

/// Is called for each entry, in the order of the container, with the content of a file; nothing of all else. What it does not
/// read of a content is the reader's to pass over.
pub(crate) type Each<'a> = &'a mut dyn FnMut(&Entry, &mut dyn Read) -> io::Result<()>;
