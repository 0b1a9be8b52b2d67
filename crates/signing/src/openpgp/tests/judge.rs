//! GnuPG's `gpgv` and Sequoia's `sqv` as the judges of what is accepted and refused here, and GnuPG as another signer.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::tests::skipped;

/// Whether a program is there; says why not.
pub(crate) fn is_there(program: &str) -> bool {
    let found = Command::new(program)
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    let found = found.is_ok_and(|status| status.success());
    if !found {
        skipped(&format!("`{program}` is not installed"));
    }
    found
}

/// Whether `gpgv` accepts a signature; none where it is not there.
pub(crate) fn gpgv(keys: &[u8], signature: &[u8], data: &[u8]) -> Option<bool> {
    verify("gpgv", keys, signature, data)
}

/// The same of Sequoia's `sqv`.
pub(crate) fn sqv(keys: &[u8], signature: &[u8], data: &[u8]) -> Option<bool> {
    verify("sqv", keys, signature, data)
}

fn verify(program: &str, keys: &[u8], signature: &[u8], data: &[u8]) -> Option<bool> {
    if !is_there(program) {
        return None;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).expect("a file");
        path
    };
    let status = Command::new(program)
        .env("GNUPGHOME", folder.path())
        .arg("--keyring")
        .arg(write("keys.gpg", keys))
        .arg(write("data.sig", signature))
        .arg(write("data", data))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    Some(status.expect("it starts").success())
}

/// Runs `gpg` in a home of its own and gives what it prints.
pub(crate) fn gpg(home: &Path, arguments: &[&str]) -> Vec<u8> {
    let output = Command::new("gpg")
        .arg("--homedir")
        .arg(home)
        .args(["--batch", "--yes", "--quiet", "--passphrase", ""])
        .args(["--pinentry-mode", "loopback"])
        .args(arguments)
        .output()
        .expect("it starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "gpg {arguments:?}: {said}");
    output.stdout
}
