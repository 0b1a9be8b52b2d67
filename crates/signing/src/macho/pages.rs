//! The pages of a slice against the digests in its code directories, in one read.

use std::io::{self, Read, Seek};

use crate::digest::Hasher;
use crate::macho::code_directory::{CodeDirectory, HashKind};
use crate::reading::pass;

/// The pages of one code directory while the code is read.
struct Pages<'a> {
    hash: HashKind,
    page_bytes: Option<u64>,
    expected: std::slice::ChunksExact<'a, u8>,
    hasher: Hasher,
    /// Bytes of the open page so far.
    filled: u64,
    count: u64,
    wrong: Vec<u64>,
}

impl<'a> Pages<'a> {
    fn new(directory: &CodeDirectory<'a>) -> Self {
        Self {
            hash: directory.hash,
            page_bytes: directory.page_bytes,
            expected: directory.pages.chunks_exact(directory.hash.bytes),
            hasher: Hasher::new(directory.hash.algorithm),
            filled: 0,
            count: 0,
            wrong: Vec::new(),
        }
    }

    fn update(&mut self, mut piece: &[u8]) {
        while !piece.is_empty() {
            let room = self.page_bytes.map(|page| page.saturating_sub(self.filled));
            let room = room.and_then(|room| usize::try_from(room).ok());
            let (part, rest) = piece.split_at(room.unwrap_or(usize::MAX).min(piece.len()));
            self.hasher.update(part);
            self.filled += part.len() as u64;
            if Some(self.filled) == self.page_bytes {
                self.close();
            }
            piece = rest;
        }
    }

    /// Compares the open page, of which the last one of a slice is shorter.
    fn close(&mut self) {
        let hasher = std::mem::replace(&mut self.hasher, Hasher::new(self.hash.algorithm));
        let found = self.hash.cut(hasher.finish());
        if self.expected.next() != Some(&found) && self.wrong.len() < 4 {
            self.wrong.push(self.count);
        }
        self.count += 1;
        self.filled = 0;
    }
}

/// Reads the code of a slice, which lies at an offset. Says for each code directory which pages have other digests, the
/// first few of them; none where the code ends early.
pub(crate) fn wrong(
    reader: &mut (impl Read + Seek),
    offset: u64,
    code_bytes: u64,
    directories: &[CodeDirectory<'_>],
) -> io::Result<Option<Vec<Vec<u64>>>> {
    let mut all: Vec<_> = directories.iter().map(Pages::new).collect();
    let end = offset.saturating_add(code_bytes);
    let is_whole = pass(reader, offset, end, |piece| {
        all.iter_mut().for_each(|pages| pages.update(piece));
    })?;
    let wrong = all.into_iter().map(|mut pages| {
        if pages.filled > 0 || pages.expected.len() > 0 {
            pages.close();
        }
        pages.wrong
    });
    Ok(is_whole.then(|| wrong.collect()))
}
