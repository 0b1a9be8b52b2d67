//! The directory of a compound file ([MS-CFB] 2.6): storages and streams, as a tree of their own.
//!
//! The children of a storage form a red-black tree, which says how to find a name. A digest needs all children in its own
//! order, so here they are a sorted list; that the tree is in order is not judged.

use std::io::{Read, Seek};

use crate::msi::chains::FREE;
use crate::msi::compound::{Compound, Place, u16_at, u32_at};
use crate::msi::limits::{CompoundError, Limits};

const ENTRY_BYTES: usize = 128;
const ROOT: u32 = 0;
/// [MS-CFB] 2.6.1: no sibling, no child.
const NO_STREAM: u32 = FREE;

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Node {
    /// A folder, with its entries in the order of the digest.
    Storage(Vec<Entry>),
    Stream(Place),
}

/// An entry of the directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// In UTF-16LE, without the final NUL.
    pub(super) name: Vec<u8>,
    pub(super) class: [u8; 16],
    pub(super) state: [u8; 4],
    /// Creation and modification, as they stand there.
    pub(super) times: [u8; 16],
    /// The length as it stands there, for the digest of metadata: the low 32 bits.
    pub(super) size: [u8; 4],
    pub(super) node: Node,
}

impl Entry {
    /// The stream of this name, which stands in this storage.
    pub(super) fn stream(&self, name: &str) -> Option<Place> {
        let Node::Storage(children) = &self.node else {
            return None;
        };
        let mut found = children.iter().filter(|it| it.is_named(name));
        match found.next()?.node {
            Node::Stream(place) => Some(place),
            Node::Storage(_) => None,
        }
    }

    pub(super) fn is_named(&self, name: &str) -> bool {
        let units = name.encode_utf16().flat_map(u16::to_le_bytes);
        units.eq(self.name.iter().copied())
    }
}

/// Reads the tree, and takes the sectors of every stream.
pub(super) fn read<R: Read + Seek>(
    compound: &mut Compound<'_, R>,
    limits: Limits,
) -> Result<Entry, CompoundError> {
    let bytes = compound.read_directory(limits.entries)?;
    let mut reader = Reader {
        seen: vec![false; bytes.len() / ENTRY_BYTES],
        bytes,
        is_version_3: compound.is_version_3,
        limits,
    };
    let (root, child) = reader.entry(ROOT)?;
    let Node::Stream(mini) = root.node else {
        return Err(wrong(ROOT, "is no root"));
    };
    compound.read_mini(mini, limits)?;
    let children = reader.storage(child, 0, compound)?;
    let node = Node::Storage(children);
    Ok(Entry { node, ..root })
}

struct Reader {
    bytes: Vec<u8>,
    /// Which entries the tree has passed: none may be passed twice, so it has no cycles.
    seen: Vec<bool>,
    is_version_3: bool,
    limits: Limits,
}

fn wrong(entry: u32, why: &'static str) -> CompoundError {
    CompoundError::Entry { entry, why }
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let found = bytes.get(at..).and_then(|rest| rest.first_chunk());
    found.copied().unwrap_or([0; N])
}

impl Reader {
    /// All entries of a storage, from the top of their tree. Recursion is as deep as storages lie in one another only:
    /// a tree of siblings may be a list of thousands, as some writers make it.
    fn storage<R: Read + Seek>(
        &mut self,
        top: u32,
        depth: usize,
        compound: &mut Compound<'_, R>,
    ) -> Result<Vec<Entry>, CompoundError> {
        if depth > self.limits.depth {
            return Err(CompoundError::Depth(self.limits.depth));
        }
        let (mut children, mut open) = (Vec::new(), vec![top]);
        while let Some(at) = open.pop() {
            if at == NO_STREAM {
                continue;
            }
            let (mut entry, child) = self.entry(at)?;
            open.extend(self.siblings(at));
            match &mut entry.node {
                Node::Stream(place) => compound.claim(*place)?,
                Node::Storage(inside) => *inside = self.storage(child, depth + 1, compound)?,
            }
            children.push((entry, at));
        }
        // Facts of the digest: bytewise by the name in UTF-16LE with its final NUL, which is the order without it, as no
        // name has a NUL inside.
        children.sort_unstable_by(|(one, _), (other, _)| one.name.cmp(&other.name));
        for pair in children.windows(2) {
            if let [(one, _), (other, at)] = pair
                && one.name == other.name
            {
                return Err(wrong(*at, "has the name of another"));
            }
        }
        Ok(children.into_iter().map(|(entry, _)| entry).collect())
    }

    fn raw(&self, id: u32) -> &[u8] {
        let at = (id as usize).saturating_mul(ENTRY_BYTES);
        let found = self.bytes.get(at..).unwrap_or_default();
        found.get(..ENTRY_BYTES).unwrap_or_default()
    }

    fn siblings(&self, id: u32) -> [u32; 2] {
        let raw = self.raw(id);
        [u32_at(raw, 68), u32_at(raw, 72)]
    }

    /// An entry that was not passed before, and its child. The root's stream is the mini stream.
    fn entry(&mut self, id: u32) -> Result<(Entry, u32), CompoundError> {
        match self.seen.get_mut(id as usize) {
            Some(seen) if !*seen => *seen = true,
            Some(_) => return Err(wrong(id, "stands in the tree twice")),
            None => return Err(wrong(id, "is not there, but the tree leads to it")),
        }
        let raw = self.raw(id);
        let kind = raw.get(66).copied().unwrap_or(0);
        let child = u32_at(raw, 76);
        let size: [u8; 8] = array(raw, 120);
        // [MS-CFB] 2.6.1: in version 3 the high 32 bits may be anything.
        let bytes = match self.is_version_3 {
            true => u64::from(u32_at(&size, 0)),
            false => u64::from_le_bytes(size),
        };
        let start = u32_at(raw, 116);
        let stream = Node::Stream(Place { start, bytes });
        let node = match (id, kind) {
            (ROOT, 5) => stream,
            (ROOT, _) => return Err(wrong(id, "is no root")),
            (_, 1) => Node::Storage(Vec::new()),
            (_, 2) if child == NO_STREAM => stream,
            (_, 2) => return Err(wrong(id, "is a stream with entries inside")),
            _ => return Err(wrong(id, "is neither storage nor stream")),
        };
        let entry = Entry {
            name: name(raw).ok_or_else(|| wrong(id, "has no proper name"))?,
            class: array(raw, 80),
            state: array(raw, 96),
            times: array(raw, 100),
            size: array(&size, 0),
            node,
        };
        Ok((entry, child))
    }
}

/// [MS-CFB] 2.6.1: the length is in bytes and counts the final NUL, which stands nowhere else.
fn name(raw: &[u8]) -> Option<Vec<u8>> {
    let length = usize::from(u16_at(raw, 64));
    if !(4..=64).contains(&length) || length % 2 != 0 {
        return None;
    }
    let (name, end) = raw.get(..length)?.split_at(length - 2);
    let is_zero = |unit: &[u8]| unit == [0, 0];
    (is_zero(end) && !name.chunks_exact(2).any(is_zero)).then(|| name.to_vec())
}
