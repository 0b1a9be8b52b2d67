//! Paths of installers, each for one file. They may have several files for one path, of which one is installed: for 32 and for
//! 64 bits, or for a language. And they spell folders as they like, as Windows does not care.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use crate::walk::names::folded;

#[derive(Debug, Default)]
pub(crate) struct Distinct {
    /// Each folder as it was spelt first.
    spelt: BTreeMap<String, String>,
    /// Each file, as disks compare names.
    files: BTreeSet<String>,
}

impl Distinct {
    /// A path as it is shown: its folders as they were spelt first, and where another file has it already, with what tells
    /// the two apart.
    pub(crate) fn path(&mut self, path: &str, mark: impl Display) -> String {
        let mut found = String::new();
        let mut parts = path.split('/').peekable();
        while let Some(part) = parts.next() {
            found.push_str(part);
            if parts.peek().is_some() {
                let spelt = self.spelt.entry(folded(&found));
                found.clone_from(spelt.or_insert(found.clone()));
                found.push('/');
            }
        }
        if !self.files.insert(folded(&found)) {
            // In front, as a file is opened by how its name ends.
            found = format!("({mark})/{found}");
            self.files.insert(folded(&found));
        }
        found
    }
}
