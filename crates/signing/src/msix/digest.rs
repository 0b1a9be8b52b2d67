//! What a signature covers of a package: a list of digests, each behind the four letters that say of what.

use std::io;

use crate::digest::{DigestAlgorithm, Hasher};
use crate::msix::parts::Parts;
use crate::msix::{BLOCK_MAP, CODE_INTEGRITY, CONTENT_TYPES};
use crate::packages::Source;
use crate::reading::pass;
use crate::zip::{Entry, end_without};

const MAGIC: &[u8] = b"APPX";
const PIECE_BYTES: usize = 256 * 1024;

/// The letters, and what they say.
const TAGS: [(&[u8; 4], &str); 5] = [
    (b"AXPC", "the files"),
    (b"AXCD", "the directory"),
    (b"AXCT", "the content types"),
    (b"AXBM", "the block map"),
    (b"AXCI", "the catalog for code integrity"),
];

/// The list of a package, as its signature must have it. What is wrong with a part is a reason, and then there is no list.
pub(super) fn of(
    source: &mut Source<'_>,
    parts: &Parts<'_>,
    signature: &Entry,
    algorithm: DigestAlgorithm,
) -> io::Result<Result<Vec<u8>, String>> {
    let mut files = Hasher::new(algorithm);
    let (start, end) = (0, signature.span.start);
    let mut bytes = &mut *source.bytes;
    pass(&mut bytes, start, end, |piece| files.update(piece))?;
    let mut directory = Hasher::new(algorithm);
    let update = |piece: &[u8]| directory.update(piece);
    if !end_without(&mut bytes, parts.archive, signature, update)? {
        let reason = "the directory cannot be counted anew without the signature";
        return Ok(Err(reason.to_owned()));
    }
    let mut found = vec![Some(files.finish()), Some(directory.finish())];
    for name in [CONTENT_TYPES, BLOCK_MAP, CODE_INTEGRITY] {
        let Some(entry) = parts.get(name) else {
            found.push(None);
            continue;
        };
        let mut part = Hasher::new(algorithm);
        let read = source.pieces(entry, PIECE_BYTES, |piece| {
            part.update(piece);
            true
        })?;
        match read {
            Ok(()) => found.push(Some(part.finish())),
            Err(reason) => return Ok(Err(reason)),
        }
    }
    let mut list = MAGIC.to_vec();
    for ((tag, _), hash) in TAGS.iter().zip(found) {
        if let Some(hash) = hash {
            list.extend_from_slice(*tag);
            list.extend_from_slice(&hash);
        }
    }
    Ok(Ok(list))
}

/// Which digests differ between two lists, in words.
pub(crate) fn difference(algorithm: DigestAlgorithm, signed: &[u8], found: &[u8]) -> String {
    let entries = |list: &'_ [u8]| -> Option<Vec<Vec<u8>>> {
        let entries = list.strip_prefix(MAGIC)?.chunks(4 + algorithm.len());
        let is_whole = entries
            .clone()
            .all(|entry| entry.len() == 4 + algorithm.len());
        is_whole.then(|| entries.map(<[u8]>::to_vec).collect())
    };
    let Some(signed) = entries(signed) else {
        return "what is signed is no list of digests of a package".to_owned();
    };
    let found = entries(found).unwrap_or_default();
    let of = |list: &[Vec<u8>], tag: &[u8]| -> Vec<Vec<u8>> {
        let entries = list.iter().filter(|entry| entry.starts_with(tag));
        entries.cloned().collect()
    };
    let differing = TAGS.iter().filter(|(tag, _)| {
        let tag = tag.as_slice();
        of(&signed, tag) != of(&found, tag)
    });
    let named = differing.map(|(tag, what)| format!("{what} ({})", String::from_utf8_lossy(*tag)));
    let named: Vec<_> = named.collect();
    match named.is_empty() {
        true => "the signed digests are of other parts, or in another order".to_owned(),
        false => format!(
            "other digests ({algorithm}) are signed of {}",
            named.join(", ")
        ),
    }
}
