//! Which scripts inside are asked for a signature.

use serde_json::json;

use super::*;
use crate::asar;

const SIGNED: &[u8] = include_bytes!("../../../fixtures/scripts/signed.ps1");
const PLAIN: &[u8] = include_bytes!("../../../fixtures/scripts/plain.ps1");
const JSCRIPT: &[u8] = include_bytes!("../../../fixtures/scripts/signed.js");
const WIDE_JSCRIPT: &[u8] = include_bytes!("../../../fixtures/scripts/utf16.js");
const MOF: &[u8] = include_bytes!("../../../fixtures/scripts/signed.mof");

fn judged(bytes: Vec<u8>) -> Contents {
    let trust = script::tests::trust();
    let settings = Settings {
        at: day(),
        trust: &trust,
        room,
        signed: Signed::Opened,
    };
    let found = walk(&mut Cursor::new(bytes), settings).expect("bytes in memory");
    found.expect("a container")
}

#[test]
fn what_windows_runs_needs_a_signature_and_what_browsers_run_does_not() {
    let mut changed = JSCRIPT.to_vec();
    changed[0] ^= 1;
    let long = [&b"// long\r\n".repeat(200), JSCRIPT].concat();
    let members = [
        ("signed.ps1", SIGNED),
        ("lib/plain.PSM1", PLAIN),
        ("plain.vbs", b"WScript.Echo 1"),
        ("scrambled.vbe", b"#@~^"),
        ("plain.wsf", b"<job/>"),
        ("plain.js", b"console.log('// SIG // hello')"),
        ("signed.js", JSCRIPT),
        ("utf16.js", WIDE_JSCRIPT),
        ("changed.js", &changed),
        ("behind-more.js", &long),
        ("plain.mof", b"class A {};"),
        ("signed.mof", MOF),
        ("types.ps1xml", b"<Types/>"),
        ("empty.ps1", b""),
        ("start.bat", PLAIN),
        ("start.cmd", PLAIN),
        ("app.lnk", b"L\0\0\0"),
        ("site.url", b"[InternetShortcut]"),
        ("README", PLAIN),
    ];
    let members: Vec<_> = members
        .iter()
        .map(|(name, content)| member(name, b'0', content))
        .collect();
    let contents = judged(archive(&members));
    assert_eq!(bad(&contents), []);
    assert_eq!(
        leaves(&contents),
        [
            ("signed.ps1", Some(Verdict::Valid)),
            ("lib/plain.PSM1", Some(Verdict::Unsigned)),
            ("plain.vbs", Some(Verdict::Unsigned)),
            ("scrambled.vbe", Some(Verdict::Unsigned)),
            ("plain.wsf", Some(Verdict::Unsigned)),
            ("signed.js", Some(Verdict::Valid)),
            ("utf16.js", Some(Verdict::Valid)),
            ("changed.js", Some(Verdict::Invalid)),
            ("behind-more.js", Some(Verdict::Invalid)),
            ("signed.mof", Some(Verdict::Valid)),
        ]
    );
    assert!(contents.leaves.iter().all(|leaf| leaf.sha256.is_some()));
}

#[test]
fn a_link_is_run_by_its_own_name() {
    let members = [
        member("notes.txt", b'0', PLAIN),
        member("signed.ps1", b'0', SIGNED),
        header("run.ps1", b'2', 0, "notes.txt"),
        header("again.ps1", b'1', 0, "notes.txt"),
        header("good.ps1", b'2', 0, "signed.ps1"),
        header("notes.md", b'2', 0, "notes.txt"),
    ];
    let contents = judged(archive(&members));
    assert_eq!(bad(&contents), []);
    let wrong: Vec<_> = contents
        .leaves
        .iter()
        .filter(|leaf| !leaf.checks.is_empty())
        .map(|leaf| (leaf.path.as_str(), leaf.checks[0].outcome))
        .collect();
    assert_eq!(
        wrong,
        [
            ("again.ps1", Outcome::Unsupported),
            ("run.ps1", Outcome::Unsupported)
        ]
    );
}

/// Nothing of Windows runs a file in the archive of an Electron app: it is read by the app, as it reads its own JavaScript.
#[test]
fn scripts_in_the_archive_of_an_electron_app_are_its_data() {
    let file =
        |offset: usize, bytes: &[u8]| json!({"size": bytes.len(), "offset": offset.to_string()});
    let header = json!({"files": {
        "bin.ps1": file(0, PLAIN),
        "index.js": file(PLAIN.len(), JSCRIPT),
        "a.node": file(PLAIN.len() + JSCRIPT.len(), UNSIGNED),
    }});
    let files = [PLAIN, JSCRIPT, UNSIGNED].concat();
    let app = asar::tests::archive(&header, &files);
    let members = [
        member("resources/app.asar", b'0', &app),
        member("resources/app.asar.unpacked/bin.ps1", b'0', PLAIN),
    ];
    let contents = judged(archive(&members));
    assert_eq!(bad(&contents), []);
    assert_eq!(
        leaves(&contents),
        [
            ("resources/app.asar!/a.node", Some(Verdict::Invalid)),
            (
                "resources/app.asar.unpacked/bin.ps1",
                Some(Verdict::Unsigned)
            ),
        ]
    );
}
