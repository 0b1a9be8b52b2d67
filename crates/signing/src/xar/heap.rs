//! The heap: each piece has the checksum that the table says, and nothing lies between them.

use std::io::{self, Read, Seek};

use release::name::printable;

use crate::checks::{Check, PKG_FILES};
use crate::digest::Hasher;
use crate::reading::pass;
use crate::xar::contents::{Contents, Piece};
use crate::xar::header::Table;

/// A place in the heap; a file's is compared.
struct Place<'a> {
    start: u64,
    end: u64,
    piece: Option<&'a Piece>,
}

/// Judges the whole heap, and gives how long it is.
pub(crate) fn judge(
    reader: &mut (impl Read + Seek),
    table: &Table,
    contents: &Contents,
    checks: &mut Vec<Check>,
) -> io::Result<u64> {
    let mut places: Vec<Place<'_>> = Vec::new();
    let mut failures = Vec::new();
    let mut add = |offset: u64, bytes: u64, piece| match offset.checked_add(bytes) {
        Some(end) => places.push(Place {
            start: offset,
            end,
            piece,
        }),
        None => failures.push("a piece lies outside of any file".to_owned()),
    };
    add(contents.checksum.offset, contents.checksum.bytes, None);
    for signature in contents.signatures() {
        add(signature.offset, signature.bytes, None);
    }
    for piece in &contents.pieces {
        add(piece.offset, piece.bytes, Some(piece));
    }
    places.sort_by_key(|place| (place.start, place.end));
    let mut end = 0;
    let mut before: Option<&Place<'_>> = None;
    for place in &places {
        // Files of the same content may share their place; then they say the same of it.
        let shares = before.is_some_and(|it| {
            let digests = it.piece.zip(place.piece);
            let is_same = digests.is_some_and(|(a, b)| a.hash == b.hash && a.digest == b.digest);
            it.start == place.start && it.end == place.end && is_same
        });
        if shares {
            continue;
        }
        if place.start != end {
            failures.push(laid_wrong(place, end));
            break;
        }
        if let Some(piece) = place.piece
            && !has_digest(reader, table.heap_at, piece)?
        {
            let name = printable(&piece.name);
            failures.push(format!("`{name}` has another checksum than the table says"));
        }
        end = place.end;
        before = Some(place);
    }
    let failed = !failures.is_empty();
    checks.extend(
        failures
            .into_iter()
            .map(|reason| Check::fail(PKG_FILES, reason)),
    );
    if !failed {
        let count = contents.pieces.len();
        let reason = format!("{count} files have their checksums, one behind the other");
        checks.push(Check::pass(PKG_FILES, reason));
    }
    Ok(places
        .iter()
        .map(|place| place.end)
        .max()
        .unwrap_or_default())
}

fn laid_wrong(place: &Place<'_>, end: u64) -> String {
    let what = place
        .piece
        .map_or("the checksum or a signature", |piece| &piece.name);
    let what = printable(what);
    if place.start > end {
        let bytes = place.start.saturating_sub(end);
        format!("{bytes} bytes before `{what}` belong to nothing in the table of contents")
    } else {
        format!("`{what}` lies over something else in the heap")
    }
}

fn has_digest(reader: &mut (impl Read + Seek), heap_at: u64, piece: &Piece) -> io::Result<bool> {
    let start = heap_at.saturating_add(piece.offset);
    let end = start.saturating_add(piece.bytes);
    let mut hasher = Hasher::new(piece.hash);
    let is_there = pass(reader, start, end, |part| hasher.update(part))?;
    Ok(is_there && hasher.finish() == piece.digest)
}
