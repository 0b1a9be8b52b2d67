//! Headers (`format_header.md`): entries with tags, and the data that they point at. Big-endian.
//!
//! `magic | u32 zero | u32 entries | u32 data bytes | entries x { u32 tag, u32 type, u32 offset, u32 count } | data`

use std::io::{self, Read, Seek};

use crate::reading::{read_at, u32_at};
use crate::rpm::digests::{Algorithm, Stated};
use crate::rpm::{Limits, RpmError, tags};

const MAGIC: u32 = 0x8ead_e801;
const PREAMBLE_BYTES: u64 = 16;
const ENTRY_BYTES: usize = 16;

/// Which header, by the tag of the region that it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Region {
    /// `HEADERSIGNATURES`.
    Signature = 62,
    /// `HEADERIMMUTABLE`.
    Header = 63,
}

impl Region {
    fn name(self) -> &'static str {
        match self {
            Self::Signature => "signature header",
            Self::Header => "header",
        }
    }
}

/// The types of data that are looked at; others are only skipped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// One number, of 32 or 64 bits.
    Number(u64),
    Text(Vec<u8>),
    Texts(Vec<Vec<u8>>),
    /// More than are looked at.
    ManyTexts,
    Bytes(Vec<u8>),
    Other,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    tag: u32,
    kind: u32,
    offset: u32,
    count: u32,
}

/// A header whose entries were all looked at.
#[derive(Debug)]
pub(super) struct Header {
    /// As it lies in the file: what signatures cover.
    pub(super) bytes: Vec<u8>,
    /// Where it ends in the file.
    pub(super) end: u64,
    entries: Vec<Entry>,
    /// Where the data begins in the bytes.
    data_at: usize,
}

impl Header {
    pub(super) fn read(
        reader: &mut (impl Read + Seek),
        at: u64,
        region: Region,
    ) -> io::Result<Result<Self, RpmError>> {
        let name = region.name();
        let Some(preamble) = read_at(reader, at, PREAMBLE_BYTES)? else {
            return Ok(Err(RpmError::Truncated(name)));
        };
        let number = |at| u32_at(&preamble, at).unwrap_or_default();
        let (entries, data) = (number(8), number(12));
        if number(0) != MAGIC || number(4) != 0 {
            return Ok(Err(RpmError::Magic(name)));
        }
        let most = match region {
            Region::Signature => Limits::SIGNATURE_ENTRIES,
            Region::Header => Limits::ENTRIES,
        };
        if entries > most || data > Limits::DATA_BYTES {
            return Ok(Err(RpmError::TooLarge(name)));
        }
        let index = u64::from(entries) * ENTRY_BYTES as u64;
        let length = PREAMBLE_BYTES + index + u64::from(data);
        let Some(bytes) = read_at(reader, at, length)? else {
            return Ok(Err(RpmError::Truncated(name)));
        };
        // At most 65,535 x 16 + 16.
        let data_at = usize::try_from(PREAMBLE_BYTES + index).unwrap_or_default();
        let index = bytes
            .get(PREAMBLE_BYTES as usize..data_at)
            .unwrap_or_default();
        let entries = index
            .as_chunks::<ENTRY_BYTES>()
            .0
            .iter()
            .map(entry)
            .collect();
        let header = Self {
            bytes,
            end: at + length,
            entries,
            data_at,
        };
        Ok(header.check(region).map(|()| header))
    }

    fn data(&self) -> &[u8] {
        self.bytes.get(self.data_at..).unwrap_or_default()
    }

    /// One region with everything in it, tags in order and each once, data of each entry in its place and behind that of
    /// the one before.
    fn check(&self, region: Region) -> Result<(), RpmError> {
        let name = region.name();
        let (first, rest) = self.entries.split_first().ok_or(RpmError::Region(name))?;
        let trailer = self.data().len().checked_sub(ENTRY_BYTES);
        let trailer = trailer.ok_or(RpmError::Region(name))?;
        let found = self.data().get(trailer..).and_then(|it| it.first_chunk());
        let found = found.map(entry).ok_or(RpmError::Region(name))?;
        // `hregions.md`: the trailer counts back over the entries of the region. Where that is not all of them, the rest
        // is in no signature (dribbles); where it is not at the end, data behind it is in none.
        let back = (self.entries.len() * ENTRY_BYTES) as i64;
        let is_whole = first.tag == region as u32
            && usize::try_from(first.offset) == Ok(trailer)
            && i64::from(found.offset.cast_signed()) == -back
            && [*first, found]
                .iter()
                .all(|it| it.kind == 7 && it.count as usize == ENTRY_BYTES)
            && found.tag == first.tag;
        if !is_whole {
            return Err(RpmError::Region(name));
        }
        let mut end = 0;
        let mut last = first.tag;
        for entry in rest {
            if entry.tag <= last {
                return Err(RpmError::Order(name));
            }
            last = entry.tag;
            let wrong = RpmError::Entry {
                header: name,
                tag: entry.tag,
            };
            let start = usize::try_from(entry.offset).map_err(|_| wrong.clone())?;
            let length = self.length(entry).ok_or(wrong.clone())?;
            let behind = start.checked_add(length).ok_or(wrong.clone())?;
            if start < end || behind > trailer {
                return Err(wrong);
            }
            end = behind;
        }
        Ok(())
    }

    /// Bytes of the data of an entry; none where it is not inside, not aligned, or of an unknown type.
    fn length(&self, entry: &Entry) -> Option<usize> {
        let count = usize::try_from(entry.count).ok().filter(|it| *it > 0)?;
        let width = match entry.kind {
            1 | 2 | 7 => 1,
            3 => 2,
            4 => 4,
            5 => 8,
            6 if count == 1 => return self.texts_length(entry),
            8 | 9 => return self.texts_length(entry),
            _ => return None,
        };
        let is_aligned = usize::try_from(entry.offset).ok()?.is_multiple_of(width);
        count.checked_mul(width).filter(|_| is_aligned)
    }

    /// How many bytes texts take that end with NUL.
    fn texts_length(&self, entry: &Entry) -> Option<usize> {
        let data = self.data().get(usize::try_from(entry.offset).ok()?..)?;
        let mut ends = (1..).zip(data).filter(|(_, byte)| **byte == 0);
        let last = usize::try_from(entry.count).ok()?.checked_sub(1)?;
        ends.nth(last).map(|(length, _)| length)
    }

    /// Texts that end with NUL.
    fn texts(&self, entry: &Entry) -> Option<Vec<Vec<u8>>> {
        let data = self.data().get(usize::try_from(entry.offset).ok()?..)?;
        let data = data.get(..self.texts_length(entry)?)?;
        let texts = data.split_inclusive(|byte| *byte == 0);
        Some(
            texts
                .map(|it| it.strip_suffix(&[0]).unwrap_or(it).to_vec())
                .collect(),
        )
    }

    /// What a tag says.
    pub(super) fn value(&self, tag: u32) -> Option<Value> {
        let entry = self.entry(tag)?;
        let offset = usize::try_from(entry.offset).ok()?;
        let data = self.data().get(offset..)?;
        Some(match (entry.kind, entry.count) {
            (4, 1) => Value::Number(u64::from(u32_at(data, 0)?)),
            (5, 1) => Value::Number(crate::reading::u64_at(data, 0)?),
            (6, 1) => Value::Text(self.texts(entry)?.pop()?),
            (7, count) => Value::Bytes(data.get(..usize::try_from(count).ok()?)?.to_vec()),
            (8, count) if count <= Limits::TEXTS => Value::Texts(self.texts(entry)?),
            (8, _) => Value::ManyTexts,
            _ => Value::Other,
        })
    }

    fn entry(&self, tag: u32) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.tag == tag)
    }

    /// How many values a tag has; none where it is not there.
    pub(super) fn count(&self, tag: u32) -> Option<usize> {
        usize::try_from(self.entry(tag)?.count).ok()
    }

    /// Numbers of 16, 32, or 64 bits; none where they are not so many.
    pub(super) fn numbers(&self, tag: u32, count: usize) -> Option<Vec<u64>> {
        let entry = self.entry(tag)?;
        let width = match entry.kind {
            3 => 2,
            4 => 4,
            5 => 8,
            _ => return None,
        };
        let start = usize::try_from(entry.offset).ok()?;
        let bytes = self.data().get(start..)?.get(..self.length(entry)?)?;
        let number = |it: &[u8]| {
            it.iter()
                .fold(0, |number, byte| number << 8 | u64::from(*byte))
        };
        (self.count(tag)? == count).then(|| bytes.chunks(width).map(number).collect())
    }

    /// Texts without their NULs; none where they are not so many.
    pub(super) fn text_slices(&self, tag: u32, count: usize) -> Option<Vec<&[u8]>> {
        let entry = self.entry(tag).filter(|entry| entry.kind == 8)?;
        let start = usize::try_from(entry.offset).ok()?;
        let bytes = self.data().get(start..)?.get(..self.length(entry)?)?;
        let texts = bytes.split_inclusive(|byte| *byte == 0);
        (self.count(tag)? == count).then(|| {
            texts
                .map(|it| it.strip_suffix(&[0]).unwrap_or(it))
                .collect()
        })
    }

    /// Every tag but that of the region.
    pub(super) fn tags(&self) -> impl Iterator<Item = u32> {
        self.entries.iter().skip(1).map(|entry| entry.tag)
    }

    /// The digests of the payload as it lies in the file, or what is wrong with them.
    pub(super) fn payload_digests(&self) -> Result<Vec<Stated>, &'static str> {
        const WRONG: &str = "the digest of the payload is of a kind that is not accepted";
        let mut found = Vec::new();
        match (
            self.value(tags::PAYLOAD_SHA256),
            self.value(tags::PAYLOAD_SHA256_ALGORITHM),
        ) {
            (None, _) => {}
            (Some(Value::Texts(texts)), algorithm) => {
                let algorithm = match algorithm {
                    // The numbers of OpenPGP (RFC 9580 section 9.5).
                    Some(Value::Number(8)) => Algorithm::Sha256,
                    Some(Value::Number(10)) => Algorithm::Sha512,
                    // Version 6 dropped it, as the tag now says it.
                    None => Algorithm::Sha256,
                    _ => return Err(WRONG),
                };
                let [text] = texts.as_slice() else {
                    return Err(WRONG);
                };
                found.push(Stated::parse(algorithm, text).ok_or(WRONG)?);
            }
            _ => return Err(WRONG),
        }
        for (tag, algorithm) in [
            (tags::PAYLOAD_SHA512, Algorithm::Sha512),
            (tags::PAYLOAD_SHA3_256, Algorithm::Sha3_256),
        ] {
            match self.value(tag) {
                None => {}
                Some(Value::Text(text)) => {
                    found.push(Stated::parse(algorithm, &text).ok_or(WRONG)?)
                }
                Some(_) => return Err(WRONG),
            }
        }
        Ok(found)
    }
}

fn entry(bytes: &[u8; ENTRY_BYTES]) -> Entry {
    let number = |at| u32_at(bytes, at).unwrap_or_default();
    Entry {
        tag: number(0),
        kind: number(4),
        offset: number(8),
        count: number(12),
    }
}
