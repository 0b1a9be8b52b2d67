//! A B-tree of a volume: every record of its leaves, once, in order.
//!
//! ```text
//! node: u32 next | u32 previous | i8 kind | u8 height | u16 records | u16 | records | u16 offset of each, from the end on
//! header, behind that of node 0: u16 depth | u32 root | u32 records | u32 first leaf | u32 last leaf | u16 node bytes
//! record: u16 bytes of the key | key | what it stands for: the number of a node, or data
//! ```
//!
//! A reader that searches goes from the root down, and one that lists goes from leaf to leaf. Both must see the same.

use std::io;

use crate::disk::files::Fork;
use crate::disk::hfs::HfsError;
use crate::disk::plain::Part;
use crate::reading::u32_at;
use crate::walk::room;

const DESCRIPTOR_BYTES: usize = 14;
const DEPTH_MAX: u16 = 12;
const KIND_LEAF: u8 = 0xff;
const KIND_INDEX: u8 = 0;
const KIND_HEADER: u8 = 1;

/// Takes a key and what stands for it.
pub(super) type Take<'a> = &'a mut dyn FnMut(&[u8], &[u8]) -> io::Result<()>;

/// Hands every record on.
pub(super) fn read(
    part: &mut Part<'_>,
    fork: &Fork,
    tree: &'static str,
    take: Take<'_>,
) -> io::Result<()> {
    let refuse = |wrong| room::refused(HfsError::Tree { tree, wrong });
    let mut head = [0; 512];
    if !fork.fill(part, 0, &mut head)? || head.get(8) != Some(&KIND_HEADER) {
        return Err(refuse("it has no header"));
    }
    let number = |at| u32_at(&head, at).unwrap_or_default();
    let (depth, node_bytes) = (
        u16_at(&head, 14).unwrap_or_default(),
        u16_at(&head, 32).unwrap_or_default(),
    );
    let nodes = number(36);
    let is_known = node_bytes.is_power_of_two() && (512..=32 * 1024).contains(&node_bytes);
    let is_inside = u64::from(nodes) * u64::from(node_bytes) <= fork.bytes;
    if !is_known || !is_inside || depth > DEPTH_MAX {
        return Err(refuse("its header says what no tree has"));
    }
    let mut reading = Reading {
        fork,
        refuse: &refuse,
        node_bytes: usize::from(node_bytes),
        nodes,
        left: nodes,
        leaf: None,
        next: number(24),
        records: 0,
        take,
    };
    if depth > 0 {
        reading.node(part, number(16), depth)?;
    }
    let Reading {
        leaf,
        next,
        records,
        ..
    } = reading;
    let is_whole = next == 0 && records == number(20) && leaf.unwrap_or_default() == number(28);
    match is_whole {
        true => Ok(()),
        false => Err(refuse(
            "its header says another number of leaves or records than there are",
        )),
    }
}

struct Reading<'a> {
    fork: &'a Fork,
    refuse: &'a dyn Fn(&'static str) -> io::Error,
    node_bytes: usize,
    nodes: u32,
    /// Nodes that may still be read.
    left: u32,
    /// The leaf that was read last, and the one that it says is next.
    leaf: Option<u32>,
    next: u32,
    records: u32,
    take: Take<'a>,
}

impl Reading<'_> {
    /// Reads a node and those below it.
    fn node(&mut self, part: &mut Part<'_>, index: u32, height: u16) -> io::Result<()> {
        let wrong = self.refuse;
        self.left = self
            .left
            .checked_sub(1)
            .ok_or_else(|| wrong("a node of it is there twice"))?;
        if index == 0 || index >= self.nodes {
            return Err(wrong("a node of it is not there"));
        }
        let mut node = vec![0; self.node_bytes];
        let at = u64::from(index) * self.node_bytes as u64;
        if !self.fork.fill(part, at, &mut node)? {
            return Err(wrong("a node of it is not there"));
        }
        let is_leaf = height == 1;
        let kind = if is_leaf { KIND_LEAF } else { KIND_INDEX };
        if node.get(8) != Some(&kind) || node.get(9).map(|it| u16::from(*it)) != Some(height) {
            return Err(wrong("a node of it is none, or at another height"));
        }
        if is_leaf {
            let before = u32_at(&node, 4).unwrap_or_default();
            if self.next != index || before != self.leaf.unwrap_or_default() {
                return Err(wrong("its leaves follow one another in two ways"));
            }
            self.leaf = Some(index);
            self.next = u32_at(&node, 0).unwrap_or_default();
        }
        let count = u16_at(&node, 10).unwrap_or_default();
        let mut start = DESCRIPTOR_BYTES;
        for at in 0..usize::from(count) {
            let (key, data, end) = record(&node, at, start)
                .ok_or_else(|| wrong("a record of it lies outside its node"))?;
            start = end;
            if is_leaf {
                self.records = self.records.saturating_add(1);
                (self.take)(key, data)?;
            } else {
                let below = u32_at(data, 0).ok_or_else(|| wrong("a record of it leads nowhere"))?;
                self.node(part, below, height - 1)?;
            }
        }
        Ok(())
    }
}

/// A record, which begins where the one before it ends: key, data, and where it ends.
fn record(node: &[u8], index: usize, start: usize) -> Option<(&[u8], &[u8], usize)> {
    let offset = |index: usize| {
        let at = node.len().checked_sub(2 * (index + 1))?;
        u16_at(node, at).map(usize::from)
    };
    let (begin, end) = (offset(index)?, offset(index + 1)?);
    let table = node.len().checked_sub(2 * (index + 2))?;
    if begin != start || end > table {
        return None;
    }
    let record = node.get(begin..end)?;
    let length = usize::from(u16_at(record, 0)?);
    let key = record.get(2..2 + length)?;
    // Data begins at an even offset.
    let data = record.get((2 + length).next_multiple_of(2)..)?;
    Some((key, data, end))
}

/// A number of 16 bits.
pub(in crate::disk) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let bytes = bytes.get(at..)?.first_chunk::<2>()?;
    Some(u16::from_be_bytes(*bytes))
}
