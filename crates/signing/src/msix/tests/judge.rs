//! osslsigncode as the judge of what a signature covers. It looks at neither publisher nor block map nor places.

use std::path::Path;
use std::process::Command;

use super::*;
use crate::packages::tests::Copy;
use crate::tests::skipped;
use crate::tests::spoilt::Spoilt;

/// Whether osslsigncode calls a package valid under the roots of `fixtures/zipped`. None where it is not installed.
fn is_valid(folder: &Path, bytes: &[u8], extension: &str) -> Option<bool> {
    let path = folder.join(format!("package.{extension}"));
    std::fs::write(&path, bytes).expect("a folder that can be written");
    let roots = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/zipped/certificates.pem");
    let mut command = Command::new("osslsigncode");
    command.arg("verify").arg("-in").arg(&path);
    for option in ["-CAfile", "-TSA-CAfile"] {
        command.arg(option).arg(&roots);
    }
    match command.output() {
        Ok(output) => Some(output.status.success()),
        Err(error) => {
            skipped(&format!("osslsigncode cannot be started: {error}"));
            None
        }
    }
}

#[test]
fn osslsigncode_agrees_on_what_is_signed() {
    let name = format!("lastmile-msix-{}", std::process::id());
    let folder = std::env::temp_dir().join(name);
    std::fs::create_dir_all(&folder).expect("a folder");
    let spoilt = |spoil: fn(&mut Copy)| {
        let mut copy = Copy::of(SIGNED);
        spoil(&mut copy);
        copy.bytes
    };
    let flip_date = |copy: &mut Copy| copy.flip(10);
    for (what, bytes, extension, expected) in [
        ("package", SIGNED.to_vec(), "msix", true),
        ("bundle", BUNDLE.to_vec(), "msixbundle", true),
        ("stored signature", spoilt(|_| {}), "msix", true),
        ("date of a file", spoilt(flip_date), "msix", false),
        (
            "digest",
            spoilt(|it| it.flip_found(b"AXBM", 9)),
            "msix",
            false,
        ),
        ("no signature", PLAIN.to_vec(), "msix", false),
    ] {
        let Some(found) = is_valid(&folder, &bytes, extension) else {
            break;
        };
        assert_eq!(found, expected, "{what}");
        let ours = look(&bytes).verdict == Verdict::Valid;
        assert_eq!(ours, expected, "{what}");
    }
    std::fs::remove_dir_all(&folder).expect("our folder");
}
