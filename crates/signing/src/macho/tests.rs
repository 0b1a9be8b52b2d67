//! Mach-O files against the corpus, and mutated copies of it.

mod corpus;

use std::io::Cursor;

use super::*;
use crate::checks::Outcome;
use crate::report::Verdict;
use crate::tests::shared;

/// The day on which the labels hold.
fn day() -> Timestamp {
    "2026-11-23T00:00:00Z".parse().expect("a time")
}

fn look(bytes: &[u8]) -> Inspection {
    let inspection = inspect(&mut Cursor::new(bytes), day(), &Trust::microsoft());
    let inspection = inspection.expect("bytes in memory");
    for check in inspection.all_checks() {
        let reason = &check.reason;
        assert!(!reason.chars().any(char::is_control), "{reason}");
    }
    inspection
}

fn failed(inspection: &Inspection) -> Vec<&'static str> {
    let mut ids: Vec<_> = inspection.failed().map(|check| check.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// The files of an archive of an app in the corpus, by their paths.
fn app() -> Option<Vec<(String, Vec<u8>)>> {
    let tar = std::fs::read(shared()?.join("app/mitmproxy/Mitmproxy Redirector.app.tar"));
    Some(untar(&tar.expect("a file of the corpus")))
}

/// Regular files of a plain archive (POSIX ustar).
fn untar(mut bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let text = |field: &[u8]| {
        let end = field.iter().position(|byte| *byte == 0);
        String::from_utf8_lossy(&field[..end.unwrap_or(field.len())]).into_owned()
    };
    let mut files = Vec::new();
    let mut long = None;
    while bytes.len() >= 512 && bytes[0] != 0 {
        let (header, rest) = bytes.split_at(512);
        let size = usize::from_str_radix(text(&header[124..136]).trim(), 8).expect("a size");
        let content = rest[..size].to_vec();
        let (name, prefix) = (text(&header[..100]), text(&header[345..500]));
        match header[156] {
            b'L' => long = Some(text(&content)),
            b'0' => files.push((long.take().unwrap_or(prefix + &name), content)),
            _ => long = None,
        }
        bytes = &rest[size.next_multiple_of(512)..];
    }
    files
}
