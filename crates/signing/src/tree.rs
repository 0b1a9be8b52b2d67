//! What a container holds, once it was walked: every path, and of each file what later questions need.
//!
//! Bundles of macOS and packages of Windows are signed as trees: a list in one file says what every other file must be. The
//! walk reads each file once, in the order in which the container has them; whoever asks about the tree asks afterwards.

use std::collections::BTreeMap;

use crate::inspection::Inspection;

/// Every path of a container, relative, `/` between, without `.`, `..`, or empty parts, composed, and none twice.
pub(crate) type Tree = BTreeMap<String, Node>;

/// What stands at a path.
#[derive(Debug, Clone)]
pub(crate) enum Node {
    /// A folder. Containers need not name them.
    Folder,
    /// A symbolic link, and what it says, as found.
    Link { target: String },
    /// A file.
    File(FileNode),
}

/// A file of a container.
#[derive(Debug, Clone)]
pub(crate) struct FileNode {
    /// Whether anyone may execute it; None where the container does not say.
    pub(crate) is_executable: Option<bool>,
    pub(crate) sha256: [u8; 32],
    /// Its bytes, for the small files that say something about others ([`is_kept`]).
    pub(crate) kept: Option<Vec<u8>>,
    /// Its own signature, where it has a format that carries one.
    pub(crate) signature: Option<Inspection>,
}

/// The largest file whose bytes are kept, in bytes.
pub(crate) const KEPT_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// Whether the bytes of a file are kept, by the last part of its path.
pub(crate) fn is_kept(name: &str) -> bool {
    matches!(
        name,
        "Info.plist" | "CodeResources" | "embedded.provisionprofile"
    ) || is_app_update(name)
}

/// Whether a file tells an installed app where its updates are, and who may have signed them.
pub(crate) fn is_app_update(name: &str) -> bool {
    name == "app-update.yml"
}
