//! The Authenticode digests of a file while it is read once, from beginning to end, in pieces of any size.

use std::ops::Range;

use crate::digest::{DigestAlgorithm, Hasher};
use crate::pe::Image;
use crate::pe::pages::{PageHasher, Pages};

/// Takes a file's bytes and computes its digests.
#[derive(Debug)]
pub(crate) struct Stream {
    /// Where the next byte stands.
    position: u64,
    /// What the digest covers, in order.
    covered: Vec<Range<u64>>,
    hashers: Vec<(DigestAlgorithm, Hasher)>,
    pages: Vec<PageHasher>,
    /// What was read before, and must still be there.
    known: Vec<(u64, Vec<u8>)>,
    has_changed: bool,
    size: u64,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Digests {
    pub(crate) whole: Vec<(DigestAlgorithm, Vec<u8>)>,
    pub(crate) pages: Vec<Pages>,
    /// Whether the file is not what its headers and table were read from.
    pub(crate) has_changed: bool,
}

impl Stream {
    /// For the digests that the signatures of a file name; `table` are the bytes of its certificate table.
    pub(crate) fn new(
        image: &Image,
        table: &[u8],
        whole: &[DigestAlgorithm],
        pages: &[DigestAlgorithm],
    ) -> Self {
        let end = image.table.map_or(image.size, |table| table.offset);
        let mut covered = Vec::new();
        let mut from = 0;
        let entry = image.entry_at.map(|at| at..at + 8);
        for gap in [Some(image.checksum_at..image.checksum_at + 4), entry]
            .into_iter()
            .flatten()
        {
            covered.push(from..gap.start);
            from = gap.end;
        }
        covered.push(from..end.max(from));
        let mut known = vec![(0, image.head.clone())];
        known.extend(image.table.map(|place| (place.offset, table.to_vec())));
        let pages = pages
            .iter()
            .filter_map(|algorithm| PageHasher::new(image, *algorithm).ok());
        Self {
            position: 0,
            pages: pages.collect(),
            covered,
            hashers: whole
                .iter()
                .map(|algorithm| (*algorithm, Hasher::new(*algorithm)))
                .collect(),
            known,
            has_changed: false,
            size: image.size,
        }
    }

    /// The next bytes of the file.
    pub(crate) fn update(&mut self, chunk: &[u8]) {
        let at = self.position;
        for covered in &self.covered {
            let part = overlap(chunk, at, covered.start, covered.end);
            if !part.is_empty() {
                for (_, hasher) in &mut self.hashers {
                    hasher.update(part);
                }
            }
        }
        for pages in &mut self.pages {
            pages.update(at, chunk);
        }
        for (start, bytes) in &self.known {
            let end = start.saturating_add(bytes.len() as u64);
            let part = overlap(chunk, at, *start, end);
            // The part starts where both start.
            let skipped = usize::try_from(at.saturating_sub(*start)).unwrap_or(usize::MAX);
            let expected = bytes.get(skipped..).unwrap_or_default();
            let expected = expected.get(..part.len());
            self.has_changed |= !part.is_empty() && expected != Some(part);
        }
        self.position = at.saturating_add(chunk.len() as u64);
    }

    /// After the last byte.
    pub(crate) fn finish(self) -> Digests {
        let hashed = |(algorithm, hasher): (DigestAlgorithm, Hasher)| (algorithm, hasher.finish());
        Digests {
            whole: self.hashers.into_iter().map(hashed).collect(),
            pages: self.pages.into_iter().map(PageHasher::finish).collect(),
            has_changed: self.has_changed || self.position != self.size,
        }
    }
}

/// The part of a piece at an offset that lies between two others.
pub(crate) fn overlap(chunk: &[u8], at: u64, start: u64, end: u64) -> &[u8] {
    let within = |offset: u64| {
        let offset = offset.saturating_sub(at);
        usize::try_from(offset).map_or(chunk.len(), |offset| offset.min(chunk.len()))
    };
    chunk.get(within(start)..within(end)).unwrap_or_default()
}
