//! Page hashes: a digest of each page of the image, so that Windows can check pages as they are loaded.
//!
//! The pages are those of SectionAlignment, which is not always 4,096 bytes. The first is the headers, without what the
//! whole digest leaves out; then each section in the order of its header, in pages of its own; the last of each is
//! filled with zeros. The list ends with the offset behind the last section and a digest of zeros.

use thiserror::Error;

use crate::digest::{DigestAlgorithm, Hasher};
use crate::pe::Image;
use crate::pe::stream::overlap;

/// The largest page, in bytes. Real ones have 4 or 8 KiB.
const PAGE_BYTES_MAX: u64 = 1024 * 1024;
const PAGE_BYTES_MIN: u64 = 16;
/// No certificate table has room for the digests of more pages.
const PAGES_MAX: u64 = super::TABLE_BYTES_MAX / 24;
static ZEROS: [u8; 4096] = [0; 4096];

/// Why page hashes cannot be computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum PagesError {
    #[error("the section alignment is {0}, which is no size of a page")]
    Alignment(u64),
    #[error("sections overlap, or reach into the headers or past the signed part of the file")]
    Sections,
    #[error("there are more than {PAGES_MAX} pages")]
    TooMany,
}

/// What is hashed on its own: the headers or a section.
#[derive(Debug, Clone, Copy)]
struct Span {
    start: u64,
    end: u64,
}

/// Computes page hashes while a file is read.
#[derive(Debug)]
pub(crate) struct PageHasher {
    algorithm: DigestAlgorithm,
    page_bytes: u64,
    /// Parts of the headers that are left out.
    left_out: [(u64, u64); 2],
    /// In the order of the file; the first are the headers, in one page.
    spans: Vec<Span>,
    /// The same, in the order of the section headers.
    listed: Vec<Span>,
    current: usize,
    /// The page that is being hashed: where it starts, and how many bytes it has so far.
    page: Option<(u64, u64, Hasher)>,
    done: Vec<(u64, Vec<u8>)>,
}

/// All page hashes of a file.
#[derive(Debug)]
pub(crate) struct Pages {
    pub(crate) algorithm: DigestAlgorithm,
    page_bytes: u64,
    listed: Vec<Span>,
    done: Vec<(u64, Vec<u8>)>,
}

impl PageHasher {
    pub(crate) fn new(image: &Image, algorithm: DigestAlgorithm) -> Result<Self, PagesError> {
        let page_bytes = image.section_alignment;
        if !(PAGE_BYTES_MIN..=PAGE_BYTES_MAX).contains(&page_bytes) {
            return Err(PagesError::Alignment(page_bytes));
        }
        let end = image.table.map_or(image.size, |table| table.offset);
        let mut listed = vec![Span {
            start: 0,
            end: image.headers_bytes,
        }];
        listed.extend(image.sections.iter().map(|section| Span {
            start: section.offset,
            end: section.offset + section.bytes,
        }));
        let mut spans = listed.clone();
        spans.sort_by_key(|span| span.start);
        let sound = spans
            .windows(2)
            .all(|pair| matches!(pair, [one, next] if one.end <= next.start));
        let headers_hold = image.headers_bytes >= image.head.len() as u64;
        if !sound || !headers_hold || spans.last().is_some_and(|span| span.end > end) {
            return Err(PagesError::Sections);
        }
        let pages = spans
            .iter()
            .map(|span| (span.end - span.start).div_ceil(page_bytes));
        if pages.sum::<u64>() > PAGES_MAX {
            return Err(PagesError::TooMany);
        }
        let entry_at = image.entry_at.unwrap_or(image.checksum_at);
        Ok(Self {
            algorithm,
            page_bytes,
            left_out: [
                (image.checksum_at, image.checksum_at + 4),
                (entry_at, entry_at + 8),
            ],
            spans,
            listed,
            current: 0,
            page: None,
            done: Vec::new(),
        })
    }

    pub(crate) fn update(&mut self, at: u64, chunk: &[u8]) {
        let chunk_end = at.saturating_add(chunk.len() as u64);
        let mut position = at;
        while let Some(span) = self.spans.get(self.current).copied() {
            if span.start >= chunk_end {
                return;
            }
            position = position.max(span.start);
            let is_header = span.start == 0;
            let (page_at, page_end) = if is_header {
                (0, span.end)
            } else {
                let page = (position - span.start) / self.page_bytes;
                let page_at = span.start + page * self.page_bytes;
                (page_at, span.end.min(page_at + self.page_bytes))
            };
            let until = page_end.min(chunk_end);
            let algorithm = self.algorithm;
            let (_, bytes, hasher) = self
                .page
                .get_or_insert_with(|| (page_at, 0, Hasher::new(algorithm)));
            if is_header {
                let mut from = position;
                for (gap_start, gap_end) in self.left_out {
                    hasher.update(overlap(chunk, at, from, gap_start.clamp(from, until)));
                    from = gap_end.clamp(from, until);
                }
                hasher.update(overlap(chunk, at, from, until));
            } else {
                hasher.update(overlap(chunk, at, position, until));
            }
            *bytes += until - position;
            position = until;
            if until < page_end {
                return;
            }
            self.close_page();
            if until == span.end {
                self.current += 1;
            }
        }
    }

    fn close_page(&mut self) {
        let Some((page_at, bytes, mut hasher)) = self.page.take() else {
            return;
        };
        let mut missing = self.page_bytes.saturating_sub(bytes);
        while missing > 0 {
            let zeros = missing.min(ZEROS.len() as u64);
            let count = usize::try_from(zeros).unwrap_or(ZEROS.len());
            hasher.update(ZEROS.get(..count).unwrap_or(&ZEROS));
            missing -= zeros;
        }
        self.done.push((page_at, hasher.finish()));
    }

    pub(crate) fn finish(self) -> Pages {
        Pages {
            algorithm: self.algorithm,
            page_bytes: self.page_bytes,
            listed: self.listed,
            done: self.done,
        }
    }
}

impl Pages {
    /// Whether a signed list says just these pages.
    pub(crate) fn equals(&self, list: &[u8]) -> bool {
        let mut expected = Vec::with_capacity(list.len());
        let mut last = 0;
        for span in &self.listed {
            let mut page_at = span.start;
            // The headers are one page, however many bytes they have.
            let step = if span.start == 0 {
                span.end.max(1)
            } else {
                self.page_bytes
            };
            while page_at < span.end {
                let Ok(found) = self.done.binary_search_by_key(&page_at, |(at, _)| *at) else {
                    return false;
                };
                let hash = self.done.get(found).map(|(_, hash)| hash.as_slice());
                expected.extend(u32::try_from(page_at).unwrap_or(u32::MAX).to_le_bytes());
                expected.extend(hash.unwrap_or_default());
                if expected.len() > list.len() {
                    return false;
                }
                page_at += step;
            }
            last = span.end;
        }
        expected.extend(u32::try_from(last).unwrap_or(u32::MAX).to_le_bytes());
        expected.extend(std::iter::repeat_n(0, self.algorithm.len()));
        expected == list
    }
}
