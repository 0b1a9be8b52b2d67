//! One thing wrong each.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::*;
use crate::cms::SignedData;
use crate::tests::{find, keep};

/// Replaces the first place of a text.
fn replaced(bytes: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    let at = find(bytes, old);
    [&bytes[..at], new, &bytes[at + old.len()..]].concat()
}

/// Changes the signature itself, and writes it again as PowerShell would.
fn resigned(bytes: &[u8], change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let text = Text::read(bytes, Language::PowerShell).expect("a text");
    let block = Block::find(&text.units, Language::PowerShell);
    let block = block.expect("a block").expect("a signature");
    let mut pkcs7 = block.pkcs7;
    change(&mut pkcs7);
    let base64 = BASE64.encode(pkcs7);
    let mut whole = bytes[..block.start].to_vec();
    whole.extend(b"\r\n# SIG # Begin signature block\r\n");
    for line in base64.as_bytes().chunks(64) {
        whole.extend([b"# ", line, b"\r\n"].concat());
    }
    whole.extend(b"# SIG # End signature block\r\n");
    whole
}

/// Flips a bit of the last place where what `of` finds stands.
fn flipped(bytes: &[u8], of: impl FnOnce(&SignedData<'_>) -> Vec<u8>, offset: usize) -> Vec<u8> {
    resigned(bytes, |pkcs7| {
        let (signed, _) = SignedData::parse(pkcs7).expect("a signature");
        let needle = of(&signed);
        let at = find(pkcs7, &needle);
        pkcs7[at + offset] ^= 1;
    })
}

fn content(signed: &SignedData<'_>) -> Vec<u8> {
    signed.content.as_deref().expect("content").to_vec()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("ASCII")
}

/// What is done, to a file of which name, and the check that must fail.
fn mutants() -> Vec<(&'static str, &'static str, Vec<u8>, &'static str)> {
    let behind = |more: &[u8]| [SIGNED, more].concat();
    let digest = content(&SignedData::parse(&pkcs7()).expect("a signature").0).len() - 3;
    let signature = |signed: &SignedData<'_>| signed.signers[0].signature.to_vec();
    let again = &SIGNED[PLAIN.len()..];
    vec![
        (
            "letter",
            "a.ps1",
            replaced(SIGNED, b"hello", b"hallo"),
            "script.digest",
        ),
        (
            "line break",
            "a.ps1",
            replaced(SIGNED, b"oil\"\n", b"oil\"\r\n"),
            "script.digest",
        ),
        (
            "line more",
            "a.ps1",
            replaced(SIGNED, b"\r\n# SIG", b"\r\n\r\n# SIG"),
            "script.digest",
        ),
        (
            "line before",
            "a.ps1",
            [b"\r\n".as_slice(), SIGNED].concat(),
            "script.digest",
        ),
        (
            "mark before",
            "a.ps1",
            [b"\xef\xbb\xbf".as_slice(), SIGNED].concat(),
            "script.digest",
        ),
        (
            "mark cut off",
            "a.psm1",
            MARKED[3..].to_vec(),
            "script.digest",
        ),
        (
            "letter of UTF-16",
            "a.psd1",
            replaced(UTF16, b"d\0i\0c\0h\0", b"m\0i\0c\0h\0"),
            "script.digest",
        ),
        (
            "odd UTF-16",
            "a.psd1",
            [UTF16, b"\n"].concat(),
            "script.parse",
        ),
        (
            "UTF-16 the other way",
            "a.psd1",
            replaced(UTF16, b"\xff\xfe", b"\xfe\xff"),
            "script.parse",
        ),
        (
            "UTF-32",
            "a.psd1",
            replaced(UTF16, b"\xff\xfe", b"\xff\xfe\0\0"),
            "script.parse",
        ),
        (
            "no UTF-8",
            "a.ps1",
            replaced(UTF8, b"\xc3\xbc", b"\xfc"),
            "script.parse",
        ),
        (
            "other UTF-8",
            "a.ps1",
            replaced(UTF8, b"\xc3\xbc", b"\xc3\xb6"),
            "script.digest",
        ),
        (
            "NUL",
            "a.ps1",
            replaced(SIGNED, b"hello", b"he\0lo"),
            "script.parse",
        ),
        (
            "code behind",
            "a.ps1",
            behind(b"Remove-Item *\r\n"),
            "script.trailing-data",
        ),
        (
            "line break behind",
            "a.ps1",
            behind(b"\r\n"),
            "script.trailing-data",
        ),
        (
            "comment behind",
            "a.ps1",
            behind(b"# SIG\r\n"),
            "script.trailing-data",
        ),
        ("block behind", "a.ps1", behind(again), "script.parse"),
        (
            "block before",
            "a.ps1",
            [again, SIGNED].concat(),
            "script.parse",
        ),
        (
            "block within",
            "a.ps1",
            replaced(
                SIGNED,
                b"function",
                b"#  sig # begin SIGNATURE block\r\nfunction",
            ),
            "script.parse",
        ),
        (
            "text of a block",
            "a.ps1",
            replaced(SIGNED, b"hello", b"SIG # Begin signature block"),
            "script.digest",
        ),
        (
            "code on the first line",
            "a.ps1",
            replaced(SIGNED, b"Begin signature block", b"Begin signature block;"),
            "script.parse",
        ),
        (
            "indented block",
            "a.ps1",
            replaced(SIGNED, b"# SIG # Begin", b" # SIG # Begin"),
            "script.parse",
        ),
        (
            "spelt otherwise",
            "a.ps1",
            replaced(SIGNED, b"Begin signature", b"begin signature"),
            "script.parse",
        ),
        (
            "line feeds",
            "a.ps1",
            text(SIGNED).replace("\r\n", "\n").into_bytes(),
            "script.parse",
        ),
        (
            "line feed in the block",
            "a.ps1",
            replaced(SIGNED, b"block\r\n# MII", b"block\n# MII"),
            "script.parse",
        ),
        (
            "carriage return",
            "a.ps1",
            replaced(SIGNED, b"block\r\n# MII", b"block\r# MII"),
            "script.parse",
        ),
        (
            "code in the block",
            "a.ps1",
            replaced(SIGNED, b"# MII", b"Remove-Item *\r\n# MII"),
            "script.parse",
        ),
        (
            "empty line in the block",
            "a.ps1",
            replaced(SIGNED, b"# MII", b"\r\n# MII"),
            "script.parse",
        ),
        (
            "code in a line of the block",
            "a.ps1",
            replaced(SIGNED, b"# MII", b"# M!I"),
            "script.parse",
        ),
        (
            "block without an end",
            "a.ps1",
            replaced(SIGNED, b"# SIG # End signature block\r\n", b""),
            "script.parse",
        ),
        (
            "no block but its end",
            "a.ps1",
            [PLAIN, b"# SIG # End signature block\r\n"].concat(),
            "script.signed",
        ),
        (
            "block alone",
            "a.ps1",
            SIGNED[PLAIN.len() + 2..].to_vec(),
            "script.parse",
        ),
        (
            "cut in the block",
            "a.ps1",
            SIGNED[..SIGNED.len() - 300].to_vec(),
            "script.parse",
        ),
        (
            "empty block",
            "a.ps1",
            b"x\r\n# SIG # Begin signature block\r\n# SIG # End signature block\r\n".to_vec(),
            "cms.parse",
        ),
        (
            "too large",
            "a.ps1",
            vec![b'#'; 8 * 1024 * 1024 + 1],
            "script.parse",
        ),
        (
            "line without its comment",
            "a.ps1xml",
            replaced(XML, b" -->\r\n<!-- SIG # End", b"\r\n<!-- SIG # End"),
            "script.parse",
        ),
        (
            "letter of XML",
            "a.ps1xml",
            replaced(XML, b"Oil", b"oil"),
            "script.digest",
        ),
        (
            "letter of MOF",
            "a.mof",
            replaced(MOF, b"Oil", b"oil"),
            "script.digest",
        ),
        (
            "letter of VBScript",
            "a.vbs",
            replaced(VBSCRIPT, b"hello", b"hallo"),
            "script.digest",
        ),
        (
            "western letter",
            "a.vbs",
            replaced(WESTERN, b"\xa9", b"\xa8"),
            "script.digest",
        ),
        (
            "western quote",
            "a.vbs",
            replaced(WESTERN, b"\x91", b"\x93"),
            "script.digest",
        ),
        (
            "code behind VBScript",
            "a.vbs",
            [VBSCRIPT, b"x"].concat(),
            "script.trailing-data",
        ),
        (
            "letter of JScript",
            "a.js",
            replaced(JSCRIPT, b"hello", b"hallo"),
            "script.digest",
        ),
        (
            "block of JScript in VBScript",
            "a.vbs",
            replaced(VBSCRIPT, VBSCRIPT, JSCRIPT),
            "script.signed",
        ),
        (
            "letter of the file",
            "a.wsf",
            replaced(WINDOWS_SCRIPT, b"hello", b"hallo"),
            "script.digest",
        ),
        (
            "element behind",
            "a.wsf",
            [WINDOWS_SCRIPT, b"<!-- -->"].concat(),
            "script.digest",
        ),
        (
            "job behind",
            "a.wsf",
            [WINDOWS_SCRIPT, b"<job></job>"].concat(),
            "script.parse",
        ),
        (
            "block elsewhere",
            "a.wsf",
            replaced(WINDOWS_SCRIPT, b"</job>", b" </job>"),
            "script.parse",
        ),
        (
            "signed digest",
            "a.ps1",
            flipped(SIGNED, content, digest),
            "script.digest",
        ),
        (
            "binding of the signed digest",
            "a.ps1",
            flipped(SIGNED, content, digest),
            "cms.message-digest",
        ),
        (
            "kind of content",
            "a.ps1",
            flipped(SIGNED, |_| crate::oid::SPC_SIP_INFO.0.to_vec(), 9),
            "cms.parse",
        ),
        (
            "reader",
            "a.ps1",
            flipped(SIGNED, |_| Language::PowerShell.subject().to_vec(), 3),
            "cms.parse",
        ),
        (
            "signature itself",
            "a.ps1",
            flipped(SIGNED, signature, 20),
            "cms.signature",
        ),
        (
            "structure",
            "a.ps1",
            resigned(SIGNED, |pkcs7| pkcs7[5] ^= 1),
            "cms.parse",
        ),
        (
            "bytes behind the signature",
            "a.ps1",
            resigned(SIGNED, |pkcs7| pkcs7.push(0)),
            "script.trailing-data",
        ),
        ("nothing wrong", "a.ps1", resigned(SIGNED, |_| ()), ""),
    ]
}

fn pkcs7() -> Vec<u8> {
    let text = Text::read(SIGNED, Language::PowerShell).expect("a text");
    let block = Block::find(&text.units, Language::PowerShell);
    block.expect("a block").expect("a signature").pkcs7
}

#[test]
fn one_thing_wrong_fails_its_check() {
    let mut wrong = Vec::new();
    for (what, name, bytes, check) in mutants() {
        let found = look(name, &bytes);
        let ids = failed(&found);
        let is_as_expected = match check {
            "" => found.verdict == Verdict::Valid,
            check => found.verdict != Verdict::Valid && ids.contains(&check),
        };
        if !is_as_expected {
            wrong.push(format!("{what}: expected {check}, found {ids:?}"));
        }
        keep(&format!("{what}-{name}"), &bytes);
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Where the block stands is signed too, in scripts of Windows Script Host: a digest without it is one of osslsigncode's.
#[test]
fn the_place_of_the_block_is_signed_where_windows_signs_it() {
    let text = Text::read(VBSCRIPT, Language::VbScript).expect("a text");
    let block = Block::find(&text.units, Language::VbScript);
    let block = block.expect("a block").expect("a signature");
    let (signed, _) = SignedData::parse(&block.pkcs7).expect("a signature");
    let content = signed.content.expect("content");
    let units = &text.units[..block.start];
    let mut bytes: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
    let without = DigestAlgorithm::Sha256.hash(&[&bytes]);
    assert!(!content.ends_with(&without));
    bytes.extend(u32::try_from(units.len()).expect("small").to_le_bytes());
    assert!(content.ends_with(&DigestAlgorithm::Sha256.hash(&[&bytes])));
}
