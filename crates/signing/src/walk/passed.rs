//! A file as it passes by.

use std::io::{self, Read};

use sha2::Digest as _;

use crate::tree::{FileNode, KEPT_BYTES_MAX};

/// The digest of a file that passes, and its bytes where they are kept.
pub(super) struct Passed {
    size: u64,
    sha256: sha2::Sha256,
    kept: Option<Vec<u8>>,
}

impl Passed {
    pub(super) fn new(is_kept: bool) -> Self {
        Self {
            size: 0,
            sha256: sha2::Sha256::new(),
            kept: is_kept.then(Vec::new),
        }
    }

    /// Reads to the end.
    pub(super) fn pass(
        &mut self,
        content: &mut (impl Read + ?Sized),
        mut also: impl FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut buffer = vec![0; 128 * 1024];
        loop {
            let read = match content.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let piece = buffer.get(..read).unwrap_or_default();
            self.size += read as u64;
            self.sha256.update(piece);
            if self.size > KEPT_BYTES_MAX {
                self.kept = None;
            }
            if let Some(kept) = &mut self.kept {
                kept.extend_from_slice(piece);
            }
            also(piece)?;
        }
    }

    pub(super) fn finish(self, is_executable: Option<bool>) -> FileNode {
        FileNode {
            is_executable,
            sha256: self.sha256.finalize().into(),
            kept: self.kept,
            signature: None,
        }
    }
}
