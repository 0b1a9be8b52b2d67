//! Images of squashfs-tools and of a writer of our own. `unsquashfs` is the judge.

pub(crate) mod image;
pub(crate) mod judged;
mod mutants;

use std::io::Cursor;

use super::*;
use crate::walk::entry::EntryKind;

/// What is shown of an entry: its path, kind, whether it may be executed, and what is in it.
pub(crate) type Shown = (String, EntryKind, bool, Vec<u8>);

pub(crate) fn read(bytes: &[u8]) -> Result<Vec<Shown>, String> {
    read_at(bytes, 0)
}

pub(crate) fn read_at(bytes: &[u8], at: u64) -> Result<Vec<Shown>, String> {
    let mut found = Vec::new();
    let walked = walk_at(&mut Cursor::new(bytes), at, &mut |entry, content| {
        let mut bytes = Vec::new();
        content.read_to_end(&mut bytes)?;
        let is_executable = entry.is_executable.expect("it says so");
        let shown = (entry.path.clone(), entry.kind.clone(), is_executable, bytes);
        found.push(shown);
        Ok(())
    });
    walked.map(|()| found).map_err(|error| error.to_string())
}
