//! Links of a container: what is opened by the name of a link is what the link leads to.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::io;

use release::name::printable;

use crate::checks::{CONTENTS_PARSE, Check, Outcome};
use crate::format::Format;
use crate::walk::names::{IsFolder, Names, Spelling};
use crate::walk::openers;
use crate::walk::room::{self, Budget};

/// Links that lead to links, as many as systems follow.
const HOPS_MAX: usize = 40;
/// Parts of paths that are followed for all links of a container.
const STEPS_MAX: u64 = 1_000_000;

/// What a file was found to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) format: Format,
    /// Whether it begins as an archive that is read.
    pub(super) is_archive: bool,
}

impl Seen {
    const PLAIN: Self = Self {
        format: Format::Other,
        is_archive: false,
    };
}

/// The links of a container, and the files that they may lead to.
#[derive(Debug, Default)]
pub(super) struct Links {
    spelling: Spelling,
    /// As disks of Windows and macOS compare names: its path as it is spelt, and what it says.
    links: BTreeMap<String, (String, String)>,
    /// Files that are no plain ones.
    files: BTreeMap<String, Seen>,
    steps: Cell<u64>,
}

impl Links {
    pub(super) fn new(spelling: Spelling) -> Self {
        Self {
            spelling,
            ..Self::default()
        }
    }

    pub(super) fn link(&mut self, path: &str, target: &str, budget: &Budget) -> io::Result<()> {
        budget.keep(path.len() + target.len())?;
        let link = (path.to_owned(), target.to_owned());
        self.links.insert(self.spelling.key(path), link);
        Ok(())
    }

    pub(super) fn file(&mut self, path: &str, seen: Seen) {
        if seen != Seen::PLAIN {
            self.files.insert(self.spelling.key(path), seen);
        }
    }

    /// What a file was found to be.
    pub(super) fn seen(&self, path: &str) -> Seen {
        let seen = self.files.get(&self.spelling.key(path)).copied();
        seen.unwrap_or(Seen::PLAIN)
    }

    /// Each link whose name opens what it does not lead to, and what it leads to.
    ///
    /// # Errors
    /// Where there is more to follow than is followed.
    pub(super) fn misnamed(&self, names: &Names) -> io::Result<Vec<(&str, Format, Check)>> {
        let mut found = Vec::new();
        for (path, target) in self.links.values() {
            let name = path.rsplit('/').next().unwrap_or_default();
            if !openers::is_opened_by_name(name) {
                continue;
            }
            let leads_to = self.resolve(path)?;
            let kind = leads_to.as_ref().and_then(|path| names.kind(path));
            let (seen, check) = match (leads_to, kind) {
                (_, Some(IsFolder::Yes)) => continue,
                (Some(leads_to), Some(IsFolder::No)) => {
                    let seen = self.seen(&leads_to);
                    (
                        seen,
                        openers::judge_link(name, seen.format, seen.is_archive),
                    )
                }
                // What is no program here cannot hide one.
                _ if openers::is_text(name) => continue,
                _ => {
                    let reason = format!(
                        "`{}` leads to `{}`, which is no file in the container",
                        printable(path),
                        printable(target)
                    );
                    let check = Check::new(CONTENTS_PARSE, Outcome::Unsupported, reason);
                    (Seen::PLAIN, Some(check))
                }
            };
            found.extend(check.map(|check| (path.as_str(), seen.format, check)));
        }
        Ok(found)
    }

    /// Where a path leads. None where that is outside, or nowhere as links lead in circles.
    fn resolve(&self, path: &str) -> io::Result<Option<String>> {
        let mut ahead: Vec<&str> = path.split('/').rev().collect();
        let mut done: Vec<&str> = Vec::new();
        let mut hops = 0;
        while let Some(part) = ahead.pop() {
            self.steps.set(self.steps.get() + 1);
            if self.steps.get() > STEPS_MAX {
                return Err(room::limit("there are more links inside than are followed"));
            }
            match part {
                "" | "." => continue,
                ".." if done.pop().is_none() => return Ok(None),
                ".." => continue,
                part => done.push(part),
            }
            let Some((_, target)) = self.links.get(&self.spelling.key(&done.join("/"))) else {
                continue;
            };
            hops += 1;
            if hops > HOPS_MAX || target.starts_with('/') {
                return Ok(None);
            }
            done.pop();
            ahead.extend(target.split('/').rev());
        }
        Ok(Some(done.join("/")))
    }
}
