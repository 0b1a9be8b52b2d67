//! Mach-O files and packages against the corpus, and against mutated copies of it.

mod code;
mod corpus;
mod noise;
mod online;
mod package;
mod pki;
mod policy;
mod tickets;

use std::io::{self, Cursor, Read, Seek, SeekFrom};

use release::Timestamp;

use super::*;
use crate::inspection;
use crate::report::Verdict;
use crate::roots::Trust;
use crate::tests::shared;

/// The day on which the labels hold.
fn day() -> Timestamp {
    time("2026-11-23T00:00:00Z")
}

fn time(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

/// Bytes in memory that, as a file does, refuse to be sought where no file can reach.
struct Strict<'a>(Cursor<&'a [u8]>);

impl Read for Strict<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.0.read(into)
    }
}

impl Seek for Strict<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match to {
            SeekFrom::Start(at) if i64::try_from(at).is_err() => {
                Err(io::ErrorKind::InvalidInput.into())
            }
            to => self.0.seek(to),
        }
    }
}

fn look(bytes: &[u8]) -> Inspection {
    look_with(bytes, day(), &Trust::microsoft())
}

fn look_with(bytes: &[u8], at: Timestamp, trust: &Trust) -> Inspection {
    let found = inspection::inspect(&mut Strict(Cursor::new(bytes)), at, trust);
    let found = found
        .expect("bytes in memory")
        .expect("a format of Apple's");
    for check in found.all_checks() {
        let reason = &check.reason;
        assert!(!reason.chars().any(char::is_control), "{reason}");
    }
    found
}

fn failed(inspection: &Inspection) -> Vec<&'static str> {
    let mut ids: Vec<_> = inspection.failed().map(|check| check.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// Where bytes stand first.
fn find(bytes: &[u8], needle: &[u8]) -> usize {
    let mut windows = bytes.windows(needle.len());
    windows.position(|window| window == needle).expect("there")
}

fn package(version: &str) -> Option<Vec<u8>> {
    let name = format!("pkg/Karabiner-DriverKit-VirtualHIDDevice-{version}.pkg");
    Some(std::fs::read(shared()?.join(name)).expect("a file of the corpus"))
}

/// The main program of an app in the corpus: two slices, signed for Developer ID.
fn program() -> Option<Vec<u8>> {
    let mut files = app()?.into_iter();
    let found = files.find(|(path, _)| path.ends_with("MacOS/Mitmproxy Redirector"));
    Some(found.expect("the program").1)
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
