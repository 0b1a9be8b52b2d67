//! Authenticode against the corpus, against mutated copies of it, and against a small PKI of our own.

mod corpus;
mod mutants;
mod pki;

use std::io::Cursor;
use std::path::{Path, PathBuf};

use release::Timestamp;

use super::*;
use crate::checks::Outcome;
use crate::report::Verdict;
use crate::roots::LegacyDigests;
use crate::tests::shared;

/// The day on which the labels hold.
fn day() -> Timestamp {
    time("2026-11-23T00:00:00Z")
}

fn time(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

/// What the corpus is labelled by: Microsoft's roots, and old files keep their signatures.
fn trust() -> Trust {
    Trust::microsoft().with_legacy_digests(LegacyDigests::AcceptedBefore2016)
}

fn look(bytes: &[u8], at: Timestamp, trust: &Trust) -> Inspection {
    let inspection = inspect(&mut Cursor::new(bytes), at, trust).expect("bytes in memory");
    for check in inspection.all_checks() {
        assert!(
            !check.reason.chars().any(char::is_control),
            "{}",
            check.reason
        );
    }
    inspection
}

fn failed(inspection: &Inspection) -> Vec<&'static str> {
    let mut ids: Vec<_> = inspection.failed().map(|check| check.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

fn sample(name: &str) -> Option<Vec<u8>> {
    let path = shared()?.join("authenticode").join(name);
    Some(std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
}
