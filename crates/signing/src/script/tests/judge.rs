//! osslsigncode as the judge of what PowerShell's signatures cover. Those of Windows Script Host it takes for PowerShell's, so
//! it judges none of them, and where a block may stand it does not ask.

use std::path::Path;
use std::process::Command;

use super::*;
use crate::tests::skipped;

/// Whether osslsigncode calls a script valid. None where it is not installed.
fn is_valid(folder: &Path, name: &str, bytes: &[u8]) -> Option<bool> {
    let path = folder.join(name);
    std::fs::write(&path, bytes).expect("a folder that can be written");
    let roots = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/scripts/certificates.pem");
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
fn osslsigncode_agrees_on_what_powershell_signs() {
    let name = format!("lastmile-script-{}", std::process::id());
    let folder = std::env::temp_dir().join(name);
    std::fs::create_dir_all(&folder).expect("a folder");
    let changed = |bytes: &[u8], at: usize| {
        let mut bytes = bytes.to_vec();
        bytes[at] ^= 1;
        bytes
    };
    let without_mark = MARKED[3..].to_vec();
    let mut cases = vec![
        ("plain.ps1", PLAIN.to_vec(), false),
        ("mark-cut-off.psm1", without_mark, false),
    ];
    for (name, bytes, _) in &ALL[..7] {
        cases.push((*name, bytes.to_vec(), true));
        // The first letter behind a mark; the last line break that is signed; one that is not there.
        cases.push((*name, changed(bytes, 4), false));
        let is_wide = bytes.starts_with(&[0xff, 0xfe]);
        let line: &[u8] = if is_wide { b"\r\0\n\0" } else { b"\r\n" };
        let at = crate::tests::find(bytes, line);
        let more = [&bytes[..at], line, &bytes[at..]].concat();
        cases.push((*name, more, false));
    }
    for (name, bytes, expected) in cases {
        let Some(found) = is_valid(&folder, name, &bytes) else {
            break;
        };
        assert_eq!(found, expected, "{name}");
        let ours = look(name, &bytes);
        assert_eq!(
            ours.verdict == Verdict::Valid,
            expected,
            "{name}: {ours:#?}"
        );
    }
    std::fs::remove_dir_all(&folder).expect("our folder");
}
