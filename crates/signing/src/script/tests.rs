//! Scripts of `fixtures/scripts`, and copies of them with one thing wrong: the right check must fail, and nothing may panic.

mod judge;
mod mutants;
mod noise;

use std::io::Cursor;

use super::*;
use crate::report::Verdict;
use crate::tests::{day, failed, printable, time};

const PLAIN: &[u8] = include_bytes!("../../fixtures/scripts/plain.ps1");
const SIGNED: &[u8] = include_bytes!("../../fixtures/scripts/signed.ps1");
const UTF8: &[u8] = include_bytes!("../../fixtures/scripts/utf8.ps1");
const MARKED: &[u8] = include_bytes!("../../fixtures/scripts/marked.psm1");
const UTF16: &[u8] = include_bytes!("../../fixtures/scripts/utf16.psd1");
const XML: &[u8] = include_bytes!("../../fixtures/scripts/signed.ps1xml");
const MOF: &[u8] = include_bytes!("../../fixtures/scripts/signed.mof");
const HELD_UP: &[u8] = include_bytes!("../../fixtures/scripts/held-up.ps1");
const VBSCRIPT: &[u8] = include_bytes!("../../fixtures/scripts/signed.vbs");
const WESTERN: &[u8] = include_bytes!("../../fixtures/scripts/western.vbs");
const JSCRIPT: &[u8] = include_bytes!("../../fixtures/scripts/signed.js");
const UTF16_JSCRIPT: &[u8] = include_bytes!("../../fixtures/scripts/utf16.js");
const WINDOWS_SCRIPT: &[u8] = include_bytes!("../../fixtures/scripts/signed.wsf");

/// Every script that is signed, by the name that its kind has.
const ALL: [(&str, &[u8], &str); 12] = [
    ("signed.ps1", SIGNED, "a PowerShell script in ASCII"),
    ("utf8.ps1", UTF8, "a PowerShell script in UTF-8"),
    (
        "marked.psm1",
        MARKED,
        "a PowerShell script in UTF-8 with a byte order mark",
    ),
    ("utf16.psd1", UTF16, "a PowerShell script in UTF-16"),
    ("signed.ps1xml", XML, "an XML file of PowerShell in ASCII"),
    ("signed.mof", MOF, "a MOF file in ASCII"),
    ("held-up.ps1", HELD_UP, "a PowerShell script in ASCII"),
    ("signed.vbs", VBSCRIPT, "a VBScript in ASCII"),
    ("western.VBS", WESTERN, "a VBScript in code page 1252"),
    ("signed.js", JSCRIPT, "a JScript in ASCII"),
    ("utf16.js", UTF16_JSCRIPT, "a JScript in UTF-16"),
    (
        "signed.wsf",
        WINDOWS_SCRIPT,
        "a Windows Script File in ASCII",
    ),
];

pub(crate) fn trust() -> Trust {
    let roots = include_str!("../../fixtures/scripts/certificates.pem");
    let trust = Trust::microsoft();
    trust.with_extra_roots(roots).expect("two roots")
}

fn look(name: &str, bytes: &[u8]) -> Inspection {
    let language = Language::of_name(name).expect("a script");
    let found = inspect(&mut Cursor::new(bytes), language, day(), &trust());
    printable(found)
}

#[test]
fn scripts_that_are_signed_are_valid_and_named() {
    for (name, bytes, what) in ALL {
        let found = look(name, bytes);
        assert_eq!(found.verdict, Verdict::Valid, "{name}: {found:#?}");
        assert_eq!(found.checks[0].reason, what, "{name}");
        let signer = found.signatures[0].signer.as_ref().expect("a signer");
        assert_eq!(signer.organization.as_deref(), Some("Snake Oil Ltd"));
    }
    let stamps = &look("a.ps1", SIGNED).signatures[0].timestamps;
    assert_eq!(stamps[0].time, time("2026-06-01T00:00:00Z"));
    assert_eq!(look("a.ps1", HELD_UP).signatures.len(), 2);
    let nobody = Trust::microsoft();
    let mut reader = Cursor::new(SIGNED);
    let found = inspect(&mut reader, Language::PowerShell, day(), &nobody).expect("in memory");
    assert_eq!(found.verdict, Verdict::Untrusted);
    assert_eq!(failed(&found), ["timestamp.chain", "x509.path"]);
}

#[test]
fn a_script_without_a_signature_is_unsigned() {
    let mention = b"$mark = '# SIG # Begin signature block'\r\n";
    for (name, bytes) in [
        ("a.ps1", PLAIN),
        ("a.ps1", b"".as_slice()),
        ("a.ps1", mention),
        ("a.js", b"// nothing to see"),
        ("a.wsf", b"<job></job>"),
        // Its comments are those of another language.
        ("a.vbs", SIGNED),
    ] {
        let found = look(name, bytes);
        assert_eq!(found.verdict, Verdict::Unsigned, "{name}: {found:#?}");
        assert_eq!(failed(&found), ["script.signed"]);
    }
}

#[test]
fn a_name_says_which_language_it_is() {
    for (name, language, is_program) in [
        ("a.PS1", Some(Language::PowerShell), true),
        ("a.b.psd1", Some(Language::PowerShell), true),
        ("a.cdxml", Some(Language::PowerShellXml), false),
        ("a.js", Some(Language::JScript), false),
        ("a.jse", Some(Language::JScript), true),
        ("a.vbe", Some(Language::VbScript), true),
        ("a.wsf", Some(Language::WindowsScript), true),
        ("a.mjs", None, false),
        ("a.bat", None, false),
        ("a.lnk", None, false),
        ("ps1", None, false),
    ] {
        assert_eq!(Language::of_name(name), language, "{name}");
        assert_eq!(Language::of_program(name).is_some(), is_program, "{name}");
    }
}
