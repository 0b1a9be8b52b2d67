//! Authenticode against the corpus, against mutated copies of it, and against a small PKI of our own.

mod corpus;
mod mutants;
mod pki;

use std::io::Cursor;
use std::path::{Path, PathBuf};

use release::Timestamp;

use super::*;
use crate::roots::LegacyDigests;

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

/// The shared corpus; says why not where it is not there. Judges that are required may not be missing: the wording is
/// that of `testkit::judge`, which this crate does not depend on, as it would build a whole S3 service for one sentence.
fn shared() -> Option<PathBuf> {
    let folder = std::env::var_os("LASTMILE_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let corpus = folder.join("corpus");
    if corpus.is_dir() {
        return Some(corpus);
    }
    skipped("the corpus of signed files is not there; name its parent in LASTMILE_SHARED");
    None
}

fn skipped(reason: &str) {
    use std::io::Write as _;
    assert!(
        std::env::var("LASTMILE_JUDGES").as_deref() != Ok("required"),
        "a judge is required but missing: {reason}"
    );
    let _ = writeln!(io::stderr(), "skipped: {reason}");
}

fn sample(name: &str) -> Option<Vec<u8>> {
    let path = shared()?.join("authenticode").join(name);
    Some(std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
}
