//! Packages without a signature whose block map or manifest was edited: each edit fails the check that is about it, besides
//! that of the signature.

use std::io::Read as _;

use super::*;
use crate::zip::Archive;
use crate::zip::tests::{Member, archive};

/// The parts of an archive.
fn parts(bytes: &[u8]) -> Vec<Member> {
    let opened = Archive::open(&mut Cursor::new(bytes)).expect("bytes in memory");
    let opened = opened.expect("an archive");
    let member = |entry| {
        let mut reader = Cursor::new(bytes);
        let mut content = Vec::new();
        let mut read = Archive::content(&mut reader, entry).expect("bytes in memory");
        read.read_to_end(&mut content).expect("a content");
        Member::new(&entry.path, &content)
    };
    opened.entries.iter().map(member).collect()
}

/// The same with a text in a part replaced once.
fn edited(bytes: &[u8], part: &str, from: &str, to: &str) -> Vec<u8> {
    let mut parts = parts(bytes);
    let part = parts.iter_mut().find(|it| it.name == part.as_bytes());
    let part = part.expect("the part");
    let text = String::from_utf8(part.content.clone()).expect("text");
    assert!(text.contains(from), "{from}");
    part.content = text.replacen(from, to, 1).into_bytes();
    archive(&parts)
}

/// Only one check fails, besides that of the signature; where the block map names other files, theirs fail too.
#[track_caller]
fn fails(bytes: &[u8], check: &str) {
    let found = look(bytes);
    let mut ids = failed(&found);
    if check == "msix.block-map" {
        ids.retain(|id| *id != "msix.blocks");
    }
    assert_eq!(ids, [check, "msix.signed"], "{found:#?}");
    assert_eq!(found.verdict, Verdict::Invalid);
}

#[test]
fn a_package_may_be_packed_anew() {
    assert_eq!(failed(&look(&archive(&parts(PLAIN)))), ["msix.signed"]);
}

#[test]
fn edits_of_the_block_map_are_found() {
    let file = "<File Name=\"app.exe\" Size=\"13\"";
    for (from, to, check) in [
        ("2010/blockmap", "2011/blockmap", "msix.block-map"),
        ("xmlenc#sha256", "xmlenc#md5", "msix.block-map"),
        ("<BlockMap", "<Blockmap", "msix.block-map"),
        (file, "<File Name=\"APP.exe\" Size=\"13\"", "msix.block-map"),
        (
            file,
            "<File Name=\"data/empty.bin\" Size=\"13\"",
            "msix.block-map",
        ),
        (
            file,
            "<File Name=\"AppxBlockMap.xml\" Size=\"13\"",
            "msix.block-map",
        ),
        (
            file,
            "<File Name=\"data\\empty.bin\" Size=\"13\"",
            "msix.block-map",
        ),
        (
            file,
            "<File Name=\"app.exe\" Size=\"-13\"",
            "msix.block-map",
        ),
        (
            file,
            "<File xmlns=\"x\" Name=\"app.exe\" Size=\"13\"",
            "msix.block-map",
        ),
        (file, "<File Name=\"app.exe\" Size=\"14\"", "msix.blocks"),
        (file, "<File Name=\"app.exe\" Size=\"65537\"", "msix.blocks"),
        ("Hash=\"", "Hash=\"A", "msix.block-map"),
        ("</File>", "<x:File/></File>", "msix.block-map"),
        (
            "</BlockMap>",
            "<File Name=\"more.bin\" Size=\"0\"/></BlockMap>",
            "msix.block-map",
        ),
        (
            "data\\big file.bin",
            "data\\big%20file.bin",
            "msix.block-map",
        ),
    ] {
        let bytes = match to.starts_with("<Blockmap") {
            // Both ends of the element.
            true => {
                let once = edited(PLAIN, "AppxBlockMap.xml", from, to);
                edited(&once, "AppxBlockMap.xml", "</BlockMap>", "</Blockmap>")
            }
            false => edited(PLAIN, "AppxBlockMap.xml", from, to),
        };
        fails(&bytes, check);
    }
}

#[test]
fn elements_that_may_be_ignored_are() {
    let declared = "xmlns:b4=\"http://schemas.microsoft.com/appx/2021/blockmap\" HashMethod";
    let once = edited(PLAIN, "AppxBlockMap.xml", "HashMethod", declared);
    let more = edited(
        &once,
        "AppxBlockMap.xml",
        "</File>",
        "<b4:FileHash Hash=\"x\"/></File>",
    );
    fails(&more, "msix.block-map");
    let named = "IgnorableNamespaces=\"b4\" HashMethod";
    let named = edited(&more, "AppxBlockMap.xml", "HashMethod", named);
    assert_eq!(failed(&look(&named)), ["msix.signed"]);
    // A prefix for the namespace itself would hide files.
    let same = edited(&named, "AppxBlockMap.xml", "2021/blockmap", "2010/blockmap");
    fails(&same, "msix.block-map");
}

#[test]
fn edits_of_files_are_found_by_block() {
    let mut parts = parts(PLAIN);
    let big = parts.iter_mut().find(|it| it.name.ends_with(b"file.bin"));
    big.expect("a file of three blocks").content[140_000] ^= 1;
    let found = look(&archive(&parts));
    let reason = found.failed().find(|it| it.id.as_str() == "msix.blocks");
    let reason = &reason.expect("a failed check").reason;
    assert!(
        reason.starts_with("block 2 of `data/big file.bin`"),
        "{reason}"
    );
}

#[test]
fn parts_that_cannot_be_told_apart_are_refused() {
    for name in ["APP.exe", "%61pp.exe", "a%2fb%5c..", "folder/"] {
        let mut parts = parts(PLAIN);
        parts.push(Member::new(name, b""));
        let found = look(&archive(&parts));
        assert_eq!(failed(&found), ["msix.parse"], "{name}");
    }
    let mut parts = parts(PLAIN);
    parts.push(Member::new("AppxMetadata/AppxBundleManifest.xml", b""));
    assert_eq!(failed(&look(&archive(&parts))), ["msix.parse"]);
}

#[test]
fn nothing_is_read_that_is_larger_than_what_is_read() {
    for (part, bytes, check) in [
        ("AppxManifest.xml", 4 << 20, "msix.manifest"),
        ("AppxBlockMap.xml", 16 << 20, "msix.block-map"),
        ("AppxSignature.p7x", 1 << 20, "cms.parse"),
    ] {
        let mut parts = parts(SIGNED);
        let part = parts.iter_mut().find(|it| it.name == part.as_bytes());
        let part = part.expect("the part");
        *part = Member::deflated(&String::from_utf8_lossy(&part.name), &vec![b' '; bytes + 1]);
        let found = look(&archive(&parts));
        let reason = found.failed().find(|it| it.id.as_str() == check);
        let reason = &reason.expect("a failed check").reason;
        assert!(
            reason.contains(&format!("more than {bytes} bytes")),
            "{reason}"
        );
    }
}

#[test]
fn edits_of_manifests_are_found() {
    let manifest = "AppxMetadata/AppxBundleManifest.xml";
    let unsigned = {
        let mut parts = parts(BUNDLE);
        assert_eq!(parts.pop().expect("a part").name, b"AppxSignature.p7x");
        archive(&parts)
    };
    assert_eq!(failed(&look(&unsigned)), ["msix.signed"]);
    for (from, to, check) in [
        ("2013/bundle", "2013/bundle\" xmlns:a=\"a", ""),
        (
            "schemas.microsoft.com",
            "schemas.example.org",
            "msix.manifest",
        ),
        ("<Identity", "<Identities", "msix.manifest"),
        (" Publisher=", " Printer=", "msix.manifest"),
        ("Offset=\"38\"", "Offset=\"39\"", "msix.bundle"),
        ("Size=\"", "Size=\"1", "msix.bundle"),
        ("x64.msix", "x86.msix", "msix.bundle"),
        ("arm64.msix", "x64.msix", "msix.bundle"),
        ("O=Snake Oil Ltd", "O=Other Ltd", "msix.bundle"),
    ] {
        let ids = failed(&look(&edited(&unsigned, manifest, from, to)));
        // The block map has the digest of the manifest, and names no package that the manifest does not.
        let about: Vec<_> = ids
            .iter()
            .filter(|id| !matches!(**id, "msix.blocks" | "msix.signed" | "msix.block-map"))
            .collect();
        assert_eq!(
            about,
            [check]
                .iter()
                .filter(|it| !it.is_empty())
                .collect::<Vec<_>>(),
            "{to}"
        );
        assert!(ids.contains(&"msix.blocks"), "{to}");
    }
}
