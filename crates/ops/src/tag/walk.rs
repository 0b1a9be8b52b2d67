//! Walking commits: what one has that another has not, and whether it contains it.
//!
//! Both sides are coloured from their tips downwards, newest first, until everything left to look at has both colours
//! (gitrevisions(7), `^tag head`). Commits whose times run backwards could make that stop too early, so the walk goes on for
//! a thousand commits after it could end, where git goes on for five: up to that size, histories are walked whole.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};
use std::rc::Rc;

use gix::ObjectId;

use super::error::TagError;

/// The most commits that are looked at.
const COMMITS_MAX: usize = 1_000_000;
/// How many commits are looked at after the walk could end, if times can be trusted.
pub(super) const SLOP: usize = 1_000;

/// A commit as far as walking needs it.
#[derive(Debug)]
pub(super) struct Node {
    /// When it was committed, in seconds since 1970.
    pub(super) time: i64,
    /// Its parents; none where they are missing.
    pub(super) parents: Vec<ObjectId>,
    /// Whether its parents are missing.
    pub(super) is_cut: bool,
}

/// What the head has that the other has not.
#[derive(Debug, Clone)]
pub(super) struct Compared {
    /// Whether the head contains the other.
    pub(super) contains: bool,
    /// The commits of the head alone: children before parents, else newest first.
    pub(super) only: Vec<ObjectId>,
    /// One of these whose parents are missing.
    pub(super) cut: Option<ObjectId>,
    /// Where these end: a commit and its parent that is not among them, or no parent at all.
    pub(super) leaving: Vec<(ObjectId, Option<ObjectId>)>,
}

/// Commits that were loaded, each once.
pub(super) struct Graph<F> {
    load: F,
    slop: usize,
    nodes: HashMap<ObjectId, Rc<Node>>,
}

const HEAD: u8 = 1;
const OTHER: u8 = 2;
const BOTH: u8 = HEAD | OTHER;

impl<F: FnMut(ObjectId) -> Result<Node, TagError>> Graph<F> {
    pub(super) fn new(slop: usize, load: F) -> Self {
        Self {
            load,
            slop,
            nodes: HashMap::new(),
        }
    }

    fn node(&mut self, id: ObjectId) -> Result<Rc<Node>, TagError> {
        if let Some(node) = self.nodes.get(&id) {
            return Ok(Rc::clone(node));
        }
        if self.nodes.len() >= COMMITS_MAX {
            return Err(TagError::TooMany {
                what: "commits",
                max: COMMITS_MAX,
            });
        }
        let node = Rc::new((self.load)(id)?);
        self.nodes.insert(id, Rc::clone(&node));
        Ok(node)
    }

    /// What the head has that the other has not; everything where there is no other.
    pub(super) fn compare(
        &mut self,
        head: ObjectId,
        other: Option<ObjectId>,
    ) -> Result<Compared, TagError> {
        let mut painting = Painting::default();
        painting.mark(self, head, HEAD)?;
        if let Some(other) = other {
            painting.mark(self, other, OTHER)?;
        }
        let mut slop = self.slop;
        while painting.open > 0 || slop > 0 {
            if painting.open == 0 {
                slop -= 1;
            }
            let Some((id, colour)) = painting.next() else {
                break;
            };
            for parent in &self.node(id)?.parents {
                painting.mark(self, *parent, colour)?;
            }
        }
        painting.spread(self)?;
        let colours = painting.colours;
        let is_ours = |id: &ObjectId| colours.get(id) == Some(&HEAD);
        let ours: HashSet<_> = colours.keys().copied().filter(is_ours).collect();
        let contains = other.is_some_and(|other| colours.get(&other) == Some(&BOTH));
        self.sorted(head, &ours, contains)
    }

    /// The commits in order, by Kahn's algorithm: a commit's turn comes when all its children had theirs.
    fn sorted(
        &mut self,
        head: ObjectId,
        ours: &HashSet<ObjectId>,
        contains: bool,
    ) -> Result<Compared, TagError> {
        let mut children: HashMap<ObjectId, usize> = HashMap::new();
        let mut leaving = Vec::new();
        let mut cut = None;
        for id in ours {
            let node = self.node(*id)?;
            if node.is_cut {
                cut = cut.max(Some(*id));
            }
            if node.parents.is_empty() {
                leaving.push((*id, None));
            }
            for parent in &node.parents {
                if ours.contains(parent) {
                    *children.entry(*parent).or_default() += 1;
                } else {
                    leaving.push((*id, Some(*parent)));
                }
            }
        }
        leaving.sort_unstable();
        let mut only = Vec::with_capacity(ours.len());
        let mut ready = BinaryHeap::new();
        let mut order = 0_usize;
        if ours.contains(&head) {
            ready.push((i64::MAX, Reverse(order), head));
        }
        while let Some((_, _, id)) = ready.pop() {
            only.push(id);
            for parent in &self.node(id)?.parents {
                let Some(left) = children.get_mut(parent) else {
                    continue;
                };
                *left -= 1;
                if *left == 0 {
                    order += 1;
                    ready.push((self.node(*parent)?.time, Reverse(order), *parent));
                }
            }
        }
        Ok(Compared {
            contains,
            only,
            cut,
            leaving,
        })
    }
}

/// The colours, and what is still to be looked at, newest first.
#[derive(Default)]
struct Painting {
    colours: HashMap<ObjectId, u8>,
    queue: BinaryHeap<(i64, Reverse<usize>, ObjectId)>,
    queued: HashSet<ObjectId>,
    order: usize,
    /// How many in the queue have one colour only.
    open: usize,
}

impl Painting {
    fn mark<F: FnMut(ObjectId) -> Result<Node, TagError>>(
        &mut self,
        graph: &mut Graph<F>,
        id: ObjectId,
        colour: u8,
    ) -> Result<(), TagError> {
        let before = self.colours.get(&id).copied().unwrap_or(0);
        let after = before | colour;
        if after == before {
            return Ok(());
        }
        self.colours.insert(id, after);
        if self.queued.insert(id) {
            self.order += 1;
            let time = graph.node(id)?.time;
            self.queue.push((time, Reverse(self.order), id));
            self.open += usize::from(after != BOTH);
        } else if after == BOTH {
            self.open -= 1;
        }
        Ok(())
    }

    fn next(&mut self) -> Option<(ObjectId, u8)> {
        let (_, _, id) = self.queue.pop()?;
        self.queued.remove(&id);
        let colour = self.colours.get(&id).copied().unwrap_or(0);
        self.open -= usize::from(colour != BOTH);
        Some((id, colour))
    }

    /// Gives what is left in the queue to its ancestors, as far down as commits of one colour go. Several commits of one
    /// second may have been looked at in any order, so a commit that was not reached yet can stand between.
    fn spread<F: FnMut(ObjectId) -> Result<Node, TagError>>(
        &mut self,
        graph: &mut Graph<F>,
    ) -> Result<(), TagError> {
        let mut oldest = i64::MAX;
        for (id, colour) in &self.colours {
            if *colour != BOTH {
                oldest = oldest.min(graph.node(*id)?.time);
            }
        }
        let mut left: Vec<_> = self.queue.drain().map(|(_, _, id)| id).collect();
        while let Some(id) = left.pop() {
            for parent in &graph.node(id)?.parents {
                let reaches = match self.colours.get(parent) {
                    Some(colour) => *colour != BOTH,
                    None => graph.node(*parent)?.time >= oldest,
                };
                if reaches {
                    self.colours.insert(*parent, BOTH);
                    left.push(*parent);
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
