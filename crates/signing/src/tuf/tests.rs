//! Repositories made by python-tuf and here, and copies of them with one thing wrong: the right check must fail.

mod build;
mod judge;
mod mutants;

use std::path::Path;

use super::*;
use crate::checks::Outcome;
use crate::tests::day;

const MADE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/tuf");

type Files = BTreeMap<String, Vec<u8>>;

fn rule() -> Rule {
    Rule {
        root: "root.json".to_owned(),
        metadata: "metadata".to_owned(),
        targets: None,
    }
}

/// What fails for an artifact.
fn failed_of(
    rule: &Rule,
    root: Option<&[u8]>,
    files: &Files,
    name: &str,
    bytes: &[u8],
) -> Vec<&'static str> {
    failed_at(rule, root, files, (name, bytes), day())
}

fn failed_at(
    rule: &Rule,
    root: Option<&[u8]>,
    files: &Files,
    (name, bytes): (&str, &[u8]),
    at: Timestamp,
) -> Vec<&'static str> {
    let name: FileName = name.parse().expect("a name");
    let version = "1.4.0".parse().expect("a version");
    let read = |file: &str, bytes_max: u64| {
        let bytes_max = usize::try_from(bytes_max).expect("small");
        let bytes = files.get(file);
        Ok::<_, ()>(bytes.map(|it| it[..it.len().min(bytes_max)].to_vec()))
    };
    let repository = Repository::read(rule, root, &[&name], (&version, at), read);
    let repository = repository.expect("files in memory");
    let (sha256, sha512) = (Sha256::of(bytes), Sha512::of(bytes));
    let checks = repository.checks(&name, bytes.len() as u64, sha256, Some(sha512));
    assert!(!checks.is_empty(), "nobody looked");
    for check in &checks {
        let is_plain = !check.reason.chars().any(char::is_control);
        assert!(is_plain, "{}", check.reason);
    }
    let failed = checks.iter().filter(|it| it.outcome != Outcome::Pass);
    failed.map(|it| it.id.as_str()).collect()
}

/// The repository that python-tuf made, and the root that it began with.
fn made() -> (Vec<u8>, Files) {
    let read = |path: &Path| std::fs::read(path).expect("a fixture");
    let folder = std::fs::read_dir(Path::new(MADE).join("metadata")).expect("a fixture");
    let files = folder.map(|file| {
        let path = file.expect("a file").path();
        let name = path.file_name().expect("a name").to_string_lossy();
        (name.into_owned(), read(&path))
    });
    (read(&Path::new(MADE).join("root.json")), files.collect())
}

#[test]
fn targets_are_found_however_they_are_delegated() {
    let (root, files) = made();
    let of = |folder: Option<&str>, name: &str, bytes: &str| {
        let rule = Rule {
            targets: folder.map(str::to_owned),
            ..rule()
        };
        failed_of(&rule, Some(&root), &files, name, bytes.as_bytes())
    };
    // By the role itself, by a pattern, by a hash, and each of eight in one of two bins.
    assert_eq!(of(None, "atlas.exe", "atlas.exe"), [""; 0]);
    assert_eq!(of(Some("linux"), "atlas.deb", "linux/atlas.deb"), [""; 0]);
    assert_eq!(of(None, "other.zip", "other.zip"), [""; 0]);
    for number in 0..8 {
        let (name, path) = (format!("{number}.zip"), format!("bins/{number}.zip"));
        assert_eq!(of(Some("bins/"), &name, &path), [""; 0], "{path}");
        assert_eq!(of(Some("bins/"), &name, &name), ["tuf.digest"]);
    }
    assert_eq!(of(None, "atlas.exe", "atlas.exf"), ["tuf.digest"]);
    for (folder, name) in [
        (None, "atlas.deb"),
        (Some("linux"), "atlas.rpm"),
        (Some("linux/x"), "atlas.deb"),
        (Some("bins"), "8.zip"),
        (Some("bins"), "10.zip"),
        (Some("{version}"), "atlas.exe"),
    ] {
        assert_eq!(of(folder, name, ""), ["tuf.coverage"], "{name}");
    }
    let whole = rule();
    let expired = |at: &str| {
        let at = at.parse().expect("a time");
        failed_at(&whole, Some(&root), &files, ("atlas.exe", b"atlas.exe"), at)
    };
    assert_eq!(expired("2045-12-31T23:59:59Z"), [""; 0]);
    assert_eq!(expired("2046-01-01T00:00:00Z"), ["tuf.root"]);
    assert_eq!(
        failed_of(&whole, None, &files, "atlas.exe", b""),
        ["tuf.root"]
    );
}

/// Keys of each kind stand behind some document, so a flipped bit anywhere is found.
#[test]
fn no_bit_of_a_document_can_change() {
    let (root, files) = made();
    let changes = |text: &[u8], at: usize| {
        let mut text = text.to_vec();
        text[at] ^= 1;
        text
    };
    for (name, text) in &files {
        for at in (0..text.len()).step_by(127) {
            let mut files = files.clone();
            files.insert(name.clone(), changes(text, at));
            for (path, bytes) in [("atlas.exe", "atlas.exe"), ("other.zip", "other.zip")] {
                let failed = failed_of(&rule(), Some(&root), &files, path, bytes.as_bytes());
                let is_read =
                    !name.contains("bin-") && !name.contains("linux") && !name.contains("nested");
                let is_read = is_read && (path == "other.zip" || !name.contains("hashed"));
                // A bit of a signature by one who need not sign, of white space in a key, or of a name that nobody reads.
                let may_hold = name.contains("2.root");
                assert!(
                    failed.is_empty() != is_read || may_hold,
                    "{name} {at} {path}: {failed:?}"
                );
            }
        }
    }
}

#[test]
fn canonical_json_is_as_it_is_signed() {
    let of = |text: &str| {
        let mut bytes = Vec::new();
        let json = json::Json::parse(text.as_bytes());
        json.map(|json| {
            json.canonical(&mut bytes);
            String::from_utf8(bytes).expect("UTF-8")
        })
    };
    for (text, canonical) in [
        (
            "{ \"b\" : [1, -2,true ,null], \"a\": {} }",
            "{\"a\":{},\"b\":[1,-2,true,null]}",
        ),
        (
            r#""\u0041\n\"\\\/\u007f\ud83d\ude00""#,
            "\"A\n\\\"\\\\/\u{7f}\u{1f600}\"",
        ),
        // By code points, which is not the order of UTF-16.
        (
            "{\"\u{10000}\":1,\"\u{ffff}\":2,\"a\":3}",
            "{\"a\":3,\"\u{ffff}\":2,\"\u{10000}\":1}",
        ),
        ("9223372036854775807", "9223372036854775807"),
    ] {
        assert_eq!(of(text).expect(text), canonical);
    }
    for text in [
        "1.0",
        "1e3",
        "-0",
        "9223372036854775808",
        "{\"a\":1,\"a\":1}",
        "\"\\ud800\"",
        "[1,]",
        "{} {}",
        "",
        "NaN",
        "{\"$serde_json::private::Number\":\"1\"}",
        "\"\u{1}\"",
    ] {
        assert!(of(text).is_err(), "{text}");
    }
    assert!(of(&"[".repeat(100_000)).is_err());
}
