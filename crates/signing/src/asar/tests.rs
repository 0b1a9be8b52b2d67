//! What is read of archives, and what is refused.

use std::io::Cursor;

use serde_json::json;

use super::*;

/// An archive of a header and the files behind it.
pub(crate) fn archive(header: &Value, files: &[u8]) -> Vec<u8> {
    let text = header.to_string();
    let filled = text.len().next_multiple_of(4);
    let number = |value: usize| u32::try_from(value).expect("small").to_le_bytes();
    let mut bytes = MAGIC.to_vec();
    bytes.extend(number(filled + 8));
    bytes.extend(number(filled + 4));
    bytes.extend(number(text.len()));
    bytes.extend(text.bytes());
    bytes.resize(16 + filled, 0);
    bytes.extend(files);
    bytes
}

fn read(bytes: &[u8]) -> Result<Vec<Entry>, String> {
    open(&mut Cursor::new(bytes)).map_err(|error| error.to_string())
}

fn good() -> Value {
    json!({"files": {
        "index.js": {"size": 5, "offset": "0", "integrity": {"algorithm": "SHA256"}},
        "lib": {"files": {
            "a.node": {"size": 3, "offset": "5", "executable": true},
            "b.node": {"size": 9, "unpacked": true},
        }},
        "main.js": {"link": "index.js"},
    }})
}

#[test]
fn files_folders_and_links_are_read() {
    let bytes = archive(&good(), b"hellobin");
    let found = read(&bytes).expect("an archive");
    let shown: Vec<_> = found.iter().map(|entry| entry.path.as_str()).collect();
    assert_eq!(
        shown,
        ["index.js", "lib", "lib/a.node", "lib/b.node", "main.js"]
    );
    let content = |entry: &Entry| match entry.kind {
        EntryKind::File { at, size, .. } => {
            let at = usize::try_from(at).expect("small");
            &bytes[at..at + usize::try_from(size).expect("small")]
        }
        _ => &[],
    };
    assert_eq!(content(&found[0]), b"hello");
    assert_eq!(content(&found[2]), b"bin");
    assert_eq!(found[3].kind, EntryKind::Unpacked);
    assert_eq!(found[4].kind, EntryKind::Link("index.js".to_owned()));
    assert!(is_asar("a/app.ASAR", &bytes) && !is_asar("a/app.zip", &bytes));
}

#[test]
fn what_is_wrong_is_refused() {
    let one = |entry: Value| archive(&json!({"files": {"a": entry}}), b"content");
    let mut deep = json!({"files": {}});
    for _ in 0..40 {
        deep = json!({"files": {"a": deep}});
    }
    let mut vast = archive(&good(), b"hellobin");
    vast[4..8].fill(0xff);
    let mut longer = archive(&good(), b"hellobin");
    longer[12..16].copy_from_slice(&4000_u32.to_le_bytes());
    let cases: [(&str, Vec<u8>, &str); 13] = [
        ("nothing", Vec::new(), "does not begin"),
        (
            "another file",
            b"PK\x03\x04 and so on, and so on".to_vec(),
            "does not begin",
        ),
        (
            "cut",
            archive(&good(), b"")[..40].to_vec(),
            "does not begin",
        ),
        ("a header without end", vast, "larger than"),
        ("a text longer than its header", longer, "does not begin"),
        ("no object", archive(&json!([1]), b""), "no JSON of files"),
        ("too deep", archive(&deep, b""), "32 deep"),
        ("no place", one(json!({"size": 1})), "no place"),
        (
            "a place of digits",
            one(json!({"size": 1, "offset": 0})),
            "no place",
        ),
        (
            "past the end",
            one(json!({"size": 8, "offset": "0"})),
            "does not lie",
        ),
        (
            "a place without end",
            one(json!({"size": 1, "offset": "18446744073709551615"})),
            "does not lie",
        ),
        (
            "leaves",
            archive(&json!({"files": {"..": {"size": 1, "offset": "0"}}}), b"x"),
            "leaves its folder",
        ),
        (
            "a name of two",
            archive(&json!({"files": {"a/b": {"size": 1, "offset": "0"}}}), b"x"),
            "differently",
        ),
    ];
    for (what, bytes, expected) in cases {
        let reason = read(&bytes).expect_err(what);
        assert!(reason.contains(expected), "{what}: {reason}");
    }
}

#[test]
fn noise_is_refused_without_a_panic() {
    let bytes = archive(&good(), b"hellobin");
    for at in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[at] ^= 0x15;
        let _ = read(&flipped);
        let _ = read(&bytes[..at]);
    }
}
