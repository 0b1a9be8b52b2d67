//! Names for commits, and walks from them.

use std::collections::{BinaryHeap, HashSet};
use std::sync::Arc;

use super::state::State;

/// How two commits stand to each other.
pub(crate) struct Comparison {
    pub(crate) base: String,
    pub(crate) merge_base: String,
    /// What only the head has, the oldest first.
    pub(crate) ahead: Vec<String>,
    pub(crate) behind: usize,
}

impl State {
    /// The commit behind an object: itself, or what a tag points at.
    pub(crate) fn peeled(&self, sha: &str) -> Option<String> {
        let mut sha = sha;
        while let Some(tag) = self.tag_objects.get(sha) {
            sha = &tag.object;
        }
        self.commits.contains_key(sha).then(|| sha.to_owned())
    }

    /// The commit that is meant: a branch, a tag, a full name of either, or a commit's name, which may be cut short.
    pub(crate) fn commit_named(&self, name: &str) -> Option<String> {
        let names = [
            format!("refs/heads/{name}"),
            format!("refs/tags/{name}"),
            format!("refs/{name}"),
            name.to_owned(),
        ];
        if let Some(sha) = names.iter().find_map(|name| self.refs.get(name)) {
            return self.peeled(sha);
        }
        if let Some(sha) = self.peeled(name) {
            return Some(sha);
        }
        let hex = name.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !hex || name.len() < 7 || name.len() >= 40 {
            return None;
        }
        let mut found = self.commits.keys().filter(|sha| sha.starts_with(name));
        let first = found.next()?;
        found.next().is_none().then(|| first.clone())
    }

    /// Everything that a commit reaches, itself first, then by date, the newest first, as `git log` has it.
    pub(crate) fn walk(&mut self, from: &str) -> Arc<Vec<String>> {
        if let Some(walked) = self.walks.get(from) {
            return walked.clone();
        }
        let mut walked = Vec::new();
        let mut seen = HashSet::from([from]);
        let mut queue = BinaryHeap::new();
        // Of one second, the one that was met first.
        let mut order = usize::MAX;
        queue.push((i64::MAX, order, from));
        while let Some((_, _, sha)) = queue.pop() {
            let Some(commit) = self.commits.get(sha) else {
                continue;
            };
            walked.push(sha.to_owned());
            for parent in &commit.parents {
                if let Some(found) = self.commits.get(parent)
                    && seen.insert(parent)
                {
                    order -= 1;
                    queue.push((found.committer.at, order, parent));
                }
            }
        }
        let walked = Arc::new(walked);
        self.walks.insert(from.to_owned(), walked.clone());
        walked
    }

    /// Whether one commit is in the history of another.
    pub(crate) fn leads_to(&mut self, ancestor: &str, head: &str) -> bool {
        self.walk(head).iter().any(|sha| sha == ancestor)
    }

    /// None where they have nothing in common.
    pub(crate) fn compare(&mut self, base: &str, head: &str) -> Option<Comparison> {
        let of_base = self.walk(base);
        let of_head = self.walk(head);
        let in_base: HashSet<_> = of_base.iter().collect();
        let in_head: HashSet<_> = of_head.iter().collect();
        // The newest common commit, which is the best where history has one line only.
        let merge_base = of_head.iter().find(|sha| in_base.contains(sha))?.clone();
        let ahead = of_head.iter().filter(|sha| !in_base.contains(sha));
        let mut ahead: Vec<_> = ahead.cloned().collect();
        ahead.reverse();
        Some(Comparison {
            base: base.to_owned(),
            merge_base,
            ahead,
            behind: of_base.iter().filter(|sha| !in_head.contains(sha)).count(),
        })
    }
}
