//! Judges: the real consumers of what we write. A missing judge is printed with its reason, and fails where
//! `LASTMILE_JUDGES=required` says that none may be missing.

use std::io::Write;
use std::path::Path;
use std::process::Command;

/// Whether a program is on the PATH. Prints why not, or fails where judges are required.
pub fn has_program(name: &str) -> bool {
    let found = Command::new(name).arg("--version").output().is_ok()
        || Command::new(name).arg("-v").output().is_ok();
    found || missing(&format!("`{name}` is not installed"))
}

/// Whether a file or folder that a judge needs is there.
pub fn has_path(path: &Path, next: &str) -> bool {
    path.exists()
        || missing(&format!(
            "`{}` is not there; {next}",
            path.file_name().unwrap_or_default().to_string_lossy()
        ))
}

/// Says that a judge is missing. Never true, so that it can end a condition.
///
/// # Panics
/// Where `LASTMILE_JUDGES=required`.
pub fn missing(reason: &str) -> bool {
    assert!(
        std::env::var("LASTMILE_JUDGES").as_deref() != Ok("required"),
        "a judge is required but missing: {reason}"
    );
    report(&format!("skipped: {reason}"));
    false
}

/// Past the test harness, which keeps what a passing test prints through `eprintln!` to itself.
fn report(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
