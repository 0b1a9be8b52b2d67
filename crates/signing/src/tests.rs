//! What the tests of several modules share: the corpus beside the repository.

mod coverage;
pub(crate) mod spoilt;

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Once;

use release::Timestamp;

use crate::inspection::Inspection;
use crate::roots::{LegacyDigests, Trust};

/// The day on which the labels hold.
pub(crate) fn day() -> Timestamp {
    time("2026-11-23T00:00:00Z")
}

pub(crate) fn time(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

/// What the corpus is labelled by: Microsoft's roots, and old files keep their signatures.
pub(crate) fn trust() -> Trust {
    Trust::microsoft().with_legacy_digests(LegacyDigests::AcceptedBefore2016)
}

/// What was found, all of which is safe to print.
pub(crate) fn printable(inspection: io::Result<Inspection>) -> Inspection {
    let inspection = inspection.expect("bytes in memory");
    for check in inspection.all_checks() {
        assert!(
            !check.reason.chars().any(char::is_control),
            "{}",
            check.reason
        );
    }
    inspection
}

/// The ids of the checks that did not pass, each once.
pub(crate) fn failed(inspection: &Inspection) -> Vec<&'static str> {
    let mut ids: Vec<_> = inspection.failed().map(|check| check.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// A file of the corpus that Authenticode signs.
pub(crate) fn sample(name: &str) -> Option<Vec<u8>> {
    let path = shared()?.join("authenticode").join(name);
    Some(std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
}

/// The two roots of `fixtures/packages`, besides Microsoft's.
pub(crate) fn packages_trust() -> Trust {
    let roots = include_str!("../fixtures/packages/certificates.pem");
    Trust::microsoft()
        .with_extra_roots(roots)
        .expect("two roots")
}

/// The two roots of `fixtures/zipped`, besides Microsoft's.
pub(crate) fn zipped_trust() -> Trust {
    let roots = include_str!("../fixtures/zipped/certificates.pem");
    Trust::microsoft()
        .with_extra_roots(roots)
        .expect("two roots")
}

/// The subjects of certificates in PEM, in DER.
pub(crate) fn subjects(pem: &str) -> Vec<Vec<u8>> {
    use base64::Engine as _;
    let pieces = pem.split("-----BEGIN CERTIFICATE-----").skip(1);
    let bodies = pieces.filter_map(|piece| piece.split("-----END").next());
    let decoded = bodies.map(|body| {
        let text: String = body.split_whitespace().collect();
        let engine = base64::engine::general_purpose::STANDARD;
        engine.decode(text).expect("base64")
    });
    let subject = |der: Vec<u8>| {
        let certificate = crate::x509::Certificate::parse(&der).expect("a certificate");
        certificate.subject.raw().to_vec()
    };
    decoded.map(subject).collect()
}

/// Writes over bytes.
pub(crate) fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
    bytes[at..at + value.len()].copy_from_slice(value);
}

/// Where bytes stand first.
pub(crate) fn find(bytes: &[u8], needle: &[u8]) -> usize {
    let mut windows = bytes.windows(needle.len());
    windows.position(|window| window == needle).expect("there")
}

/// For judging the judges: `LASTMILE_MUTANTS` names a folder that gets every mutant.
pub(crate) fn keep(what: &str, bytes: &[u8]) {
    if let Some(folder) = std::env::var_os("LASTMILE_MUTANTS") {
        let path = Path::new(&folder).join(what.replace(' ', "-"));
        std::fs::write(path, bytes).expect("a folder that can be written");
    }
}

/// The shared corpus; says why not where it is not there. Judges that are required may not be missing: the wording is
/// that of `testkit::judge`, which this crate does not depend on, as it would build a whole S3 service for one sentence.
pub(crate) fn shared() -> Option<PathBuf> {
    let folder = std::env::var_os("LASTMILE_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let corpus = folder.join("corpus");
    if corpus.is_dir() {
        return Some(corpus);
    }
    // Once is enough for all tests.
    static SAID: Once = Once::new();
    SAID.call_once(|| {
        skipped("the corpus of signed files is not there; name its parent in LASTMILE_SHARED");
    });
    None
}

/// Says that something is missing; fails where nothing may be.
pub(crate) fn skipped(reason: &str) {
    assert!(
        std::env::var("LASTMILE_JUDGES").as_deref() != Ok("required"),
        "a judge is required but missing: {reason}"
    );
    note(reason);
}

/// Says that something is missing, past the test harness, which keeps what a passing test prints to itself.
fn note(reason: &str) {
    let line = format!("skipped: {reason}\n");
    let _ = io::stderr().write_all(line.as_bytes());
}
